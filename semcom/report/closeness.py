"""Read layers.csv, how close generated layers come to a teacher's, if a run left one beside its results."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semcom.mistakes import UserMistake
from semcom.report.averaging import mean_interval
from semcom.report.lines import read_lines
from semcom.store.results import kind_of
from semcom.words import visible

__all__ = ["CLOSER", "METRICS", "SIDES", "Closeness", "read_closeness"]

# Far above any codec and any scenario, and little enough to read and to draw.
MOST_LAYERS = 512
MOST_ROWS = 500_000
MOST_BYTES = 64 << 20

METRICS = ("cosine", "l1", "l1_share")
SIDES = ("transmitter", "receiver")
# The sign of a difference where the first of two is closer.
CLOSER = {"cosine": 1, "l1": -1, "l1_share": -1}
# What float32 may be beside the end of a range.
SLACK = 1e-4


@dataclass(frozen=True)
class Closeness:
    """One number of one layer, its seeds together.

    Args:
        around: the codec whose layers they are.
        against: the codec subtracted; empty in a value.
        low: lower end of the 95 % interval over messages and seeds; nan where nothing is known of it.
        count: messages behind it, the fewest of its seeds; 0 where nobody tells.
        is_crossed: whether the interval tells what messages and what seeds leave uncertain apart.
    """

    codec: str
    around: str
    family: str
    stack: str
    layer: int
    metric: str
    against: str
    value: float
    low: float
    high: float
    seeds: tuple[int, ...]
    count: int
    own_parameters: int
    is_crossed: bool

    @property
    def verdict(self) -> str:
        """Of a difference, whether the first of the two is closer, farther or alike; empty without an interval."""
        if math.isnan(self.low):
            return ""
        least, most = sorted((CLOSER[self.metric] * self.low, CLOSER[self.metric] * self.high))
        return "closer" if least > 0 else "farther" if most < 0 else "alike"


def read_closeness(folder: Path) -> list[Closeness]:
    """The layers of a run folder, values and differences, in the order of the table; none without a layers.csv.

    Raises:
        UserMistake: there is one, and it is no table of layers.
    """
    path = folder / "layers.csv"
    if not path.is_file():
        return []
    try:
        lines = read_lines(path, most_bytes=MOST_BYTES, most_rows=MOST_ROWS)
        places: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for line in lines:
            names = ("codec", "around", "family", "stack", "layer", "metric", "against")
            places.setdefault(tuple(visible(line[name]) for name in names), []).append(line)
        if len({place[:2] for place in places}) > len({place[0] for place in places}):
            raise ValueError("all layers of a codec must be of one codec around, got two")
        return [_averaged(place, rows) for place, rows in places.items()]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError) as error:
        what = f"{path} must be the table of layers that a run writes, got {type(error).__name__}: {error}"
        raise UserMistake(f"{what}; `semcom run` writes it anew") from None


def _averaged(place: tuple[str, ...], lines: Sequence[dict[str, str]]) -> Closeness:
    codec, around, family, stack, layer, metric, against = place
    if stack not in SIDES or metric not in METRICS or not 1 <= int(layer) <= MOST_LAYERS:
        told = f"{stack}, {layer} and {metric}"
        raise ValueError(f"stack, layer and metric must be a side, 1 to {MOST_LAYERS} and a number told, got {told}")
    seeds = [int(line["seed"]) for line in lines]
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"layer {layer} of {codec} must have one {metric} a seed, got two of one")
    numbers = [_numbers(line, metric) for line in lines]
    values, lows, highs, shares = zip(*numbers, strict=True)
    common = math.fsum(shares) / len(shares)
    value, low, high = mean_interval(values, lows, highs, common)
    # Seeds without an interval of their own leave the spread between them, which is not all that is uncertain.
    if any(map(math.isnan, lows)):
        low = high = math.nan
    least, most = _range(metric, against)
    return Closeness(
        codec=codec,
        around=around,
        family=family,
        stack=stack,
        layer=int(layer),
        metric=metric,
        against=against,
        value=value,
        low=low if math.isnan(low) else max(low, least),
        high=high if math.isnan(high) else min(high, most),
        seeds=tuple(sorted(seeds)),
        count=min(_count(line["count"] or "0") for line in lines),
        own_parameters=max(_count(line["own_parameters"]) for line in lines),
        is_crossed=len(seeds) > 1 and math.isfinite(common),
    )


def _range(metric: str, against: str) -> tuple[float, float]:
    """Where the number can be."""
    least, most = (-1.0, 1.0) if metric == "cosine" else (0.0, math.inf)
    return (least - most, most - least) if against else (least, most)


def _numbers(line: dict[str, str], metric: str) -> tuple[float, float, float, float]:
    """Value, low, high and common of one row, nan for what is not told."""
    value, low, high, common = (float(line[name] or "nan") for name in ("value", "low", "high", "common"))
    least, most = _range(metric, line["against"])
    if line["kind"] != kind_of(line["against"], ""):
        raise ValueError(f"kind must be value, or difference where against names a codec, got {visible(line['kind'])}")
    if not (math.isfinite(value) and least - SLACK <= value <= most + SLACK):
        raise ValueError(f"{metric} must be a number from {least:g} to {most:g}, got {value}")
    is_told = math.isfinite(low) and math.isfinite(high) and low <= value <= high
    if not (is_told or (math.isnan(low) and math.isnan(high))):
        raise ValueError(f"low and high must lie on either side of the value, or be empty, got {low} and {high}")
    if not (math.isnan(common) or 0 <= common <= 1):
        raise ValueError(f"common must be a share from 0 to 1, or empty, got {common}")
    return value, low, high, common


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number < 1 << 53:
        raise ValueError(f"counts must be whole numbers from 0 up, got {number}")
    return number
