"""The lines of a table beside a results.csv, no more of them than anybody's run writes."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

__all__ = ["read_lines"]


def read_lines(path: Path, *, most_bytes: int, most_rows: int) -> list[dict[str, str]]:
    """Every line by the names of its columns.

    Raises:
        ValueError: the table is too large, or a line has not a cell for every column.
        OSError, UnicodeDecodeError, csv.Error: it is no readable table.
    """
    if (size := path.stat().st_size) > most_bytes:
        raise ValueError(f"at most {most_bytes:,} bytes are read, and it has {size:,}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(islice(csv.DictReader(file), most_rows + 1))
    if len(lines) > most_rows:
        raise ValueError(f"at most {most_rows:,} rows are read, and it has more")
    if any(None in (*line, *line.values()) for line in lines):
        raise ValueError("every row must have a cell for every column, and no more")
    return lines
