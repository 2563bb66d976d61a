"""Text from elsewhere is shown as it is written: nothing in a table of results is obeyed by what shows it."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from semcom.mistakes import UserMistake
from semcom.report.drawing import report
from semcom.report.naming import LONGEST, file_name
from semcom.report.reading import read_rows
from semcom.report.style import typeset
from semcom.report.summary import ablation_summary, summary_table
from semcom.report.tables import Table, to_csv, to_latex, to_markdown
from semcom.words import visible

ODD = (
    "a$b", "x_{1}$", "\\frac{1}", "50 % & #1 ~^", "\U0001f680 \u4f60\u597d", "\u0627\u0644\u0639", "long" * 40,
    "a\x1b[31mb", "\u202egnp.exe", "a\x9b2Jb", "=HYPERLINK(1)", "_hidden", "</svg>--><b>", "[red]x[/]", "a\x00b\x07",
)  # fmt: skip


def odd_table(made):
    """Every odd name is a codec's, and some other cells are no better."""
    codecs = {name: {**made.codecs["distilled"], "making": None, "method": f"by {name}"} for name in ODD}
    codecs = {"teacher": made.codecs["teacher"], "plain": made.codecs["plain"], **codecs}
    pairs = tuple((name, "plain") for name in ODD)
    lines = made.sweep(codecs=codecs, snrs=(0.0, 9.0), counts=(0,), metrics=("$m_1$\x1b[2J",), pairs=pairs)
    return made.table([{**line, "equalizer": "mmse\u2028\x08", "csi": "\u200bfine"} for line in lines])


def test_no_file_and_no_table_on_a_terminal_holds_what_would_be_obeyed(made, tmp_path, monkeypatch):
    """A warning of a letter without a glyph would be an error here."""
    monkeypatch.setattr("semcom.report.drawing.FORMATS", {"svg": {"Date": None}})
    files = report(odd_table(made), tmp_path / "out")
    assert {file.suffix for file in files} == {".svg", ".md", ".tex", ".csv"}
    for file in files:
        text = file.read_bytes().decode()
        assert text == visible(text), file.name
    said = io.StringIO()
    console = Console(file=said, width=100, force_terminal=False)
    console.print(summary_table(made.folder / "results.csv"))
    console.print(ablation_summary(made.folder / "results.csv"))
    shown = said.getvalue()
    assert shown == visible(shown)
    for name in ("a\\x1b[31mb", "\\u202egnp.exe", "[red]x[/]", "a\\x00b\\x07"):
        assert name in shown


def test_a_wrong_cell_is_told_without_what_would_be_obeyed(made):
    lines = made.sweep(snrs=(0.0,), counts=(0,), metrics=("bleu_4",))
    for cells in ({"role": "\x1b[31mpupil"}, {"value": "\u202e1.0"}, {"user": "\x9b2J"}):
        with pytest.raises(UserMistake) as told:
            read_rows(made.table([{**lines[0], **cells}, *lines[1:]]))
        assert str(told.value) == visible(str(told.value)), cells
        assert "got '\\" in str(told.value)


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("a\x1b[31m", "a\\x1b[31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("one\x85two\x1fthree", "one\\x85two\\x1fthree"),
        ("\u4f60 caf\xe9", "\\u4f60 caf\xe9"),
        ("\U0001f680", "\\U0001f680"),
        ("\u0645\u0631 \u03b1\u2264\u221e", "\u0645\u0631 \u03b1\u2264\u221e"),
        ("$x_{1}$ \\frac", "$x_{1}$ \\frac"),
    ],
)
def test_a_figure_writes_what_its_font_can(text, drawn):
    assert typeset(text) == drawn


def rendered(text):
    """The words of a Markdown text as a page shows them, one a paragraph and cell."""
    markdown_it = pytest.importorskip("markdown_it")
    page = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    found = re.findall(r"<(p|th|td)(?: [^>]*)?>(.*?)</\1>", page, re.DOTALL)
    return [html.unescape(words) for _, words in found]


SIGNS = ("a|b", "~~gone~~", "&lt;b&gt;", "`code`", "<b>x</b>", "[x](http://y)", "\\|", "*_a_*", "$x$", "![x](y)", "#")


@pytest.mark.parametrize("text", [*SIGNS, "- a", "1. a", "12) a", "+ a", "=", "# a", "---", "> a"])
def test_markdown_shows_names_as_they_are(text):
    table = Table("a", text, (text, "n"), ((text, "-6"),), (), names=1)
    assert rendered(to_markdown(table)) == [text, text, "n", text, "-6"]


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda text: text.split()))
def test_markdown_shows_any_text_as_it_is(text):
    # What a page would take for white space stands in no name that is told apart from another.
    shown = " ".join(visible(text).split())
    words = rendered(to_markdown(Table("a", f"is {text}", (text, "n"), (), (), names=1)))
    assert words == [f"is {shown}", shown, "n"]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a--b", "a-{}-b"),
        ("x---6", "x-{}-{}-6"),
        ("``quoted", r"\textasciigrave{}\textasciigrave{}quoted"),
        ("a\x1b[2J\u202e", r"a\textbackslash{}x1b[2J\textbackslash{}u202e"),
        ("-6 to -3", "$-$6 to $-$3"),
        ("\\frac{1}$", r"\textbackslash{}frac\{1\}\$"),
    ],
)
def test_latex_sets_names_as_they_are(text, latex):
    assert f"\\caption{{{latex}}}" in to_latex(Table("a", text, ("n",), (), (), names=1))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@sum", "'@sum"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("+A1", "'+A1"),
        ("a\x1b[2J", "a\\x1b[2J"),
        *((each, each) for each in ("-6.5", "-1e-05", "-inf", "-6; -3.5", "nan", "plain-1", "")),
    ],
)
def test_a_spreadsheet_finds_no_formula_but_every_number(text, cell):
    (line,) = csv.reader(io.StringIO(to_csv(Table("a", "c", ("n",), (), ((text, "x"),)))))
    assert line == [cell, "x"]


@pytest.mark.parametrize(
    ("told", "taken", "name"),
    [
        (("bleu_4", "against_snr", "fading rician(k=6)"), (), "bleu_4__against_snr__fading_rician_k_6"),
        (("../../etc", "x"), (), "etc__x"),
        (("a", "b"), ("a__b",), "a__b_2"),
        # The next number may belong to somebody else.
        (("a", "b"), ("a__b", "a__b_3"), "a__b_4"),
        (("a\x1b\u202e", "NUL:"), (), "a__nul"),
    ],
)
def test_a_file_has_a_name_of_its_own(told, taken, name):
    assert file_name(told, taken) == name


def test_a_long_name_is_cut_and_stays_its_own(tmp_path):
    one, other = (file_name(("bleu_4", "quality", "codec" * 100 + end)) for end in "ab")
    assert one != other and max(len(one), len(other)) <= LONGEST
    (tmp_path / f".{one}.csv.01234567.partial").touch()
