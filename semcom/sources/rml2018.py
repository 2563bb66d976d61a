"""RML2018: the frames of RML2018.01a, read slice by slice out of an HDF5 file larger than memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semcom.mistakes import UserMistake
from semcom.sources.recorded import (
    check_recorded,
    check_size,
    content_of,
    corpus_of,
    deal,
    fingerprint_of,
    found_file,
)
from semcom.sources.rml2016 import LONGEST_FRAME, levels_kept
from semcom.sources.sentences import Progress
from semcom.words import visible

if TYPE_CHECKING:
    from torch import Tensor

    from semcom.sources.frames import FrameCorpus

# The set has 2.6 million frames and 24 classes.
MOST_FRAMES = 10_000_000
MOST_COLUMNS = 1000
# A slice of labels, and the most that one chunk of a packed file may unpack to.
SLICE = 100_000
LARGEST_CHUNK = 256_000_000
# Frames of the file that lie so near each other are read in one go, with those between them.
GAP = 8
LONGEST_RUN = 4096


@dataclass(frozen=True)
class Rml2018:
    """RML2018.01a: 24 classes, 26 levels of noise from -20 to 30 dB, 1,024 samples a frame; needs h5py.

    Which column of the labels is which class is disputed. The classes.txt that first came with the set begins with
    32PSK, and users report frames that contradict it (radioML/dataset on GitHub, issue 25); the paper, and the
    classes-fixed.txt of later copies, begin with OOK. This reader takes the latter order, that of `channels.RML2018`;
    `classes` overrides it. Accuracies do not depend on it, confusions by name do.

    Frames are split within each class and level by chance. Noise is part of what was recorded: link noise would be
    added to it. All frames share one scale, at which the mean power of the training frames is 1.

    Args:
        path: GOLD_XYZ_OSC.0001_1024.hdf5. In a scenario a relative path starts in the scenario's folder.
        classes: names of the columns of the labels, in their order; without it those of the paper.
        frames: keep so many at most, as evenly from all classes and levels as can be; without it all, which takes
            20 GB of memory.
        snr_db: keep only the levels between two, both included, or a single one; without it all [dB].
        validation_share: of each class and level, to validate on.
        test_share: of each class and level, to test on.
        seed: of the split, and of which frames are kept.

    Source: O'Shea, Roy and Clancy, Over-the-Air Deep Learning Based Radio Signal Classification, IEEE Journal of
    Selected Topics in Signal Processing 12(1), 2018.
    """

    path: str = "GOLD_XYZ_OSC.0001_1024.hdf5"
    classes: tuple[str, ...] | None = None
    frames: int | None = None
    snr_db: float | tuple[float, float] | None = None
    validation_share: float = 0.1
    test_share: float = 0.3
    seed: int = 0
    source: Literal["rml2018"] = "rml2018"

    def __post_init__(self) -> None:
        check_recorded(self.path, self.validation_share, self.test_share, self.seed)
        levels_kept(self.snr_db)
        if self.frames is not None and self.frames < 1:
            raise ValueError(f"frames must be at least 1, got {self.frames}; leave it out to keep them all")
        if self.classes is not None and (len(set(self.classes)) < len(self.classes) or not all(self.classes)):
            raise ValueError(f"classes must be different names, got {self.classes!r}")

    def fingerprint(self) -> str:
        """Covers every byte of the file, and which frames are kept and how they are split.

        The digest of a large file is remembered, for it takes half a minute.

        Raises:
            UserMistake: there is no such file, or it cannot be read.
        """
        settings = {
            "classes": self._names(),
            "frames": self.frames,
            "snr_db": levels_kept(self.snr_db),
            "shares": [float(self.validation_share), float(self.test_share)],
            "seed": self.seed,
        }
        return fingerprint_of(self.source, content_of(self._file()), settings)

    def prepare(self, progress: Progress | None = None) -> str:
        """Read what will be kept once, which also finds whatever is wrong with it."""
        return f"{self.path}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> FrameCorpus:
        """The frames that are kept, dealt to their splits.

        Raises:
            UserMistake: h5py or the file is missing, or the file is damaged or holds something else.
        """
        import torch

        classes = self._names()
        with _opened(self._file(), self.path) as sets:
            samples, columns, levels = sets["X"], sets["Y"], sets["Z"]
            _check_shapes(sets, len(classes), self.path)
            labels, snr_db = _labels(columns, levels, self.path)
            low, high = levels_kept(self.snr_db) or (-1e9, 1e9)
            (kept,) = ((snr_db >= low) & (snr_db <= high)).nonzero(as_tuple=True)
            if not len(kept):
                raise UserMistake(f"snr_db must keep some level of {self.path}, got {self.snr_db}; it has others")
            check_size(min(len(kept), self.frames or len(kept)), samples.shape[1], self.path)
            cells = (snr_db[kept].double() * 1000).round().long() * len(classes) + labels[kept]
            shares = (self.validation_share, self.test_share)
            dealt = deal(cells, shares=shares, seed=self.seed, most=self.frames)
            rows = {split: kept[chosen] for split, chosen in dealt.items()}
            count = sum(map(len, rows.values()))
            report, length = _Count(progress, count), samples.shape[1]
            return corpus_of(
                rows,
                labels=labels,
                snr_db=snr_db.to(torch.float32),
                read=lambda chosen: _frames_at(samples, chosen, report),
                classes=classes,
                fingerprint=self.fingerprint(),
                account=f"{count:,} of {len(labels):,} frames of {length:,} samples in {len(classes)} classes",
                called=self.path,
            )

    def _file(self) -> Path:
        return found_file(self.path, "RML2018.01a")

    def _names(self) -> tuple[str, ...]:
        if self.classes is not None:
            return self.classes
        from semcom.lazy_torch import load_torch_when_used

        load_torch_when_used()
        from channels.modulation import RML2018

        return RML2018


class _Count:
    """How many frames were read, told to whoever waits."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, count: int) -> None:
        self._done += count
        if self._progress:
            self._progress("reading frames", self._done, self._total)


@contextlib.contextmanager
def _opened(file: Path, called: str) -> Iterator[dict[str, Any]]:
    """X, Y and Z of the file, each held in the file itself."""
    try:
        import h5py
    except ImportError:
        raise UserMistake(
            "RML2018.01a must have h5py to be read, got none installed; pip install 'semcom[radio]'"
        ) from None
    with contextlib.ExitStack() as stack:
        with _damage_named(called):
            opened = stack.enter_context(h5py.File(file, "r"))
            sets = {name: _own(opened, name, called) for name in ("X", "Y", "Z")}
        yield sets


@contextlib.contextmanager
def _damage_named(called: str) -> Iterator[None]:
    """What HDF5 finds wrong: an end in the middle, a signature that is none, a broken chunk, a type of no number."""
    try:
        yield
    except UserMistake:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        reason = visible(str(error).split("\n")[0])[:200]
        raise UserMistake(
            f"{called}: must be a whole HDF5 file, got a damaged one ({reason}); fetch it again"
        ) from error


def _part(held: Any, first: int, last: int, kind: str) -> Tensor:
    """Rows from the first up to the last, which is left out, as numbers of that kind."""
    import torch

    with _damage_named(held.file.filename):
        return torch.from_numpy(held[first:last].astype(kind))


def _own(opened: Any, name: str, called: str) -> Any:
    """A data set of the file: HDF5 can also point at other files, which nobody asked to read."""
    import h5py

    link = opened.get(name, getlink=True)
    held = opened[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(held, h5py.Dataset) or held.is_virtual or held.external:
        got = ", ".join(sorted(map(repr, list(opened)[:10]))) or "nothing"
        raise UserMistake(f"{called}: must hold X, Y and Z, each in the file itself, got {got}; fetch it again")
    if held.chunks and held.dtype.itemsize * _product(held.chunks) > LARGEST_CHUNK:
        raise UserMistake(f"{called}: chunks of {name} must unpack to {LARGEST_CHUNK:,} bytes at most; fetch it again")
    return held


def _product(sizes: tuple[int, ...]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def _check_shapes(sets: dict[str, Any], classes: int, called: str) -> None:
    shapes = {name: held.shape for name, held in sets.items()}
    x, y, z = (tuple[int, ...](shapes[name] or ()) for name in "XYZ")
    fits = len(x) == 3 and len(y) == 2 and z in ((x[0], 1), (x[0],)) and x[0] == y[0] and x[2] == 2
    kinds = sets["X"].dtype.kind == "f" and all(sets[name].dtype.kind in "iuf" for name in "YZ")
    if not fits or not kinds or not 1 <= x[0] <= MOST_FRAMES or not 1 <= x[1] <= LONGEST_FRAME or y[1] > MOST_COLUMNS:
        got = ", ".join(f"{name} {list(shape or ())} of {sets[name].dtype}" for name, shape in shapes.items())
        raise UserMistake(
            f"{called}: must hold X [frames, samples, 2] of floats, Y [frames, classes] and Z [frames, 1], got {got}; "
            "fetch it again"
        )
    if y[1] != classes:
        raise UserMistake(f"classes must name the {y[1]} columns of the labels in {called}, got {classes} names")


def _labels(columns: Any, levels: Any, called: str) -> tuple[Tensor, Tensor]:
    """The class and the level of every frame, read in slices."""
    import torch

    labels, snr_db = [], []
    for first in range(0, len(columns), SLICE):
        marks = _part(columns, first, first + SLICE, "float32")
        if not bool(((marks == 0) | (marks == 1)).all()) or not bool((marks.sum(dim=1) == 1).all()):
            raise UserMistake(f"{called}: Y must mark one class of each frame, got another; fetch it again")
        labels.append(marks.argmax(dim=1))
        snr_db.append(_part(levels, first, first + SLICE, "float64").flatten())
    level = torch.cat(snr_db)
    if not bool((level.abs() < 1e6).all()):
        raise UserMistake(f"{called}: Z must be levels in decibels, got numbers that are none; fetch it again")
    return torch.cat(labels), level


def _frames_at(samples: Any, rows: Tensor, report: _Count) -> Tensor:
    """Those frames [rows, samples], in their order; read in that of the file, a run at a time."""
    import torch

    ordered, places = rows.sort()
    found = torch.empty((len(rows), samples.shape[1]), dtype=torch.complex64)
    for first, last in _runs(ordered.tolist()):
        begin = int(ordered[first])
        pairs = _part(samples, begin, int(ordered[last]) + 1, "float32")
        chosen = slice(first, last + 1)
        found[places[chosen]] = torch.view_as_complex(pairs)[ordered[chosen] - begin]
        report.add(last + 1 - first)
    return found


def _runs(rows: list[int]) -> Iterator[tuple[int, int]]:
    """The first and last place of each run of rows that lie near each other."""
    first = 0
    for place in range(1, len(rows) + 1):
        if place == len(rows) or rows[place] - rows[place - 1] > GAP or rows[place] - rows[first] >= LONGEST_RUN:
            yield first, place - 1
            first = place
