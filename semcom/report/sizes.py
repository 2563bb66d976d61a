"""Quality against what it costs: parameters, and symbols per token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from semcom.report.curves import left_out, quality_axis, title_of
from semcom.report.results import Point, Results, System, evenly, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.style import handle, in_house_style, look
from semcom.report.wording import caption, label, millions, snr_title, words_of

__all__ = ["against_parameters", "against_symbols"]

PARAMETERS = "Parameters of transmitter and receiver together (log scale)"
SYMBOLS = "Complex symbols per token (log scale)"
SAME_SIZE = 1.25
APART = 1.04

# A family is what one line joins: the role, the method, and whatever else must stand still along it.
Family = tuple[str, str, float]


def against_parameters(part: Results) -> Figure | None:
    """The metric against parameters, a panel per SNR and crowd, when there are more than two sizes.

    A line joins codecs of one role, method and number of symbols per token: along it only the size changes. A codec
    without parameters, or a published one that tells none, is a level line.

    Returns:
        None when no more than two sizes have a number.
    """
    return _against(
        part,
        sizes={each: float(each.parameters) for each in _measured(part) if each.parameters},
        families={each: (each.role, each.method, each.symbols_per_token or 0.0) for each in part.systems},
        title="parameters",
        axis=PARAMETERS,
    )


def against_symbols(part: Results) -> Figure | None:
    """The metric against symbols per token, a panel per SNR and crowd, when there are more than two rates.

    A line joins codecs of one role, method and about one size: along it only the bandwidth changes.

    Returns:
        None when no more than two rates have a number.
    """
    classes = _size_classes(part.systems)
    return _against(
        part,
        sizes={each: each.symbols_per_token for each in _measured(part) if each.symbols_per_token},
        families={each: (each.role, each.method, classes[each]) for each in part.systems},
        title="symbols per token",
        axis=SYMBOLS,
    )


def _against(
    part: Results, *, sizes: dict[System, float], families: dict[System, Family], title: str, axis: str
) -> Figure | None:
    """The metric over any cost of a system.

    Args:
        sizes: the cost of every system that has one.
        families: whatever a line joins.
    """
    if len(set(sizes.values())) < 3:
        return None
    own = [point for point in part.absolute if point.is_measured and not point.system.is_published]
    counts = evenly((point.interferers for point in own), 2)
    shown = evenly((point.snr_db for point in own), 6 // len(counts))
    places = [(count, snr_db) for count in counts for snr_db in shown]
    drawn = [point for point in part.absolute if (point.interferers, point.snr_db) in places]
    words = words_of(part.metric)
    with in_house_style():
        sheet = Sheet([_place_title(place, own) for place in places])
        sheet.panels[0].set_xscale("log")
        for axes, place in zip(sheet.panels, places, strict=True):
            here = [point for point in drawn if (point.interferers, point.snr_db) == place]
            _draw(axes, here, part, sizes=sizes, families=families)
        _mark_sizes(sheet.panels[0], sizes.values(), as_millions=axis == PARAMETERS)
        told = quality_axis(sheet.panels[0], drawn) + left_out({point.snr_db for point in own}, shown)
        told += ["Equal sizes are set slightly apart"]
        told += ["Level lines: systems without a place on the horizontal axis"] * any(
            point.system not in sizes for point in drawn
        )
        said = Words(
            title_of(f"{words.name} against {title}", part), axis, words.axis, caption(part, drawn, first=told)
        )
        return sheet.finish(said, _handles(drawn, part, sizes, families))


def _draw(
    axes: Axes, points: Sequence[Point], part: Results, *, sizes: dict[System, float], families: dict[System, Family]
) -> None:
    """Join each family through its sizes; a system without one is a level line across the panel."""
    placed = [point for point in points if point.system in sizes]
    present = in_order(families[point.system] for point in placed)
    for turn, family in enumerate(present):
        members = sorted((p for p in placed if families[p.system] == family), key=lambda p: sizes[p.system])
        how = look(_eldest([point.system for point in members], part), part.systems)
        # Equal sizes are set a hair apart, or their intervals would hide each other.
        x = np.array([sizes[point.system] for point in members]) * APART ** (turn / max(1, len(present) - 1) - 0.5)
        value, low, high = (np.array(each) for each in zip(*((p.value, p.low, p.high) for p in members), strict=True))
        line = handle(how, _members_label([point.system for point in members]))
        line.set_data(x, value)
        axes.add_line(line)
        seen = np.isfinite(low) & np.isfinite(high)
        axes.vlines(x[seen], low[seen], high[seen], color=how.color, linewidth=1.2)
    for point in points:
        if point.system not in sizes and point.is_measured:
            how = look(point.system, part.systems)
            axes.axhline(point.value, color=how.color, linestyle=how.line, linewidth=1.1, label=label(point.system))


def _handles(
    drawn: Sequence[Point], part: Results, sizes: dict[System, float], families: dict[System, Family]
) -> list[Line2D]:
    """A legend entry per family, its members named, and one per level line."""
    present = [system for system in part.systems if any(point.system == system for point in drawn)]
    placed = [system for system in present if system in sizes]
    entries = []
    for family in in_order(families[system] for system in placed):
        members = sorted((each for each in placed if families[each] == family), key=lambda each: sizes[each])
        entries.append(handle(look(_eldest(members, part), part.systems), _members_label(members)))
    return entries + [handle(look(each, part.systems), label(each)) for each in present if each not in sizes]


def _eldest(members: Sequence[System], part: Results) -> System:
    """The member that the table names first lends its look to the line."""
    return min(members, key=part.systems.index)


def _members_label(members: Sequence[System]) -> str:
    """Role and method once, then every member by name and size; a family of one is told as everywhere else."""
    if len(members) == 1:
        return label(members[0])
    first = members[0]
    named = ", ".join(f"{each.codec} {millions(each.parameters)}" for each in members)
    return f"{', '.join(each for each in (first.role, first.method) if each)}: {named}"


def _place_title(place: tuple[float, float], points: Sequence[Point]) -> str:
    """SNR and crowd, with the SINR that both make."""
    count, snr_db = place
    if not count:
        return f"{snr_title(snr_db)}, no interferers"
    here = next(point for point in points if (point.interferers, point.snr_db) == place)
    return f"{snr_title(snr_db)}, {count:g} interferer{'s' * (count > 1)} (SINR {here.sinr_db:.1f} dB)"


def _mark_sizes(axes: Axes, values: Iterable[float], *, as_millions: bool) -> None:
    """Tick round numbers only: a logarithmic axis of less than a decade has none of its own."""
    seen = sorted(set(values))
    low, high = seen[0], seen[-1]
    axes.set_xlim(low / 1.18, high * 1.18)
    decades = [10.0**power for power in range(-1, 12)]
    steps = (1, 2, 5) if high / low < 30 else (1, 3)
    ticks = [step * decade for decade in decades for step in steps] if as_millions else seen
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value / 1e6:g} M" if as_millions else f"{value:g}")
    )


def _measured(part: Results) -> tuple[System, ...]:
    """The systems with a number to draw."""
    return in_order(point.system for point in part.absolute if point.is_measured)


def _size_classes(systems: Sequence[System]) -> dict[System, float]:
    """Systems of about one size get one class: the few weights that a symbol more costs do not make a new size."""
    classes: dict[System, float] = {}
    last, current = 0.0, 0.0
    for system in sorted(systems, key=lambda each: each.parameters or 0):
        amount = float(system.parameters or 0)
        if amount > last * SAME_SIZE:
            current = amount
        classes[system], last = current, amount
    return classes
