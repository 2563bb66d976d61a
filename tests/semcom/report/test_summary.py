"""What the summary promises: the ends of the sweep for every codec, and why a number is missing."""

from __future__ import annotations

import io

from rich.console import Console

from semcom.report.summary import summary_table


def shown(path, width=100):
    console = Console(width=width, file=io.StringIO())
    console.print(summary_table(path))
    return console.file.getvalue()


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
