"""Thin lines that say what any code could do, drawn beside the curves of whole sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy.special import ndtr, ndtri

from semcom.report.airs import METRIC, air_of_limit, air_of_point
from semcom.report.results import Point, Results
from semcom.report.style import GREY
from semcom.store.limits import Limit
from semcom.words import visible

__all__ = ["draw_limits", "told_of_limits"]

WIDTH = 0.9
# Dashes belong to published curves.
STROKES: tuple[Any, ...] = ("-", (0, (1.0, 1.4)), (0, (5.0, 1.2, 1.0, 1.2)), (0, (3.0, 1.0, 1.0, 1.0, 1.0, 1.0)))
TOLD = (
    "Thin grey lines: what any code could deliver with the same symbols, power and language (normal approximation, "
    "interference taken for noise)"
)

Group = tuple[str, float]  # language and symbols a token


def draw_limits(axes: Axes, part: Results, points: Sequence[Point]) -> list[Line2D]:
    """The lines that belong to these points, one for each language and bandwidth; none where nobody asked for them.

    Args:
        points: of one panel.

    Returns:
        Legend entries.
    """
    groups, swept = _groups(part, points), sorted({point.snr_db for point in points})
    if not groups or len(swept) < 2:
        return []
    every = sorted(set(_all_groups(part)), key=lambda each: (-each[1], each[0]))
    at = np.linspace(swept[0], swept[-1], 200)
    entries = []
    for group, shares in groups.items():
        snrs, probits = zip(*((snr_db, ndtri(whole)) for whole, snr_db in sorted(shares.items())), strict=True)
        # Nothing is drawn beyond the least and the largest share that were worked out.
        heights = ndtr(np.interp(at, snrs, probits, left=math.nan, right=math.nan))
        stroke = STROKES[every.index(group) % len(STROKES)]
        axes.plot(at, heights, color=GREY, linewidth=WIDTH, linestyle=stroke, zorder=1.5)
        language, symbols = group
        told = f"limit, {symbols:g} symbols a token, language {language}"
        entries.append(Line2D([], [], color=GREY, linewidth=WIDTH, linestyle=stroke, label=told))
    return entries


def told_of_limits(entries: Sequence[Line2D]) -> list[str]:
    """What a caption says of them."""
    return [TOLD] if entries else []


def _groups(part: Results, points: Sequence[Point]) -> dict[Group, dict[float, float]]:
    """The limit's SNR by share, mean over seeds, of each language and bandwidth among these points."""
    if part.metric != METRIC:
        return {}
    places = {(point.system.codec, air_of_point(point)) for point in points}
    found: dict[Group, dict[float, list[float]]] = {}
    for limit in part.limits:
        is_here = (visible(limit.codec), air_of_limit(limit)) in places
        if limit.use == "line" and is_here and limit.limit_snr_db is not None and math.isfinite(limit.limit_snr_db):
            found.setdefault(_group(limit), {}).setdefault(limit.whole, []).append(limit.limit_snr_db)
    return {
        group: {whole: math.fsum(snrs) / len(snrs) for whole, snrs in shares.items()} for group, shares in found.items()
    }


def _group(limit: Limit) -> Group:
    return visible(limit.language), limit.symbols_per_token


def _all_groups(part: Results) -> list[Group]:
    return [_group(limit) for limit in part.limits if limit.use == "line"]
