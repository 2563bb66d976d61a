"""Store: builds, runs, rows and per-sentence statistics in one SQLite file that survives a kill at any instant."""

from __future__ import annotations

import contextlib
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semcom.mistakes import UserMistake
from semcom.store.database import Database, damaged
from semcom.store.digests import TABLE, Kind, Noted
from semcom.store.folder import alone
from semcom.store.results import COLUMNS, LATER, Row, cell, levels, row_of

if TYPE_CHECKING:
    import numpy as np

_SQL_TYPES = {"str": "TEXT NOT NULL DEFAULT ''", "int": "INTEGER", "float": "REAL"}
_TYPED_NAMES = ", ".join(f'"{name}" {_SQL_TYPES[kind]}' for name, kind in COLUMNS.items())
_ROWS = f"CREATE TABLE rows ({_TYPED_NAMES}, PRIMARY KEY (run_id, metric, against, user))"
_OUTCOME = "status TEXT NOT NULL, message TEXT NOT NULL, record TEXT NOT NULL"
_TABLES = (
    f"CREATE TABLE builds (identity TEXT PRIMARY KEY, name TEXT NOT NULL, {_OUTCOME})",
    f"CREATE TABLE runs (identity TEXT PRIMARY KEY, {_OUTCOME})",
    _ROWS,
    "CREATE TABLE statistics (run_id TEXT, family TEXT, sentences INTEGER NOT NULL, width INTEGER NOT NULL,"
    " checksum TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run_id, family))",
    TABLE,
)

_KNOWN = "SELECT 1 FROM runs WHERE identity = ?"

Status = Literal["done", "failed"]


@dataclass(frozen=True)
class Finished:
    """What is remembered of a build or a run that came to an end.

    Args:
        message: why it failed; empty when it is done.
        record: whatever JSON can hold.
    """

    identity: str
    name: str
    status: Status
    message: str
    record: dict[str, Any]


class Store(contextlib.AbstractContextManager["Store"]):
    """One run folder's memory, written by the coordinating process alone.

    Everything about one build or run is one transaction: when `finish_...` has returned it is there for good, and
    after a kill nothing is there by half. (A power cut may take the last few, never the file: the price of not
    waiting for the disk at every run.)

    Args:
        path: made if it does not exist, unless only reading.
        reading: look only, beside whoever writes; no lock is taken.

    Raises:
        UserMistake: another coordinator works here, or the file is damaged, foreign or from a newer version.
    """

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        self.path = path
        if reading and not path.is_file():
            raise UserMistake(f"{path}: no such file; `semcom run` writes it")
        with contextlib.ExitStack() as opened:
            if not reading:
                opened.enter_context(alone(path.with_name(f"{path.name}.lock")))
            self._database = opened.enter_context(Database(path, _TABLES, reading=reading))
            self._names = _brought_up_to_date(self._database, reading=reading)
            with _trusted(path, "text"):
                self.noted = Noted(self._database, self._names, reading=reading)
            self._opened = opened.pop_all()

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file and of the lock."""
        self._opened.close()

    def check_place(self) -> None:
        """Raise UserMistake if the file was moved, removed or replaced since it was opened."""
        self._database.check_place()

    def finish_build(
        self,
        identity: str,
        *,
        name: str,
        status: Status = "done",
        message: str = "",
        record: Mapping[str, Any] | None = None,
    ) -> None:
        """Remember how a build ended, instead of what was known of it before.

        Raises:
            UserMistake: the disk refuses; what was stored before is untouched.
        """
        with self._database.transaction() as connection:
            values = (identity, name, status, message, json.dumps(record or {}))
            connection.execute("INSERT OR REPLACE INTO builds VALUES (?, ?, ?, ?, ?)", values)
            self.noted.note("build", identity)

    def finish_run(
        self,
        run_id: str,
        rows: Iterable[Row] = (),
        statistics: Mapping[str, np.ndarray] | None = None,
        record: Mapping[str, Any] | None = None,
        *,
        status: Status = "done",
        message: str = "",
    ) -> None:
        """Remember how a run ended, instead of what was known of it before.

        Args:
            rows: of the results table; each with this run_id.
            statistics: per metric family, float64 [sentences, width].
            record: measured SNR and SINR, time, counts.

        Raises:
            UserMistake: the disk refuses; what was stored before is untouched.
        """
        rows = list(rows)
        packed = [(run_id, *_packed(family, array)) for family, array in (statistics or {}).items()]
        if strangers := {row.run_id for row in rows} - {run_id}:
            raise ValueError(f"rows must be of run {run_id}, got some of {', '.join(sorted(strangers))}")
        with self._database.transaction() as connection:
            for table in ("rows", "statistics"):
                connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
            values = (run_id, status, message, json.dumps(record or {}))
            connection.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)", values)
            marks = ", ".join("?" * len(COLUMNS))
            connection.executemany(f"INSERT INTO rows ({_quoted(COLUMNS)}) VALUES ({marks})", map(_to_sql, rows))
            connection.executemany("INSERT INTO statistics VALUES (?, ?, ?, ?, ?, ?)", packed)
            self.noted.note("run", run_id)

    def builds(self) -> dict[str, Finished]:
        """Builds that came to an end, by identity."""
        return self._finished("build", "SELECT identity, name, status, message, record FROM builds")

    def runs(self) -> dict[str, Finished]:
        """Runs that came to an end, by identity; they have no name."""
        return self._finished("run", "SELECT identity, '', status, message, record FROM runs")

    def done_builds(self) -> set[str]:
        """Identities of builds that need not be made again."""
        return {identity for identity, build in self.builds().items() if build.status == "done"}

    def done_runs(self) -> set[str]:
        """Identities of runs that need not be made again."""
        return {row[0] for row in self._database.ask("SELECT identity FROM runs WHERE status = 'done'")}

    def rows(self, run_id: str) -> list[Row]:
        """The rows stored with a run, in the order they were given; none if it is not known.

        Raises:
            UserMistake: they, its record or its statistics are not what was written.
        """
        if not self.noted.is_true("run", run_id) and self._database.ask(_KNOWN, (run_id,)):
            raise _edited(self.path, run_id)
        query = f"SELECT {_quoted(self._names)} FROM rows WHERE run_id = ? ORDER BY rowid"
        found = self._database.ask(query, (run_id,))
        with _trusted(self.path, f"rows of run {run_id}"):
            return [_from_sql(dict(zip(self._names, values, strict=True))) for values in found]

    def families(self, run_id: str) -> tuple[str, ...]:
        """The metric families a run has statistics of."""
        return tuple(row[0] for row in self._database.ask("SELECT family FROM statistics WHERE run_id = ?", (run_id,)))

    def statistics(self, run_id: str, family: str) -> np.ndarray:
        """One run's statistics, float64 [sentences, width], bit for bit as they were given.

        Raises:
            KeyError: there are none.
            UserMistake: the stored bytes are not what was written.
        """
        query = "SELECT sentences, width, checksum, data FROM statistics WHERE run_id = ? AND family = ?"
        found = self._database.ask(query, (run_id, family))
        if not found:
            raise KeyError(f"no statistics of {family} are stored for run {run_id}")
        with _trusted(self.path, f"statistics of {family} in run {run_id}"):
            return _unpacked(*found[0])

    def _finished(self, kind: Kind, query: str) -> dict[str, Finished]:
        with _trusted(self.path, "records"):
            return {
                identity: Finished(identity, name, status, message, _record_of(self.noted, kind, identity, record))
                for identity, name, status, message, record in self._database.ask(query)
            }


def _record_of(noted: Noted, kind: Kind, identity: str, told: Any) -> dict[str, Any]:
    """What was recorded; nothing where digests tell that it is damaged, for whoever asks them can mend that."""
    try:
        found = json.loads(told)
        if not isinstance(found, dict):
            raise ValueError(f"must be a mapping, got {told}")
    except (TypeError, ValueError):
        if noted.is_true(kind, identity):
            raise
        return {}
    return found


@contextlib.contextmanager
def _trusted(path: Path, what: str) -> Iterator[None]:
    """SQLite keeps its pages in order, not what is written on them: that shows only when it is used."""
    try:
        yield
    except (TypeError, ValueError, zlib.error) as error:
        raise damaged(path, f"{what}: {error}") from None


def _edited(path: Path, run_id: str) -> UserMistake:
    what = f"run {run_id} must be as it was stored, got a damaged or edited one"
    return UserMistake(f"{path}: {what}; run again to measure it anew")


def _brought_up_to_date(database: Database, *, reading: bool) -> tuple[str, ...]:
    """The columns of the stored rows. An older version's are those of its day; whoever writes gives them today's.

    Raises:
        UserMistake: the tables are not those that any version made.
    """
    made = dict(database.ask("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    found = [str(column[1]) for column in database.ask("PRAGMA table_info(rows)")]
    names = tuple(name for name in found if name in COLUMNS)
    lost = [name for name in COLUMNS if name not in (*names, *LATER)]
    if lost:
        raise damaged(database.path, f"column {lost[0]} is missing")
    for statement in _TABLES:
        name = statement.split()[2]
        # A damaged description of a table would change what is put into it. Older versions kept no digests.
        if name != "rows" and made.get(name, TABLE if name == "digests" else None) != statement:
            raise damaged(database.path, f"table {name} is not as it was made")
    if reading or made["rows"] == _ROWS:
        return names
    _renew_rows(database, _quoted(names))
    return tuple(COLUMNS)


def _renew_rows(database: Database, kept: str) -> None:
    """Give the stored rows today's columns, in one go; what they lack is what a row holds without it."""
    with database.transaction() as connection:
        connection.execute("ALTER TABLE rows RENAME TO older_rows")
        connection.execute(_ROWS)
        connection.execute(f"INSERT INTO rows ({kept}) SELECT {kept} FROM older_rows ORDER BY rowid")
        connection.execute("DROP TABLE older_rows")


def _to_sql(row: Row) -> list[Any]:
    """Values as SQLite has them; only several levels are text, since it knows no tuples."""
    values = [getattr(row, name) for name in COLUMNS]
    return [cell(value) if isinstance(value, tuple) else value for value in values]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _from_sql(found: dict[str, Any]) -> Row:
    if isinstance(found["level_db"], str):
        found["level_db"] = levels(found["level_db"])
    return row_of(found)


def _packed(family: str, array: np.ndarray) -> tuple[str, int, int, str, bytes]:
    """Shape, checksum and compressed little-endian bytes."""
    import numpy as np  # here, because a plan needs the store and no numbers

    if array.ndim != 2:
        raise ValueError(f"statistics of {family} must be [sentences, width], got shape {array.shape}")
    raw = np.ascontiguousarray(array, dtype="<f8").tobytes()
    return family, *array.shape, hashlib.sha256(raw).hexdigest(), zlib.compress(raw)


def _unpacked(sentences: int, width: int, checksum: str, data: bytes) -> np.ndarray:
    import numpy as np

    size = sentences * width * 8
    # One byte more than belongs there shows a lie about the size without unpacking all of it.
    raw = zlib.decompressobj().decompress(data, size + 1)
    if len(raw) != size or hashlib.sha256(raw).hexdigest() != checksum:
        raise ValueError("the checksum does not match")
    return np.frombuffer(raw, dtype="<f8").reshape(sentences, width).astype(np.float64)
