"""Examples: a few test pictures or spectra, and what became of them at every operating point; kept as examples.json."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semcom.files import write_atomically
from semcom.metrics.spectra import RANGE_DB
from semcom.mistakes import UserMistake

__all__ = ["Arrival", "Examples", "Spectra", "read_examples", "write_examples"]

# A run keeps a handful of pictures; more than this is no file of ours.
MOST_BYTES = 64_000_000
MOST_VALUES = 4_000_000  # of one stack of pictures

MOST_RATE = 384_000  # samples a second

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Spectra:
    """How pictures that are spectra of words are to be read: rows are mel bands, the lowest first, columns frames.

    A value of 0 is 60 dB below the loudest band of the word, one of 255 is that band.

    Args:
        frames: of each word; what stands behind them is nothing.
        rate: samples a second.
        hop: from frame to frame [samples].
        words: what was said.
    """

    frames: tuple[int, ...]
    rate: int
    hop: int
    words: tuple[str, ...]

    @staticmethod
    def packed(decibels: NDArray[np.float32]) -> Pixels:
        """A spectrum [frames, bands] as a picture [1, bands, frames]."""
        shades: Pixels = np.rint((decibels.T / RANGE_DB + 1) * 255).clip(0, 255).astype(np.uint8)[None]
        return shades

    def decibels(self, picture: Pixels, place: int) -> NDArray[np.float64]:
        """The spectrum [frames, bands] of the word at that place, without what stands behind it."""
        return (picture[0].T[: self.frames[place]] / 255.0 - 1) * RANGE_DB


@dataclass(frozen=True, eq=False)
class Arrival:
    """What became of the example pictures with one codec at one operating point.

    Args:
        pictures: as rebuilt, or the pixels as they were received [pictures, planes, rows, columns]; None where a
            receiver sees no picture.
        classes: as recognized, one for each picture; none where the picture itself is wanted.
    """

    codec: str
    role: str
    snr_db: float
    interferers: int
    pictures: Pixels | None
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Examples:
    """Some test pictures, and what arrived of them.

    Args:
        sent: [pictures, planes, rows, columns].
        classes: of each; none where the picture itself is wanted.
        seed: of the codecs.
        spectra: how the pictures are to be read that are spectra of words; None where they are pictures.
    """

    sent: Pixels
    classes: tuple[str, ...]
    seed: int
    arrivals: tuple[Arrival, ...]
    spectra: Spectra | None = None


def write_examples(examples: Examples, path: Path) -> None:
    """Replace the file by these.

    Raises:
        UserMistake: the disk refuses.
    """
    facts = {
        "sent": _packed(examples.sent),
        "classes": list(examples.classes),
        "seed": examples.seed,
        "arrivals": [
            {
                "codec": each.codec,
                "role": each.role,
                "snr_db": each.snr_db,
                "interferers": each.interferers,
                "pictures": None if each.pictures is None else _packed(each.pictures),
                "classes": list(each.classes),
            }
            for each in examples.arrivals
        ],
        **({"spectra": asdict(examples.spectra)} if examples.spectra else {}),
    }
    write_atomically(path, json.dumps(facts) + "\n")


def read_examples(path: Path) -> Examples:
    """What `write_examples` wrote.

    Raises:
        UserMistake: no such file, one of another kind or size, or pictures that do not belong together.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"must be at most {MOST_BYTES:,} bytes, got {path.stat().st_size:,}")
        facts = json.loads(path.read_bytes())
        sent = _unpacked(facts["sent"])
        arrivals = tuple(_arrival(each, sent) for each in facts["arrivals"])
        spectra = _spectra(facts["spectra"], sent) if "spectra" in facts else None
        return Examples(sent, _words(facts["classes"], len(sent)), int(facts["seed"]), arrivals, spectra)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise UserMistake(f"{path}: must be the example pictures of a run, got: {told}; run it again") from None


def _arrival(facts: Any, sent: Pixels) -> Arrival:
    pictures = None if facts["pictures"] is None else _unpacked(facts["pictures"])
    if pictures is not None and pictures.shape != sent.shape:
        raise ValueError(f"pictures of shape {pictures.shape} that arrived of {sent.shape}")
    snr_db, interferers = float(facts["snr_db"]), int(facts["interferers"])
    if not math.isfinite(snr_db):
        raise ValueError(f"an SNR of {snr_db}")
    classes = _words(facts["classes"], len(sent))
    return Arrival(str(facts["codec"]), str(facts["role"]), snr_db, interferers, pictures, classes)


def _spectra(facts: Any, sent: Pixels) -> Spectra:
    frames, rate, hop = tuple(facts["frames"]), facts["rate"], facts["hop"]
    told = sent.shape[1] == 1 and len(frames) == len(sent) and max(frames) == sent.shape[3]
    if not told or not all(type(each) is int and each >= 1 for each in (*frames, hop)) or type(rate) is not int:
        raise ValueError(f"spectra of {frames!r:.60} frames in pictures of shape {sent.shape}")
    if not hop <= rate <= MOST_RATE:
        raise ValueError(f"spectra at {rate} samples a second, {hop} a frame")
    words = _words(facts["words"], len(sent))
    if not words:
        raise ValueError("spectra of words that are not told")
    return Spectra(frames, rate, hop, words)


def _words(found: Any, count: int) -> tuple[str, ...]:
    words = tuple(map(str, found)) if isinstance(found, list) else None
    if words is None or len(words) not in (0, count):
        raise ValueError(f"{found!r:.60} in place of {count} classes")
    return words


def _packed(pictures: Pixels) -> dict[str, Any]:
    return {"shape": list(pictures.shape), "pixels": base64.b64encode(pictures.tobytes()).decode("ascii")}


def _unpacked(facts: Any) -> Pixels:
    shape: Sequence[int] = facts["shape"]
    if len(shape) != 4 or not all(type(each) is int and each > 0 for each in shape) or shape[1] not in (1, 3):
        raise ValueError(f"pictures of shape {shape!r:.60}")
    if math.prod(shape) > MOST_VALUES:
        raise ValueError(f"pictures of {math.prod(shape):,} values")
    try:
        data = base64.b64decode(facts["pixels"], validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if len(data) != math.prod(shape):
        raise ValueError(f"{len(data):,} bytes of pictures where {math.prod(shape):,} belong")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)
