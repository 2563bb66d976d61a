"""Kinds of interference beside each other: a line per kind at equal power, a picture per codec, none for one kind."""

from __future__ import annotations

import pytest

from semcom.report.gaps_by_kind import gains_by_kind
from semcom.report.kinds import kinds_against_level
from semcom.report.results import DIFFERENCE

SMALL = {"snrs": (6.0,), "counts": (0, 1), "metrics": ("bleu_4",), "pairs": (("distilled", "plain"),)}
LEVELS = (-9.0, -3.0)


@pytest.fixture
def kinds(made):
    """Hand out `kinds("qam(fading=rayleigh)", "tone")`: every codec among each kind at two levels."""

    def sweep(*names, levels=LEVELS):
        rows = [
            {**row, "interference": name if row["interferers"] else "none", "run_id": f"{row['run_id']}{name}{level}"}
            for name in names
            for level in levels
            for row in made.sweep(**SMALL, level_db=level)
            if row["interferers"] or (name, level) == (names[0], levels[0])
        ]
        return made.results(rows)

    return sweep


def test_a_line_per_kind_with_the_tables_numbers_and_a_picture_per_codec(kinds):
    results = kinds("neighbors(fading=rayleigh)", "qam(fading=rayleigh)")
    parts = results.kinds()
    assert [part.distinction for part in parts] == [(f"wanted codec {each.codec}",) for each in results.systems], (
        "one picture a codec"
    )
    for part in parts:
        figure = kinds_against_level(part)
        (axes,) = figure.axes
        lines = {line.get_label(): line for line in axes.lines if not str(line.get_label()).startswith("_")}
        assert set(lines) == {"neighbors", "qam"}
        for name, line in lines.items():
            points = [p for p in part.points if p.condition.interference.startswith(name)]
            assert list(line.get_xdata()) == list(LEVELS)
            assert list(line.get_ydata()) == [p.value for p in sorted(points, key=lambda p: p.level)]
        said = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
        assert part.points[0].system.codec in said and "SNR is the wanted user's mean received power" in said


def test_kinds_of_one_name_are_told_apart_by_the_rest(kinds):
    part = kinds("qam(fading=rayleigh)", "qam(fading=none)").kinds()[0]
    labels = [text.get_text() for text in kinds_against_level(part).legends[0].get_texts()]
    assert labels == ["qam(fading=rayleigh)", "qam(fading=none)"]


def test_one_kind_or_one_level_is_no_comparison(kinds):
    assert kinds("qam").kinds() == ()
    (first, *_) = kinds("qam", "tone", levels=(-6.0,)).kinds()
    assert kinds_against_level(first) is None


def test_differences_of_all_kinds_stand_in_one_picture(kinds):
    (part,) = kinds("neighbors(fading=rayleigh)", "qam(fading=rayleigh)").kinds(DIFFERENCE)
    figure = gains_by_kind(part)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["neighbors", "qam"]
    for level, axes in zip(LEVELS, figure.axes, strict=True):
        drawn = {line.get_xdata()[0] for line in axes.lines if not str(line.get_label()).startswith("_")}
        assert drawn == {point.value for point in part.points if point.level == (level,)}
    assert "Right of zero the first of the two is better" in figure.texts[1].get_text().replace("\n", " ")


def test_differences_under_one_kind_are_no_picture_by_kind(kinds):
    assert kinds("qam").kinds(DIFFERENCE) == ()
