"""Ablation: the students of one teacher side by side, each with its gain, the gap it closes and its training time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from semcom.metrics.catalog import axis_of
from semcom.report.averaging import Row, mean_interval, ratio_interval
from semcom.report.costs import Costs, read_costs, time_ratio
from semcom.report.reading import read_rows, results_of
from semcom.report.results import NO_GAP, SHARE, WANTED, Condition, Point, Results, System, in_order
from semcom.report.shares import is_behind
from semcom.report.tables import Table, exact, interval
from semcom.report.wording import SNR_SHORT, margin, millions

__all__ = ["Line", "ablation_lines", "ablation_of", "ablation_table"]

FULL = (
    "metric", "condition", "student", "method", "compressed", "parameters", "control", "teacher", "difference",
    "difference_low", "difference_high", "share", "share_low", "share_high", "points", "snr_db", "interferers", "seeds",
    "time_ratio",
)  # fmt: skip

Numbers = tuple[float, float, float]
CostsBySeed = Mapping[tuple[str, int], Costs]


class Spot(NamedTuple):
    """Where and in what something was measured."""

    condition: Condition
    metric: str
    interferers: int
    level: tuple[float, ...]
    snr_db: float


@dataclass(frozen=True)
class Trial:
    """A student, the control it is compared with, and the teacher of both."""

    student: System
    control: System
    teacher: System


@dataclass(frozen=True)
class Line:
    """What is known of one trial in one metric under one condition."""

    trial: Trial
    metric: str
    condition: str
    difference: Numbers
    share: Numbers
    spots: tuple[Spot, ...]
    seeds: tuple[int | None, ...]
    time_ratio: float


def ablation_of(results_csv: Path) -> Table | None:
    """The table of a results.csv, with training times from the costs.csv beside it, if there is one.

    Raises:
        UserMistake: a file is missing or not what its name says.
    """
    rows = read_rows(results_csv)
    return ablation_table(ablation_lines(rows, results_of(rows), read_costs(results_csv.parent)))


def ablation_lines(rows: Sequence[Row], results: Results, costs: CostsBySeed | None = None) -> list[Line]:
    """A line per metric, condition, student and control.

    The difference is averaged over all operating points that everybody met, each counting the same, before it is
    averaged over seeds: every seed gives one number. Its interval adds, in squares, the spread of these numbers to the
    mean of the intervals at the points, each less what the seeds do not have in common there, as if the sentences' luck
    were the same at all points. It errs on the wide side: it is a bound, as `mean_interval` has it.

    The share is the ratio of the two means over points, student's and teacher's, since a mean of shares would be ruled
    by the points where there is hardly a gap. Its interval is Fieller's over seeds, with the
    sentences' luck in the gain.

    Returns:
        None at all unless a teacher has at least two students that are compared with a control.
    """
    trials = _trials(rows)
    taught = {teacher: {t.student for t in trials if t.teacher == teacher} for teacher in (t.teacher for t in trials)}
    trials = [trial for trial in trials if len(taught[trial.teacher]) > 1]
    return [line for part in results.parts(levels_apart=False) for line in _lines(part, trials, rows, costs or {})]


def ablation_table(lines: Sequence[Line]) -> Table | None:
    """The lines as a table; None where there are none."""
    if not lines:
        return None
    header, cells = _columns(lines)
    full = tuple(_full(line) for line in lines)
    return Table("ablation", _caption(lines), header, cells, (FULL, *full), names=header.index("gain"))


def _trials(rows: Sequence[Row]) -> list[Trial]:
    """Whatever has a share of a gap, and every student that is compared with a control of the only teacher."""
    found = {(row.system, row.against): row.gap_to for row in rows if row.against and row.gap_to}
    teachers = in_order(row.system for row in rows if row.system.role == "teacher")
    for row in rows:
        if row.against and row.system.role == "student" and row.against.role == "control" and len(teachers) == 1:
            found.setdefault((row.system, row.against), teachers[0])
    return [Trial(one, other, teacher) for (one, other), teacher in found.items() if other and teacher]


def _lines(part: Results, trials: list[Trial], rows: Sequence[Row], costs: CostsBySeed) -> Iterator[Line]:
    """The trials that were met in this part."""
    spots = {_spot(point) for point in part.points}
    wanted = [row for row in rows if row.user == WANTED and row.kind != SHARE]
    here = [row for row in wanted if _spot(row) in spots and math.isfinite(row.value)]
    values = {(row.system, row.against, row.seed, _spot(row)): row for row in here}
    for trial in trials:
        everyone = (trial.student, trial.control, trial.teacher)
        seeds = [
            seed
            for seed in in_order(row.seed for row in here)
            if all(any(row.system == each and row.seed == seed for row in here) for each in everyone)
        ]
        met = [
            spot
            for spot in in_order(map(_spot, here))
            if all((each, None, seed, spot) in values for each in everyone for seed in seeds)
        ]
        if seeds and met:
            yield _line(part, trial, values, seeds=seeds, spots=met, costs=costs)


def _line(
    part: Results,
    trial: Trial,
    values: dict[tuple[System, System | None, int | None, Spot], Row],
    *,
    seeds: list[int | None],
    spots: list[Spot],
    costs: CostsBySeed,
) -> Line:
    """One trial, each seed's numbers averaged over the points first."""

    def mean(system: System, seed: int | None) -> float:
        return math.fsum(values[system, None, seed, spot].value for spot in spots) / len(spots)

    def length(seed: int | None, end: str) -> float:
        pairs = [values.get((trial.student, trial.control, seed, spot)) for spot in spots]
        lengths = [abs(getattr(pair, end) - pair.value) * shared(pair) if pair else math.nan for pair in pairs]
        return math.fsum(lengths) / len(lengths)

    def shared(pair: Row) -> float:
        """Of a length, what seeds have in common; of one seed, and where it is not known, all of it."""
        return math.sqrt(pair.common) if len(seeds) > 1 and math.isfinite(pair.common) else 1.0

    control = [mean(trial.control, seed) for seed in seeds]
    gains = [mean(trial.student, seed) - least for seed, least in zip(seeds, control, strict=True)]
    gaps = [mean(trial.teacher, seed) - least for seed, least in zip(seeds, control, strict=True)]
    lows = [gain - length(seed, "low") for gain, seed in zip(gains, seeds, strict=True)]
    highs = [gain + length(seed, "high") for gain, seed in zip(gains, seeds, strict=True)]
    widths = [high - low for low, high in zip(lows, highs, strict=True)]
    luck = math.fsum(widths) / 2 / len(widths)
    difference, share = mean_interval(gains, lows, highs), ratio_interval(gains, gaps, luck=luck)
    # Where a pair has no interval nothing is known of the sentences' luck: better no interval than one too narrow.
    if not math.isfinite(luck):
        difference, share = (difference[0], math.nan, math.nan), (share[0], math.nan, math.nan)
    return Line(
        trial=trial,
        metric=part.metric,
        condition=", ".join(part.distinction),
        difference=difference,
        share=(math.nan,) * 3 if is_behind(part.metric, math.fsum(gaps)) else share,
        spots=tuple(spots),
        seeds=tuple(seeds),
        time_ratio=time_ratio(costs, trial.student.codec, trial.control.codec),
    )


def _spot(place: Row | Point) -> Spot:
    """The spot of a row or a point."""
    return Spot(*(getattr(place, name) for name in Spot._fields))


def _columns(lines: Sequence[Line]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and cells; a column that would say the same in every row, or nothing, is left out."""
    columns = {
        "metric": [", ".join(each for each in (axis_of(line.metric).name, line.condition) if each) for line in lines],
        "teacher": [line.trial.teacher.codec for line in lines],
        "student": [line.trial.student.codec for line in lines],
        "method": [line.trial.student.own_method for line in lines],
        "compressed": [_compressed(line.trial) for line in lines],
        "control": [line.trial.control.codec for line in lines],
        "gain": [interval(*line.difference) for line in lines],
        "share of the gap": [interval(*line.share) if math.isfinite(line.share[0]) else NO_GAP for line in lines],
        "training time": [f"{line.time_ratio:.2f}" if math.isfinite(line.time_ratio) else "" for line in lines],
    }
    alike = [name for name in ("teacher",) if len(set(columns[name])) == 1]
    empty = [name for name, cells in columns.items() if not any(cells)]
    kept = {name: cells for name, cells in columns.items() if name not in (*alike, *empty)}
    return tuple(kept), tuple(zip(*kept.values(), strict=True))


def _compressed(trial: Trial) -> str:
    """Which side is the student's own, and how large both sides are beside the teacher's."""
    side = {"transmitter": "receiver", "receiver": "transmitter"}.get(trial.student.adopted, "both sides")
    ours, theirs = millions(trial.student.parameters), millions(trial.teacher.parameters)
    return f"{side}, {ours} of {theirs}" if ours and theirs else side


def _caption(lines: Sequence[Line]) -> str:
    """What was averaged over what, and what the intervals hold."""
    points = _range(len(line.spots) for line in lines)
    snrs = _range(spot.snr_db for line in lines for spot in line.spots)
    crowds = _range(spot.interferers for line in lines for spot in line.spots)
    most, messages = max(len(line.seeds) for line in lines), axis_of(lines[0].metric).messages
    spread = f"one seed with its 95 % interval over {messages}; the spread between trainings is not in it"
    if most > 1:
        over = f"bootstrap over {messages} and Student-t spread over seeds, added in squares"
        spread = f"mean over {most} seeds with its interval of 95 % or more: {over}"
    said = [
        f"Students of one teacher. Gain: student minus control, mean over {points} operating points (SNR {snrs} dB, "
        f"{crowds} interferers), {spread}",
        "Share of the gap: mean gain over the teacher's mean lead over the control at the same points"
        + (
            f"; interval of about 95 % or more: Fieller's, Student's t over seeds and the gain's "
            f"bootstrap over {messages}"
            if most > 1
            else ""
        ),
        "Parameters are of student and teacher, both sides together",
    ]
    said += margin(line.difference[1:] for line in lines)
    if any(math.isnan(line.share[0]) for line in lines):
        said.append(f"{NO_GAP.capitalize()}: the teacher's mean is not ahead of the control's")
    if any(math.isfinite(line.time_ratio) for line in lines):
        said.append("Training time: as a multiple of the control's")
    return " ".join(f"{each}." for each in [*said, SNR_SHORT])


def _range(numbers: Iterator[object]) -> str:
    """One number, or from the least to the largest."""
    ordered = sorted({float(str(number)) for number in numbers})
    return f"{ordered[0]:g}" if len(ordered) == 1 else f"{ordered[0]:g} to {ordered[-1]:g}"


def _full(line: Line) -> tuple[str, ...]:
    """One line under FULL."""
    student = line.trial.student
    return (
        line.metric,
        line.condition,
        student.codec,
        student.method,
        _compressed(line.trial),
        "" if student.parameters is None else str(student.parameters),
        line.trial.control.codec,
        line.trial.teacher.codec,
        *map(exact, (*line.difference, *line.share)),
        str(len(line.spots)),
        _range(iter(spot.snr_db for spot in line.spots)),
        _range(iter(spot.interferers for spot in line.spots)),
        ";".join(str(seed) for seed in line.seeds if seed is not None),
        exact(line.time_ratio),
    )
