"""Calibration: how sure receivers were of whole sentences, and how often they were right; a table, calibration.csv."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from semcom.store.results import read_table, write_table

__all__ = ["BINS", "Bin", "read_calibrations", "write_calibrations"]

BINS = 10


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Sentences of one codec, seed and operating point of which its receiver was about equally sure.

    Args:
        bin: which tenth of the confidences from 0 to 1, from 0 up; a confidence of 1 is in the last.
        count: sentences in it.
        confidence: their mean confidence: the share, by score, that the sentence decided for has among all those that
            the search kept.
        right: how many of them arrived word for word.
    """

    codec: str
    language: str = ""
    seed: int
    fading: str
    interference: str
    snr_db: float
    interferers: int
    level_db: str = ""
    bin: int
    count: int
    confidence: float
    right: int

    def __post_init__(self) -> None:
        if not (0 <= self.bin < BINS and 0 <= self.right <= self.count and self.count > 0):
            raise ValueError(f"a bin must be 0 to {BINS - 1} with 0 to count sentences right, got {self}")
        if not (0 <= self.confidence <= 1 and math.isfinite(self.snr_db) and self.interferers >= 0):
            raise ValueError(f"confidence must be 0 to 1, SNR finite and interferers 0 or more, got {self}")


COLUMNS = tuple(each.name for each in fields(Bin))
READERS = {
    "seed": int,
    "snr_db": float,
    "interferers": int,
    "bin": int,
    "count": int,
    "confidence": float,
    "right": int,
}


def write_calibrations(bins: Iterable[Bin], path: Path) -> None:
    """Replace the table by these.

    Raises:
        UserMistake: the disk refuses.
    """
    write_table(bins, COLUMNS, path)


def read_calibrations(path: Path) -> list[Bin]:
    """What `write_calibrations` wrote; none without a file. Columns it does not know are passed over.

    Raises:
        UserMistake: a file of another kind or size, or a cell that cannot be read, with its line.
    """
    return read_table(path, Bin, COLUMNS, READERS)
