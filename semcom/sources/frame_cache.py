"""Cached frames: safetensors under the user's cache folder, checked when read and replaced in one move."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from semcom.files import replacing
from semcom.sources import cache
from semcom.sources.frames import FrameSet

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "semcom frames 1"


def remember(name: str, key: str, make: Callable[[], Mapping[str, FrameSet]]) -> dict[str, FrameSet]:
    """The splits stored under a key; made and stored first where they are absent, damaged or someone else's.

    Args:
        name: the kind of source, as it shall begin the file's name.
        key: everything the frames depend on.
        make: called only if needed; when it raises, nothing is stored.
    """
    path = place(name, key)
    if (kept := _read(path, key)) is not None:
        return kept
    made = dict(make())
    _write(path, key, made)
    return made


def place(name: str, key: str) -> Path:
    """The file of one set of frames, under a name a person can recognize."""
    return cache.place(name, key).with_suffix(".safetensors")


def _write(path: Path, key: str, splits: Mapping[str, FrameSet]) -> None:
    import torch
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    for split, frames in splits.items():
        # As pairs of reals: a complex type is younger than the format.
        tensors[f"{split}.samples"] = torch.view_as_real(frames.samples).contiguous()
        tensors[f"{split}.labels"] = frames.labels
        if frames.snr_db is not None:
            tensors[f"{split}.snr_db"] = frames.snr_db
    facts = {"format": FORMAT, "key": key, "digest": _digest(tensors)}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata=facts)


def _read(path: Path, key: str) -> dict[str, FrameSet] | None:
    """The splits of a cached file, or None where it is not ours, not of that key, or not as it was written."""
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata() or {}
            if (facts.get("format"), facts.get("key")) != (FORMAT, key):
                return None
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    except (OSError, SafetensorError):
        return None
    if _digest(tensors) != facts.get("digest"):
        return None
    # A file with this key and this digest was written above, so its names and shapes are those written there.
    names = {name.partition(".")[0] for name in tensors}
    return {
        split: FrameSet(
            torch.view_as_complex(tensors[f"{split}.samples"]),
            tensors[f"{split}.labels"],
            tensors.get(f"{split}.snr_db"),
        )
        for split in names
    }


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Of names and bytes."""
    checksum = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        checksum.update(f"{name} {tuple(tensors[name].shape)}\n".encode())
        checksum.update(tensors[name].numpy().data)
    return checksum.hexdigest()
