"""Quality against what it costs: parameters, arithmetic, time, and symbols on the air."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from semcom.metrics.catalog import axis_of
from semcom.report.curves import left_out, quality_axis, title_of
from semcom.report.results import Point, Results, System, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.sizing import (
    Family,
    cost_of,
    families_of,
    looks_of,
    mark_sizes,
    measured,
    place_title,
    places_of,
    rounded,
    varied_side,
)
from semcom.report.style import handle, in_house_style, look
from semcom.report.wording import caption, label, millions, spoken

__all__ = [
    "against_latency",
    "against_multiply_adds",
    "against_parameters",
    "against_symbols",
    "meaning_per_symbol",
]

PARAMETERS = "Parameters of transmitter and receiver together (log scale)"
SYMBOLS = "Complex symbols per {unit} (log scale)"
SYMBOLS_OF_A_WORD = "Complex symbols per word (log scale)"
LATENCY = "Latency of one {message}, transmitter and receiver [ms] (bars: spread; log scale)"
TIMED = {"token": "20-token sentence", "frame": "word of 0.44 s", "message": "message"}
MULTIPLY_ADDS = {
    "both": "Multiply-adds per {unit}, transmitter and receiver, output layer included (log scale)",
    "receiver": "Multiply-adds per {unit} of the receiver, output layer included (log scale)",
    "transmitter": "Multiply-adds per {unit} of the transmitter (log scale)",
}
SAME_SIZE = 1.25
APART = 1.04


@dataclass(frozen=True)
class _Cost:
    """A horizontal axis.

    Args:
        of: the cost of every system that has one.
        ticks: how a number is written; None marks the costs themselves.
        spans: from where to where a cost was measured.
    """

    name: str
    axis: str
    of: dict[System, float]
    ticks: Callable[[float], str] | None
    spans: dict[System, tuple[float, float]] = dataclasses.field(default_factory=dict)


def against_parameters(part: Results) -> Figure | None:
    """The metric against parameters, a panel per SNR and crowd, when there are more than two sizes.

    A line joins codecs of one role, method and number of symbols per token: along it only the size changes. A codec
    without parameters, or a published one that tells none, is a level line.

    Returns:
        None when no more than two sizes have a number.
    """
    sizes = {each: float(each.parameters) for each in measured(part) if each.parameters}
    return _against(part, _Cost("parameters", PARAMETERS, sizes, _as_millions), families_of(part))


def against_multiply_adds(part: Results) -> Figure | None:
    """The metric against multiply-adds, as `against_parameters`; of one side where the other is the same for all.

    Returns:
        None when no more than two amounts are known from a costs.csv.
    """
    side = varied_side(part)
    name = "multiply_adds" if side == "both" else f"{side}_multiply_adds"
    sizes = {each: value for each in measured(part) if (value := cost_of(part, each, name))}
    label = MULTIPLY_ADDS[side].format(unit=axis_of(part.metric).unit)
    return _against(part, _Cost("multiply-adds", label, sizes, rounded), families_of(part))


def against_latency(part: Results) -> Figure | None:
    """The metric against the time that one message takes, as `against_parameters`.

    Returns:
        None when no more than two sizes of codec have a time in a costs.csv.
    """
    times = {each: value for each in measured(part) if (value := cost_of(part, each, "latency_ms"))}
    if len({each.parameters for each in times}) < 3:
        return None
    spans = {
        each: (
            cost_of(part, each, "latency_low_ms") or times[each],
            cost_of(part, each, "latency_high_ms") or times[each],
        )
        for each in times
    }
    label = LATENCY.format(message=TIMED[axis_of(part.metric).unit])
    return _against(part, _Cost("latency", label, times, "{:g}".format, spans), families_of(part))


def against_symbols(part: Results) -> Figure | None:
    """The metric against symbols per token or message, a panel per SNR and crowd, when there are more than two rates.

    A line joins codecs of one role, method and about one size: along it only the bandwidth changes.

    Returns:
        None when no more than two rates have a number.
    """
    rates = {each: each.symbols_per_token for each in measured(part) if each.symbols_per_token}
    unit = axis_of(part.metric).unit
    return _against(part, _Cost(f"symbols per {unit}", SYMBOLS.format(unit=unit), rates, None), _of_one_size(part))


def meaning_per_symbol(part: Results) -> Figure | None:
    """How much of the metric each complex symbol carries, against symbols per word, when there are more than two rates.

    y = metric / (complex symbols sent per word of the test sentences)

    The whole score is divided, so the curve falls wherever one symbol more brings less than those before it brought on
    average. A metric that is not zero for a wrong sentence, as raw similarity, flatters the lowest rates. Intervals are
    divided alike.

    Returns:
        None when no more than two rates have a number, and for metrics where less is better or that know no top.
    """
    axis = axis_of(part.metric)
    rates = {each: each.symbols_per_word for each in measured(part) if each.symbols_per_word}
    if not axis.higher_is_better or not math.isfinite(axis.most):
        return None
    scaled = tuple(
        dataclasses.replace(point, **{name: getattr(point, name) / rate for name in ("value", "low", "high")})
        for point in part.absolute
        if (rate := rates.get(point.system))
    )
    cost = _Cost("symbols per word", SYMBOLS_OF_A_WORD, rates, "{:.3g}".format)
    families = _of_one_size(part)
    return _against(dataclasses.replace(part, points=scaled), cost, families, per="complex symbol per word")


def _against(part: Results, cost: _Cost, families: dict[System, Family], *, per: str = "") -> Figure | None:
    """The metric over any cost of a system.

    Args:
        families: whatever a line joins.
        per: what the metric was divided by.
    """
    if len(set(cost.of.values())) < 3:
        return None
    own = [point for point in part.absolute if point.is_measured and not point.system.is_published]
    places = places_of(own)
    drawn = [point for point in part.absolute if (point.interferers, point.snr_db) in places]
    axis = axis_of(part.metric)
    with in_house_style():
        sheet = Sheet([place_title(place, own) for place in places])
        sheet.panels[0].set_xscale("log")
        for axes, place in zip(sheet.panels, places, strict=True):
            here = [point for point in drawn if (point.interferers, point.snr_db) == place]
            _draw(axes, here, part, cost, families=families)
        ends = [end for span in cost.spans.values() for end in span]
        mark_sizes(sheet.panels[0], [*cost.of.values(), *ends], cost.ticks)
        told = _from_zero(sheet.panels[0], drawn) if per else quality_axis(sheet.panels[0], drawn)
        told += left_out(own, drawn)
        told += ["Equal sizes are set slightly apart"]
        told += ["Level lines: systems without a place on the horizontal axis"] * any(
            point.system not in cost.of and point.is_measured for point in drawn
        )
        title = title_of(f"{axis.name}{f' per {per}' if per else ''} against {cost.name}", part)
        y_label = f"{axis.name[0].upper()}{axis.name[1:]} per {per}" if per else axis.label
        said = Words(title, cost.axis, y_label, caption(part, drawn, first=told))
        return sheet.finish(said, _handles(drawn, part, cost.of, families))


def _from_zero(axes: Axes, drawn: Sequence[Point]) -> list[str]:
    """Limits for an axis whose top nobody knows beforehand."""
    top = max(each for point in drawn for each in (point.value, point.high) if math.isfinite(each))
    bottom = min(0.0, *(each for point in drawn for each in (point.value, point.low) if math.isfinite(each)))
    axes.set_ylim(bottom - 0.02 * (top - bottom), top + 0.05 * (top - bottom))
    return []


def _draw(axes: Axes, points: Sequence[Point], part: Results, cost: _Cost, *, families: dict[System, Family]) -> None:
    """Join each family through its sizes; a system without one is a level line across the panel."""
    placed = [point for point in points if point.system in cost.of]
    present, looks = in_order(families[point.system] for point in placed), looks_of(families)
    for turn, family in enumerate(present):
        members = sorted((p for p in placed if families[p.system] == family), key=lambda p: cost.of[p.system])
        how = looks[family]
        # Equal sizes are set a hair apart, or their intervals would hide each other.
        apart = APART ** (turn / max(1, len(present) - 1) - 0.5)
        x = np.array([cost.of[point.system] for point in members]) * apart
        value, low, high = (np.array(each) for each in zip(*((p.value, p.low, p.high) for p in members), strict=True))
        line = handle(how, _members_label([point.system for point in members]))
        line.set_data(x, value)
        axes.add_line(line)
        seen = np.isfinite(low) & np.isfinite(high)
        axes.vlines(x[seen], low[seen], high[seen], color=how.color, linewidth=1.2)
        for point in members:
            if point.system in cost.spans:
                left, right = cost.spans[point.system]
                axes.hlines(point.value, left * apart, right * apart, color=how.color, linewidth=1.2)
    for point in points:
        if point.system not in cost.of and point.is_measured:
            how = look(point.system, part.systems)
            axes.axhline(point.value, color=how.color, linestyle=how.line, linewidth=1.1, label=label(point.system))


def _handles(
    drawn: Sequence[Point], part: Results, sizes: dict[System, float], families: dict[System, Family]
) -> list[Line2D]:
    """A legend entry per family, its members named, and one per level line."""
    present = [system for system in part.systems if any(point.system == system for point in drawn)]
    placed = [system for system in present if system in sizes]
    entries, looks = [], looks_of(families)
    for family in in_order(families[system] for system in placed):
        members = sorted((each for each in placed if families[each] == family), key=lambda each: sizes[each])
        entries.append(handle(looks[family], _members_label(members)))
    return entries + [handle(look(each, part.systems), label(each)) for each in present if each not in sizes]


def _members_label(members: Sequence[System]) -> str:
    """Role and method once, then every member by name and size; a family of one is told as everywhere else."""
    if len(members) == 1:
        return label(members[0])
    first = members[0]
    named = ", ".join(f"{each.codec} {millions(each.parameters)}" for each in members)
    return f"{', '.join(each for each in (first.role, first.method, spoken(first)) if each)}: {named}"


def _as_millions(value: float) -> str:
    return f"{value / 1e6:g} M"


def _of_one_size(part: Results) -> dict[System, Family]:
    """What a line joins along which only the bandwidth changes.

    Systems of about one size get one class: the few weights that a symbol more costs do not make a new size.
    """
    classes: dict[System, float] = {}
    last, current = 0.0, 0.0
    for system in sorted(part.systems, key=lambda each: each.parameters or 0):
        amount = float(system.parameters or 0)
        if amount > last * SAME_SIZE:
            current = amount
        classes[system], last = current, amount
    return {
        each: Family(each.role, each.method, each.adopted, "", classes[each], each.language) for each in part.systems
    }
