"""Confusion: which class was taken for which, of one codec at one operating point; a table of them as confusion.csv."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semcom.mistakes import UserMistake
from semcom.store.results import COLUMNS as OF_ROW
from semcom.store.results import Row, checked, parsed, write_table

__all__ = ["COLUMNS", "PLACE", "Confusion", "read_confusions", "write_confusions"]

# Where the counts belong, in columns that results.csv has too.
PLACE = (
    "codec", "role", "seed", "fading", "coherence", "interference", "equalizer", "csi", "antennas", "crowd", "user",
    "snr_db", "interferers", "level_db", "sir_db", "run_id",
)  # fmt: skip
COLUMNS = (*PLACE, "sent", "recognized", "count")
# Far more than a run writes, and less than would fill a memory: bytes of a table, and counts of all its matrices.
MOST_BYTES, MOST_COUNTS = 256_000_000, 50_000_000
MOST_DIGITS = 15


@dataclass(frozen=True, eq=False, kw_only=True)
class Confusion:
    """How often each class was taken for each.

    Args:
        seed: and the other columns up to run_id, as in `Row`.
        classes: their names, in the order of the task.
        counts: [C, C + 1], a row per class sent, a column per class recognized, and a last one for messages of which
            nothing was recognized.

    Raises:
        ValueError: a value its column cannot hold, or counts of another shape.
    """

    codec: str
    role: str
    seed: int | None = None
    fading: str = ""
    coherence: str = ""
    interference: str = ""
    equalizer: str = ""
    csi: str = ""
    antennas: int | None = None
    crowd: str = ""
    user: str = ""
    snr_db: float
    interferers: int
    level_db: float | tuple[float, ...] | None = None
    sir_db: float | None = None
    run_id: str = ""
    classes: tuple[str, ...]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in PLACE:
            object.__setattr__(self, name, checked(name, OF_ROW[name], getattr(self, name)))
        if self.snr_db is None or not math.isfinite(self.snr_db) or self.interferers is None or self.interferers < 0:
            raise ValueError(f"a place must have an SNR and interferers, got {self.snr_db} and {self.interferers}")
        for name in self.classes:
            if not checked("a class", "str", name):
                raise ValueError("a class must have a name, got ''")
        size = len(self.classes)
        if len(set(self.classes)) < size or not size or self.counts.shape != (size, size + 1):
            raise ValueError(
                f"counts must be [C, C + 1] of C classes with names of their own, got {self.counts.shape} of {size}"
            )
        if self.counts.dtype.kind != "i" or self.counts.min() < 0:
            raise ValueError("counts must be whole numbers from 0 up")

    @classmethod
    def of_row(cls, row: Row, classes: tuple[str, ...], counts: NDArray[np.int64]) -> Confusion:
        """The counts behind a row of results.csv."""
        return cls(**{name: getattr(row, name) for name in PLACE}, classes=classes, counts=counts)

    @property
    def place(self) -> tuple[Any, ...]:
        """The values of `PLACE`."""
        return tuple(getattr(self, name) for name in PLACE)


def write_confusions(confusions: Iterable[Confusion], path: Path) -> None:
    """Replace the table by these, one line per pair of classes that was met.

    A class's line with itself is written even if it counts nothing: so the table holds all classes in their order.

    Raises:
        UserMistake: the disk refuses.
    """
    write_table((line for each in confusions for line in _lines(each)), COLUMNS, path)


def read_confusions(path: Path) -> list[Confusion]:
    """What `write_confusions` wrote; columns it does not know are passed over.

    Raises:
        UserMistake: no such file, one of another kind or size, or a cell that cannot be read, with its line.
    """
    reader = csv.DictReader(io.StringIO(_text(path), newline=""))
    places: dict[tuple[str, ...], dict[tuple[str, str], int]] = {}
    where = f"{path}:1"
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"must have the columns of confusion.csv, got none named {', '.join(missing)}")
        for cells in reader:
            where = f"{path}:{reader.line_num}"
            _note(cells, places)
        where = str(path)
        total = sum(len({sent for sent, _ in counts}) ** 2 for counts in places.values())
        if total > MOST_COUNTS:
            raise ValueError(f"must hold matrices of at most {MOST_COUNTS} counts together, got {total}")
        return [_together(place, counts) for place, counts in places.items()]
    except (ValueError, csv.Error) as error:
        raise UserMistake(f"{where}: {error}; `semcom run` writes this table anew") from None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserMistake(f"{path}: must be a table of at most {MOST_BYTES} bytes, got {path.stat().st_size}")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserMistake(f"{path}: no such file; `semcom run` writes it where classes are recognized") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserMistake(f"{path}: must be a readable UTF-8 file, got: {error}") from None


def _lines(confusion: Confusion) -> Iterator[SimpleNamespace]:
    place = dict(zip(PLACE, confusion.place, strict=True))
    answers = (*confusion.classes, "")
    for row, sent in enumerate(confusion.classes):
        for column, recognized in enumerate(answers):
            count = int(confusion.counts[row, column])
            if count or row == column:
                yield SimpleNamespace(**place, sent=sent, recognized=recognized, count=count)


def _note(cells: dict[str, str], places: dict[tuple[str, ...], dict[tuple[str, str], int]]) -> None:
    """Add a line to what is known of its place."""
    if any(cells[name] is None for name in COLUMNS):
        raise ValueError("must have a cell for every column, got a shorter line; was it cut off?")
    count = cells["count"].strip()
    # int() would take digits of any script, and as many as there are.
    if not (count.isascii() and count.isdecimal() and len(count) <= MOST_DIGITS):
        raise ValueError(f"count must be a whole number of at most {MOST_DIGITS} digits, got {count[:40]!r}")
    counts = places.setdefault(tuple(cells[name] for name in PLACE), {})
    pair = cells["sent"], cells["recognized"]
    if pair in counts:
        raise ValueError(f"every pair of classes must be counted once at a place, got {pair[0]!r}, {pair[1]!r} again")
    counts[pair] = int(count)


def _together(place: tuple[str, ...], counts: dict[tuple[str, str], int]) -> Confusion:
    """The matrix that these counts make up."""
    classes = tuple(dict.fromkeys(sent for sent, _ in counts))
    at = {name: index for index, name in enumerate((*classes, ""))}
    matrix = np.zeros((len(classes), len(classes) + 1), dtype=np.int64)
    for (sent, recognized), count in counts.items():
        if recognized not in at:
            raise ValueError(f"every class must have a line of its own as sent, got none of {recognized!r}")
        matrix[at[sent], at[recognized]] = count
    values = {name: parsed(name, text) for name, text in zip(PLACE, place, strict=True)}
    return Confusion(**values, classes=classes, counts=matrix)
