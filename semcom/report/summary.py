"""What a run found, as one table for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group
from rich.text import Text

from semcom.metrics.catalog import axis_of
from semcom.report.ablation import ablation_of
from semcom.report.curves import left_out
from semcom.report.fitting import Column, Fitted
from semcom.report.reading import read_results
from semcom.report.results import Point, Results, System, evenly, in_order
from semcom.report.wording import millions, over_seeds
from semcom.words import counted

__all__ = ["ablation_summary", "summary_table"]

# More sections than this leave the screen; the files hold them all.
MOST_SECTIONS = 6
# What goes first from the ablation where a terminal is narrow.
ABLATION_SPARE = {"method": 4, "training time": 3, "share of the gap": 2, "control": 1}
SIGNS = {"at least": "\u2265", "at most": "\u2264"}
Corner = tuple[int, tuple[float, ...], float]


def summary_table(results_csv: Path) -> Group:
    """Every codec at the middle and the highest SNR, with fewest and with most interferers.

    A cell is the mean over seeds with half the width of its interval, or near an end of the metric with a bound on one
    side. Nothing is averaged over points.

    Raises:
        UserMistake: the file is missing, empty, or no results table.
    """
    results = read_results(results_csv)
    parts = results.parts()
    shown = [each for part in parts[:MOST_SECTIONS] for each in (_section(part), Text(""))]
    return Group(*shown, *(Text(note, style="dim") for note in _notes(results, len(parts) - MOST_SECTIONS)))


def ablation_summary(results_csv: Path) -> Group | None:
    """The students of one teacher side by side, as the table `ablation` has them; None unless there are two.

    What is compressed is left to the files: with it the lines would be longer than a terminal.

    Raises:
        UserMistake: a file is missing, empty, or no table of its kind.
    """
    found = ablation_of(results_csv)
    if found is None:
        return None
    columns = [
        Column(
            name,
            tuple(Text(row[index]) for row in found.rows),
            is_name=index < found.names,
            spare=ABLATION_SPARE.get(name, 0),
        )
        for index, name in enumerate(found.header)
        if name != "compressed"
    ]
    return Group(Fitted(columns, lambda _: "Students of one teacher"), Text(found.caption, style="dim"))


def _section(part: Results) -> Fitted:
    """One metric under one condition."""
    corners = _corners(part)
    grid = {(point.system, point.interferers, point.level, point.snr_db): point for point in part.absolute}
    rows = {system: [grid.get((system, *corner)) for corner in corners] for system in _present(part)}
    # A published axis falls between our points; a line of blanks would say nothing of it.
    rows = {system: found for system, found in rows.items() if any(found)}
    columns = [
        Column("codec", tuple(Text(system.codec) for system in rows), is_name=True),
        Column("role", tuple(Text(system.role) for system in rows), spare=9),
        Column("size", tuple(Text(millions(system.parameters)) for system in rows), spare=8),
    ]
    if any(system.language for system in rows):
        columns.insert(2, Column("language", tuple(Text(system.language) for system in rows), spare=7))
    for number, (count, _, snr_db) in enumerate(corners):
        # Where everybody arrives there is least to see: of each crowd the highest SNR goes first.
        turn = sum(other[0] == count for other in corners[:number])
        cells = tuple(_cell(found[number]) for found in rows.values())
        columns.append(Column(f"{snr_db:g} dB\n{counted(count, 'other')}", cells, spare=turn))
    names = len(columns) - len(corners)
    return Fitted(columns, lambda kept: _title(part, [corners[each - names] for each in kept if each >= names]))


def _title(part: Results, corners: Sequence[Corner]) -> str:
    """What the numbers are, and how many of the operating points are shown: nobody must take them for all."""
    name = ", ".join((axis_of(part.metric).label, *part.distinction))
    own = [point for point in part.absolute if not point.system.is_published]
    places = {(point.interferers, point.level, point.snr_db) for point in own}
    if len(places) == len(corners):
        return name
    drawn = [point for point in own if (point.interferers, point.level, point.snr_db) in corners]
    axes = ", ".join(each.removesuffix(" shown") for each in left_out(own, drawn))
    return f"{name}: {len(corners)} of {counted(len(places), 'point')} shown{f' ({axes})' if axes else ''}"


def _corners(part: Results) -> list[Corner]:
    """The points worth a column: where codecs differ and where they saturate, alone and in the largest crowd."""
    own = [point for point in part.absolute if not point.system.is_published]
    counts = evenly((point.interferers for point in own), 2)
    corners: list[Corner] = []
    for count in counts:
        here = [point for point in own if point.interferers == count]
        level = max(point.level for point in here)
        # The highest SNR is where everybody arrives; with two crowds there is room for the lower two alone.
        shown = evenly((point.snr_db for point in here if point.level == level), 3)[: 4 - len(counts)]
        corners.extend((int(count), level, snr_db) for snr_db in shown)
    return corners


def _present(part: Results) -> Sequence[System]:
    """The systems of a part, in the order of the table."""
    found = set(in_order(point.system for point in part.absolute))
    return [system for system in part.systems if system in found]


def _cell(point: Point | None) -> Text:
    """A number with half its interval, or why there is none."""
    if point is None:
        return Text("")
    if not point.is_measured:
        return Text(", ".join(in_order(point.missing)) or "no value", style="red")
    if not math.isfinite(point.low):
        return Text(f"{point.value:.3f}")
    if point.bound:
        return Text(f"{point.value:.3f} {SIGNS[point.bound]}{point.limit:.3f}")
    return Text(f"{point.value:.3f} \u00b1{(point.high - point.low) / 2:.3f}")


def _notes(results: Results, hidden: int) -> list[str]:
    """What the numbers mean, and what is not shown."""
    own = [point for point in results.absolute if not point.system.is_published]
    averaged = [point for point in own if len(point.seeds) > 1 and math.isfinite(point.low)]
    notes = [f"\u00b1 half the interval: {over_seeds(averaged, '', axis_of(results.points[0].metric).messages)}"]
    if bounds := "".join(in_order(SIGNS[p.bound] for p in own if p.bound)):
        notes.append(f"{bounds} one-sided 95 % bound, where hardly a message is harmed or hardly one arrives")
    missing = [status for point in own for status in point.missing]
    if missing:
        told = ", ".join(f"{missing.count(status)} {status}" for status in in_order(missing))
        notes.append(f"No number for: {told}; see the column status of results.csv")
    if hidden > 0:
        notes.append(f"{MOST_SECTIONS} of {MOST_SECTIONS + hidden} tables shown; the others are in the folder tables")
    users = len({point.user for point in own})
    elsewhere = [f"{users - 1} of {users} users (the wanted one is shown)"] if users > 1 else []
    elsewhere += ["differences"] * bool(results.paired) + ["shares of a gap"] * bool(results.shares)
    if elsewhere:
        notes.append(f"In the folder tables alone: {', '.join(elsewhere)}")
    return notes
