"""Read a results.csv and check it: what is wrong is told by row and column."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import pandas as pd

from semcom.making import ADOPTABLE, MAKING, Making
from semcom.mistakes import UserMistake
from semcom.report.averaging import Row, average
from semcom.report.results import DIFFERENCE, SHARE, SUM, VALUE, WANTED, Condition, Results, System, in_order
from semcom.words import visible

__all__ = ["COLUMNS", "KINDS", "LATER", "ROLES", "STATUSES", "read_results", "read_rows", "results_of"]

COLUMNS = (
    "task", "codec", "role", "method", *MAKING, "language", "beam", "parameters", "body_parameters", "size_bytes",
    "symbols_per_token", "symbols_per_word", "fading", "coherence", "interference", "equalizer", "csi", "antennas",
    "crowd", "detector", "user", "snr_db", "interferers", "level_db", "sir_db", "sinr_db", "measured_snr_db",
    "measured_sinr_db", "metric", "kind", "against", "gap_to", "value", "low", "high", "count", "seed", "status",
    "run_id", "common",
)  # fmt: skip
# Columns that older tables do not have; without them a cell is empty.
LATER = (*MAKING, "language", "beam", "crowd", "detector", "user", "kind", "gap_to", "common")
ROLES = ("teacher", "student", "control", "codec", "published")
STATUSES = ("done", "failed", "skipped", "published")
KINDS = (VALUE, DIFFERENCE, SHARE)
# Beyond anything a codec or a score comes to, and far from where sums and figures overflow.
MOST = 1e15
NUMBERS = (
    "bits", "beam", "parameters", "body_parameters", "size_bytes", "symbols_per_token", "symbols_per_word", "antennas",
    "snr_db", "interferers", "sir_db", "sinr_db", "measured_snr_db", "measured_sinr_db", "value", "low", "high",
    "count", "seed", "common",
)  # fmt: skip
WHOLE = ("bits", "beam", "parameters", "body_parameters", "size_bytes", "antennas", "interferers", "count", "seed")
NEEDED = ("snr_db", "interferers")
# How the phrases of older tables say which side was taken over.
ADOPTED = re.compile(r", (transmitter|receiver) adopted")

Cells = dict[str, str]
Values = dict[str, float]


def read_results(path: Path | str) -> Results:
    """Read, check and average over seeds.

    Raises:
        UserMistake: the file is missing, empty, or no results table.
    """
    return results_of(read_rows(path))


def results_of(rows: list[Row]) -> Results:
    """Rows as points, averaged over seeds."""
    return Results(points=average(rows), systems=in_order(row.system for row in rows))


def read_rows(path: Path | str) -> list[Row]:
    """Read and check, one `Row` per line.

    What is in a cell may end on a terminal, a page or a figure, so controls in it are spelled out from here on.
    A run that failed before anything was scored may leave its metric empty; it then counts for every metric.

    Raises:
        UserMistake: the file is missing, empty, or no results table.
    """
    path = Path(path)
    frame = _load(path)
    _check_columns(path, tuple(visible(str(name)) for name in frame.columns))
    if frame.empty:
        raise UserMistake(f"{path} must hold at least one row under its header, got none; has anything been run yet?")
    older = dict.fromkeys(LATER, "")
    lines: list[Cells] = [
        {**older, **{str(k): visible(str(v).strip()) for k, v in line.items()}} for line in frame.to_dict("records")
    ]
    numbers = [_numbers(path, number, cells) for number, cells in enumerate(lines, start=1)]
    for number, (cells, values) in enumerate(zip(lines, numbers, strict=True), start=1):
        _check_row(path, number, cells, values)
    systems = _systems(lines, numbers)
    by_name = {each.codec: each for each in reversed(systems) if not each.is_published}
    metrics = in_order(cells["metric"] for cells in lines if cells["metric"])
    rows = []
    for number, (cells, values, system) in enumerate(zip(lines, numbers, systems, strict=True), start=1):
        others = {
            name: by_name.get(cells[name]) or System(cells[name], "codec") if cells[name] else None
            for name in ("against", "gap_to")
        }
        for metric in (cells["metric"],) if cells["metric"] else metrics:
            rows.append(_row(number, {**cells, "metric": metric}, values, system=system, others=others))
    return rows


def _load(path: Path) -> pd.DataFrame:
    """The table as text; whatever keeps a file from being a table is a mistake with a way out."""
    try:
        # Cells stay text, so that a wrong one can be shown as it was written.
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserMistake(
            f"a report needs a results table, but there is no file {path}; run the scenario first, or check the path"
        ) from None
    except NotADirectoryError:
        raise UserMistake(f"{path.parent} must be a run folder, got a file; name the folder it lies in") from None
    except PermissionError:
        raise UserMistake(f"{path} must be readable, got a file of somebody else's; ask for leave to read it") from None
    except IsADirectoryError:
        raise UserMistake(f"{path} must be a results table, got a folder; name the results.csv in it") from None
    except UnicodeDecodeError as error:
        raise UserMistake(
            f"{path} must be UTF-8 text, got byte {error.object[error.start]:#04x} that is not; save it again as UTF-8"
        ) from None
    except pd.errors.EmptyDataError:
        raise UserMistake(f"{path} must hold a table of results, got an empty file; run the scenario again") from None
    except pd.errors.ParserError as error:
        raise UserMistake(
            f"{path} must be a comma-separated table with {len(COLUMNS)} cells in every row; {error}"
        ) from None
    # Where every row has cells without a name, pandas takes the first ones for names of rows.
    if not isinstance(frame.index, pd.RangeIndex):
        what = f"{path} must be a comma-separated table with {len(COLUMNS)} cells in every row"
        raise UserMistake(f"{what}, got rows of more cells than the header has")
    return frame


def _check_columns(path: Path, found: tuple[str, ...]) -> None:
    """Every column must be there; more of them do no harm and are not read."""
    missing = [name for name in COLUMNS if name not in (*found, *LATER)]
    if not missing:
        return
    unknown = [name for name in found if name not in COLUMNS]
    stray = f", got instead {', '.join(unknown[:6])}{', ...' if len(unknown) > 6 else ''}" if unknown else ""
    raise UserMistake(
        f"{path} must have the columns of a results table, but {', '.join(missing)} "
        f"{'is' if len(missing) == 1 else 'are'} missing{stray}; expected: {', '.join(COLUMNS)}"
    )


def _numbers(path: Path, number: int, cells: Cells) -> Values:
    """The cells that are numbers; NaN where a cell is empty."""
    values = {}
    for name in NUMBERS:
        text = cells[name]
        try:
            values[name] = float(text) if text else math.nan
        except ValueError:
            raise UserMistake(_mistake(path, number, name, expected="a number or nothing", got=text)) from None
        if MOST < abs(values[name]) < math.inf:
            raise UserMistake(_mistake(path, number, name, expected=f"at most {MOST:g} in size", got=text))
        if name in NEEDED and not math.isfinite(values[name]):
            raise UserMistake(_mistake(path, number, name, expected="a finite number", got=text))
        if name in WHOLE and math.isfinite(values[name]) and (values[name] % 1 or values[name] < 0):
            raise UserMistake(_mistake(path, number, name, expected="a whole number from 0 up", got=text))
    return values


def _check_row(path: Path, number: int, cells: Cells, values: Values) -> None:
    """What must hold between the cells of one row."""
    for name, known in (("role", ROLES), ("status", STATUSES), ("adopted", ("", *ADOPTABLE))):
        if cells[name] not in known:
            expected = f"one of {', '.join(each or 'empty' for each in known)}"
            raise UserMistake(_mistake(path, number, name, expected=expected, got=cells[name]))
    if not (cells["user"] in ("", SUM) or cells["user"].isdecimal()):
        expected = f"the number of a user, {SUM} or empty"
        raise UserMistake(_mistake(path, number, "user", expected=expected, got=cells["user"]))
    if not cells["codec"]:
        raise UserMistake(_mistake(path, number, "codec", expected="the name of a codec", got=""))
    if not cells["metric"] and cells["status"] in ("done", "published"):
        raise UserMistake(_mistake(path, number, "metric", expected="the name of a metric", got=""))
    if cells["status"] in ("failed", "skipped") and math.isfinite(values["value"]):
        expected = f"empty where status is {cells['status']}: a point never simulated has no value"
        raise UserMistake(_mistake(path, number, "value", expected=expected, got=cells["value"]))
    if math.isinf(values["value"]):
        raise UserMistake(_mistake(path, number, "value", expected="a finite number", got=cells["value"]))
    if values["common"] < 0 or values["common"] > 1:
        raise UserMistake(_mistake(path, number, "common", expected="a share from 0 to 1", got=cells["common"]))
    if values["low"] > values["high"]:
        raise UserMistake(_mistake(path, number, "low", expected=f"at most high = {cells['high']}", got=cells["low"]))
    if cells["gap_to"] and not cells["against"]:
        raise UserMistake(_mistake(path, number, "against", expected="the control where the gap begins", got=""))
    if cells["kind"] not in ("", _kind(cells)):
        expected = f"{_kind(cells)} by against and gap_to of its row"
        raise UserMistake(_mistake(path, number, "kind", expected=expected, got=cells["kind"]))
    if _level(cells["level_db"]) is None:
        raise UserMistake(
            _mistake(path, number, "level_db", expected="a number, or several with ; between", got=cells["level_db"])
        )


def _kind(cells: Cells) -> str:
    """The kind of number in a row, which tables did not always tell."""
    return SHARE if cells["gap_to"] else DIFFERENCE if cells["against"] else VALUE


def _mistake(path: Path, number: int, name: str, *, expected: str, got: str) -> str:
    """The house form of a mistake in one cell."""
    return f"{path}, row {number} under the header: {name} must be {expected}, got '{got}'"


def _level(text: str) -> tuple[float, ...] | None:
    """Levels of the interferers, one for all or each its own, however they are bracketed; None if no numbers."""
    try:
        levels = tuple(float(each) for each in re.split(r"[\s;,]+", text.strip("()[] ")) if each)
    except ValueError:
        return None
    return levels if all(map(math.isfinite, levels)) else None


def _systems(lines: list[Cells], numbers: list[Values]) -> list[System]:
    """The system of every line; what a seed may change a little, such as its vocabulary, is averaged."""
    rates: dict[tuple[str, ...], float] = {}
    names = [(cells["codec"], cells["role"], cells["method"]) for cells in lines]
    for name, values in zip(names, numbers, strict=True):
        if math.isfinite(values["symbols_per_token"]):
            rates.setdefault(name, values["symbols_per_token"])
    # A run that failed early may not know its symbols; it belongs to the codec of its name all the same.
    keys = [
        (*name, values["symbols_per_token"] if math.isfinite(values["symbols_per_token"]) else rates.get(name))
        for name, values in zip(names, numbers, strict=True)
    ]
    grouped: dict[tuple[str, str, str, float | None], list[Values]] = {key: [] for key in keys}
    for key, cells, values in zip(keys, lines, numbers, strict=True):
        # A row of all seeds tells the numbers of the first, which would count twice.
        if not cells["gap_to"]:
            grouped[key].append(values)
    makings = {key: _making(cells, values) for key, cells, values in zip(keys, lines, numbers, strict=True)}
    spoken = {key: cells["language"] for key, cells in zip(keys, lines, strict=True)}
    systems = {
        key: dataclasses.replace(_system(key, values, *makings[key]), language=spoken[key])
        for key, values in grouped.items()
    }
    return [systems[key] for key in keys]


def _making(cells: Cells, values: Values) -> tuple[str, str]:
    """The side that a codec took over, and in a phrase how it was made apart from that.

    Older tables, and those of others, say both in the column `method` alone: it is read here and nowhere else.
    """
    texts = {name: cells[name] for name in MAKING if name not in NUMBERS}
    making = Making(**texts, bits=int(values["bits"]) if math.isfinite(values["bits"]) else None)
    if making != Making():
        return making.adopted, dataclasses.replace(making, adopted="", donor="").phrase
    found = ADOPTED.search(cells["method"])
    return found[1] if found else "", ADOPTED.sub("", cells["method"])


def _system(key: tuple[str, str, str, float | None], lines: list[Values], adopted: str, own_method: str) -> System:
    """One system from the numbers of all its lines."""

    def mean(name: str) -> float | None:
        known = [values[name] for values in lines if math.isfinite(values[name])]
        return math.fsum(known) / len(known) if known else None

    def whole(name: str) -> int | None:
        return None if (found := mean(name)) is None else round(found)

    return System(
        codec=key[0],
        role=key[1],
        method=key[2],
        adopted=adopted,
        own_method=own_method,
        parameters=whole("parameters"),
        body_parameters=whole("body_parameters"),
        size_bytes=whole("size_bytes"),
        symbols_per_token=key[3],
        symbols_per_word=mean("symbols_per_word"),
    )


def _row(number: int, cells: Cells, values: Values, *, system: System, others: dict[str, System | None]) -> Row:
    """One checked line as a row.

    Args:
        others: the codecs it names beside its own, by column.
    """

    def whole(name: str) -> int | None:
        return int(values[name]) if math.isfinite(values[name]) else None

    undefined = cells["status"] == "done" and math.isnan(values["value"])
    interferers = int(values["interferers"])
    return Row(
        number=number,
        system=system,
        condition=Condition(
            **{name: cells[name] for name in ("task", "fading", "coherence", "interference", "equalizer", "csi")},
            antennas=whole("antennas"),
            crowd=cells["crowd"] if interferers else "",
            detector=cells["detector"] if interferers else "",
        ),
        metric=cells["metric"],
        user=cells["user"] or WANTED,
        snr_db=values["snr_db"],
        interferers=interferers,
        # Nobody is at no level; a level written there would part what belongs together.
        level=(_level(cells["level_db"]) or ()) if interferers else (),
        sir_db=values["sir_db"] if interferers else math.inf,
        sinr_db=values["sinr_db"],
        kind=_kind(cells),
        against=others["against"],
        gap_to=others["gap_to"],
        value=values["value"],
        low=values["low"],
        high=values["high"],
        common=values["common"],
        count=whole("count"),
        seed=whole("seed"),
        status="undefined" if undefined else cells["status"],
    )
