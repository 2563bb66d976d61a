"""What the summary promises: the ends of the sweep for every codec, and why a number is missing."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from semcom.making import Making
from semcom.report.summary import ablation_summary, summary_table


def shown(path, width=100, what=summary_table):
    console = Console(width=width, file=io.StringIO())
    console.print(what(path))
    return console.file.getvalue()


def words_of(text):
    return " ".join(text.split())


def test_every_codec_has_its_line(made):
    lines = made.failed(made.sweep(snrs=(0.0, 3.0, 12.0), metrics=("bleu_1", "bleu_4")), "distilled", 12.0, 4)
    text = shown(made.table(lines + made.published(("bleu_4",))))
    for each in ("teacher", "1.42 M", "distilled", "BLEU-1", "BLEU-4", "3 dB", "4 others"):
        assert each in text
    assert "failed" in text
    assert "reference" not in text, "its axis falls between our points"
    first = next(line for line in lines if (line["metric"], line["snr_db"], line["interferers"]) == ("bleu_1", 3.0, 0))
    assert f"{first['value']:.3f} \u00b1{(first['high'] - first['low']) / 2:.3f}" in text


def test_markup_in_a_name_is_shown_not_obeyed(made):
    odd = {"[red]x[/red]": made.codecs["teacher"]}
    path = made.table(made.sweep(codecs=odd, snrs=(0.0,), counts=(0,), metrics=("bleu_4",), pairs=()))
    assert "[red]x[/red]" in shown(path)


def test_published_numbers_alone_are_no_section(made):
    assert "no number" not in shown(made.table(made.published(("bleu_4",)))).lower()


@pytest.mark.parametrize(
    ("snrs", "counts", "told"),
    [
        ((0.0, 3.0, 6.0, 9.0, 12.0), (0, 4), "4 of 10 points shown (2 of 5 SNRs)"),
        ((0.0, 6.0, 12.0), (0, 1, 2, 4), "4 of 12 points shown (2 of 3 SNRs, 2 of 4 numbers of interferers)"),
        ((0.0, 3.0, 6.0, 9.0), (2,), "3 of 4 points shown (3 of 4 SNRs)"),
        ((0.0, 12.0), (0, 2, 4), "4 of 6 points shown (2 of 3 numbers of interferers)"),
        ((0.0, 12.0), (0, 4), ""),
    ],
)
def test_what_is_shown_of_what_is_told(made, snrs, counts, told):
    path = made.table(made.sweep(snrs=snrs, counts=counts, metrics=("bleu_4",), pairs=()))
    title = shown(path).splitlines()[0].rstrip()
    assert title == "BLEU-4 (corpus, 0 to 1)" + (f": {told}" if told else "")


def test_tables_and_numbers_left_to_the_files_are_told(made):
    small = {"snrs": (0.0, 12.0), "counts": (0,)}
    assert "alone" not in shown(made.table(made.sweep(**small, metrics=("bleu_4",), pairs=())))
    lines = made.sweep(**small, metrics=[f"score_{n}" for n in range(8)])
    text = shown(made.table([*lines, *made.shared(lines), *({**lines[0], "user": user} for user in ("1", "sum"))]))
    assert "6 of 8 tables shown; the others are in the folder tables" in text
    told = "In the folder tables alone: 2 of 3 users (the wanted one is shown), differences, shares of a gap"
    assert told in text


LADDER = ("distilled_1x16", "a_name_of_sixty_four_letters_and_no_more_than_that_which_is_allowed", "\u5b66\u751f" * 9)


@pytest.mark.parametrize("width", [40, 60, 79, 90])
@pytest.mark.parametrize("name", LADDER)
def test_a_narrow_terminal_shows_names_and_numbers_whole(made, width, name):
    codecs = {"teacher": made.codecs["teacher"], "plain": made.codecs["plain"], name: made.codecs["distilled"]}
    lines = made.sweep(snrs=(0.0, 6.0, 12.0), counts=(0, 4), metrics=("bleu_4",), codecs=codecs, pairs=())
    text = shown(made.table(lines), width)
    assert "\u2026" not in text, "nothing is cut"
    table = text[text.index("codec") : text.index("\u00b1 half")]
    # A name may be broken: its pieces stand one under the other at the left.
    pieces = re.findall(r"^(\S+)", table, re.MULTILINE)
    assert name in "".join(pieces) and "teacher" in pieces and "plain" in pieces
    columns = len(re.findall(r"\d\.\d{3} \u00b10\.\d{3}", table)) / 3
    assert columns == {40: 2, 60: 3, 79: 4, 90: 4}[width], "numbers, each with its whole interval"
    told = words_of(text)
    assert f"{columns:.0f} of 6 points shown" in told
    gone = {40: "role; size; 6 dB, 0 others; 6 dB, 4 others", 60: "role; size; 6 dB, 0 others", 79: "role", 90: ""}[
        width
    ]
    assert f"No room here for: {gone} \u00b1 half" in told if gone else "No room" not in told


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_a_narrow_terminal_shows_who_gained_what(made, width):
    codecs = {
        **made.codecs,
        "other": {**made.codecs["distilled"], "making": Making(methods="hidden_hints", teachers="teacher")},
    }
    pairs = (("distilled", "plain"), ("other", "plain"))
    path = made.table(made.sweep(snrs=(0.0, 6.0), counts=(0,), metrics=("bleu_4",), codecs=codecs, pairs=pairs))
    text = shown(path, width, ablation_summary)
    assert "\u2026" not in text
    head = text[: text.index("Students of one teacher. Gain")]
    for each in ("BLEU-4", "distilled", "other", "gain"):
        assert each in head
    gains = [part.split(" [")[0] for part in re.findall(r"-?\d\.\d{3} \[[^]]*\]", words_of(head))]
    assert len(gains) >= 2
    gone = {40: "method; control; share of the gap", 60: "method; share of the gap", 100: "", 200: ""}[width]
    assert words_of(head).endswith(f"No room here for: {gone}" if gone else "]") or not gone
