"""What tables promise: the numbers of the results, in three forms that their readers take as written."""

from __future__ import annotations

import csv
import io
import re

from hypothesis import given
from hypothesis import strategies as st

from semcom.report.tables import (
    Table,
    codec_table,
    difference_table,
    quality_table,
    tables_of,
    to_csv,
    to_latex,
    to_markdown,
)

SMALL = {"snrs": (-6.0, 3.0, 12.0), "counts": (0, 2), "metrics": ("bleu_4",)}


def test_csv_gives_every_number_back(made):
    lines = made.sweep(**SMALL)
    part = made.part(lines)
    read = [
        row
        for table in (quality_table(part), difference_table(part))
        for row in csv.DictReader(io.StringIO(to_csv(table)))
    ]
    for name in ("value", "low", "high", "sinr_db", "sir_db", "snr_db"):
        assert [float(row[name]) for row in read] == [
            float(max(0.0, line[name]) if name == "low" and not line["against"] else line[name]) for line in lines
        ]


def test_cells_round_and_tell_failures_from_blanks(made):
    lines = made.failed(made.sweep(**SMALL), "distilled", 3.0, 2) + made.published(("bleu_4",))
    table = quality_table(made.part(lines))
    assert table.header == ("interferers", "SNR [dB]", "teacher", "plain", "distilled", "reference")
    rows = {(row[0], row[1]): row[2:] for row in table.rows}
    assert rows["2", "3"][2] == "failed"
    assert rows["2", "3"][3] == ""
    first = lines[0]
    assert rows["0", "-6"][0] == f"{first['value']:.3f} [{first['low']:.3f}, {first['high']:.3f}]"


def test_levels_get_a_column_when_there_are_several(made):
    lines = made.sweep(**SMALL, pairs=()) + made.sweep(**{**SMALL, "counts": (2,)}, level_db=0.0, pairs=())
    names = [table.name for table in tables_of(made.results(lines))]
    assert names == ["codecs", "bleu_4__quality"]
    table = tables_of(made.results(lines))[1]
    assert table.header[:3] == ("interferers", "level [dB]", "SNR [dB]")
    assert {row[1] for row in table.rows} == {"", "-6", "0"}


def test_codecs_are_listed_with_body_and_bytes(made):
    table = codec_table(made.results(made.sweep(**SMALL)))
    assert ("plain", "control", "trained", "380000", "228000", "1520900", "4", "5.24") in table.rows


def test_latex_is_booktabs_with_everything_escaped():
    table = Table("a", "50 % of $x_1$ & more #1 {~^\\}", ("codec_a", "n"), (("<b>|", "-6"),), (), names=1)
    text = to_latex(table)
    assert r"50 \% of \$x\_1\$ \& more \#1 \{\textasciitilde{}\textasciicircum{}\textbackslash{}\}" in text
    assert r"codec\_a & n \\" in text
    assert r"\textless{}b\textgreater{}\textbar{} & $-$6 \\" in text
    assert [text.count(rf"\{rule}rule") for rule in ("top", "mid", "bottom")] == [1, 1, 1]


def test_a_row_may_begin_with_a_bracket():
    rows = to_latex(Table("a", "c", ("codec",), (("[x]",), ("*",)), (), names=1)).splitlines()
    assert r"{}[x] \\" in rows and r"{}* \\" in rows


def test_a_long_table_breaks_over_pages():
    text = to_latex(Table("a", "c", ("x",), tuple((str(n),) for n in range(50)), (), names=0))
    assert r"\begin{longtable}{r}" in text and r"\endhead" in text and r"\begin{table}" not in text


@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), max_size=30))
def test_latex_leaves_no_special_sign_bare(text):
    line = to_latex(Table("a", text, ("n",), (), (), names=1)).splitlines()[2]
    said = line.removeprefix(r"\caption{").removesuffix("}")
    bare = re.sub(r"\\(text[a-z]+\{\}|[&%$#_{}])|\$-\$|(?<=-)\{\}(?=-)", "", said)
    assert not set(bare) & set("&%$#_{}~^\\<>|`")


def test_markdown_columns_match_and_pipes_do_not_split():
    text = to_markdown(Table("a", "told", ("codec", "n"), (("a|b_c*", "0.1 [0.0, 0.2]"),), (), names=1))
    rows = text.splitlines()[2:]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    assert r"a\|b\_c\*" in rows[2]
    assert re.fullmatch(r"\| -+ \| -+: \|", rows[1])
