"""Limit: the SNR at which any code could deliver a share of the sentences that were sent; a table, limits.csv."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from semcom.store.results import read_table, write_table

__all__ = ["USES", "Limit", "read_limits", "write_limits"]

USES = ("table", "line")
MOST_DECIBELS = 1000.0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The limit of one codec's sentences and symbols in one air; columns of the air are those of results.csv.

    Args:
        language: under which sentences have their bits.
        bits_per_token: of the sentences that were sent, without their ends, which a receiver is told.
        whole: share of sentences that are to arrive whole.
        limit_snr_db: the SNR at which the normal approximation allows it, interference taken for noise; inf where
            interference alone forbids it, None where there is no such limit.
        why: in words, why there is none.
        use: `table` for a share that was asked for, `line` for a point of the line that is drawn.
    """

    codec: str
    language: str
    seed: int
    symbols_per_token: float
    bits_per_token: float
    fading: str = ""
    coherence: str = ""
    interference: str = ""
    antennas: int = 1
    detector: str = ""
    interferers: int = 0
    level_db: str = ""
    whole: float
    limit_snr_db: float | None = None
    why: str = ""
    use: str = "table"

    def __post_init__(self) -> None:
        if not (0 < self.whole < 1 and self.use in USES and self.interferers >= 0):
            raise ValueError(
                f"whole must be between 0 and 1, use {' or '.join(USES)}, interferers 0 or more, got {self}"
            )
        known = self.limit_snr_db
        if known is not None and known != math.inf and not abs(known) < MOST_DECIBELS:
            raise ValueError(f"limit_snr_db must be a number of decibels, inf or empty, got {known}")


COLUMNS = tuple(each.name for each in fields(Limit))
READERS: dict[str, Any] = {
    **dict.fromkeys(("seed", "antennas", "interferers"), int),
    **dict.fromkeys(("symbols_per_token", "bits_per_token", "whole"), float),
    "limit_snr_db": lambda cell: float(cell) if cell else None,
}


def write_limits(limits: Iterable[Limit], path: Path) -> None:
    """Replace the table by these.

    Raises:
        UserMistake: the disk refuses.
    """
    write_table(limits, COLUMNS, path)


def read_limits(path: Path) -> list[Limit]:
    """What `write_limits` wrote; none without a file. Columns it does not know are passed over.

    Raises:
        UserMistake: a file of another kind or size, or a cell that cannot be read, with its line.
    """
    return read_table(path, Limit, COLUMNS, READERS)
