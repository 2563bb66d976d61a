"""Store: builds, runs, rows and per-sentence statistics in one SQLite file that survives a kill at any instant."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from semcom.experiment.folder import alone
from semcom.experiment.results import COLUMNS, Row, cell, levels, row_of
from semcom.mistakes import UserMistake

# Marks the file as ours ("SeCo"), so that another program's database is never touched.
APPLICATION = 0x5365436F
SCHEMA = 1
BUSY_SECONDS = 30.0

_SQL_TYPES = {"str": "TEXT NOT NULL", "int": "INTEGER", "float": "REAL"}
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_TYPED_NAMES = ", ".join(f'"{name}" {_SQL_TYPES[kind]}' for name, kind in COLUMNS.items())
_OUTCOME = "status TEXT NOT NULL, message TEXT NOT NULL, record TEXT NOT NULL"
_TABLES = (
    f"CREATE TABLE builds (identity TEXT PRIMARY KEY, name TEXT NOT NULL, {_OUTCOME})",
    f"CREATE TABLE runs (identity TEXT PRIMARY KEY, {_OUTCOME})",
    f"CREATE TABLE rows ({_TYPED_NAMES}, PRIMARY KEY (run_id, metric, against))",
    "CREATE TABLE statistics (run_id TEXT, family TEXT, sentences INTEGER NOT NULL, width INTEGER NOT NULL,"
    " checksum TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run_id, family))",
)

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


class Store:
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
            with _explained(path):
                self._connection = opened.enter_context(contextlib.closing(_connect(path, reading)))
                self._begin(reading)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file and of the lock."""
        with _explained(self.path):
            self._opened.close()

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
        with self._transaction() as connection:
            values = (identity, name, status, message, json.dumps(record or {}))
            connection.execute("INSERT OR REPLACE INTO builds VALUES (?, ?, ?, ?, ?)", values)

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
        with self._transaction() as connection:
            for table in ("rows", "statistics"):
                connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
            values = (run_id, status, message, json.dumps(record or {}))
            connection.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)", values)
            marks = ", ".join("?" * len(COLUMNS))
            connection.executemany(f"INSERT INTO rows ({_NAMES}) VALUES ({marks})", map(_to_sql, rows))
            connection.executemany("INSERT INTO statistics VALUES (?, ?, ?, ?, ?, ?)", packed)

    def builds(self) -> dict[str, Finished]:
        """Builds that came to an end, by identity."""
        return self._finished("SELECT identity, name, status, message, record FROM builds")

    def runs(self) -> dict[str, Finished]:
        """Runs that came to an end, by identity; they have no name."""
        return self._finished("SELECT identity, '', status, message, record FROM runs")

    def done_builds(self) -> set[str]:
        """Identities of builds that need not be made again."""
        return {identity for identity, build in self.builds().items() if build.status == "done"}

    def done_runs(self) -> set[str]:
        """Identities of runs that need not be made again."""
        return {row[0] for row in self._ask("SELECT identity FROM runs WHERE status = 'done'")}

    def rows(self, run_id: str) -> list[Row]:
        """The rows stored with a run, in the order they were given; none if it is not known."""
        found = self._ask(f"SELECT {_NAMES} FROM rows WHERE run_id = ? ORDER BY rowid", (run_id,))
        with self._trusted(f"rows of run {run_id}"):
            return [_from_sql(values) for values in found]

    def families(self, run_id: str) -> tuple[str, ...]:
        """The metric families a run has statistics of."""
        return tuple(row[0] for row in self._ask("SELECT family FROM statistics WHERE run_id = ?", (run_id,)))

    def statistics(self, run_id: str, family: str) -> np.ndarray:
        """One run's statistics, float64 [sentences, width], bit for bit as they were given.

        Raises:
            KeyError: there are none.
            UserMistake: the stored bytes are not what was written.
        """
        query = "SELECT sentences, width, checksum, data FROM statistics WHERE run_id = ? AND family = ?"
        found = self._ask(query, (run_id, family))
        if not found:
            raise KeyError(f"no statistics of {family} are stored for run {run_id}")
        with self._trusted(f"statistics of {family} in run {run_id}"):
            return _unpacked(*found[0])

    def _begin(self, reading: bool) -> None:
        """See whose file it is before anything is written to it, then make it ours if it is new."""
        application, version = (self._ask(f"PRAGMA {each}")[0][0] for each in ("application_id", "user_version"))
        is_new = not self._ask("SELECT 1 FROM sqlite_master LIMIT 1") and (application, version) == (0, 0)
        if not is_new and application != APPLICATION:
            raise UserMistake(f"{self.path}: must be a results store, got another program's database; move it away")
        if version > SCHEMA:
            what = f"must be of schema {SCHEMA} or older, got {version}"
            raise UserMistake(f"{self.path}: {what}; a newer version of semcom wrote it, run that one")
        if reading:
            if is_new:
                raise UserMistake(f"{self.path}: must hold results, got an empty file; `semcom run` fills it")
            return
        verdict = self._ask("PRAGMA quick_check(1)")[0][0]
        if verdict != "ok":
            raise _damaged(self.path, str(verdict))
        self._ask("PRAGMA journal_mode = WAL")
        self._ask("PRAGMA synchronous = NORMAL")
        if is_new:
            with self._transaction() as connection:
                for statement in _TABLES:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {SCHEMA}")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _ask(self, query: str, values: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        with _explained(self.path):
            return self._connection.execute(query, values).fetchall()

    def _finished(self, query: str) -> dict[str, Finished]:
        with self._trusted("records"):
            return {
                identity: Finished(identity, name, status, message, json.loads(record))
                for identity, name, status, message, record in self._ask(query)
            }

    @contextlib.contextmanager
    def _trusted(self, what: str) -> Iterator[None]:
        """SQLite keeps its pages in order, not what is written on them: that shows only when it is used."""
        try:
            yield
        except (ValueError, zlib.error) as error:
            raise _damaged(self.path, f"{what}: {error}") from None


def _connect(path: Path, reading: bool) -> sqlite3.Connection:
    """A connection that leaves transactions to us."""
    mode = "ro" if reading else "rwc"
    address = f"file:{urllib.parse.quote(str(path))}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _to_sql(row: Row) -> list[Any]:
    """Values as SQLite has them; only several levels are text, since it knows no tuples."""
    values = [getattr(row, name) for name in COLUMNS]
    return [cell(value) if isinstance(value, tuple) else value for value in values]


def _from_sql(values: tuple[Any, ...]) -> Row:
    found = dict(zip(COLUMNS, values, strict=True))
    if isinstance(found["level_db"], str):
        found["level_db"] = levels(found["level_db"])
    return row_of(found)


def _packed(family: str, array: np.ndarray) -> tuple[str, int, int, str, bytes]:
    """Shape, checksum and compressed little-endian bytes."""
    if array.ndim != 2:
        raise ValueError(f"statistics of {family} must be [sentences, width], got shape {array.shape}")
    raw = np.ascontiguousarray(array, dtype="<f8").tobytes()
    return family, *array.shape, hashlib.sha256(raw).hexdigest(), zlib.compress(raw)


def _unpacked(sentences: int, width: int, checksum: str, data: bytes) -> np.ndarray:
    size = sentences * width * 8
    # One byte more than belongs there shows a lie about the size without unpacking all of it.
    raw = zlib.decompressobj().decompress(data, size + 1)
    if len(raw) != size or hashlib.sha256(raw).hexdigest() != checksum:
        raise ValueError("the checksum does not match")
    return np.frombuffer(raw, dtype="<f8").reshape(sentences, width).astype(np.float64)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """SQLite's errors that are no bug of ours, as messages."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            # A limit that the system sets on files or quotas comes as an I/O error.
            hint = "free some space and run again, everything finished before is kept"
            raise UserMistake(f"{path}: the disk must take the results, got: {error}; {hint}") from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _damaged(path, str(error)) from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY):
            hint = "close other programs that hold it, or choose another --out"
            raise UserMistake(f"{path}: must be ours to open and write, got: {error}; {hint}") from error
        raise


def _damaged(path: Path, what: str) -> UserMistake:
    hint = "move it away and run again; models that are finished are kept"
    return UserMistake(f"{path}: must be a whole results store, got a damaged file ({what}); {hint}")
