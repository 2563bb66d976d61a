"""A metric against SNR, against the number of interferers and against their level: one line per codec, with bands."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter

from semcom.metrics.catalog import axis_of
from semcom.report.limit_lines import draw_limits, told_of_limits
from semcom.report.results import VALUE, Point, Results, evenly, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.style import Look, handle, in_house_style, look, typeset
from semcom.report.wording import INTERFERERS, LEVEL, SNR, caption, crowd_title, label, snr_title
from semcom.words import counted

__all__ = [
    "ASIDE",
    "ASIDE_TOLD",
    "MOST_BANDS",
    "MOST_PANELS",
    "against_interferers",
    "against_level",
    "against_snr",
    "draw_line",
    "mark_crowds",
    "mark_values",
    "quality_axis",
    "shortfall_against_snr",
    "side_by_side",
    "title_of",
]

MOST_PANELS = 6
# More bands than this cannot be told apart: bars side by side, over so much of the way to the next place, can.
MOST_BANDS, ASIDE = 3, 0.6
ASIDE_TOLD = "What stands side by side belongs to the tick in its middle"
NEARLY = 0.9
INFINITE = "\u221e"


def against_snr(part: Results) -> Figure | None:
    """The metric against SNR, a panel per number of interferers.

    Every panel has the same axes, so that what the crowd costs is read across them.

    Args:
        part: one metric under one condition, as `Results.parts` cuts it.

    Returns:
        None when there are fewer than two SNRs with a number.
    """
    if len(_measured_at(part, lambda point: point.snr_db)) < 2:
        return None
    counts = evenly((p.interferers for p in part.absolute if p.is_measured and not p.system.is_published), MOST_PANELS)
    drawn = [point for point in part.absolute if point.interferers in counts]
    axis = axis_of(part.metric)
    with in_house_style():
        sheet = Sheet([crowd_title(count, part.absolute) for count in counts])
        limits: dict[object, Line2D] = {}
        for axes, count in zip(sheet.panels, counts, strict=True):
            here = [point for point in drawn if point.interferers == count]
            limits |= {line.get_label(): line for line in draw_limits(axes, part, here)}
            _draw_systems(axes, here, part, lambda point: point.snr_db)
        mark_values(sheet.panels[0], drawn, lambda point: point.snr_db)
        entries = [*limits.values()]
        told = quality_axis(sheet.panels[0], drawn) + told_of_limits(entries) + left_out(part.absolute, drawn)
        title = title_of(f"{axis.name} against SNR", part)
        said = Words(title, SNR, axis.label, caption(part, drawn, first=told))
        return sheet.finish(said, [*_handles(drawn, part), *entries])


def shortfall_against_snr(part: Results) -> Figure | None:
    """What is missing to a perfect score on a logarithmic axis, where the plain curves saturate.

    y = 1 - metric

    Drawn for the crowds in which a curve comes within a tenth of the top. A perfect score has no logarithm: it stands
    on the lower edge, where intervals end that go further, and the caption says so.

    Returns:
        None when no curve comes near the top, and for metrics whose top is not 1 or whose bottom is not 0.
    """
    axis = axis_of(part.metric)
    own = [point for point in part.absolute if point.is_measured]
    if not axis.higher_is_better or axis.most != 1.0 or axis.least != 0.0 or not own:
        return None
    near = {point.interferers for point in own if point.value >= NEARLY and not point.system.is_published}
    if not near or len(_measured_at(part, lambda point: point.snr_db)) < 2:
        return None
    counts = evenly(near, MOST_PANELS)
    kept = [point for point in part.absolute if point.interferers in counts]
    least = min((1 - point.value for point in kept if point.value < 1), default=1e-2)
    # Below the least, be it a power of ten itself: what stands on the edge is perfect and nothing else.
    edge = 10.0 ** math.floor(math.log10(0.9 * least))

    def turned(point: Point) -> Point:
        value, low, high = (max(1 - each, edge) for each in (point.value, point.high, point.low))
        return dataclasses.replace(point, value=value, low=low, high=high) if point.is_measured else point

    drawn = [turned(point) for point in kept]
    with in_house_style():
        sheet = Sheet([crowd_title(count, drawn) for count in counts])
        sheet.panels[0].set_yscale("log")
        for axes, count in zip(sheet.panels, counts, strict=True):
            _draw_systems(axes, [p for p in drawn if p.interferers == count], part, lambda point: point.snr_db)
        mark_values(sheet.panels[0], drawn, lambda point: point.snr_db)
        sheet.panels[0].set_ylim(edge, 1.25)
        sheet.panels[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        told = ["Less is better"]
        told += ["on the lower edge: a perfect score"] * any(point.value >= 1 for point in kept)
        told += ["intervals that go below the lower edge end there"] * any(point.high > 1 - edge for point in kept)
        title = title_of(f"Shortfall of {axis.name} from a perfect score, against SNR", part)
        first = ["; ".join(told), *left_out(own, drawn)]
        said = Words(title, SNR, f"1 \u2212 {axis.name} (log scale)", caption(part, drawn, first=first))
        return sheet.finish(said, _handles(drawn, part))


def against_interferers(part: Results) -> Figure | None:
    """The metric against the number of interferers, a panel per SNR.

    Under each number stands the total SIR it makes, since a number of interferers means nothing without their level.
    At most six SNRs are shown, evenly picked; the caption tells how many there are.

    Returns:
        None when there are fewer than two numbers of interferers with a result.
    """
    if len(_measured_at(part, lambda point: point.interferers)) < 2:
        return None
    own = [point for point in part.absolute if point.is_measured and not point.system.is_published]
    shown = evenly((point.snr_db for point in own), MOST_PANELS)
    drawn = [point for point in part.absolute if point.snr_db in shown]
    axis = axis_of(part.metric)
    with in_house_style():
        sheet = Sheet([snr_title(snr_db) for snr_db in shown])
        for axes, snr_db in zip(sheet.panels, shown, strict=True):
            _draw_systems(axes, [p for p in drawn if p.snr_db == snr_db], part, lambda point: point.interferers)
        mark_crowds(sheet.panels[0], part.absolute)
        told = quality_axis(sheet.panels[0], drawn) + left_out(own, drawn)
        title = title_of(f"{axis.name} against the number of interferers", part)
        said = Words(title, INTERFERERS, axis.label, caption(part, drawn, first=told))
        return sheet.finish(said, _handles(drawn, part), tick_lines=2)


def against_level(part: Results) -> Figure | None:
    """The metric against the level of the interferers, all alike; a panel per number of interferers and SNR.

    Crowds in which every interferer has a level of its own have no place on this axis and are left out.

    Args:
        part: one metric under one condition, all interferer levels together.

    Returns:
        None when there are fewer than two levels with a number.
    """
    alike = part.having(lambda point: point.interferers > 0 and len(point.level) == 1 and point.kind == VALUE)
    own = [point for point in alike.points if point.is_measured and not point.system.is_published]
    if len({point.level for point in own}) < 2:
        return None
    counts = evenly((point.interferers for point in own), 2)
    # Two counts at three SNRs: the lowest, the middle and the highest fill one sheet.
    shown = evenly((point.snr_db for point in own), MOST_PANELS // len(counts))
    places = [(count, snr_db) for count in counts for snr_db in shown]
    drawn = [point for point in alike.points if (point.interferers, point.snr_db) in places]
    axis = axis_of(part.metric)
    with in_house_style():
        names = [f"{counted(count, 'interferer')}, {snr_title(snr_db)}" for count, snr_db in places]
        sheet = Sheet(names)
        for axes, place in zip(sheet.panels, places, strict=True):
            here = [point for point in drawn if (point.interferers, point.snr_db) == place]
            _draw_systems(axes, here, part, lambda point: point.level[0])
        mark_values(sheet.panels[0], drawn, lambda point: point.level[0])
        told = quality_axis(sheet.panels[0], drawn) + left_out(own, drawn)
        title = title_of(f"{axis.name} against interferer level", part)
        return sheet.finish(Words(title, LEVEL, axis.label, caption(part, drawn, first=told)), _handles(drawn, part))


def draw_line(
    axes: Axes, points: Sequence[Point], at: Callable[[Point], float], how: Look, *, banded: bool = True
) -> None:
    """One line with its band; a point without a number breaks both and is never bridged.

    A point between two breaks has no width to fill, so its interval becomes a bar.

    Args:
        points: of one system, or of one pair, in one panel.
        at: the place of a point on the horizontal axis.
        banded: whether intervals of neighbors join to a band; bars otherwise.
    """
    ordered = sorted(points, key=at)
    x, value, low, high = (
        np.array([float(each) for each in column])
        for column in zip(*((at(p), p.value, p.low, p.high) for p in ordered), strict=True)
    )
    axes.plot(
        x,
        value,
        color=how.color,
        marker=how.marker,
        linestyle=how.line,
        markerfacecolor=how.face,
        markeredgecolor=how.color,
        zorder=3,
        label=label(ordered[0].system),
    )
    bounded = np.isfinite(low) & np.isfinite(high)
    if banded and bounded.any():
        axes.fill_between(x, low, high, where=list(bounded), color=how.color, alpha=0.16, linewidth=0, zorder=2)
    padded = np.concatenate(([False], bounded, [False])) & banded
    # A point is alone when neither neighbor has an interval; the ends have one neighbor missing by nature.
    alone = bounded & ~padded[:-2] & ~padded[2:]
    if alone.any():
        axes.vlines(x[alone], low[alone], high[alone], color=how.color, linewidth=1.0, zorder=2)


def side_by_side(
    points: Sequence[Point], at: Callable[[Point], float], count: int, aside: float = ASIDE
) -> list[Callable[[Point], float]]:
    """Where each of several lines has a point: at its place as long as bands can be told apart, else beside it.

    Args:
        aside: over how much of the way to the next place all of them together are spread.
    """
    places = sorted({at(point) for point in points})
    step = min((right - left for left, right in pairwise(places)), default=0.0) * aside / count
    beside = [(turn - (count - 1) / 2) * step * (count > MOST_BANDS) for turn in range(count)]
    return [lambda point, by=by: at(point) + by for by in beside]  # type: ignore[misc]


def quality_axis(axes: Axes, drawn: Sequence[Point]) -> list[str]:
    """Set the limits of a metric's axis and say so where they are not the usual ones.

    The axis runs over all that the metric can be, unless everything drawn sits in a narrow band above.
    """
    axis = axis_of(drawn[0].metric)
    seen = [each for point in drawn for each in (point.value, point.low, point.high) if math.isfinite(each)]
    if not seen:
        return []
    top = max(axis.most if math.isfinite(axis.most) else 1.0, math.ceil(max(seen) * 10) / 10)
    bottom = min(0.0, math.floor(min(seen) * 10) / 10)
    zoomed = axis.higher_is_better and math.isfinite(axis.most) and min(seen) > axis.zoom_above
    if zoomed:
        bottom = math.floor(min(seen) * 10 - 0.2) / 10
    # Markers at 0 or 1 would be cut in half by limits at 0 and 1.
    margin = 0.02 * (top - bottom)
    axes.set_ylim(bottom - (0 if zoomed else margin), top + margin)
    return [f"The vertical axis starts at {bottom:g}"] if zoomed else []


def mark_values(axes: Axes, points: Sequence[Point], at: Callable[[Point], float]) -> None:
    """Put ticks where our points are, as long as the eye can tell them apart; beyond that round numbers serve.

    A published axis is shifted to ours and falls between our points, where ticks of its own would collide.
    """
    ordered = sorted({at(point) for point in points if not point.system.is_published})
    if len(ordered) <= 8:
        axes.xaxis.set_major_locator(FixedLocator(ordered))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: typeset(f"{value:g}")))


def mark_crowds(axes: Axes, points: Sequence[Point]) -> None:
    """Tick each number of interferers, with the total SIR they make under it; nobody makes an infinite one."""
    sirs = {
        p.interferers: f"{round(p.sir_db, 1) + 0.0:.1f}" for p in points if p.interferers and math.isfinite(p.sir_db)
    }
    counts = sorted({point.interferers for point in points})
    axes.xaxis.set_major_locator(FixedLocator(counts))
    names = {count: f"{count}\n{typeset(sirs.get(count, '' if count else INFINITE))}" for count in counts}
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: names.get(round(value), "")))


def title_of(what: str, part: Results) -> str:
    """A title, with the words that tell this part from its sisters."""
    return ", ".join((what[0].upper() + what[1:], *part.distinction))


def left_out(all_of: Sequence[Point], drawn: Sequence[Point]) -> list[str]:
    """Say that some SNRs or crowds are not in the picture: a reader must not take a choice for the whole."""
    said = []
    for what, name in (("SNRs", "snr_db"), ("numbers of interferers", "interferers")):
        there, shown = (
            {getattr(point, name) for point in points if not point.system.is_published} for points in (all_of, drawn)
        )
        if len(shown) < len(there):
            said.append(f"{len(shown)} of {len(there)} {what} shown")
    return said


def _measured_at(part: Results, at: Callable[[Point], float]) -> set[float]:
    """Where on an axis we have numbers of our own; a published curve alone makes no figure."""
    return {at(point) for point in part.absolute if point.is_measured and not point.system.is_published}


def _draw_systems(axes: Axes, points: Sequence[Point], part: Results, at: Callable[[Point], float]) -> None:
    """One line per system, in the order in which the table names them."""
    for system in in_order(point.system for point in points):
        draw_line(axes, [point for point in points if point.system == system], at, look(system, part.systems))


def _handles(drawn: Sequence[Point], part: Results) -> list[Line2D]:
    """A legend entry for every system in any panel, one that has only gaps included."""
    present = {point.system for point in drawn}
    return [handle(look(each, part.systems), label(each)) for each in part.systems if each in present]
