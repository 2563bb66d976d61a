"""Read costs.csv, what every codec costs, if a run left one beside its results."""

from __future__ import annotations

import csv
import dataclasses
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from semcom.mistakes import UserMistake
from semcom.words import visible

__all__ = ["Costs", "by_codec", "read_costs", "time_ratio"]


@dataclass(frozen=True)
class Costs:
    """The numbers of one codec, under the names of their columns; None where the table holds none."""

    transmitter_body_parameters: float | None = None
    receiver_body_parameters: float | None = None
    multiply_adds: float | None = None
    transmitter_multiply_adds: float | None = None
    receiver_multiply_adds: float | None = None
    steps: float | None = None
    step_ms: float | None = None
    latency_ms: float | None = None
    latency_low_ms: float | None = None
    latency_high_ms: float | None = None


NAMES = tuple(each.name for each in dataclasses.fields(Costs))


def read_costs(folder: Path) -> dict[tuple[str, int], Costs]:
    """The costs of a run folder by codec and seed; none without a costs.csv, which older runs do not have.

    Raises:
        UserMistake: there is one, and it is no table of costs.
    """
    path = folder / "costs.csv"
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
        costs = {
            (visible(line["codec"]), int(line["seed"])): Costs(**{name: _number(line.get(name)) for name in NAMES})
            for line in lines
        }
        if len(costs) < len(lines) or not all(codec for codec, _ in costs):
            raise ValueError("each line must name another codec or seed")
        return costs
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError) as error:
        what = f"{path} must be the table of costs that a run writes, got {type(error).__name__}: {error}"
        raise UserMistake(f"{what}; delete it and run the scenario again") from None


def by_codec(costs: dict[tuple[str, int], Costs]) -> dict[str, Costs]:
    """The same with the seeds of a codec brought together, by the median: one of them may have met a busy machine."""
    codecs = dict.fromkeys(codec for codec, _ in costs)
    return {codec: _middle([each for (name, _), each in costs.items() if name == codec]) for codec in codecs}


def time_ratio(costs: Mapping[tuple[str, int], Costs], codec: str, reference: str) -> float:
    """How many times as long training this codec takes as training the reference, each a mean over their seeds.

    ratio = mean(steps x step_ms of the codec) / mean(steps x step_ms of the reference)

    Whole training times are no stand-in where a step was not timed: other work on the machine is in them, and they may
    come from runs at other times.

    Returns:
        NaN where a step of either was not timed.
    """
    seeds = [{seed for name, seed in costs if name == each} for each in (codec, reference)]
    shared = sorted(seeds[0] & seeds[1])
    ours, theirs = (
        [known for seed in shared if (known := _stepped(costs[name, seed])) is not None] for name in (codec, reference)
    )
    if len(ours) == len(theirs) == len(shared) and sum(theirs) > 0:
        return math.fsum(ours) / math.fsum(theirs)
    return math.nan


def _stepped(costs: Costs) -> float | None:
    """The training as its steps add up, whatever else the machine did meanwhile."""
    return None if costs.steps is None or costs.step_ms is None else costs.steps * costs.step_ms


def _number(text: str | None) -> float | None:
    number = float(text) if text and text.strip() else None
    if number is not None and not (math.isfinite(number) and number >= 0):
        raise ValueError(f"a cost must be a finite number from 0 up, got {text}")
    return number


def _middle(seeds: Iterable[Costs]) -> Costs:
    known = {name: [value for each in seeds if (value := getattr(each, name)) is not None] for name in NAMES}
    return Costs(**{name: statistics.median(values) if values else None for name, values in known.items()})
