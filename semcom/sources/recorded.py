"""Recorded frames: how files of labelled frames are named by content, dealt to splits and brought to one scale."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from semcom.files import digest, digest_of, expanded
from semcom.mistakes import UserMistake
from semcom.sources import cache
from semcom.words import visible

if TYPE_CHECKING:
    from torch import Tensor

    from semcom.sources.frames import FrameCorpus

# Smaller files are read again whenever their content is asked for; the largest set has 20 GB.
REMEMBERED_BYTES = 100_000_000
# What may be held in memory at once.
LARGEST_BYTES = 32_000_000_000
BYTES_PER_SAMPLE = 8
MOST_CLASSES = 1000
# Part of every fingerprint here: raise it when a change alters which frames are read or where they go.
READING_VERSION = 1
Rows = dict[str, "Tensor"]


def check_recorded(path: str, validation_share: float, test_share: float, seed: int) -> None:
    """Refuse settings that no recording can meet.

    Raises:
        ValueError: in words that name the setting.
    """
    # An empty path is the working folder to the system, which nobody means.
    if not path.strip():
        raise ValueError(f"path must name a file or a folder, got {path!r}")
    for name, share in (("validation_share", validation_share), ("test_share", test_share)):
        if not 0 < share < 1:
            raise ValueError(f"{name} must be between 0 and 1, got {share}; 0.1 is a tenth of the frames")
    if validation_share + test_share >= 1:
        raise ValueError(
            f"validation_share and test_share must leave frames to train on, got {validation_share} and {test_share}"
        )
    if type(seed) is not int:
        raise ValueError(f"seed must be a whole number, got {seed!r}")


def found_file(path: str, what: str) -> Path:
    """The file of a recorded set.

    Raises:
        UserMistake: there is no such file.
    """
    file = expanded(path)
    try:
        if file.is_file():
            return file
        got = "something that is no file" if file.exists() else "nothing of that name"
    except OSError as error:
        got = error.strerror or str(error)
    raise UserMistake(f"path must be the file of {what}, got {path} ({got}); check the spelling")


def content_of(file: Path) -> str:
    """Digest of a file's bytes; that of a large one is remembered for as long as its time and size stay.

    Raises:
        UserMistake: the file cannot be read.
    """
    try:
        facts = file.stat()
        if facts.st_size < REMEMBERED_BYTES:
            return digest_of(file)
        key = json.dumps([str(file.resolve()), facts.st_size, facts.st_mtime_ns, facts.st_ino])
        return next(iter(cache.remember("digest", key, lambda: [digest_of(file)])))
    except OSError as error:
        raise UserMistake(f"{file} must be readable, got {error.strerror or error}; check its permissions") from error


def fingerprint_of(source: str, content: object, settings: Mapping[str, object]) -> str:
    """The fingerprint of a recorded set: what its files hold, and the settings that choose from them and split them."""
    facts = [source, READING_VERSION, content, dict(settings)]
    return digest(json.dumps(facts, sort_keys=True).encode())


def check_size(frames: int, length: int, called: str) -> None:
    """Refuse to hold more than a machine can."""
    size = frames * length * BYTES_PER_SAMPLE
    if size > LARGEST_BYTES:
        raise UserMistake(
            f"{called}: frames must fit {LARGEST_BYTES:,} bytes of memory, got {size:,}; give fewer with frames"
        )


def deal(cells: Tensor, *, shares: tuple[float, float], seed: int, most: int | None = None) -> Rows:
    """Deal frames to train, validation and test by chance, cell by cell: a cell is a class at one level of noise.

    Each split then lists the first frame of every cell, the second of every cell and so on, so that any beginning of
    it holds all cells as evenly as can be. Cells are dealt each by a stream of its own: another cell moves nobody.

    Args:
        cells: which cell each frame belongs to [frames], whole numbers.
        shares: of each cell, for validation and for test.
        most: keep so many frames of all at most, as evenly from all cells as they allow.
    """
    import torch

    from channels.chance import Chance

    names, counts = cells.unique(return_counts=True)
    # Stable, so that a cell's frames stay in the order of the file before chance orders them.
    members = cells.argsort(stable=True).split(counts.tolist())
    kept = evenly(counts.tolist(), most)
    order = torch.randperm(len(names), generator=Chance(seed).of("cells").generator()).tolist()
    dealt: dict[str, list[tuple[Tensor, int]]] = {"train": [], "validation": [], "test": []}
    for place, cell in enumerate(order):
        generator = Chance(seed).of("split", int(names[cell])).generator()
        mixed = members[cell][torch.randperm(len(members[cell]), generator=generator)][: kept[cell]]
        validation, test = (round(share * len(mixed)) for share in shares)
        sizes = [test, validation, len(mixed) - validation - test]
        for split, rows in zip(("test", "validation", "train"), mixed.split(sizes), strict=True):
            dealt[split].append((rows, place))
    return {split: taking_turns(parts) for split, parts in dealt.items()}


def taking_turns(parts: Sequence[tuple[Tensor, int]]) -> Tensor:
    """One row of each part, then the next of each."""
    import torch

    rows = torch.cat([rows for rows, _ in parts])
    turn = torch.cat([torch.arange(len(rows)) for rows, _ in parts])
    place = torch.cat([torch.full((len(rows),), place) for rows, place in parts])
    return rows[(turn * len(parts) + place).argsort()]


def mixed(labels: Tensor, salt: int) -> Tensor:
    """The rows of a split with those of each class in another order; classes still take turns."""
    import torch

    from channels.chance import Chance

    parts = []
    for label in range(int(labels.max()) + 1):
        rows = (labels == label).nonzero()[:, 0]
        order = torch.randperm(len(rows), generator=Chance(salt).of("own share", label).generator())
        parts.append((rows[order], label))
    return taking_turns(parts)


def evenly(counts: Sequence[int], most: int | None) -> list[int]:
    """How many to keep of each count so that no more than `most` are kept and the larger ones give way first."""
    if most is None or sum(counts) <= most:
        return list(counts)
    kept, left = [0] * len(counts), most
    for done, place in enumerate(sorted(range(len(counts)), key=lambda place: counts[place])):
        kept[place] = min(counts[place], left // (len(counts) - done))
        left -= kept[place]
    return kept


def corpus_of(
    rows: Mapping[str, Tensor],
    *,
    labels: Tensor,
    snr_db: Tensor | None,
    read: Callable[[Tensor], Tensor],
    classes: tuple[str, ...],
    fingerprint: str,
    account: str,
    called: str,
) -> FrameCorpus:
    """Read the frames of each split, and bring all to one scale.

    The one scale for all frames makes the mean power of the training frames 1: what the simulated link calls a
    transmitter's power. Within the set every frame stays as loud as it was recorded.

    Args:
        rows: of each split, as `deal` gives them.
        read: from rows to samples [frames, samples], complex64.
        called: what errors call the set.

    Raises:
        UserMistake: a split is empty, or the frames hold what no receiver records.
    """
    import torch

    from semcom.sources.frames import FrameCorpus, FrameSet

    for split, each in rows.items():
        if not len(each):
            got = ", ".join(f"{len(some):,} for {name}" for name, some in rows.items())
            raise UserMistake(f"{called}: must have frames for every split, got {got}; keep more, or change the shares")
        absent = set(range(len(classes))) - set(labels[each].unique().tolist())
        if absent:
            names = ", ".join(visible(classes[place]) for place in sorted(absent))
            raise UserMistake(f"{called}: must have frames of every class for {split}, got none of {names}; keep more")
    samples = {split: read(each) for split, each in rows.items()}
    if not all(bool(torch.isfinite(torch.view_as_real(each)).all()) for each in samples.values()):
        raise UserMistake(f"{called}: samples must be finite numbers, got some that are not; the file is damaged")
    power = float(torch.view_as_real(samples["train"]).double().square().sum(dim=2).mean())
    if not 1e-30 < power < 1e30:
        raise UserMistake(f"{called}: frames must have a power, got a mean of {power:g}; the file is damaged")
    for each in samples.values():
        each *= power**-0.5
    splits = {
        split: FrameSet(samples[split], labels[each], None if snr_db is None else snr_db[each])
        for split, each in rows.items()
    }
    return FrameCorpus(**splits, classes=classes, fingerprint=fingerprint, account=account)
