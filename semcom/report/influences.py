"""Read keys.csv, which of a teacher's features students kept through training, if a run left one beside its results."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from semcom.mistakes import UserMistake
from semcom.report.lines import read_lines
from semcom.words import visible

__all__ = ["Kept", "read_kept"]

# Far above any teacher and any scenario, and little enough to read and to draw.
MOST_FEATURES = 512
MOST_ROWS = 500_000
MOST_BYTES = 64 << 20

Noted = dict[int, tuple[tuple[float, float], ...]]


@dataclass(frozen=True)
class Kept:
    """One student under one method, its seeds together.

    Args:
        noted: by step, of each of the teacher's features its influence and the share of messages that kept it; means
            over seeds.
    """

    codec: str
    teacher: str
    method: str
    seeds: tuple[int, ...]
    noted: Noted

    @property
    def features(self) -> int:
        """How many the teacher has."""
        return len(next(iter(self.noted.values())))


def read_kept(folder: Path) -> list[Kept]:
    """The students of a run folder that chose among features, in the order of the table; none without a keys.csv.

    Raises:
        UserMistake: there is one, and it is no table of keys.
    """
    path = folder / "keys.csv"
    if not path.is_file():
        return []
    try:
        lines = read_lines(path, most_bytes=MOST_BYTES, most_rows=MOST_ROWS)
        grouped: dict[tuple[str, str, str], list[dict[str, str]]] = {}
        for line in lines:
            name = (visible(line["codec"]), visible(line["teacher"]), visible(line["method"]))
            grouped.setdefault(name, []).append(line)
        return [_kept(name, group) for name, group in grouped.items()]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError) as error:
        what = f"{path} must be the table of keys that a run writes, got {type(error).__name__}: {error}"
        raise UserMistake(f"{what}; delete it and run the scenario again") from None


def _kept(name: tuple[str, str, str], lines: list[dict[str, str]]) -> Kept:
    found: dict[int, dict[int, list[tuple[float, float]]]] = {}
    for line in lines:
        step, feature = int(line["step"]), int(line["feature"])
        pair = (_share(line["influence"]), _share(line["kept"]))
        found.setdefault(step, {}).setdefault(feature, []).append(pair)
    features = max(map(len, found.values()))
    if features > MOST_FEATURES or any(sorted(each) != list(range(1, features + 1)) for each in found.values()):
        raise ValueError(f"features must be numbered from 1 to at most {MOST_FEATURES}, the same at every step")
    noted = {step: tuple(_means(found[step][each]) for each in range(1, features + 1)) for step in sorted(found)}
    return Kept(*name, tuple(sorted({int(line["seed"]) for line in lines})), noted)


def _means(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    influence, kept = (sum(each) / len(each) for each in zip(*pairs, strict=True))
    return influence, kept


def _share(text: str) -> float:
    number = float(text)
    if not -1e-6 <= number <= 1 + 1e-6:
        raise ValueError(f"influence and kept must be from 0 to 1, got {text}")
    return number
