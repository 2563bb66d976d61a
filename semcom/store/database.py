"""Database: one SQLite file that is surely ours, asked and written in whole transactions, with errors in words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from semcom.files import replacing
from semcom.mistakes import UserMistake

# Marks the file as ours ("SeCo"), so that another program's database is never touched.
APPLICATION = 0x5365436F
SCHEMA = 1
BUSY_SECONDS = 30.0


class Database:
    """An open SQLite file with tables of ours.

    Args:
        path: made, with the tables, if it does not exist or is empty.
        tables: the statements that make them.
        reading: look only; the file must be there.

    Raises:
        UserMistake: the file is damaged, another program's, or from a newer version; or, later, it is gone.
    """

    def __init__(self, path: Path, tables: Sequence[str], *, reading: bool) -> None:
        self.path = path
        if not reading and (not path.exists() or (path.is_file() and not path.stat().st_size)):
            _make(path, tables)
        with explained(path), contextlib.ExitStack() as opened:
            self._connection = opened.enter_context(contextlib.closing(_connect(path, reading)))
            self._place = None if reading else _place_of(path)
            self._begin(reading)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with explained(self.path):
            self._opened.close()

    def ask(self, query: str, values: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of an answer."""
        self.check_place()
        with explained(self.path):
            return self._connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is done inside, or nothing of it."""
        self.check_place()
        with explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def check_place(self) -> None:
        """See that the file is still where it was opened: the system lets us write on into one that nobody can find.

        Raises:
            UserMistake: it was moved, removed or replaced.
        """
        if self._place is not None and _place_of(self.path) != self._place:
            what = "must stay in its place while a run goes on, got it moved, removed or replaced"
            raise UserMistake(f"{self.path}: {what}; run again, what is still in the folder is kept")

    def _begin(self, reading: bool) -> None:
        """See whose file it is before anything is written to it, and that it is whole."""
        application, version = (self.ask(f"PRAGMA {each}")[0][0] for each in ("application_id", "user_version"))
        if application != APPLICATION:
            what = "must be a results store, got another program's database or an empty file"
            raise UserMistake(f"{self.path}: {what}; move it away")
        if version > SCHEMA:
            what = f"must be of schema {SCHEMA} or older, got {version}"
            raise UserMistake(f"{self.path}: {what}; a newer version of semcom wrote it, run that one")
        # Indices too: what an index has lost would pass for never stored.
        verdict = self.ask("PRAGMA integrity_check(1)")[0][0]
        if verdict != "ok":
            raise damaged(self.path, str(verdict))
        if not reading:
            self.ask("PRAGMA synchronous = NORMAL")


def _make(path: Path, tables: Sequence[str]) -> None:
    """A new file with its tables. It appears whole, so that whoever looks while it is made finds nothing or all."""
    # A store that somebody moved away alone left its log, which SQLite would play onto the new one.
    for ending in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    # No journal and no waiting for the disk: `replacing` throws half a file away and writes a whole one through.
    before = ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF")
    ours = (f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {SCHEMA}", "PRAGMA journal_mode = WAL")
    with replacing(path) as fresh, explained(path), contextlib.closing(_connect(fresh, reading=False)) as connection:
        for statement in (*before, *tables, *ours):
            connection.execute(statement)


def _place_of(path: Path) -> tuple[int, int] | None:
    """Which file lies there, or None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path, reading: bool) -> sqlite3.Connection:
    """A connection that leaves transactions to us, and text that is not UTF-8 to whoever compares digests."""
    mode = "ro" if reading else "rwc"
    if reading and not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
        # Beside a store that is at rest SQLite wants to put files, and in somebody else's folder it may not.
        mode = "ro&immutable=1"
    address = f"file:{urllib.parse.quote(os.fsencode(path))}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return connection


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
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
            raise damaged(path, str(error)) from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY):
            hint = "close other programs that hold it, or choose another --out"
            raise UserMistake(f"{path}: must be ours to open and write, got: {error}; {hint}") from error
        if str(error).startswith(("no such table", "no such column")):
            raise damaged(path, str(error)) from error
        raise
    except UnicodeDecodeError as error:
        # SQLite quotes what it does not understand as it stands there.
        raise damaged(path, "names that are not UTF-8") from error


def damaged(path: Path, what: str) -> UserMistake:
    hint = "move its whole folder away and run again, or choose another --out"
    if not os.access(path.parent, os.W_OK):
        hint = "if somebody is writing to it, wait for them and try again"
    return UserMistake(f"{path}: must be a whole results store, got a damaged file ({what}); {hint}")
