"""What shares of a gap promise: they are drawn where there is a gap, and marked where nothing bounds them."""

from __future__ import annotations

import math

import pytest
from matplotlib.collections import LineCollection, PolyCollection

from semcom.report.shares import MEANING, closed_shares, is_behind, share_against_interferers, share_against_snr
from semcom.report.tables import share_table, to_csv

SMALL = {"snrs": (3.0, 6.0, 9.0), "counts": (0, 1), "metrics": ("bleu_4",)}
UNBOUNDED = {"low": -math.inf, "high": math.inf}


def lines_of(made, **changes):
    """A table with shares; the row at 3 dB without interferers may be changed."""
    lines = made.sweep(**SMALL, seeds=(1, 2, 3))
    shares = made.shared(lines)
    changed = [{**row, **changes} if (row["snr_db"], row["interferers"]) == (3.0, 0) else row for row in shares]
    return lines + changed


def words_in(figure):
    text = " ".join(text.get_text() for text in figure.texts)
    return " ".join(text.split()).replace("\u2212", "-").replace("\u00a0", " ")


def marks_in(axes):
    """What is drawn besides the two levels and the line: markers alone, each with its place."""
    return [
        (line.get_marker(), line.get_xdata()[0], round(float(line.get_ydata()[0]), 6), line.get_markerfacecolor())
        for line in axes.lines
        if line.get_linestyle() == "None"
    ]


def test_shares_are_no_differences_and_no_values_of_their_own(made):
    results = made.results(lines_of(made))
    assert len(results.shares) == 6
    assert all(point.gap_to.codec == "teacher" and point.against.codec == "plain" for point in results.shares)
    assert not [point for point in (*results.absolute, *results.paired) if point.gap_to]
    assert {point.seeds for point in results.shares} == {(1, 2, 3)}


def test_a_share_row_counts_for_nothing_but_its_share(made):
    """What a codec is, such as its bytes, is told by its own rows alone."""
    lines = lines_of(made, size_bytes=1)
    assert made.results(lines).systems == made.results(made.sweep(**SMALL, seeds=(1, 2, 3))).systems


def test_a_figure_against_snr_has_a_line_between_control_and_teacher(made):
    figure = share_against_snr(made.part(lines_of(made)))
    assert len(figure.axes) == 2
    for axes in figure.axes:
        levels = [line.get_ydata()[0] for line in axes.lines if len(set(line.get_ydata())) == 1]
        assert {0.0, 1.0} <= set(levels)
        assert marks_in(axes) == []
    (text,) = figure.legends[0].get_texts()
    assert (
        " ".join(text.get_text().split()) == "distilled (student, soft_logits+symbols, 0.38 M), from plain to teacher"
    )
    said = words_in(figure)
    assert said.startswith("Share of the gap to the teacher closed in BLEU-4 against SNR")
    assert MEANING in said
    assert "SNR is the wanted user's mean received power over the receiver's noise power" in said
    assert "over sentences and 3 seeds, whose spread is that of Student's t" in said
    assert "seeds: 1, 2, 3" in said


def test_against_interferers_there_is_a_panel_per_snr(made):
    figure = share_against_interferers(made.part(lines_of(made)))
    names = [axes.get_title(loc="left").replace("\u00a0", " ") for axes in figure.axes]
    assert names == ["SNR 3 dB", "SNR 6 dB", "SNR 9 dB"]
    assert figure.get_supxlabel().startswith("Number of interferers")


def test_what_nothing_bounds_is_hollow_and_joined_to_nothing(made):
    part = made.part(lines_of(made, value=0.4, **UNBOUNDED))
    figure = share_against_snr(part)
    assert marks_in(figure.axes[0]) == [("o", 3.0, 0.4, "white")]
    assert marks_in(figure.axes[1]) == []
    line = next(line for line in figure.axes[0].lines if str(line.get_label()).startswith("distilled"))
    assert [math.isnan(each) for each in line.get_ydata()] == [True, False, False]
    assert "Hollow: the gap itself may be zero" in words_in(figure)
    table = share_table(part)
    assert [row[-1] for row in table.rows if row[:2] == ("0", "3")] == ["0.400 [unbounded]"]
    assert ",0.4,-inf,inf," in to_csv(table)


@pytest.mark.parametrize(("value", "marker"), [(7.0, "^"), (-7.0, "v")])
def test_what_lies_far_out_is_marked_at_the_edge(made, value, marker):
    figure = share_against_snr(made.part(lines_of(made, value=value, **UNBOUNDED)))
    ((found, x, y, _),) = marks_in(figure.axes[0])
    bottom, top = figure.axes[0].get_ylim()
    assert (found, x) == (marker, 3.0)
    assert bottom < y < top and bottom >= -0.6 and top <= 1.6
    assert "riangles at an edge: beyond it" in words_in(figure)


def test_where_the_teacher_is_not_ahead_there_is_no_share(made):
    lines = [
        {**row, "value": 0.01}
        if (row["codec"], row["against"], row["snr_db"], row["interferers"]) == ("teacher", "", 3.0, 0)
        else row
        for row in lines_of(made, value=0.9)
    ]
    part = made.part(lines)
    (point,) = [point for point in closed_shares(part) if not point.is_measured]
    assert (point.snr_db, point.interferers, point.missing) == (3.0, 0, ("no gap",))
    figure = share_against_snr(part)
    assert [mark[0] for mark in marks_in(figure.axes[0])] == ["x"]
    assert "the teacher's mean is not ahead of the control's" in words_in(figure)
    assert "Not measured" not in words_in(figure)
    table = share_table(part)
    assert [row[-1] for row in table.rows if row[:2] == ("0", "3")] == ["no gap"]
    assert "No gap: the teacher's mean is not ahead of the control's there." in table.caption


def test_a_crowd_in_which_there_is_no_gap_at_all_keeps_its_panel(made):
    lines = [
        {**row, "value": 0.01} if (row["codec"], row["against"], row["interferers"]) == ("teacher", "", 1) else row
        for row in lines_of(made)
    ]
    none, some = share_against_snr(made.part(lines)).axes[::-1]
    assert [mark[0] for mark in marks_in(none)] == ["x"] * 3
    assert not marks_in(some)


def test_less_is_better_for_an_error_rate(made):
    lines = [{**row, "metric": "word_error_rate"} for row in lines_of(made)]
    assert not any(point.is_measured for point in closed_shares(made.part(lines))), "the teacher errs more here"


def test_a_share_that_was_not_measured_is_a_gap_and_no_finding(made):
    gone = {"value": "", "low": "", "high": "", "count": "", "status": "skipped"}
    figure = share_against_snr(made.part(lines_of(made, **gone)))
    assert marks_in(figure.axes[0]) == []
    assert "Not measured, left as gaps: 1 skipped" in words_in(figure)


def test_several_gaps_of_a_student_are_told_apart(made):
    lines = made.sweep(**SMALL)
    longer = [{**row, "codec": "longer"} for row in lines if row["codec"] == "plain" and not row["against"]]
    lines += longer
    part = made.part(lines + made.shared(lines) + made.shared(lines, control="longer"))
    figure = share_against_snr(part)
    drawn = [line for line in figure.axes[0].lines if str(line.get_label()).startswith("distilled")]
    assert len({(line.get_marker(), line.get_linestyle()) for line in drawn}) == 2
    assert len({line.get_color() for line in drawn}) == 1
    assert share_table(part).header[-2:] == ("distilled, plain to teacher", "distilled, longer to teacher")


def test_more_bands_than_can_be_told_apart_are_bars_side_by_side_at_one_place(made):
    lines = made.sweep(**SMALL)
    plain = [row for row in lines if row["codec"] == "plain" and not row["against"]]
    names = ("longer", "longest", "more")
    lines += [{**row, "codec": name} for name in names for row in plain]

    def with_controls(count):
        return made.part(
            lines + [row for name in ("plain", *names)[:count] for row in made.shared(lines, control=name)]
        )

    middle, many = "What stands side by side belongs to the tick in its middle", with_controls(4)
    assert middle not in words_in(share_against_snr(with_controls(3)))
    for draw, at in ((share_against_snr, "snr_db"), (share_against_interferers, "interferers")):
        figure = draw(many)
        assert middle in words_in(figure)
        axes = figure.axes[0]
        drawn = [line.get_xdata() for line in axes.lines if str(line.get_label()).startswith("distilled")]
        places = sorted({getattr(point, at) for point in many.shares})
        for x, place in zip(zip(*drawn, strict=True), places, strict=True):
            assert len(set(x)) == 4
            assert sum(x) / 4 == pytest.approx(place)
            assert max(x) - min(x) < 0.6 * (places[1] - places[0])
        assert not any(isinstance(each, PolyCollection) for each in axes.collections), "no bands"
        assert any(isinstance(each, LineCollection) for each in axes.collections), "but bars"


def test_without_shares_there_is_nothing(made):
    part = made.part(made.sweep(**SMALL))
    assert (share_against_snr(part), share_against_interferers(part), share_table(part)) == (None, None, None)


def test_a_teacher_that_is_just_as_good_is_not_ahead():
    for metric in ("bleu_4", "word_error_rate"):
        assert is_behind(metric, 0.0)
        assert not is_behind(metric, math.nan)
