"""RML2016: the frames of RML2016.10a and 10b, read out of their pickle without executing any of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semcom.mistakes import UserMistake
from semcom.sources.recorded import (
    MOST_CLASSES,
    check_recorded,
    check_size,
    content_of,
    corpus_of,
    deal,
    fingerprint_of,
    found_file,
)
from semcom.sources.sentences import Progress
from semcom.words import counted as several
from semcom.words import visible

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from semcom.sources.frames import FrameCorpus

# That of 10a has 0.6 GB, that of 10b 3.5 GB.
LARGEST_FILE = 10_000_000_000
LONGEST_FRAME = 100_000
# How files begin that somebody forgot to unpack.
_PACKED = {b"BZh": "a bzip2 archive", b"\x1f\x8b": "a gzip archive", b"PK": "a zip archive", b"\x89HDF": "HDF5"}


@dataclass(frozen=True)
class Rml2016:
    """RML2016.10a (11 classes) or RML2016.10b (10), 20 levels of noise, 128 samples a frame.

    The file is a pickle of Python 2, which no other program should load: a pickle can hold commands. This one is
    read as data, and one that holds anything but arrays is refused. Classes are in alphabetical order, which is that
    of `rml2016` among generated frames. Frames are split within each class and level by chance. Cut from common
    recordings, neighboring frames are no independent realisations; every published accuracy shares that.

    Noise is part of what was recorded: link noise would be added to it. All frames share one scale, at which the
    mean power of the training frames is 1.

    Args:
        path: RML2016.10a_dict.pkl or RML2016.10b.dat, unpacked. In a scenario a relative path starts in the scenario's
            folder.
        snr_db: keep only the levels between two, both included, or a single one; without it all [dB].
        validation_share: of each class and level, to validate on.
        test_share: of each class and level, to test on.
        seed: of the split.

    Source: O'Shea and West, Radio Machine Learning Dataset Generation with GNU Radio, GNU Radio Conference 2016.
    """

    path: str = "RML2016.10a_dict.pkl"
    snr_db: float | tuple[float, float] | None = None
    validation_share: float = 0.1
    test_share: float = 0.3
    seed: int = 0
    source: Literal["rml2016"] = "rml2016"

    def __post_init__(self) -> None:
        check_recorded(self.path, self.validation_share, self.test_share, self.seed)
        levels_kept(self.snr_db)

    def fingerprint(self) -> str:
        """Covers every byte of the file, and how it is split.

        Raises:
            UserMistake: there is no such file, or it cannot be read.
        """
        settings = {
            "snr_db": levels_kept(self.snr_db),
            "shares": [float(self.validation_share), float(self.test_share)],
            "seed": self.seed,
        }
        return fingerprint_of(self.source, content_of(self._file()), settings)

    def prepare(self, progress: Progress | None = None) -> str:
        """Read the file once, which also finds whatever is wrong with it."""
        return f"{self.path}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> FrameCorpus:
        """The frames, dealt to their splits.

        Raises:
            UserMistake: the file is missing, damaged, or holds anything but labelled frames.
        """
        import torch

        if progress:
            progress("reading frames", 0, 0)
        arrays = self._kept(_read(self._file(), self.path))
        classes = tuple(sorted({name for name, _ in arrays}))
        levels = sorted({level for _, level in arrays})
        keys = sorted(arrays)
        counts = torch.tensor([len(arrays[key]) for key in keys])
        labels = torch.tensor([classes.index(name) for name, _ in keys]).repeat_interleave(counts)
        level = torch.tensor([levels.index(level) for _, level in keys]).repeat_interleave(counts)
        samples = torch.cat([_complex(arrays.pop(key)) for key in keys])
        snr_db = torch.tensor(levels, dtype=torch.float32)[level]
        shares = (self.validation_share, self.test_share)
        rows = deal(level * len(classes) + labels, shares=shares, seed=self.seed)
        return corpus_of(
            rows,
            labels=labels,
            snr_db=snr_db,
            read=lambda chosen: samples[chosen],
            classes=classes,
            fingerprint=self.fingerprint(),
            account=f"{len(samples):,} frames of {samples.shape[1]:,} samples, {several(len(levels), 'level')}; "
            f"classes {', '.join(map(visible, classes))}",
            called=self.path,
        )

    def _file(self) -> Path:
        return found_file(self.path, "RML2016.10a or 10b")

    def _kept(self, arrays: dict[tuple[str, int], np.ndarray]) -> dict[tuple[str, int], np.ndarray]:
        low, high = levels_kept(self.snr_db) or (-1e9, 1e9)
        kept = {key: array for key, array in arrays.items() if low <= key[1] <= high}
        if not kept:
            there = ", ".join(map(str, sorted({level for _, level in arrays})[:40]))
            raise UserMistake(
                f"snr_db must keep some level of {self.path}, got {self.snr_db}; the file has {there or 'none'}"
            )
        return kept


def levels_kept(snr_db: float | tuple[float, float] | None) -> tuple[float, float] | None:
    """The least and the greatest level that count, or None where all do.

    Raises:
        ValueError: neither a number nor two in ascending order.
    """
    if snr_db is None:
        return None
    low, high = snr_db if isinstance(snr_db, tuple) else (snr_db, snr_db)
    if not -1e6 < low <= high < 1e6:
        raise ValueError(f"snr_db must be a level, or two in ascending order to keep all between them, got {snr_db}")
    return float(low), float(high)


def _read(file: Path, called: str) -> dict[tuple[str, int], np.ndarray]:
    """The arrays of the file, checked to be frames."""
    from semcom.sources.pickled_arrays import UnreadablePickleError
    from semcom.sources.plain_pickle import arrays_in

    expected = f"{called}: must be a pickle of arrays by class and SNR alone, as RML2016.10a is"
    try:
        size = file.stat().st_size
        if size > LARGEST_FILE:
            raise UserMistake(f"{called}: must be at most {LARGEST_FILE:,} bytes, got {size:,}; RML2016.10b has 3.5 GB")
        with file.open("rb") as opened:
            beginning = opened.read(4)
            for magic, what in _PACKED.items():
                if beginning.startswith(magic):
                    raise UserMistake(f"{expected}, got {what}; unpack it first, or name the file inside")
            opened.seek(0)
            arrays = arrays_in(opened, size)
    except UnreadablePickleError as error:
        raise UserMistake(
            f"{expected}, got {error}; nothing of it was executed; fetch it again, and load it with no other program"
        ) from None
    except OSError as error:
        raise UserMistake(
            f"{called}: must be readable, got {error.strerror or error}; check its permissions"
        ) from error
    shapes = {array.shape[1:] for array in arrays.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or shape[0] != 2 or shape[1] > LONGEST_FRAME:
        raise UserMistake(f"{expected}: arrays [frames, 2, samples], all of one length, got others; fetch it again")
    if len({name for name, _ in arrays}) > MOST_CLASSES:
        raise UserMistake(f"{expected}, got more than {MOST_CLASSES:,} classes; fetch it again")
    check_size(sum(map(len, arrays.values())), shape[1], called)
    return arrays


def _complex(array: np.ndarray) -> Tensor:
    """Frames [frames, 2, samples] as complex numbers [frames, samples]."""
    import numpy as np
    import torch

    joined = np.empty((array.shape[0], array.shape[2]), dtype=np.complex64)
    joined.real, joined.imag = array[:, 0], array[:, 1]
    return torch.from_numpy(joined)
