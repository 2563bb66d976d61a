"""What a run found, as one table for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rich.console import Group
from rich.table import Table
from rich.text import Text

from semcom.report.ablation import ablation_of
from semcom.report.reading import read_results
from semcom.report.results import Point, Results, System, evenly, in_order
from semcom.report.wording import millions, words_of
from semcom.words import counted

__all__ = ["ablation_summary", "summary_table"]

# More sections than this leave the screen; the files hold them all.
MOST_SECTIONS = 6
Corner = tuple[int, tuple[float, ...], float]


def summary_table(results_csv: Path) -> Group:
    """Every codec at the middle and the highest SNR, with fewest and with most interferers.

    A cell is the mean over seeds with half the width of its 95 % interval. Nothing is averaged over points.

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
    table = Table(
        title=Text("Students of one teacher"), title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    shown = [index for index, name in enumerate(found.header) if name != "compressed"]
    for index in shown:
        is_name = index < found.names
        justify: Literal["left", "right"] = "left" if is_name else "right"
        table.add_column(found.header[index], justify=justify, overflow="fold", no_wrap=not is_name)
    for row in found.rows:
        table.add_row(*(Text(row[index]) for index in shown))
    return Group(table, Text(found.caption, style="dim"))


def _section(part: Results) -> Table:
    """One metric under one condition."""
    words = words_of(part.metric)
    title = ", ".join((words.axis, *part.distinction))
    table = Table(title=Text(title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("codec", overflow="fold")
    table.add_column("role", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    corners = _corners(part)
    for count, _, snr_db in corners:
        table.add_column(f"{snr_db:g} dB\n{counted(count, 'other')}", justify="right", no_wrap=True)
    grid = {(point.system, point.interferers, point.level, point.snr_db): point for point in part.absolute}
    for system in _present(part):
        found = [grid.get((system, *corner)) for corner in corners]
        # A published axis falls between our points; a line of blanks would say nothing of it.
        if not any(found):
            continue
        cells = [_cell(point) for point in found]
        # Text keeps brackets in a name from being read as markup.
        table.add_row(Text(system.codec), Text(system.role), millions(system.parameters), *cells)
    return table


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
    return Text(f"{point.value:.3f} \u00b1{(point.high - point.low) / 2:.3f}")


def _notes(results: Results, hidden: int) -> list[str]:
    """What the numbers mean, and what is not shown."""
    own = [point for point in results.absolute if not point.system.is_published]
    seeds = max((len(point.seeds) for point in own), default=0)
    notes = [
        "\u00b1 half a 95 % interval: bootstrap over sentences"
        + (
            f", and spread over {seeds} seeds"
            if seeds > 1
            else "; one seed, so the spread between trainings is not in it"
        )
    ]
    missing = [status for point in own for status in point.missing]
    if missing:
        told = ", ".join(f"{missing.count(status)} {status}" for status in in_order(missing))
        notes.append(f"No number for: {told}; see the column status of results.csv")
    if hidden > 0:
        notes.append(f"{hidden} more of these are in the folder tables")
    return notes
