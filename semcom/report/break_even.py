"""Break-even: how many parameters a codec trained alone needs to say as much as a student."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from semcom.metrics.catalog import axis_of
from semcom.report.curves import draw_line, left_out, quality_axis, title_of
from semcom.report.results import Point, Results, System, evenly, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.sizing import (
    BODY,
    Family,
    bodies,
    families_of,
    looks_of,
    mark_sizes,
    place_title,
    places_of,
    rounded,
    varied_side,
)
from semcom.report.style import GREY, INK, SIZES, handle, in_house_style
from semcom.report.wording import caption, spoken

__all__ = ["break_even", "break_even_size"]

MOST_MARKS = 3  # a panel and family; more would cover the lines they explain
WIDE, TALL = 0.17, 0.075  # of a number, as a share of its panel
LOW = 0.3  # below this share of the panel numbers go up
TOLD = (
    "Break-even: dotted, from a student to the control's line at the student's score; the number, in the control's "
    "color, says how many times the student's parameters it needs there. Straight lines over the logarithm of the "
    "parameters; from the means, without an interval; none where no two neighboring sizes of the control have the "
    "score between them, with intervals that do not meet, and below the larger one's: on a plateau chance alone would "
    "set the number"
)


@dataclass(frozen=True)
class Mark:
    """One student's break-even: its size, what its control needs, the score of both, and the control's color."""

    size: float
    needed: float
    score: float
    color: str = INK


def break_even(part: Results) -> Figure | None:
    """The metric against body parameters, with how many a control needs to reach each student's score.

    A line joins codecs of one role and method; a panel per SNR and crowd, as its title tells. Where small codecs adopt
    one side of their teacher, parameters are those of the other side, which alone changes.

    Returns:
        None when there are no students and controls, or no more than two sizes.
    """
    sizes = bodies(part)
    small = [each for each in sizes if each.role in ("student", "control")]
    if len({sizes[each] for each in small}) < 3 or len({each.role for each in small}) < 2:
        return None
    places = places_of(part.absolute)
    drawn = [p for p in part.absolute if p.system in sizes and (p.interferers, p.snr_db) in places]
    families, axis = families_of(part), axis_of(part.metric)
    with in_house_style():
        sheet = Sheet([place_title(place, drawn) for place in places])
        sheet.panels[0].set_xscale("log")
        found = []
        for axes, place in zip(sheet.panels, places, strict=True):
            here = [point for point in drawn if (point.interferers, point.snr_db) == place]
            found.append(_draw(axes, here, sizes, families))
        mark_sizes(sheet.panels[0], sizes.values(), rounded)
        told = [TOLD, *quality_axis(sheet.panels[0], drawn), *left_out(part.absolute, drawn)]
        # Where a number finds room is known once both axes are.
        for axes, marks_here in zip(sheet.panels, found, strict=True):
            _mark(axes, marks_here)
        title = title_of(f"{axis.name} against body parameters, with break-even", part)
        said = Words(title, BODY[varied_side(part)], axis.label, caption(part, drawn, first=told))
        return sheet.finish(said, _handles(drawn, sizes, families))


def break_even_size(
    sizes: Sequence[float], scores: Sequence[float], target: float, errors: Sequence[float] = ()
) -> float | None:
    """The fewest parameters with which a curve reaches a score.

    log n = log a + (target - A) / (B - A) (log b - log a)

    with (a, A) and (b, B) the first neighbors in size between which the curve rises to the target: A < target <= B.

    Args:
        sizes: in any order; a size without a finite score is passed over.
        errors: half an interval of each score; none counts as exact. On a plateau a difference of chance would move the
            answer from one end to the other, so there is none.

    Returns:
        None unless the curve brackets the target: its smallest size must fall short of it, a larger one reach it, by
        more than its error, and the errors of neighbors must leave a rise between them.
    """
    every = zip(sizes, scores, errors or [0.0] * len(sizes), strict=True)
    known = sorted((size, score, error) for size, score, error in every if math.isfinite(score))
    if not known or known[0][1] >= target:
        return None
    for (small, short, below), (large, enough, above) in pairwise(known):
        if short < target <= enough:
            sure = enough - above
            if target > sure or sure <= short + below:
                return None
            share = (target - short) / (enough - short)
            return math.exp(math.log(small) + share * (math.log(large) - math.log(small)))
    return None


def marks(students: Sequence[Point], controls: Sequence[Point], sizes: dict[System, float]) -> list[Mark]:
    """The break-even of every student that has one, smallest student first."""
    falls = students and not axis_of(students[0].metric).higher_is_better
    # An error rate falls as codecs grow, and is as good as a score that rises.
    sign = -1.0 if falls else 1.0
    owned, scores = [sizes[point.system] for point in controls], [sign * point.value for point in controls]
    errors = [(point.high - point.low) / 2 if math.isfinite(point.high - point.low) else 0.0 for point in controls]
    found = []
    for point in sorted(students, key=lambda each: sizes[each.system]):
        needed = break_even_size(owned, scores, sign * point.value, errors) if point.is_measured else None
        if needed is not None:
            found.append(Mark(sizes[point.system], needed, point.value))
    return found


def _draw(
    axes: Axes, points: Sequence[Point], sizes: dict[System, float], families: dict[System, Family]
) -> list[Mark]:
    """A line with its band per family; the marks of every student family against every control family."""
    groups = {
        family: [point for point in points if families[point.system] == family]
        for family in in_order(families[point.system] for point in points)
    }
    looks = looks_of(families)
    for family, members in groups.items():
        draw_line(axes, members, lambda point: sizes[point.system], looks[family])
        axes.lines[-1].set_label(_label(family, [point.system for point in members], sizes))
    found = []
    for student, learned in groups.items():
        for control, alone in groups.items():
            if (student.role, control.role) == ("student", "control") and _is_fair(student, control):
                theirs = marks(learned, alone, sizes)
                shown = evenly((mark.size for mark in theirs), MOST_MARKS)
                found += [replace(mark, color=looks[control].color) for mark in theirs if mark.size in shown]
    return found


def _is_fair(student: Family, control: Family) -> bool:
    """Whether both send equally many symbols, own the same sides and know the same language."""
    return (student.alike, student.adopted, student.language) == (control.alike, control.adopted, control.language)


def _mark(axes: Axes, found: Sequence[Mark]) -> None:
    """Crosses with their numbers, each number where it covers no other."""
    to_panel = axes.transData + axes.transAxes.inverted()
    taken: list[tuple[float, float]] = []
    for mark in sorted(found, key=lambda each: each.needed):
        axes.plot([mark.size, mark.needed], [mark.score] * 2, color=GREY, linestyle=":", linewidth=1.1, zorder=4)
        axes.plot([mark.needed], [mark.score], color=mark.color, marker="x", markersize=4.5, linestyle="none", zorder=5)
        x, y = (float(each) for each in to_panel.transform((mark.needed, mark.score)))
        # A score rises with size: above and to the left of its line is room, and below and to the right.
        step = TALL if y < LOW else -TALL
        x += -0.5 * WIDE if y < LOW else 0.2 * WIDE
        y += step
        while any(abs(x - left) < WIDE and abs(y - middle) < TALL * 0.99 for left, middle in taken):
            y += step
        taken.append((x, y))
        axes.text(
            min(max(x, 0.01), 1 - WIDE),
            y,
            f"\u00d7{mark.needed / mark.size:.2g}",
            transform=axes.transAxes,
            va="center",
            fontsize=SIZES["tick"],
            color=mark.color,
            zorder=6,
        )


def _handles(drawn: Sequence[Point], sizes: dict[System, float], families: dict[System, Family]) -> list[Line2D]:
    """A legend entry per family, and one for the marks."""
    entries, looks = [], looks_of(families)
    for family in in_order(families[point.system] for point in drawn):
        members = [point for point in drawn if families[point.system] == family]
        systems = in_order(point.system for point in members)
        entries.append(handle(looks[family], _label(family, systems, sizes)))
    mark = Line2D([], [], color=GREY, marker="x", markeredgecolor=INK, linestyle=":", label="break-even")
    return [*entries, mark]


def _label(family: Family, systems: Sequence[System], sizes: dict[System, float]) -> str:
    """Name, role, method and the range of sizes."""
    amounts = sorted(sizes[each] for each in systems)
    sized = " to ".join(rounded(each) for each in dict.fromkeys((amounts[0], amounts[-1])))
    told = [family.role, family.method, spoken(systems[0]), sized]
    name = family.stem or (systems[0].codec if len(systems) == 1 else "")
    inside = ", ".join(each for each in told if each)
    return f"{name} ({inside})" if name else inside
