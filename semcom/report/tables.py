"""Tables of codecs, of quality, of paired differences and of shares of a gap, in Markdown, LaTeX (booktabs) and CSV."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semcom.files import write_atomically
from semcom.metrics.catalog import axis_of
from semcom.report.naming import file_name
from semcom.report.results import NO_GAP, Point, Results, System, in_order
from semcom.report.shares import MEANING, closed_shares
from semcom.report.wording import by_user, caption, margin, user_name
from semcom.words import visible

__all__ = ["Table", "cell", "codec_table", "difference_table", "quality_table", "share_table", "tables_of"]
__all__ += ["exact", "interval", "to_csv", "to_latex", "to_markdown", "users_table", "write_table"]

DIGITS = 3
# A tabular of more rows than this does not fit a page and would run off it.
LONGEST = 40

LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
}

# What a spreadsheet would carry out as a formula, unless it is a number or a list of them.
FORMULA = re.compile(r"(?![-+0-9.;e ]*$|[-+]?(?:inf|nan)$)[-=+@\t]")

# Columns of the CSV beside a table of points: every number in full, where the table rounds.
POINT_COLUMNS = (
    "metric", "codec", "role", "method", "parameters", "against", "gap_to", "user", "snr_db", "interferers", "level_db",
    "sir_db", "sinr_db", "value", "low", "high", "count", "seeds", "missing",
)  # fmt: skip

Place = tuple[int, tuple[float, ...], float]
Columns = dict[str, dict[Place, Point]]


@dataclass(frozen=True)
class Table:
    """One table: its cells as they are read, and the same in full for machines.

    Args:
        name: file name without ending.
        names: how many columns from the left hold names rather than numbers.
        full: header and rows of the CSV.
    """

    name: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    full: tuple[tuple[str, ...], ...]
    names: int = 1


def tables_of(results: Results) -> list[Table]:
    """The codecs once; quality, paired differences and shares of a gap once for each metric and condition.

    Interferer levels share a table, each row naming its own.
    """
    tables, taken = [codec_table(results)], set[str]()
    work = [(part, (quality_table, difference_table, share_table)) for part in results.parts(levels_apart=False)]
    for part, makers in [*work, *((part, (users_table,)) for part in results.cells(levels_apart=False))]:
        for make in makers:
            if (table := make(part, taken)) is not None:
                tables.append(table)
                taken.add(table.name)
    return tables


def codec_table(results: Results) -> Table:
    """What every codec is and costs; an empty cell is a number that the results do not hold."""
    units = {axis_of(point.metric).unit for point in results.points}
    rate = f"symbols per {units.pop()}" if len(units) == 1 else "symbols per unit"
    spoken = ("language",) * any(each.language for each in results.systems)
    header = ("codec", "role", "method", *spoken, "parameters", "body", "bytes", rate, "symbols per word")
    rows = tuple(_system_row(each, with_language=bool(spoken)) for each in results.systems)
    told = "Codecs. Parameters of transmitter and receiver together; body: without embeddings, which hide compression."
    told += " A receiver's language is counted in." * bool(spoken)
    return Table("codecs", told, header, rows, (header, *rows), names=3 + len(spoken))


def quality_table(part: Results, taken: set[str] | None = None) -> Table | None:
    """A row per interferer count, level and SNR; a column per codec; the mean with its interval in a cell.

    Args:
        part: one metric under one condition, as `Results.parts` cuts it.
        taken: names of other tables, to be avoided.

    Returns:
        None when the part holds no such points.
    """
    systems = in_order(point.system for point in part.absolute)
    names = _unique([each.codec for each in systems])
    columns = {
        name: {_place(point): point for point in part.absolute if point.system == system}
        for name, system in zip(names, systems, strict=True)
    }
    return _point_table(part, "quality", columns, taken or set())


def difference_table(part: Results, taken: set[str] | None = None) -> Table | None:
    """The same for paired differences, a column per pair, first minus second as in the results.

    Returns:
        None when the part holds no pairs.
    """
    pairs = in_order((point.system, point.against) for point in part.paired)
    names = _unique([f"{one.codec} minus {other.codec if other else ''}" for one, other in pairs])
    columns = {
        name: {_place(point): point for point in part.paired if (point.system, point.against) == pair}
        for name, pair in zip(names, pairs, strict=True)
    }
    return _point_table(part, "differences", columns, taken or set())


def users_table(part: Results, taken: set[str] | None = None) -> Table | None:
    """A column per user of the cell, and one for their sum, with the codec that each sends through.

    Args:
        part: one metric under one condition for one wanted codec, as `Results.cells` cuts it.
    """
    users = in_order(point.user for point in sorted(part.absolute, key=by_user))
    columns = {
        user_name(user, part): {_place(point): point for point in part.absolute if point.user == user} for user in users
    }
    return _point_table(part, "users", columns, taken or set())


def share_table(part: Results, taken: set[str] | None = None) -> Table | None:
    """The same for the share of the gap from a control to a teacher that a student closes, a column per three.

    Returns:
        None when the part holds no such shares.
    """
    points = closed_shares(part)
    threes = in_order((point.system, point.against, point.gap_to) for point in points)
    names = _unique([f"{one.codec}, {by.codec} to {to.codec}" for one, by, to in threes if by and to])
    columns = {
        name: {_place(point): point for point in points if (point.system, point.against, point.gap_to) == three}
        for name, three in zip(names, threes, strict=True)
    }
    return _point_table(part, "shares", columns, taken or set())


def cell(point: Point | None) -> str:
    """A number as it is read: 0.812 [0.800, 0.824], 0.998 [at least 0.991], or 0.812 [unbounded] over no certain gap.

    Where a run gave no number the cell holds its status, and where none was planned nothing, so that the two are told
    apart and neither is taken for a zero.
    """
    if point is None:
        return ""
    if not point.is_measured:
        return ", ".join(in_order(point.missing)) or "no value"
    if point.bound:
        return f"{point.value:.{DIGITS}f} [{point.bound} {point.limit:.{DIGITS}f}]"
    return interval(point.value, point.low, point.high)


def interval(value: float, low: float, high: float, digits: int = DIGITS) -> str:
    """A number with its interval, if it has one."""
    ends = f" [{low:.{digits}f}, {high:.{digits}f}]" if math.isfinite(low) else ""
    return f"{value:.{digits}f}{' [unbounded]' if math.isinf(low) else ends}"


def to_markdown(table: Table) -> str:
    """GitHub's table, numbers to the right, caption above."""
    lines = [list(table.header), *map(list, table.rows)]
    escaped = [[_markdown(each) for each in line] for line in lines]
    widths = [max(3, *(len(line[column]) for line in escaped)) for column in range(len(table.header))]
    rule = ["-" * width if column < table.names else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    body = [
        "| " + " | ".join(each.ljust(width) for each, width in zip(line, widths, strict=True)) + " |"
        for line in (escaped[0], rule, *escaped[1:])
    ]
    # A paragraph that began with one of these would be a list or a line under a heading.
    told = re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", _markdown(table.caption))
    return f"{told}\n\n" + "\n".join(body) + "\n"


def to_latex(table: Table) -> str:
    """A booktabs table; a long one becomes a longtable, which breaks over pages (both are packages to load)."""
    columns = "l" * table.names + "r" * (len(table.header) - table.names)
    head = _latex_row(table.header)
    rows = [_latex_row(row) for row in table.rows]
    told, key = _latex(table.caption), f"tab:{re.sub('[^a-zA-Z0-9]+', '-', table.name)}"
    if len(rows) > LONGEST:
        top = [rf"\begin{{longtable}}{{{columns}}}", rf"\caption{{{told}}}\label{{{key}}}\\", r"\toprule", head]
        return "\n".join([*top, r"\midrule", r"\endhead", *rows, r"\bottomrule", r"\end{longtable}"]) + "\n"
    top = [r"\begin{table}", r"\centering", rf"\caption{{{told}}}", rf"\label{{{key}}}"]
    middle = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *rows, r"\bottomrule"]
    return "\n".join([*top, *middle, r"\end{tabular}", r"\end{table}"]) + "\n"


def to_csv(table: Table) -> str:
    """Every number in full: reading it back gives the same floats."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(_plain, line) for line in table.full)
    return text.getvalue()


def write_table(table: Table, folder: Path) -> list[Path]:
    """Write md, tex and csv beside each other.

    Returns:
        The three paths.
    """
    written = []
    for ending, text in (("md", to_markdown(table)), ("tex", to_latex(table)), ("csv", to_csv(table))):
        path = folder / f"{table.name}.{ending}"
        write_atomically(path, text)
        written.append(path)
    return written


def _point_table(part: Results, kind: str, columns: Columns, taken: set[str]) -> Table | None:
    """Points in rows of their place and columns of whom they are about."""
    points = [point for column in columns.values() for point in column.values()]
    if not points:
        return None
    places = sorted(set(map(_place, points)))
    leveled = len({level for _, level, _ in places if level}) > 1
    header = ("interferers", *(["level [dB]"] if leveled else []), "SNR [dB]", *columns)
    rows = []
    for place in places:
        count, level, snr_db = place
        stub = (f"{count}", *([_levels(level)] if leveled else []), f"{snr_db:g}")
        rows.append((*stub, *(cell(column.get(place)) for column in columns.values())))
    axis = axis_of(part.metric)
    more = {"differences": ", paired differences", "users": " of every user of the cell", "shares": ""}
    what = f"{axis.name}{more[kind]}" if kind in more else axis.label
    first = [", ".join((what, *part.distinction)), *([MEANING] if kind == "shares" else [])]
    first += margin((point.low, point.high) for point in points if kind == "differences")
    if any(NO_GAP in point.missing for point in points):
        first.append(f"{NO_GAP.capitalize()}: the teacher's mean is not ahead of the control's there")
    return Table(
        name=file_name((part.metric, kind, *part.distinction), taken),
        caption=caption(part, points, first=first),
        header=header,
        rows=tuple(rows),
        full=(POINT_COLUMNS, *(_full(point) for point in points)),
        names=0,
    )


def _place(point: Point) -> Place:
    """The row of a point, in the order rows are sorted."""
    return point.interferers, point.level, point.snr_db


def _system_row(system: System, *, with_language: bool) -> tuple[str, ...]:
    """One codec; counts stay whole, since bytes are compared to the last."""
    counts = (system.parameters, system.body_parameters, system.size_bytes)
    rates = (system.symbols_per_token, system.symbols_per_word)
    return (
        system.codec,
        system.role,
        system.method,
        *((system.language,) if with_language else ()),
        *("" if count is None else str(count) for count in counts),
        *("" if rate is None else f"{rate:.4g}" for rate in rates),
    )


def _full(point: Point) -> tuple[str, ...]:
    """One point under POINT_COLUMNS."""
    numbers = (point.value, point.low, point.high)
    return (
        point.metric,
        point.system.codec,
        point.system.role,
        point.system.method,
        "" if point.system.parameters is None else str(point.system.parameters),
        point.against.codec if point.against else "",
        point.gap_to.codec if point.gap_to else "",
        point.user,
        exact(point.snr_db),
        str(point.interferers),
        _levels(point.level),
        exact(point.sir_db),
        exact(point.sinr_db),
        *map(exact, numbers),
        "" if point.count is None else str(point.count),
        ";".join(map(str, point.seeds)),
        ";".join(point.missing),
    )


def exact(value: float) -> str:
    """The shortest text that reads back as the same float; nothing for NaN."""
    return "" if math.isnan(value) else repr(float(value))


def _levels(level: tuple[float, ...]) -> str:
    """One level for all, or each its own."""
    return "; ".join(f"{each:g}" for each in level)


def _unique(names: list[str]) -> list[str]:
    """Names told apart where two codecs share one."""
    return [f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name for i, name in enumerate(names)]


def _plain(text: str) -> str:
    """Text that a spreadsheet shows as it is written."""
    shown = visible(text)
    return f"'{shown}" if FORMULA.match(shown) else shown


def _markdown(text: str) -> str:
    """Text that a Markdown table cannot mistake for structure."""
    escaped = re.sub(r"([\\|<>*_`&~$#])", r"\\\1", " ".join(visible(text).split()))
    return escaped.replace("](", r"]\(")


def _latex(text: str) -> str:
    """Text that LaTeX sets as it is written."""
    escaped = "".join(LATEX.get(letter, letter) for letter in " ".join(visible(text).split()))
    # Two hyphens would become a dash.
    escaped = re.sub(r"-(?=-)", "-{}", escaped)
    # A hyphen before a number is a minus sign; within a name it stays a hyphen.
    return re.sub(r"(?<![\w.}-])-(?=[0-9])", "$-$", escaped)


def _latex_row(cells: Sequence[str]) -> str:
    """Cells with their separators."""
    row = " & ".join(map(_latex, cells)) + r" \\"
    # The end of the row above would take a bracket or a star for an argument of its own.
    return "{}" + row if row.startswith(("[", "*")) else row
