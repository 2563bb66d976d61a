"""Shares of the gap to the teacher that a student closes, against SNR and against the number of interferers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from semcom.metrics.catalog import axis_of
from semcom.report.curves import (
    ASIDE_TOLD,
    MOST_BANDS,
    MOST_PANELS,
    draw_line,
    left_out,
    mark_crowds,
    mark_values,
    side_by_side,
    title_of,
)
from semcom.report.gaps import beside
from semcom.report.results import NO_GAP, Point, Results, System, evenly, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.style import GREY, Look, handle, in_house_style, look
from semcom.report.wording import INTERFERERS, SNR, caption, crowd_title, label, snr_title

__all__ = ["MEANING", "closed_shares", "is_behind", "share_against_interferers", "share_against_snr"]

MEANING = (
    "Share of the gap closed: (student minus control) over (teacher minus control), each a mean over seeds; 0 is as "
    "good as the control, 1 as good as the teacher"
)
NOTHING_TO_CLOSE = {NO_GAP, "undefined"}
AXIS = "Share of the gap closed (0: as the control, 1: as the teacher)"
TITLE = "Share of the gap to the teacher closed"
# What lies further out is noise over a gap of almost nothing, and would press everything else together.
LEAST, MOST = -0.5, 1.5

Three = tuple[System, System | None, System | None]
At = Callable[[Point], float]


def share_against_snr(part: Results) -> Figure | None:
    """The share of the gap that a student closes against SNR, a panel per number of interferers.

    Returns:
        None when the table holds no such shares at two SNRs or more.
    """
    points = closed_shares(part)
    if len({point.snr_db for point in points if point.is_measured}) < 2:
        return None
    found = [point for point in points if _is_finding(point)]
    counts = evenly((point.interferers for point in found), MOST_PANELS)
    drawn = [point for point in points if point.interferers in counts]
    with in_house_style():
        sheet = Sheet([crowd_title(count, part.points) for count in counts])
        panels = [[point for point in drawn if point.interferers == count] for count in counts]
        told = _draw(sheet.panels, panels, part, lambda point: point.snr_db)
        mark_values(sheet.panels[0], drawn, lambda point: point.snr_db)
        title = title_of(f"{TITLE} in {axis_of(part.metric).name} against SNR", part)
        told += left_out(found, drawn)
        said = Words(title, SNR, AXIS, caption(part, drawn, first=[MEANING, *told]))
        return sheet.finish(said, _handles(drawn, part))


def share_against_interferers(part: Results) -> Figure | None:
    """The share of the gap that a student closes against the number of interferers, a panel per SNR.

    Returns:
        None when the table holds no such shares at two numbers of interferers or more.
    """
    points = closed_shares(part)
    if len({point.interferers for point in points if point.is_measured}) < 2:
        return None
    found = [point for point in points if _is_finding(point)]
    shown = evenly((point.snr_db for point in found), MOST_PANELS)
    drawn = [point for point in points if point.snr_db in shown]
    with in_house_style():
        sheet = Sheet([snr_title(snr_db) for snr_db in shown])
        panels = [[point for point in drawn if point.snr_db == snr_db] for snr_db in shown]
        told = _draw(sheet.panels, panels, part, lambda point: point.interferers)
        mark_crowds(sheet.panels[0], part.points)
        title = title_of(f"{TITLE} in {axis_of(part.metric).name} against the number of interferers", part)
        told += left_out(found, drawn)
        said = Words(title, INTERFERERS, AXIS, caption(part, drawn, first=[MEANING, *told]))
        return sheet.finish(said, _handles(drawn, part), tick_lines=2)


def closed_shares(part: Results) -> list[Point]:
    """The shares of a part; where the teacher is not ahead of the control there is no gap to close, and no share.

    The quotient exists there all the same, and is 1 for a student that is as far behind as its teacher.
    """
    values = {point.spot: point.value for point in part.absolute}

    def value(system: System | None, point: Point) -> float:
        place = point if system is None else dataclasses.replace(point, system=system)
        return values.get(place.spot, math.nan)

    return [
        dataclasses.replace(_without_value(point), missing=(NO_GAP,))
        if point.is_measured and is_behind(point.metric, value(point.gap_to, point) - value(point.against, point))
        else point
        for point in part.shares
    ]


def _is_finding(point: Point) -> bool:
    """Whether anything is known here: a share, or that there is no gap to close. A point never measured is none."""
    return point.is_measured or bool(NOTHING_TO_CLOSE & set(point.missing))


def is_behind(metric: str, gap: float) -> bool:
    """Whether a teacher that differs from a control by so much is no better; an unknown difference says nothing."""
    return gap <= 0 if axis_of(metric).higher_is_better else gap >= 0


def _draw(panels: Sequence[Axes], points: Sequence[Sequence[Point]], part: Results, at: At) -> list[str]:
    """Lines at control and teacher, and a line with its intervals per student; what the marks in it mean."""
    everywhere = [point for here in points for point in here]
    bottom, top = _limits(everywhere)
    margin = 0.03 * (top - bottom)
    panels[0].set_ylim(bottom - margin, top + margin)
    threes = in_order(map(_three, everywhere))
    banded, places = len(threes) <= MOST_BANDS, side_by_side(everywhere, at, len(threes))
    for axes, here in zip(panels, points, strict=True):
        for level in (0.0, 1.0):
            axes.axhline(level, color=GREY, linewidth=0.9, zorder=1)
        for three in in_order(map(_three, here)):
            theirs = [point for point in here if _three(point) == three]
            _draw_one(axes, theirs, places[threes.index(three)], how=_look(three, part), banded=banded)
    return _marks(everywhere) + [ASIDE_TOLD] * (not banded)


def _draw_one(axes: Axes, points: Sequence[Point], at: At, *, how: Look, banded: bool) -> None:
    """The line through shares with bounds; the others are marked, and never joined to anything."""
    bounded = [_without_value(point) if _is_unbounded(point) else point for point in points]
    draw_line(axes, bounded, at, how, banded=banded)
    axes.lines[-1].set_label(_label(_three(points[0])))
    bottom, top = (float(end) for end in axes.get_ylim())
    off = 0.025 * (top - bottom)
    for point in points:
        # Lost on the way are points that were never measured: they are no finding.
        if not _is_finding(point):
            continue
        place, marker = point.value, how.marker
        if not point.is_measured:
            place, marker = bottom + off, "x"
        elif not bottom <= point.value <= top:
            place, marker = (top - off, "^") if point.value > top else (bottom + off, "v")
        elif not _is_unbounded(point):
            continue
        face = "white" if _is_unbounded(point) else how.color
        mark = Line2D([at(point)], [place], color=how.color, linestyle="none", marker=marker, zorder=4)
        mark.set_markerfacecolor(face)
        axes.add_line(mark)


def _limits(points: Sequence[Point]) -> tuple[float, float]:
    """Control and teacher and all that is bounded, as far as it lies near them."""
    bounded = [point for point in points if not _is_unbounded(point)]
    seen = [each for p in bounded for each in (p.value, p.low, p.high) if math.isfinite(each)]
    seen += [point.value for point in points if point.is_measured]
    bottom = math.floor(min(-0.1, *seen) * 10) / 10
    top = math.ceil(max(1.1, *seen) * 10) / 10
    return max(LEAST, bottom), min(MOST, top)


def _marks(points: Sequence[Point]) -> list[str]:
    """What the marks that are drawn mean."""
    measured = [point for point in points if point.is_measured]
    told = {
        "hollow: the gap itself may be zero, so nothing bounds the share": any(map(_is_unbounded, measured)),
        "triangles at an edge: beyond it": any(not LEAST <= point.value <= MOST for point in measured),
        "crosses at the lower edge: the teacher's mean is not ahead of the control's": any(
            NOTHING_TO_CLOSE & set(point.missing) for point in points
        ),
    }
    said = "; ".join(words for words, is_there in told.items() if is_there)
    return [said[0].upper() + said[1:]] if said else []


def _is_unbounded(point: Point) -> bool:
    return math.isinf(point.low) or math.isinf(point.high)


def _without_value(point: Point) -> Point:
    return dataclasses.replace(point, value=math.nan, low=math.nan, high=math.nan)


def _three(point: Point) -> Three:
    return point.system, point.against, point.gap_to


def _look(three: Three, part: Results) -> Look:
    """The look of the student, in a stroke that tells the gaps apart that it closes."""
    how = look(three[0], part.systems)
    same = [each for each in in_order(map(_three, part.shares)) if each[0] == three[0]]
    return beside(how, same.index(three))


def _label(three: Three) -> str:
    """The student with its details, and where the gap begins and ends."""
    student, control, teacher = three
    return f"{label(student)}, from {control.codec if control else ''} to {teacher.codec if teacher else ''}"


def _handles(drawn: Sequence[Point], part: Results) -> list[Line2D]:
    """A legend entry per student and gap."""
    return [handle(_look(three, part), _label(three)) for three in in_order(map(_three, drawn))]
