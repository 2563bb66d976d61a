"""Check that tables are unchanged since their run wrote them, by the digests in record.json."""

from __future__ import annotations

import json
from pathlib import Path

from semcom.files import digest_of
from semcom.mistakes import UserMistake

__all__ = ["check_genuine"]

RECORD = "record.json"


def check_genuine(*tables: Path) -> None:
    """See that each table has the digest that the record beside it tells; without record or digest any table will do.

    Raises:
        UserMistake: a table was damaged or edited since, or the record cannot be read.
    """
    for table in tables:
        noted = _digests(table.parent / RECORD).get(table.name)
        if noted is not None and table.is_file() and digest_of(table) != noted:
            raise UserMistake(
                f"{table}: must be the table that {RECORD} beside it was written for, got a damaged or edited one; run "
                "the scenario again to write it anew, or copy the table to a folder of its own to draw it as it is"
            )


def _digests(record: Path) -> dict[str, object]:
    """File names and their digests; none where no record lies, or one from before there were any."""
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        return dict(told.get("digests", {}))
    except FileNotFoundError:
        return {}
    except (OSError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise UserMistake(
            f"{record}: must be the JSON that a run writes, got {error}; run the scenario again to write it anew, or "
            "copy the tables to a folder of their own"
        ) from None
