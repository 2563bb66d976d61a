"""Row: one measured number with its interval and provenance; a table of them as results.csv."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from semcom.files import write_atomically
from semcom.making import ADOPTABLE, MAKING
from semcom.mistakes import UserMistake

ROLES = ("teacher", "student", "control", "codec", "published")
STATUSES = ("done", "failed", "skipped", "published")
KINDS = ("value", "difference", "share")
MOST_BYTES = 64_000_000  # of the tables beside results.csv
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of results.csv; the fields are its columns.

    Numbers are plain Python numbers whatever came in, so that equal rows are written as equal bytes.

    Args:
        task: what is sent and what for, as a scenario's `task` calls it.
        role: teacher, student, control, codec or published.
        method: how the codec came to be, in a phrase to label it with; the columns behind it say it in parts.
            Of a published codec a note. All of them are empty of a codec that nobody taught and that began from chance,
            of a published one, and in tables older than they are.
        methods: that it was taught by, joined by +; empty if it learned from no teacher.
        teachers: the codecs that taught it, joined by +.
        adopted: what it took over from another codec, frozen: transmitter, receiver, encoder, around (all but the
            layers that it generates) or empty.
        donor: that other codec.
        start: the codec whose weights it began from; empty if it began from chance.
        pruned: the criterion, then what is left of what was there: psr 4 of 8 layers; empty if nothing was cut out.
        bits: that each weight is quantised to; empty if it is as it was trained.
        language: that the receiver decides with; empty if it decides by the signal alone.
        beam: hypotheses kept of each sentence by a receiver that knows a language.
        parameters: of transmitter and receiver together; of a language its parameters or n-grams are counted in.
        body_parameters: the same without the embeddings, which hide compression.
        symbols_per_token: complex symbols on the air for each token of a text; in other tasks for each unit of a
            message, which is what the codec sends it in.
        crowd: the codecs that the interferers send through in turn, joined by +; empty if all use the wanted user's.
        detector: how the receivers of a cell tell its users apart; empty if each takes the others for noise.
        user: whom the numbers are about where a whole cell was scored: 0 is the wanted user, 1 and on the interferers,
            sum the metric of all added up; empty where the wanted user alone was scored. SNR, interferers and level are
            the wanted user's in every row; SIR, SINR and what was measured of them are the user's own.
        level_db: of each interferer relative to the wanted user [dB]; a tuple gives each its own; None without any.
        sir_db: infinite without interferers [dB].
        kind: of number: value is the metric itself, difference is that of two codecs, share is of the gap between two
            others. Only numbers of one kind may be averaged. If left out, `against` and `gap_to` tell it.
        against: the codec subtracted in a paired difference; empty in an absolute row.
        gap_to: in the share of a gap that is closed, the teacher at whose end of the gap the share is 1; `against` is
            the control at its beginning, and the row is of all seeds together. Empty in every other row.
        value: None unless something was measured; a point never simulated has no value, never a 0.
        low: lower end of the value's 95 % interval; -inf, with inf above, where a share has no bounds.
        high: upper end.
        count: sentences behind the value.
        status: done, failed, skipped or published.
        common: of the variance over sentences that `low` and `high` rest on, the share that all seeds of this codec, or
            of these two, have in common there: what does not average out over seeds. From 0 to 1; None of one seed, of
            a share, and in tables older than this column.

    Raises:
        ValueError: a value its column cannot hold.
    """

    task: str
    codec: str
    role: str
    method: str = ""
    methods: str = ""
    teachers: str = ""
    adopted: str = ""
    donor: str = ""
    start: str = ""
    pruned: str = ""
    bits: int | None = None
    language: str = ""
    beam: int | None = None
    parameters: int | None = None
    body_parameters: int | None = None
    size_bytes: int | None = None
    symbols_per_token: float | None = None
    symbols_per_word: float | None = None
    fading: str = ""
    coherence: str = ""
    interference: str = ""
    equalizer: str = ""
    csi: str = ""
    antennas: int | None = None
    crowd: str = ""
    detector: str = ""
    user: str = ""
    snr_db: float | None = None
    interferers: int | None = None
    level_db: float | tuple[float, ...] | None = None
    sir_db: float | None = None
    sinr_db: float | None = None
    measured_snr_db: float | None = None
    measured_sinr_db: float | None = None
    metric: str
    kind: str = ""
    against: str = ""
    gap_to: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    count: int | None = None
    seed: int | None = None
    status: str
    run_id: str = ""
    common: float | None = None

    def __post_init__(self) -> None:
        for name, kind in COLUMNS.items():
            object.__setattr__(self, name, checked(name, kind, getattr(self, name)))
        found = kind_of(self.against, self.gap_to)
        if (self.kind or found) != found:
            raise ValueError(f"kind must be {found} by against and gap_to of its row, got {self.kind!r}")
        object.__setattr__(self, "kind", found)
        for name, allowed in (("role", ROLES), ("status", STATUSES), ("adopted", ("", *ADOPTABLE))):
            if getattr(self, name) not in allowed:
                known = ", ".join(each or "empty" for each in allowed)
                raise ValueError(f"{name} must be one of {known}, got {getattr(self, name)!r}")
        if self.common is not None and not 0 <= self.common <= 1:
            raise ValueError(f"common must be a share from 0 to 1, or None, got {self.common!r}")
        if self.status in ("failed", "skipped") and (self.value, self.low, self.high) != (None, None, None):
            raise ValueError(f"a {self.status} row must have no value, got {self.value}")


# Under `from __future__ import annotations` a field's type is its text, whose first word is str, int or float.
COLUMNS: dict[str, str] = {each.name: str(each.type).split(" ", 1)[0] for each in dataclasses.fields(Row)}
# Columns that older tables do not have; there they hold what a row holds without them.
LATER = (*MAKING, "language", "beam", "crowd", "detector", "user", "kind", "gap_to", "common")


def kind_of(against: str, gap_to: str) -> str:
    """The kind of number in a row that names these codecs beside its own."""
    if gap_to and not against:
        raise ValueError(f"against must name the control where the gap to {gap_to!r} begins, got ''")
    return "share" if gap_to else "difference" if against else "value"


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """Replace the table by these rows, in this order; every number with all its digits.

    Raises:
        UserMistake: the disk refuses.
    """
    write_table(rows, tuple(COLUMNS), path)


def write_table(rows: Iterable[Any], columns: tuple[str, ...], path: Path) -> None:
    """Replace a table by a line of these columns and one for every row, whose fields they are.

    Raises:
        UserMistake: the disk refuses.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(getattr(row, name)) for name in columns] for row in rows)
    write_atomically(path, text.getvalue())


def rewrite_table(rows: Sequence[Any], columns: tuple[str, ...], path: Path) -> None:
    """Replace a table by these rows, as `write_table` does; without any there is no table.

    Raises:
        UserMistake: the disk refuses.
    """
    if rows:
        write_table(rows, columns, path)
    else:
        path.unlink(missing_ok=True)


def read_table(
    path: Path, row: Callable[..., T], columns: tuple[str, ...], readers: Mapping[str, Callable[[str], Any]]
) -> list[T]:
    """What `write_table` wrote; none without a file. Columns it does not know are passed over.

    Args:
        row: makes a row of its fields by name, and raises ValueError for what cannot be.
        readers: of cells that are no text, by column.

    Raises:
        UserMistake: a file of another kind or size, or a cell that cannot be read, with its line.
    """
    if not path.is_file():
        return []
    where = str(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"must be a table of at most {MOST_BYTES} bytes, got {path.stat().st_size}")
        reader = csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
        if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
            raise ValueError(f"must have the columns of {path.name}, got none named {', '.join(missing)}")
        found = []
        for cells in reader:
            where = f"{path}:{reader.line_num}"
            found.append(row(**{name: readers.get(name, str)(cells[name] or "") for name in columns}))
        return found
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise UserMistake(f"{where}: {error}; `semcom run` writes this table anew") from None


def read_csv(path: Path) -> list[Row]:
    """The rows of a table; columns it does not know are passed over.

    Raises:
        UserMistake: no such file, a column is missing, or a cell cannot be read, with its line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserMistake(f"{path}: no such file; `semcom run` writes it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserMistake(f"{path}: must be a readable UTF-8 file, got: {error}") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    there = [name for name in COLUMNS if name in (reader.fieldnames or ())]
    missing = [name for name in COLUMNS if name not in (*there, *LATER)]
    if missing:
        raise UserMistake(f"{path}:1: must have the columns of results.csv, got none named {', '.join(missing)}")
    rows = []
    try:
        for cells in reader:
            rows.append(row_of({name: parsed(name, cells[name]) for name in there}))
    except (ValueError, csv.Error) as error:
        raise UserMistake(f"{path}:{reader.line_num}: {error}") from None
    return rows


def row_of(values: Mapping[str, Any]) -> Row:
    """A row from the values of its columns; older ones lack the later columns."""
    return Row(**{name: values[name] for name in COLUMNS if name in values or name not in LATER})


def cell(value: str | float | tuple[float, ...] | None) -> str:
    """A value as it is written: nothing for None, all digits of a number, levels with semicolons between."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(map(repr, value))
    return value if isinstance(value, str) else repr(value)


def levels(text: str) -> float | tuple[float, ...]:
    """What `cell` wrote of one level, or of several."""
    found = tuple(float(each) for each in text.split(";"))
    return found[0] if len(found) == 1 else found


def checked(name: str, kind: str, value: Any) -> Any:
    """The value as a plain str, int or float, numpy's own numbers included.

    NaN is refused: what was not measured is None, and what cannot be a number should not end in a table.
    """
    if kind == "str":
        # One line of text for one row: tools that count lines or split at them are many.
        if not isinstance(value, str) or any(each in value for each in "\r\n\0"):
            raise ValueError(f"{name} must be one line of text, got {value!r}")
        return value
    if value is None:
        return None
    if name == "level_db" and isinstance(value, tuple):
        each = tuple(checked(name, kind, one) for one in value)
        return each if len(each) > 1 else next(iter(each), None)
    is_number = isinstance(value, numbers.Integral if kind == "int" else numbers.Real) and not isinstance(value, bool)
    if not is_number or math.isnan(value):
        raise ValueError(f"{name} must be {'a whole number' if kind == 'int' else 'a number'} or None, got {value!r}")
    return int(value) if kind == "int" else float(value)


def parsed(name: str, text: str | None) -> Any:
    """A cell of the table; a row that is too short has None in it."""
    if text is None:
        raise ValueError("must have a cell for every column, got a shorter line; was it cut off?")
    if COLUMNS[name] == "str":
        return text
    if not text.strip():
        return None
    try:
        number = levels(text) if name == "level_db" else float(text)
        # A spreadsheet may have turned 4 into 4.0; the digits of a whole number need not survive a float.
        if COLUMNS[name] == "int":
            return int(text) if text.strip().lstrip("-").isdecimal() else _whole(float(text))
    except ValueError:
        raise ValueError(f"{name} must be a number or empty, got {text!r}") from None
    return number


def _whole(number: float) -> int | float:
    """A whole number as one; anything else as it is, for the row to refuse."""
    return int(number) if number.is_integer() else number
