"""Row and results.csv: equal numbers are equal bytes, and nothing is lost or invented on the way."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcom.making import ADOPTABLE
from semcom.mistakes import UserMistake
from semcom.store.results import COLUMNS, Row, cell, levels, read_csv, write_csv

HEADER = (
    "task,codec,role,method,methods,teachers,adopted,donor,start,pruned,bits,language,beam,parameters,body_parameters,size_bytes,"
    "symbols_per_token,symbols_per_word,fading,coherence,interference,equalizer,csi,antennas,crowd,detector,user,snr_db,interferers,level_db,sir_db,sinr_db,measured_snr_db,"
    "measured_sinr_db,metric,kind,against,gap_to,value,low,high,count,seed,status,run_id,common"
)

numbers = st.none() | st.floats(allow_nan=False)
counts = st.none() | st.integers(min_value=-(2**62), max_value=2**62)
# No file holds half a surrogate pair.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"))


def a_row(**changes: object) -> Row:
    return Row(**{"task": "text", "codec": "small", "role": "codec", "metric": "bleu_1", "status": "done", **changes})  # type: ignore[arg-type]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    of_kind = {"str": words, "int": counts, "float": numbers}
    values = {name: draw(of_kind[kind]) for name, kind in COLUMNS.items()}
    sides = st.sampled_from(("", *ADOPTABLE))
    level = st.none() | st.floats(-50, 50) | st.lists(st.floats(-50, 50), min_size=2, max_size=4).map(tuple)
    told = {"role": "student", "status": "done", "level_db": draw(level), "kind": "", "adopted": draw(sides)}
    told["common"] = draw(st.none() | st.floats(0, 1))
    return a_row(**{**values, **told, "gap_to": values["gap_to"] if values["against"] else ""})


def test_the_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    write_csv([], tmp_path / "results.csv")
    assert (tmp_path / "results.csv").read_bytes() == HEADER.encode() + b"\n"


@settings(max_examples=20)  # each example is a file
@given(st.lists(rows(), max_size=4))
def test_a_table_reads_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, table: list[Row]) -> None:
    path = tmp_path_factory.mktemp("table") / "results.csv"
    write_csv(table, path)
    before = path.read_bytes()
    assert read_csv(path) == table
    write_csv(read_csv(path), path)
    assert path.read_bytes() == before


def test_equal_numbers_of_any_type_are_equal_bytes(tmp_path: Path) -> None:
    plain = a_row(snr_db=6.0, value=0.1, count=3, seed=1)
    strange = a_row(snr_db=6, value=np.float64(0.1), count=np.int64(3), seed=np.uint8(1))
    write_csv([plain], tmp_path / "a.csv")
    write_csv([strange], tmp_path / "b.csv")
    assert plain == strange
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_order_is_the_callers_and_infinity_is_a_word(tmp_path: Path) -> None:
    write_csv([a_row(codec="z", sir_db=math.inf), a_row(codec="a", value=1 / 3)], tmp_path / "r.csv")
    lines = (tmp_path / "r.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["z", "a"]
    assert ",inf," in lines[1] and ",0.3333333333333333," in lines[2]
    assert b"\r" not in (tmp_path / "r.csv").read_bytes()


def test_a_table_of_before_a_column_is_read_with_the_column_empty(tmp_path: Path) -> None:
    write_csv([a_row(value=0.5, against="big")], tmp_path / "r.csv")
    old = (tmp_path / "r.csv").read_text().replace(",gap_to", "").replace(",big,,", ",big,")
    (tmp_path / "r.csv").write_text(old)
    assert read_csv(tmp_path / "r.csv") == [a_row(value=0.5, against="big")]
    (tmp_path / "r.csv").write_text(old.replace(",against", ",opposed"))
    with pytest.raises(UserMistake, match=r"none named against$"):
        read_csv(tmp_path / "r.csv")


@pytest.mark.parametrize("level", [-6.0, (-6.0, 0.1)])
def test_levels_are_one_number_or_several(level: float | tuple[float, ...]) -> None:
    assert levels(cell(level)) == level


def test_one_level_in_a_tuple_is_that_level() -> None:
    assert a_row(level_db=(-6,)) == a_row(level_db=-6.0)
    assert a_row(level_db=()).level_db is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": math.nan}, "value must be a number or None, got nan"),
        ({"value": "0.5"}, "value must be a number or None, got '0.5'"),
        ({"count": 1.5}, "count must be a whole number or None"),
        ({"count": True}, "count must be a whole number or None, got True"),
        ({"codec": None}, "codec must be one line of text, got None"),
        ({"method": "a\rb"}, "method must be one line of text"),
        ({"role": "pupil"}, "role must be one of teacher, student"),
        ({"adopted": "both"}, "adopted must be one of empty, transmitter, receiver, encoder, around, got 'both'"),
        ({"bits": 7.5}, "bits must be a whole number or None, got 7.5"),
        ({"status": "lost"}, "status must be one of done, failed"),
        ({"status": "failed", "value": 0.0}, "a failed row must have no value, got 0.0"),
        ({"status": "skipped", "low": 0.0}, "a skipped row must have no value"),
        ({"level_db": (1.0, math.nan)}, "level_db must be a number or None, got nan"),
        ({"kind": "share"}, "kind must be value by against and gap_to of its row, got 'share'"),
        ({"kind": "value", "against": "big"}, "kind must be difference by against and gap_to of its row, got 'value'"),
        ({"kind": "difference", "against": "plain", "gap_to": "big"}, "kind must be share by .*, got 'difference'"),
        ({"kind": "mean"}, "kind must be value by .*, got 'mean'"),
        ({"gap_to": "big"}, "against must name the control where the gap to 'big' begins, got ''"),
    ],
)
def test_a_row_refuses_what_its_column_cannot_hold(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        a_row(**changes)


def test_what_a_spreadsheet_does_to_a_table_is_forgiven(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    write_csv([a_row(count=4, value=0.5)], path)
    head, line = path.read_text().splitlines()
    path.write_bytes(b"\xef\xbb\xbf" + f"extra,{head}\r\nx,{line.replace(',4,', ',4.0,')}\r\n".encode())
    assert read_csv(path) == [a_row(count=4, value=0.5)]


def test_a_table_from_before_a_column_was_thought_of_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    write_csv([a_row(count=4, crowd="big+small")], path)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = lines[0].index("crowd")
    path.write_text("".join(",".join(cells[:place] + cells[place + 1 :]) + "\n" for cells in lines))
    assert read_csv(path) == [a_row(count=4)]


KINDS_TOLD = [
    ({}, "value"),
    ({"user": "sum"}, "value"),
    ({"role": "published", "status": "published"}, "value"),
    ({"against": "big"}, "difference"),
    ({"against": "big", "status": "skipped"}, "difference"),
    ({"against": "plain", "gap_to": "big"}, "share"),
]


@pytest.mark.parametrize(("cells", "kind"), KINDS_TOLD)
def test_a_row_tells_of_what_kind_its_number_is(tmp_path: Path, cells: dict[str, object], kind: str) -> None:
    path = tmp_path / "r.csv"
    write_csv([a_row(**cells)], path)
    head, line = (each.split(",") for each in path.read_text().splitlines())
    assert dict(zip(head, line, strict=True))["kind"] == kind == a_row(**cells, kind=kind).kind
    # A table from before the column tells it by its other cells.
    place = head.index("kind")
    path.write_text("".join(",".join(each[:place] + each[place + 1 :]) + "\n" for each in (head, line)))
    assert read_csv(path) == [a_row(**cells)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.csv:1: must have the columns"),
        ("task,codec\n", "got none named role, method"),
        (f"{HEADER}\nt,c,codec{',' * 31},m,share{',' * 8},done,,\n", "r.csv:2: kind must be value by against"),
        (f"{HEADER}\ntext,small\n", "r.csv:2: must have a cell for every column"),
        (f"{HEADER}\nt,c,codec{',' * 31},m,,,,x{',' * 5},done,,\n", "r.csv:2: value must be a number or empty, got"),
        (f"{HEADER}\nt,c,codec{',' * 31},m,,,,nan{',' * 5},done,,\n", "r.csv:2: value must be a number or None"),
        (
            f"{HEADER}\nt,c,codec{',' * 10},1.5{',' * 21}m{',' * 9}done,,\n",
            "r.csv:2: parameters must be a whole number",
        ),
        (f"{HEADER}\nt,c,codec{',' * 31},m{',' * 9},fine,,\n", "r.csv:2: status must be one of"),
    ],
)
def test_a_broken_table_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(UserMistake, match=message):
        read_csv(tmp_path / "r.csv")


def test_no_table_and_no_text_are_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="no such file"):
        read_csv(tmp_path / "r.csv")
    (tmp_path / "r.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(UserMistake, match="must be a readable UTF-8 file"):
        read_csv(tmp_path / "r.csv")
    with pytest.raises(UserMistake, match="must be a readable UTF-8 file"):
        read_csv(tmp_path)
