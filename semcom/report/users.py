"""How every user of a cell fares: one line per user, against SNR and against the number of interferers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from semcom.metrics.catalog import axis_of
from semcom.report.curves import (
    MOST_PANELS,
    draw_line,
    left_out,
    mark_crowds,
    mark_values,
    quality_axis,
    title_of,
)
from semcom.report.results import SUM, WANTED, Point, Results, evenly, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.style import COLORS, LINES, MARKERS, Look, handle, in_house_style
from semcom.report.wording import (
    INTERFERERS,
    SNR,
    by_user,
    caption,
    crowd_title,
    snr_title,
    user_name,
)

__all__ = ["users_against_interferers", "users_against_snr"]

SENSE = (
    "All users are decoded from one received signal, each by a receiver of its own that takes the others for "
    "interference; SNR, SIR and level are the wanted user's"
)


def users_against_snr(part: Results) -> Figure | None:
    """The score of each user of the cell against the wanted user's SNR, a panel per number of interferers.

    Args:
        part: one metric under one condition for one wanted codec, as `Results.cells` cuts it.

    Returns:
        None when there are fewer than two SNRs with a number, or nobody but the wanted user.
    """
    own = _of_users(part)
    counts = evenly((point.interferers for point in own if point.is_measured and point.interferers), MOST_PANELS)
    drawn = [point for point in own if point.interferers in counts]
    if len({point.snr_db for point in drawn if point.is_measured}) < 2:
        return None
    axis = axis_of(part.metric)
    with in_house_style():
        sheet = Sheet([crowd_title(count, _wanted(drawn)) for count in counts])
        for axes, count in zip(sheet.panels, counts, strict=True):
            _draw(axes, [point for point in drawn if point.interferers == count], lambda point: point.snr_db)
        mark_values(sheet.panels[0], drawn, lambda point: point.snr_db)
        crowded = [point for point in own if point.interferers]
        told = [SENSE, *quality_axis(sheet.panels[0], drawn), *left_out(crowded, drawn)]
        title = title_of(f"{axis.name} of every user against SNR", part)
        return sheet.finish(Words(title, SNR, axis.label, caption(part, drawn, first=told)), _handles(drawn, part))


def users_against_interferers(part: Results) -> Figure | None:
    """The score of each user of the cell against how many others there are, a panel per SNR of the wanted user.

    A user's line begins where it joins the cell.

    Returns:
        None when there are fewer than two numbers of interferers with a number, or nobody but the wanted user.
    """
    own = _of_users(part)
    measured = [point for point in own if point.is_measured]
    if len({point.interferers for point in measured}) < 2 or len({point.user for point in measured}) < 2:
        return None
    shown = evenly((point.snr_db for point in measured), MOST_PANELS)
    drawn = [point for point in own if point.snr_db in shown]
    axis = axis_of(part.metric)
    with in_house_style():
        sheet = Sheet([snr_title(snr_db) for snr_db in shown])
        for axes, snr_db in zip(sheet.panels, shown, strict=True):
            _draw(axes, [point for point in drawn if point.snr_db == snr_db], lambda point: point.interferers)
        mark_crowds(sheet.panels[0], _wanted(drawn))
        told = [SENSE, *quality_axis(sheet.panels[0], drawn), *left_out(own, drawn)]
        title = title_of(f"{axis.name} of every user against the number of interferers", part)
        said = Words(title, INTERFERERS, axis.label, caption(part, drawn, first=told))
        return sheet.finish(said, _handles(drawn, part), tick_lines=2)


def _of_users(part: Results) -> list[Point]:
    """Everybody's own points, in the order of users; a sum lies on another scale and stands in the table."""
    own = [point for point in part.absolute if point.user != SUM and not point.system.is_published]
    return sorted(own, key=by_user)


def _wanted(points: Sequence[Point]) -> list[Point]:
    """The points whose SIR is that of the crowd as the wanted user hears it."""
    return [point for point in points if point.user == WANTED]


def _draw(axes: Axes, points: Sequence[Point], at: Callable[[Point], float]) -> None:
    for user in in_order(point.user for point in points):
        draw_line(axes, [point for point in points if point.user == user], at, _look(user))


def _look(user: str) -> Look:
    """The wanted user stands out; the others go through the colors and markers of interferers by number."""
    if user == WANTED:
        return Look(COLORS["teacher"][0], MARKERS["teacher"][0], LINES["teacher"])
    colors = (*COLORS["control"][:2], *COLORS["student"][:4], *COLORS["codec"][:1])
    markers = (*MARKERS["control"][:2], *MARKERS["student"][:4])
    turn = int(user) - 1
    return Look(colors[turn % len(colors)], markers[turn % len(markers)], "-")


def _handles(drawn: Sequence[Point], part: Results) -> list[Line2D]:
    """A legend entry per user, with the codec that it sends through."""
    return [handle(_look(user), user_name(user, part)) for user in in_order(point.user for point in drawn)]
