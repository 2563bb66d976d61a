"""Tables beside a record are drawn as their run wrote them or not at all; tables on their own are drawn as they are."""

import json

import pytest

from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.report.genuine import check_genuine


@pytest.fixture
def table(made):
    return made.table(made.sweep(snrs=(0.0,), counts=(0,), metrics=("bleu_4",)))


def recorded(table, **more):
    """Put a record beside the table that tells its digest."""
    facts = {"seeds": [3], "digests": {table.name: digest_of(table)}, **more}
    table.with_name("record.json").write_text(json.dumps(facts))


def test_a_table_as_it_was_written_is_genuine(table):
    recorded(table)
    check_genuine(table, table.with_name("costs.csv"))


@pytest.mark.parametrize("edit", [b"0.5\n", b" ", b"\r\n", b"a,b,c"])
def test_an_edited_table_is_refused_with_both_ways_out(table, edit):
    recorded(table)
    table.write_bytes(table.read_bytes() + edit)
    with pytest.raises(UserMistake, match=r"results\.csv: must be .*run the scenario again .* or copy the table to"):
        check_genuine(table)
    elsewhere = table.parent / "mine" / table.name
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(table.read_bytes())
    check_genuine(elsewhere)


@pytest.mark.parametrize("record", [{}, {"seeds": [1]}, {"digests": {}}, {"digests": {"other.csv": "0"}}], ids=str)
def test_a_record_that_tells_no_digest_lets_any_table_be_drawn(table, record):
    table.with_name("record.json").write_text(json.dumps(record))
    check_genuine(table)


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"digests": 3}', '{"digests": null}', "\udcff"], ids=ascii)
def test_a_record_that_cannot_be_read_is_named(table, content):
    table.with_name("record.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserMistake, match=r"record\.json: must be the JSON that a run writes, got .*; run the"):
        check_genuine(table)
