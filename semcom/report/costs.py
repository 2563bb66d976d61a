"""What the codecs of a run cost to train, from the costs.csv beside its results, if there is one."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semcom.mistakes import UserMistake

__all__ = ["Cost", "read_costs", "time_ratio"]

NUMBERS = ("seed", "steps", "step_ms", "train_seconds")


@dataclass(frozen=True)
class Cost:
    """The training of one codec from one seed; NaN is a number that the table does not hold.

    Args:
        step_ms: one step of the training, measured by itself [ms].
        train_seconds: the whole of it, with whatever else the machine did meanwhile [s].
    """

    codec: str
    seed: float = math.nan
    steps: float = math.nan
    step_ms: float = math.nan
    train_seconds: float = math.nan


def read_costs(path: Path) -> tuple[Cost, ...]:
    """The costs of a run, columns by their names; none where there is no such file.

    Raises:
        UserMistake: the file cannot be read, names no codecs, or holds something else where a number belongs.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise UserMistake(f"{path}: must be a readable UTF-8 file, got: {error}; move it away or run again") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if "codec" not in (reader.fieldnames or ()):
        raise UserMistake(f"{path}:1: must have a column named codec, got none; move it away or run again")
    costs = []
    for cells in reader:
        numbers = {name: _number(f"{path}:{reader.line_num}", name, cells.get(name)) for name in NUMBERS}
        costs.append(Cost(codec=cells["codec"] or "", **numbers))
    return tuple(costs)


def time_ratio(costs: Sequence[Cost], codec: str, reference: str) -> float:
    """How many times as long training this codec takes as training the reference, each a mean over their seeds.

    ratio = mean(steps x step_ms of the codec) / mean(steps x step_ms of the reference)

    Whole training times stand in where a step was not timed, for both alike: other work on the machine is in them.

    Returns:
        NaN where neither is known of both.
    """
    seeds = [{cost.seed for cost in costs if cost.codec == name} for name in (codec, reference)]
    shared = seeds[0] & seeds[1]
    for seconds in (lambda cost: cost.steps * cost.step_ms, lambda cost: cost.train_seconds):
        ours, theirs = (
            [seconds(cost) for cost in costs if cost.codec == name and cost.seed in shared]
            for name in (codec, reference)
        )
        known = [*ours, *theirs]
        if known and all(map(math.isfinite, known)) and math.fsum(theirs) > 0:
            return (math.fsum(ours) / len(ours)) / (math.fsum(theirs) / len(theirs))
    return math.nan


def _number(place: str, name: str, text: str | None) -> float:
    """A cell that may be empty or not be there."""
    try:
        return float(text) if text and text.strip() else math.nan
    except ValueError:
        raise UserMistake(f"{place}: {name} must be a number or empty, got '{text}'; run again to rewrite it") from None
