"""Digests: how a run folder knows again what it kept, so that damage shows instead of changing results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from semcom.files import digest
from semcom.store.database import Database

TABLE = "CREATE TABLE digests (kind TEXT, name TEXT, digest TEXT NOT NULL, PRIMARY KEY (kind, name))"
# Where a build's record keeps the digest of its weights.
WEIGHTS_DIGEST = "weights_digest"

Kind = Literal["build", "run"]
_TABLE_OF: dict[Kind, str] = {"build": "builds", "run": "runs"}


class Noted:
    """The digests in a store: of every build, of every run with its rows and statistics, of files beside it.

    A store that an older version made has none. Whoever writes takes what is there as it is and notes it, once; from
    then on what has no digest is damaged too.

    Args:
        columns: of the stored rows.
    """

    def __init__(self, database: Database, columns: Sequence[str], *, reading: bool) -> None:
        self._database = database
        self._columns = ", ".join(f'"{name}"' for name in columns)
        self._names = columns
        self.is_kept = bool(database.ask("SELECT 1 FROM sqlite_master WHERE name = 'digests'"))
        if not self.is_kept and not reading:
            with database.transaction() as connection:
                connection.execute(TABLE)
                for kind in _TABLE_OF:
                    for identity in self._identities(kind):
                        self.note(kind, identity)
            self.is_kept = True

    def note(self, kind: Kind, identity: str) -> None:
        """Note what is stored of a build or a run now; part of the transaction that stores it."""
        self._put(kind, identity, self._now(kind, identity))

    def note_file(self, name: str, found: str) -> None:
        """Note the digest of a file beside the store, with a check of the note itself."""
        with self._database.transaction():
            self._put("file", name, f"{found} {digest(found.encode())}")

    def file(self, name: str) -> str | None:
        """What a file beside the store must be; None if nobody noted it, or the note is damaged."""
        found, _, check = (self._told("file", name) or "").partition(" ")
        return found if check and check == digest(found.encode("utf-8", "surrogateescape")) else None

    def is_true(self, kind: Kind, identity: str) -> bool:
        """Whether what is stored of a build or a run is what was once stored."""
        if not self.is_kept:
            return True
        try:
            return self._told(kind, identity) == self._now(kind, identity)
        except (TypeError, ValueError):
            # No text, or none in UTF-8, where some was written.
            return False

    def damaged(self, kind: Kind) -> list[str]:
        """The builds or runs that are not what was once stored."""
        return [each for each in self._identities(kind) if not self.is_true(kind, each)]

    def forget(self, kind: Kind, identities: Iterable[str]) -> None:
        """Forget builds or runs, as if they had never been."""
        with self._database.transaction() as connection:
            # An identity that is damaged itself need not be text that SQLite would take from us.
            for name in [each.encode("utf-8", "surrogateescape") for each in identities]:
                connection.execute(f"DELETE FROM {_TABLE_OF[kind]} WHERE identity = CAST(? AS TEXT)", (name,))
                connection.execute("DELETE FROM digests WHERE kind = ? AND name = CAST(? AS TEXT)", (kind, name))

    def _identities(self, kind: Kind) -> list[str]:
        return [str(row[0]) for row in self._database.ask(f"SELECT identity FROM {_TABLE_OF[kind]} ORDER BY rowid")]

    def _told(self, kind: str, name: str) -> str | None:
        if not self.is_kept:
            return None
        found = self._database.ask("SELECT digest FROM digests WHERE kind = ? AND name = ?", (kind, name))
        return str(found[0][0]) if found else None

    def _put(self, kind: str, name: str, found: str) -> None:
        # Asked inside of a transaction, the database writes in it.
        self._database.ask("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", (kind, name, found))

    def _now(self, kind: Kind, identity: str) -> str:
        """The digest of all that is stored under an identity; columns that are empty do not count.

        So a column that a later version adds moves no digest of rows that do without it.
        """
        ask = self._database.ask
        held: list[Any] = [*ask(f"SELECT * FROM {_TABLE_OF[kind]} WHERE identity = ?", (identity,))]
        if kind == "run":
            for values in ask(f"SELECT {self._columns} FROM rows WHERE run_id = ? ORDER BY rowid", (identity,)):
                cells = zip(self._names, values, strict=True)
                held.append({name: value for name, value in cells if value not in (None, "")})
            query = "SELECT family, sentences, width, checksum, data FROM statistics WHERE run_id = ? ORDER BY family"
            held += [(*shape, digest(data)) for *shape, data in ask(query, (identity,))]
        return digest(json.dumps(held, sort_keys=True, ensure_ascii=False).encode())
