"""Paired differences: what a small codec loses to its teacher, and what it gains over the plain one beside it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from semcom.metrics.catalog import axis_of
from semcom.report.curves import (
    ASIDE,
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
from semcom.report.style import GREY, Look, handle, in_house_style, look
from semcom.report.wording import INTERFERERS, LEVEL, SNR, caption, crowd_title, label, margin, snr_title
from semcom.words import counted

__all__ = [
    "gain_against_interferers",
    "gain_against_level",
    "gain_against_snr",
    "gap_to_teacher_against_interferers",
    "gap_to_teacher_against_parameters",
    "gap_to_teacher_against_snr",
]
__all__ += ["beside", "difference_axis", "gains_of", "label_of_pair", "look_of_pair", "sense"]

# A codec that several others are subtracted from keeps its color and changes stroke and marker: not all of its points
# need be on a line. Dashes belong to published curves.
STROKES: tuple[Any, ...] = ("-", (0, (1.2, 1.2)), (0, (7.0, 1.2, 1.2, 1.2, 1.2, 1.2)), (0, (3.0, 1.0)), (0, (1.2, 3.0)))
OTHER_MARKERS = ("d", "P", "*", "h", "X")
# With more references than this, color goes by the reference: strokes alone would not tell them apart.
MOST_REFERENCES = 3


def gap_to_teacher_against_snr(part: Results) -> Figure | None:
    """Teacher minus student against SNR, a panel per number of interferers.

    gap = metric(teacher) - metric(student), from the paired rows of the table, never from the difference of two curves:
    both codecs met the same sentences and the same air, so the paired interval is much the narrower.

    Returns:
        None when the table holds no such pairs at two SNRs or more.
    """
    return _against_snr(part, _losses(part), "Gap to the teacher")


def gap_to_teacher_against_interferers(part: Results) -> Figure | None:
    """Teacher minus student against the number of interferers, a panel per SNR.

    The question of the project in one picture: does the gap open as the air fills?

    Returns:
        None when the table holds no such pairs at two numbers of interferers or more.
    """
    return _against_interferers(part, _losses(part), "Gap to the teacher")


def gap_to_teacher_against_parameters(part: Results) -> Figure | None:
    """Teacher minus the others against their body parameters, a panel per SNR and crowd.

    Where small codecs adopt one side of their teacher, parameters are those of the other side. A line joins codecs of
    one role and method under one teacher.

    Returns:
        None when the table holds no such pairs for three sizes or more.
    """
    sizes, families = bodies(part), families_of(part)
    pairs = [point for point in _losses(part) if point.against in sizes and point.is_measured]
    small = {point: point.against for point in pairs if point.against is not None}
    if len({sizes[each] for each in small.values()}) < 3:
        return None
    places = places_of(pairs)
    drawn = [point for point in pairs if (point.interferers, point.snr_db) in places]
    lines = {point: (families[small[point]], point.system) for point in drawn}
    by_family = looks_of(families)
    looks = {line: by_family[line[0]] for line in lines.values()}
    names = {(family, teacher): f"{teacher.codec} minus {_family_name(family)}" for family, teacher in looks}
    with in_house_style():
        sheet = Sheet([place_title(place, drawn) for place in places])
        sheet.panels[0].set_xscale("log")
        for axes, place in zip(sheet.panels, places, strict=True):
            axes.axhline(0.0, color=GREY, linewidth=0.9, zorder=1)
            here = [point for point in drawn if (point.interferers, point.snr_db) == place]
            for line in in_order(lines[point] for point in here):
                members = [point for point in here if lines[point] == line]
                draw_line(axes, members, lambda point: sizes[small[point]], looks[line])
                axes.lines[-1].set_label(names[line])
        mark_sizes(sheet.panels[0], (sizes[each] for each in small.values()), rounded)
        title = title_of(f"Gap to the teacher in {axis_of(part.metric).name} against body parameters", part)
        first = [*sense(part.metric, drawn), *left_out(pairs, drawn)]
        said = Words(
            title, BODY[varied_side(part)], difference_axis(part.metric, drawn), caption(part, drawn, first=first)
        )
        return sheet.finish(said, [handle(looks[line], names[line]) for line in looks])


def gain_against_snr(part: Results) -> Figure | None:
    """Codec minus the codec it is compared with, no teacher among them, against SNR.

    Distilled minus plain is the control that every claim of distillation needs: what the method is worth on its own.

    Returns:
        None when the table holds no such pairs at two SNRs or more.
    """
    return _against_snr(part, gains_of(part), "Paired difference")


def gain_against_interferers(part: Results) -> Figure | None:
    """Codec minus the codec it is compared with, no teacher among them, against the number of interferers.

    Returns:
        None when the table holds no such pairs at two numbers of interferers or more.
    """
    return _against_interferers(part, gains_of(part), "Paired difference")


def gain_against_level(part: Results) -> Figure | None:
    """Codec minus the codec it is compared with against the level of the interferers, all alike.

    A panel per number of interferers and SNR.

    Args:
        part: one metric under one condition, all interferer levels together.

    Returns:
        None when the table holds no such pairs at two levels or more.
    """
    pairs = [point for point in gains_of(part) if point.interferers and len(point.level) == 1]
    measured = [point for point in pairs if point.is_measured]
    if len({point.level for point in measured}) < 2:
        return None
    places = places_of(pairs)
    panels = [[point for point in pairs if (point.interferers, point.snr_db) == place] for place in places]
    drawn = [point for here in panels for point in here]
    with in_house_style():
        sheet = Sheet([f"{counted(count, 'interferer')}, {snr_title(snr_db)}" for count, snr_db in places])
        told = _draw(sheet.panels, panels, part, lambda point: point.level[0])
        mark_values(sheet.panels[0], drawn, lambda point: point.level[0])
        title = title_of(f"Paired difference in {axis_of(part.metric).name} against interferer level", part)
        first = [*sense(part.metric, drawn), *told, *left_out(measured, drawn)]
        said = Words(title, LEVEL, difference_axis(part.metric, drawn), caption(part, drawn, first=first))
        return sheet.finish(said, _handles(drawn, part))


def _losses(part: Results) -> list[Point]:
    """Pairs with one teacher, all written as teacher minus the other: the table may hold either sign."""
    one = [point for point in part.paired if _teachers(point) == 1]
    return [point if point.system.role == "teacher" else _turned(point) for point in one]


def gains_of(part: Results) -> list[Point]:
    """All other pairs, in the sign of the table: two teachers, or none.

    Every table has its first codec minus each other; where a scenario compares codecs of its choice, those alone.
    """
    found = [point for point in part.paired if _teachers(point) != 1]
    chosen = [point for point in found if (point.system,) != part.systems[:1]]
    return chosen or found


def _teachers(point: Point) -> int:
    """How many of the two are teachers."""
    return sum(each is not None and each.role == "teacher" for each in (point.system, point.against))


def _turned(point: Point) -> Point:
    """The same difference the other way round: a - b in [low, high] is b - a in [-high, -low]."""
    if point.against is None:
        raise ValueError(f"a paired difference must name what it is against, got {point}; turn pairs only")
    return dataclasses.replace(
        point,
        system=point.against,
        against=point.system,
        value=-point.value,
        low=-point.high,
        high=-point.low,
    )


def _against_snr(part: Results, pairs: list[Point], what: str) -> Figure | None:
    """Pairs against SNR, a panel per number of interferers."""
    measured = [point for point in pairs if point.is_measured]
    if len({point.snr_db for point in measured}) < 2:
        return None
    counts = evenly((point.interferers for point in measured), MOST_PANELS)
    drawn = [point for point in pairs if point.interferers in counts]
    with in_house_style():
        sheet = Sheet([crowd_title(count, part.points) for count in counts])
        panels = [[point for point in drawn if point.interferers == count] for count in counts]
        told = _draw(sheet.panels, panels, part, lambda point: point.snr_db)
        mark_values(sheet.panels[0], drawn, lambda point: point.snr_db)
        title = title_of(f"{what} in {axis_of(part.metric).name} against SNR", part)
        first = [*sense(part.metric, drawn), *told, *left_out(measured, drawn)]
        said = Words(title, SNR, difference_axis(part.metric, drawn), caption(part, drawn, first=first))
        return sheet.finish(said, _handles(drawn, part))


def _against_interferers(part: Results, pairs: list[Point], what: str) -> Figure | None:
    """Pairs against the number of interferers, a panel per SNR."""
    measured = [point for point in pairs if point.is_measured]
    if len({point.interferers for point in measured}) < 2:
        return None
    shown = evenly((point.snr_db for point in measured), MOST_PANELS)
    drawn = [point for point in pairs if point.snr_db in shown]
    with in_house_style():
        sheet = Sheet([snr_title(snr_db) for snr_db in shown])
        panels = [[point for point in drawn if point.snr_db == snr_db] for snr_db in shown]
        told = _draw(sheet.panels, panels, part, lambda point: point.interferers)
        mark_crowds(sheet.panels[0], part.points)
        title = title_of(f"{what} in {axis_of(part.metric).name} against the number of interferers", part)
        first = [*sense(part.metric, drawn), *told, *left_out(measured, drawn)]
        said = Words(title, INTERFERERS, difference_axis(part.metric, drawn), caption(part, drawn, first=first))
        return sheet.finish(said, _handles(drawn, part), tick_lines=2)


def _draw(
    panels: Sequence[Axes], points: Sequence[Sequence[Point]], part: Results, at: Callable[[Point], float]
) -> list[str]:
    """The zero line, then one line with its intervals per pair; what a reader must be told of them."""
    everywhere = [point for here in points for point in here]
    pairs = in_order((point.system, point.against) for point in everywhere)
    # In a single, wide panel the same share of a step would be mistaken for another place.
    aside = ASIDE if len(panels) > 1 else ASIDE / 2
    banded, places = len(pairs) <= MOST_BANDS, side_by_side(everywhere, at, len(pairs), aside)
    for axes, here in zip(panels, points, strict=True):
        axes.axhline(0.0, color=GREY, linewidth=0.9, zorder=1)
        for pair, place in zip(pairs, places, strict=True):
            of_pair = [point for point in here if (point.system, point.against) == pair]
            if of_pair:
                draw_line(axes, of_pair, place, look_of_pair(pair, part), banded=banded)
                # draw_line knows one system and labels the line with it; a difference is of two.
                axes.lines[-1].set_label(label_of_pair(pair))
    hidden = {(p.system, p.against) for p in part.paired if _teachers(p) != 1} - set(pairs)
    told = "The first codec of the table minus each other, which every table has, is in the table of differences alone"
    return [told] * (bool(hidden) and all(_teachers(point) != 1 for point in everywhere)) + [ASIDE_TOLD] * (not banded)


def beside(how: Look, turn: int) -> Look:
    """The look of a codec's second reference, third and so on; that of its first is its own."""
    if not turn:
        return how
    strokes = [each for each in STROKES if each != how.line]
    markers = [each for each in OTHER_MARKERS if each != how.marker]
    return dataclasses.replace(how, line=strokes[(turn - 1) % len(strokes)], marker=markers[(turn - 1) % len(markers)])


def look_of_pair(pair: tuple[System, System | None], part: Results) -> Look:
    """The look of whichever of the two is not the teacher, in a stroke that tells its few references apart.

    One that many are subtracted from has the looks of these.
    """
    shown, reference = _told_apart(pair)
    everyone = in_order((point.system, point.against) for point in (*_losses(part), *gains_of(part)))
    same = [other for one, other in map(_told_apart, everyone) if one == shown and other.role == reference.role]
    if len(set(same)) > MOST_REFERENCES:
        return look(reference, part.systems)
    return beside(look(shown, part.systems), same.index(reference) if reference in same else 0)


def _told_apart(pair: tuple[System, System | None]) -> tuple[System, System]:
    """Whichever of the two gives a line its look, and the other: a teacher stands behind all of them."""
    system, against = pair
    if against is None:
        raise ValueError(f"a pair must have two codecs, got {system.codec} alone")
    return (against, system) if system.role == "teacher" and against.role != "teacher" else (system, against)


def label_of_pair(pair: tuple[System, System | None]) -> str:
    """Both names, the details behind the one that is not the teacher."""
    shown, _ = _told_apart(pair)
    return " minus ".join(label(each) if each == shown else each.codec for each in pair if each is not None)


def _handles(drawn: Sequence[Point], part: Results) -> list[Line2D]:
    """A legend entry per pair."""
    pairs = in_order((point.system, point.against) for point in drawn)
    return [handle(look_of_pair(pair, part), label_of_pair(pair)) for pair in pairs]


def _family_name(family: Family) -> str:
    known = f"language {family.language}" if family.language else ""
    return ", ".join(each for each in (family.stem, family.role, family.method, known) if each)


def difference_axis(metric: str, drawn: Sequence[Point]) -> str:
    """The axis says which way the subtraction goes, in roles where all pairs share them."""
    roles = {_told_apart((point.system, point.against))[0].role for point in drawn}
    teacher = all(point.system.role == "teacher" for point in drawn)
    whose = f"teacher minus {roles.pop() if len(roles) == 1 else 'codec'}" if teacher else "first minus second"
    name = axis_of(metric).name
    return f"{name[0].upper()}{name[1:]} difference ({whose})"


def sense(metric: str, drawn: Sequence[Point], sides: tuple[str, str] = ("Above", "Below")) -> list[str]:
    """Which side of the zero line is the good one, and how near to it is level.

    Args:
        sides: how the side of positive and of negative differences is called.
    """
    axis, level = axis_of(metric), margin((point.low, point.high) for point in drawn)
    if not math.isfinite(axis.most) and axis.higher_is_better:
        return [f"{sides[0]} zero the first of the two is higher", *level]
    side = sides[0] if axis.higher_is_better else sides[1]
    return [f"{side} zero the first of the two is better; the differences are paired: both met the same air", *level]
