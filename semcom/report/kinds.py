"""What kind of interference harms most: one line per kind against the level that all of them share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from matplotlib.figure import Figure

from semcom.metrics.catalog import axis_of
from semcom.report.curves import draw_line, left_out, mark_values, quality_axis, title_of
from semcom.report.results import Point, Results, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.sizing import places_of
from semcom.report.style import COLORS, MARKERS, Look, handle, in_house_style
from semcom.report.wording import LEVEL, caption, label, snr_title
from semcom.words import counted

__all__ = ["air_of_all", "kinds_against_level", "name_of_kind"]

LOOKS = tuple(
    Look(color, marker, "-")
    for color, marker in zip(
        (*COLORS["teacher"][:1], *COLORS["student"][:2], *COLORS["control"][:2], *COLORS["codec"][:2]),
        (*MARKERS["student"][:2], *MARKERS["control"][:3], *MARKERS["teacher"][:2]),
        strict=True,
    )
)


def kinds_against_level(part: Results) -> Figure | None:
    """The metric against the level of the interferers, a line per kind; a panel per number of interferers and SNR.

    Equal power is equal place on the axis, so what lies between two lines is structure.

    Args:
        part: one metric and wanted codec in one air, as `Results.kinds` cuts it.

    Returns:
        None when there are fewer than two levels with a number.
    """
    alike = [point for point in part.points if len(point.level) == 1]
    own = [point for point in alike if point.is_measured]
    if len({point.level for point in own}) < 2:
        return None
    places = places_of(alike)
    drawn = [point for point in alike if (point.interferers, point.snr_db) in places]
    kinds = in_order(point.condition.interference for point in drawn)
    axis = axis_of(part.metric)
    with in_house_style():
        sheet = Sheet([f"{counted(count, 'interferer')}, {snr_title(snr_db)}" for count, snr_db in places])
        for axes, place in zip(sheet.panels, places, strict=True):
            here = [point for point in drawn if (point.interferers, point.snr_db) == place]
            for kind in kinds:
                of_kind = [point for point in here if point.condition.interference == kind]
                if of_kind:
                    draw_line(axes, of_kind, lambda point: point.level[0], _look(kind, kinds))
                    axes.lines[-1].set_label(name_of_kind(kind, kinds))
        mark_values(sheet.panels[0], drawn, lambda point: point.level[0])
        told = [f"Wanted codec: {label(drawn[0].system)}"]
        told += quality_axis(sheet.panels[0], drawn) + left_out(own, drawn)
        title = title_of(f"{axis.name} against interferer level, by kind of interference", part)
        said = Words(title, LEVEL, axis.label, caption(air_of_all(part, drawn), drawn, first=told))
        return sheet.finish(said, [handle(_look(kind, kinds), name_of_kind(kind, kinds)) for kind in kinds])


def air_of_all(part: Results, drawn: Sequence[Point]) -> Results:
    """The part under one of its kinds: for what a caption says of the air, they are all alike."""
    first = drawn[0].condition
    return dataclasses.replace(part, points=tuple(point for point in part.points if point.condition == first))


def _look(kind: str, kinds: Sequence[str]) -> Look:
    return LOOKS[kinds.index(kind) % len(LOOKS)]


def name_of_kind(kind: str, kinds: Sequence[str]) -> str:
    """The bare kind, where that tells it from the others."""
    bare = [each.partition("(")[0] for each in kinds]
    return kind.partition("(")[0] if len(set(bare)) == len(bare) else kind
