"""What every student of a teacher gains over its controls, side by side: the ablation in one picture."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from semcom.metrics.catalog import axis_of
from semcom.report.ablation import Line
from semcom.report.curves import title_of
from semcom.report.results import Point, Results, System, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.style import GREY, INK, SIZES, handle, in_house_style, look
from semcom.report.wording import caption, label, margin

__all__ = ["gains_of_students"]

# Inches a student and control take one above the other, and the part of the panel that the students' names do.
ROW, AIR = 0.13, 0.12
NAMES = 0.47


def gains_of_students(part: Results, lines: Sequence[Line]) -> Figure | None:
    """A row per student, the best first, with a mark and its interval per control.

    Args:
        lines: of the ablation, of any metric and condition.

    Returns:
        None when the ablation has nothing in this metric under this condition.
    """
    here = [line for line in lines if (line.metric, line.condition) == (part.metric, ", ".join(part.distinction))]
    if not here:
        return None
    sign = 1.0 if axis_of(part.metric).higher_is_better else -1.0
    best = {
        student: max(sign * line.difference[0] for line in here if line.trial.student == student)
        for student in (line.trial.student for line in here)
    }
    students = sorted(best, key=lambda student: -best[student])
    each = [[line for line in here if line.trial.student == student] for student in students]
    most = max(map(len, each))
    with in_house_style():
        sheet = Sheet([""], tall=len(students) * (AIR + most * ROW) + 0.1)
        (axes,) = sheet.panels
        for row, of_one in enumerate(each):
            for place, line in enumerate(of_one):
                _mark(axes, line, row + (place - (len(of_one) - 1) / 2) * ROW / (AIR + most * ROW), part)
        _limits(axes, here)
        _name(axes, sheet, students, here)
        name = axis_of(part.metric).name
        title = title_of(f"What every student gains in {name}", part)
        x_label = f"{name[0].upper()}{name[1:]} difference (student minus control, mean over operating points)"
        said = Words(title, x_label, "", caption(part, _drawn(part, here), first=_first(here)))
        return sheet.finish(said, [_handle(one, part) for one in in_order(line.trial.control for line in here)])


def _mark(axes: Axes, line: Line, y: float, part: Results) -> None:
    """One gain with its interval, in the look of the control that it is over."""
    how = look(line.trial.control, part.systems)
    value, low, high = line.difference
    if math.isfinite(low) and math.isfinite(high):
        axes.plot([low, high], [y, y], color=how.color, linewidth=1.3, solid_capstyle="butt", zorder=3)
    mark = axes.plot([value], [y], color=how.color, marker=how.marker, linestyle="none", zorder=4)
    mark[0].set_label(f"{line.trial.student.codec} minus {line.trial.control.codec}")


def _limits(axes: Axes, lines: Sequence[Line]) -> None:
    """All intervals, nothing at all, and to the left room for names."""
    ends = [end for line in lines for end in line.difference if math.isfinite(end)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    wide = (high - low or 1.0) * 1.04
    axes.set_xlim(high - wide / (1 - NAMES), high + 0.02 * wide)
    ticks = [tick for tick in axes.get_xticks() if low - 0.02 * wide <= tick <= high]
    axes.set_xticks(ticks)
    axes.axvline(0.0, color=GREY, linewidth=0.9, zorder=1)


def _name(axes: Axes, sheet: Sheet, students: Sequence[System], lines: Sequence[Line]) -> None:
    """Who it is, what it learned by, and how long that took, before each row."""
    count, side = len(students), axes.get_yaxis_transform()
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    for place, student in enumerate(students):
        if place % 2:
            axes.axhspan(place - 0.5, place + 0.5, color="#f4f4f4", zorder=0)
        ratio = next(line.time_ratio for line in lines if line.trial.student == student)
        time = f", {ratio:.1f}\u00d7 time" if math.isfinite(ratio) else ""
        told = f"{student.codec} ({student.own_method}{time})"
        wrapped = sheet.wrap(told, SIZES["tick"], 2.85)
        axes.text(0.0, place, "\n".join(wrapped), transform=side, va="center", fontsize=SIZES["tick"], color=INK)


def _drawn(part: Results, lines: Sequence[Line]) -> list[Point]:
    """The points that the means are over, for what a caption tells of them; the means have a bound for an interval."""
    systems = {each for line in lines for each in (line.trial.student, line.trial.control)}
    met = [point for point in part.paired if point.system in systems and point.against in systems]
    return [dataclasses.replace(point, is_crossed=False) for point in met]


def _first(lines: Sequence[Line]) -> list[str]:
    """What was averaged."""
    points = sorted({len(line.spots) for line in lines})
    over = f"{points[0]}" if len(points) == 1 else f"{points[0]} to {points[-1]}"
    point = "point" if over == "1" else "points"
    timed = any(math.isfinite(line.time_ratio) for line in lines)
    said = [f"Each mark is a mean over {over} operating {point}{_axes(lines)}, then over seeds"]
    said += margin(line.difference[1:] for line in lines)
    return said + (["Time: of training, as a multiple of that of each student's first control"] if timed else [])


def _axes(lines: Sequence[Line]) -> str:
    """In what the operating points differ, in brackets."""
    spots = [spot for line in lines for spot in line.spots]
    names = {"snr_db": "SNRs", "interferers": "numbers of interferers", "level": "levels of interferers"}
    # Nobody is at no level.
    moving = [said for name, said in names.items() if len({getattr(spot, name) for spot in spots} - {()}) > 1]
    *others, last = moving or [""]
    return f" ({', '.join(others)} and {last})" if others else f" ({last})" if last else ""


def _handle(control: System, part: Results) -> Line2D:
    """A legend entry per control: a mark on its interval, and no line that would join anything."""
    return handle(dataclasses.replace(look(control, part.systems), line="-"), f"minus {label(control)}")
