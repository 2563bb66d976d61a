"""Paired differences by kind of interference: what one codec has over another, under every kind side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from semcom.metrics.catalog import axis_of
from semcom.report.curves import left_out, title_of
from semcom.report.gaps import difference_axis, gains_of, label_of_pair, look_of_pair, sense
from semcom.report.kinds import air_of_all, name_of_kind
from semcom.report.results import Point, Results, evenly, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.style import GREY, SIZES, handle, in_house_style
from semcom.report.wording import caption, snr_title
from semcom.words import counted

__all__ = ["gains_by_kind"]

# Inches that a mark takes, and the air between two kinds.
ROW, AIR = 0.095, 0.12
MOST_LEVELS, MOST_COUNTS = 3, 2

Place = tuple[float, int, float]  # level, interferers, SNR


def gains_by_kind(part: Results) -> Figure | None:
    """A row per kind of interference, in it a mark with its interval per pair; a panel per crowd and level.

    Of several SNRs the highest is shown: there noise takes least.

    Args:
        part: the differences of one metric in one air, as `Results.kinds` cuts them.

    Returns:
        None when no codec is compared with another under two kinds.
    """
    alike = [point for point in gains_of(part) if len(point.level) == 1 and point.is_measured]
    places = _places(alike)
    drawn = [point for point in alike if (point.level[0], point.interferers, point.snr_db) in places]
    kinds = in_order(point.condition.interference for point in drawn)
    pairs = in_order((point.system, point.against) for point in drawn)
    if len(kinds) < 2:
        return None
    names = [name_of_kind(kind, kinds) for kind in kinds]
    with in_house_style():
        titles = [f"{counted(count, 'interferer')} at {level:g} dB, {snr_title(snr)}" for level, count, snr in places]
        sheet = Sheet(titles, tall=len(kinds) * (AIR + len(pairs) * ROW))
        sheet.left = max(sheet.width_of(name, SIZES["tick"]) for name in names) + 0.12
        sheet.panels[0].set_ylim(len(kinds) - 0.5, -0.5)
        sheet.panels[0].set_yticks(range(len(kinds)), names)
        for axes, place in zip(sheet.panels, places, strict=True):
            here = [point for point in drawn if (point.level[0], point.interferers, point.snr_db) == place]
            _draw(axes, here, part, kinds=kinds, pairs=pairs)
        title = title_of(f"Paired difference in {axis_of(part.metric).name}, by kind of interference", part)
        first = [*sense(part.metric, drawn, ("Right of", "Left of")), *left_out(alike, drawn)]
        told = caption(air_of_all(part, drawn), drawn, first=first)
        handles = [handle(look_of_pair(pair, part), label_of_pair(pair)) for pair in pairs]
        return sheet.finish(Words(title, difference_axis(part.metric, drawn), "", told), handles)


def _places(points: Sequence[Point]) -> list[Place]:
    """The panels: at most six, level by level."""
    if not points:
        return []
    levels = evenly((point.level[0] for point in points), MOST_LEVELS)
    counts = evenly((point.interferers for point in points), MOST_COUNTS)
    highest = max(point.snr_db for point in points)
    met = {(point.level[0], point.interferers, point.snr_db) for point in points}
    return [place for level in levels for count in counts if (place := (level, count, highest)) in met]


def _draw(axes: Axes, points: Sequence[Point], part: Results, *, kinds: Sequence[str], pairs: Sequence[object]) -> None:
    """The zero line, and every mark in its kind's row, in the order of the legend."""
    axes.axvline(0.0, color=GREY, linewidth=0.9, zorder=1)
    axes.grid(visible=False, axis="y")
    for row in range(1, len(kinds), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#f4f4f4", zorder=0)
    for point in points:
        pair = (point.system, point.against)
        how, turn = look_of_pair(pair, part), pairs.index(pair) - (len(pairs) - 1) / 2
        y = kinds.index(point.condition.interference) + turn * ROW / (AIR + len(pairs) * ROW)
        if math.isfinite(point.low) and math.isfinite(point.high):
            axes.plot([point.low, point.high], [y, y], color=how.color, linewidth=1.3, zorder=3)
        mark = axes.plot([point.value], [y], color=how.color, marker=how.marker, linestyle="none", zorder=4)
        mark[0].set_label(label_of_pair(pair))
