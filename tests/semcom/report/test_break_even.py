"""Figures by size: break-even by hand, what is drawn of a table of costs, and what is left out without one."""

from __future__ import annotations

import csv
import itertools
import math
from dataclasses import replace

import pytest

from semcom.making import Making
from semcom.mistakes import UserMistake
from semcom.report import break_even, gaps, sizes
from semcom.report.break_even import break_even_size, marks
from semcom.report.costs import NAMES, Costs, by_codec, read_costs
from semcom.report.drawing import report
from semcom.report.figures import FIGURES
from semcom.report.sizing import bodies, families_of, varied_side

SMALL = {"snrs": (0.0, 9.0), "counts": (0, 2), "metrics": ("bleu_4",)}
UNDER = Making(adopted="transmitter", donor="teacher")
LADDER = {"1x16": 5_000, "1x32": 15_000, "2x32": 30_000, "2x64": 90_000}


def ladder():
    """A teacher, and plain and distilled receivers of four sizes under its transmitter."""
    codecs = {"teacher": {"role": "teacher", "making": Making(), "parameters": 500_000, "skill": 0.0}}
    for place, (shape, parameters) in enumerate(LADDER.items()):
        for name, role, making, more in (
            ("plain", "control", UNDER, 0.0),
            ("distilled", "student", replace(UNDER, methods="soft_logits", teachers="teacher"), 0.6),
        ):
            about = {"role": role, "making": making, "skill": place - 5.0 + more}
            codecs[f"{name}_{shape}"] = {**about, "parameters": 250_000 + parameters}
    return codecs


def costs(codecs):
    """What a run would tell: the receiver's part is what is small."""
    found = {}
    for name, about in codecs.items():
        receiver = float(int(about["parameters"]) - 250_000)
        found[name] = Costs(
            transmitter_body_parameters=200_000.0,
            receiver_body_parameters=receiver,
            multiply_adds=200_000 + receiver,
            transmitter_multiply_adds=200_000.0,
            receiver_multiply_adds=receiver,
            latency_ms=1 + receiver / 1e5,
            latency_low_ms=0.9 + receiver / 1e5,
            latency_high_ms=1.3 + receiver / 1e5,
        )
    return found


def test_a_crowd_and_an_snr_that_nobody_met_together_have_no_panel(made):
    codecs = ladder()
    pairs = [("teacher", name) for name in codecs if name != "teacher"]
    lines = made.sweep(**SMALL, codecs=codecs, pairs=pairs)
    for name in codecs:
        lines = made.failed(lines, name, 0.0, 2)
    part = replace(made.part(lines), costs=costs(codecs))
    for draw in FIGURES:
        draw(part)
    assert len(sizes.against_parameters(part).axes) == 3


@pytest.fixture
def part(made):
    codecs = ladder()
    pairs = [("teacher", name) for name in codecs if name != "teacher"]
    return replace(made.part(made.sweep(**SMALL, codecs=codecs, pairs=pairs)), costs=costs(codecs))


def words_in(figure):
    return " ".join(" ".join(text.get_text() for text in figure.texts).split()).replace("\u2212", "-")


def test_half_way_on_the_logarithm() -> None:
    """From 100 at 0.2 to 10000 at 0.6: a score of 0.4 is half way, and half way from 100 to 10000 is 1000."""
    assert break_even_size([10_000, 100], [0.6, 0.2], 0.4) == pytest.approx(1000)
    assert break_even_size([100, 10_000], [0.2, 0.6], 0.3) == pytest.approx(100 * 100**0.25)
    assert break_even_size([100, 10_000], [0.2, 0.6], 0.6) == pytest.approx(10_000)


@pytest.mark.parametrize("target", [0.2, 0.1, 0.61])
def test_what_is_not_bracketed_has_no_break_even(target: float) -> None:
    assert break_even_size([100, 10_000], [0.2, 0.6], target) is None


def test_the_first_rise_counts_where_a_curve_turns() -> None:
    sizes_, scores = [1, 10, 100, 1000], [0.1, 0.5, 0.3, 0.9]
    assert break_even_size(sizes_, scores, 0.4) == pytest.approx(10**0.75)
    assert break_even_size(sizes_, scores, 0.6) == pytest.approx(100 * 10**0.5)
    assert break_even_size([1, 10, 100], [0.5, 0.1, 0.9], 0.4) is None, "the smallest has it already"


def test_sizes_without_a_score_are_passed_over() -> None:
    assert break_even_size([1, 10, 100], [0.0, math.nan, 1.0], 0.5) == pytest.approx(10)
    assert break_even_size([], [], 0.5) is None
    assert break_even_size([1], [math.nan], 0.5) is None


def test_a_rise_within_its_errors_is_none() -> None:
    assert break_even_size([100, 10_000], [0.2, 0.6], 0.4, [0.1, 0.15]) == pytest.approx(1000)
    assert break_even_size([100, 10_000], [0.2, 0.6], 0.4, [0.25, 0.15]) is None
    assert break_even_size([100, 10_000], [0.2, 0.6], 0.5, [0.1, 0.15]) is None, (
        "as good as the larger, so perhaps larger"
    )
    # A later rise is no answer to whether the first one was real.
    assert break_even_size([1, 10, 100, 1000], [0.2, 0.6, 0.1, 0.9], 0.4, [0.3, 0.3, 0.0, 0.0]) is None


def test_a_plateau_has_no_marks(part) -> None:
    own = bodies(part)
    here = [point for point in part.absolute if (point.snr_db, point.interferers) == (9.0, 0)]
    students, controls = ([p for p in here if p.system.codec.startswith(name)] for name in ("distilled", "plain"))
    wide = [replace(p, low=p.value - 0.5, high=p.value + 0.5) for p in controls]
    assert marks(students, controls, own) and not marks(students, wide, own)
    without = [replace(p, low=math.nan, high=math.nan) for p in controls]
    assert marks(students, without, own) == marks(students, controls, own)


def test_marks_are_of_students_that_a_control_can_reach(part) -> None:
    own = bodies(part)
    here = [point for point in part.absolute if (point.snr_db, point.interferers) == (9.0, 0)]
    students, controls = ([p for p in here if p.system.codec.startswith(name)] for name in ("distilled", "plain"))
    found = marks(students, controls, own)
    assert [mark.size for mark in found] == [5_000, 15_000, 30_000], "no control says as much as the largest student"
    for mark in found:
        above = [p for p in controls if own[p.system] >= mark.needed]
        assert mark.needed > mark.size
        assert min(p.value for p in above) >= mark.score


def test_an_error_rate_breaks_even_downwards(part) -> None:
    own = bodies(part)
    here = [replace(p, metric="word_error_rate", value=1 - p.value) for p in part.absolute if p.snr_db == 9.0]
    students, controls = (
        [p for p in here if p.system.codec.startswith(n) and not p.interferers] for n in ("dist", "plain")
    )
    assert [mark.size for mark in marks(students, controls, own)] == [5_000, 15_000, 30_000]


def test_the_side_that_varies_gives_the_axis(part, made) -> None:
    assert varied_side(part) == "receiver"
    assert min(bodies(part).values()) == 5_000
    figure = break_even.break_even(part)
    assert figure.get_supxlabel() == "Body parameters, without embeddings, of the receiver (log scale)"
    without = replace(part, costs={})
    assert varied_side(without) == "both"
    assert min(bodies(without).values()) == int(0.6 * 255_000)
    assert break_even.break_even(without).get_supxlabel().endswith("of transmitter and receiver (log scale)")
    assert varied_side(made.part(made.sweep(**SMALL))) == "both"


def test_break_even_is_drawn_and_told(part) -> None:
    figure = break_even.break_even(part)
    clear = next(
        axes for axes in figure.axes if "9" in axes.get_title(loc="left") and "SINR" not in axes.get_title(loc="left")
    )
    told = [text.get_text() for text in clear.texts]
    assert len(told) == 3, "one for each student that the control can reach"
    assert all(each.startswith("\u00d7") and float(each[1:]) > 1 for each in told)
    said = words_in(figure)
    assert "SNR is the wanted user's mean received power over the receiver's noise power, per complex symbol" in said
    assert "Break-even: dotted" in said
    titles = [axes.get_title(loc="left").replace("\u00a0", " ") for axes in figure.axes]
    assert titles[0] == "SNR 0 dB, no interferers"
    assert "(SINR" in titles[-1]
    legend = [" ".join(text.get_text().split()) for text in figure.legends[0].get_texts()]
    assert "distilled (student, soft_logits, transmitter adopted, 5 k to 90 k)" in legend
    assert "teacher (teacher, trained, 250 k)" in legend
    assert "break-even" in legend


def test_no_number_of_a_break_even_covers_another_and_each_has_its_controls_color(made) -> None:
    # Three controls that nearly agree put all their crosses in one place.
    codecs = ladder()
    for more, name in ((0.02, "longer"), (0.04, "longest")):
        for shape in LADDER:
            about = codecs[f"plain_{shape}"]
            codecs[f"{name}_{shape}"] = {**about, "skill": about["skill"] + more}
    part = made.part(made.sweep(**SMALL, codecs=codecs, pairs=()))
    exact = tuple(replace(point, low=point.value, high=point.value) for point in part.points)
    figure = break_even.break_even(replace(part, points=exact, costs=costs(codecs)))
    figure.canvas.draw()
    for axes in figure.axes:
        numbers = [text for text in axes.texts if text.get_text().startswith("\u00d7")]
        boxes = [text.get_window_extent() for text in numbers]
        assert len({text.get_color() for text in numbers}) >= 2
        assert len(boxes) > 3
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_the_gap_by_size_has_every_line_under_its_teacher(part) -> None:
    figure = gaps.gap_to_teacher_against_parameters(part)
    lines = {str(each.get_label()): each for each in figure.axes[0].lines if not str(each.get_label()).startswith("_")}
    assert set(lines) == {
        "teacher minus distilled, student, soft_logits, transmitter adopted",
        "teacher minus plain, control, trained, transmitter adopted",
    }
    assert all(list(line.get_xdata()) == list(LADDER.values()) for line in lines.values())
    clear = [each for each in figure.axes[1].lines if not str(each.get_label()).startswith("_")]
    assert len(clear) == 2
    for line in clear:
        assert line.get_ydata()[0] > line.get_ydata()[-1], "larger codecs are nearer"


def test_arithmetic_is_of_the_side_that_varies_and_time_of_both(part) -> None:
    figure = sizes.against_multiply_adds(part)
    assert figure.get_supxlabel().startswith("Multiply-adds per token of the receiver")
    whole = replace(part, systems=tuple(replace(each, adopted="") for each in part.systems))
    assert varied_side(whole) == "both"
    figure = sizes.against_latency(part)
    assert "[ms]" in figure.get_supxlabel()
    (line,) = [each for each in figure.axes[0].lines if "distilled" in str(each.get_label())]
    assert len(line.get_xdata()) == 4


def test_without_costs_there_is_neither_arithmetic_nor_time(part) -> None:
    without = replace(part, costs={})
    assert sizes.against_multiply_adds(without) is None
    assert sizes.against_latency(without) is None


def test_two_sizes_make_no_figure_by_size(made) -> None:
    part = made.part(made.sweep(**SMALL))
    by_size = (break_even.break_even, gaps.gap_to_teacher_against_parameters, sizes.against_multiply_adds)
    assert [draw(replace(part, costs=costs(made.codecs))) for draw in (*by_size, sizes.against_latency)] == [None] * 4


def test_families_are_told_apart_by_the_name_before_the_shape(made) -> None:
    codecs = ladder() | {
        f"longer_{shape}": {**about, "skill": 0.0} for shape in LADDER for about in (ladder()[f"plain_{shape}"],)
    }
    part = made.part(made.sweep(**SMALL, codecs=codecs, pairs=()))
    stems = {family.stem for family in families_of(part).values()}
    assert stems == {"", "plain", "distilled", "longer"}


def test_meaning_per_symbol_divides_by_symbols_per_word(made) -> None:
    codecs = {
        f"at_{rate}": {**made.codecs["distilled"], "symbols_per_token": rate, "skill": rate / 4} for rate in (2, 4, 8)
    }
    part = made.part(made.sweep(**{**SMALL, "counts": (0,)}, codecs=codecs, pairs=()))
    figure = sizes.meaning_per_symbol(part)
    (line,) = figure.axes[0].lines
    expected = [
        point.value / (1.31 * rate)
        for rate in (2, 4, 8)
        for point in part.absolute
        if point.system.codec == f"at_{rate}" and point.snr_db == 0.0
    ]
    assert list(line.get_ydata()) == pytest.approx(expected)
    assert list(line.get_xdata()) == pytest.approx([1.31 * rate / 1.04**0.5 for rate in (2, 4, 8)])
    assert " ".join(figure.get_supylabel().split()) == "BLEU-4 per complex symbol per word"
    assert figure.axes[0].get_ylim()[1] > max(expected)


def test_meaning_per_symbol_needs_three_rates_and_a_score_that_rises(made) -> None:
    codecs = {f"at_{rate}": {**made.codecs["distilled"], "symbols_per_token": rate} for rate in (2, 4, 8)}
    assert sizes.meaning_per_symbol(made.part(made.sweep(**SMALL))) is None
    errors = made.part(made.sweep(**{**SMALL, "metrics": ("word_error_rate",)}, codecs=codecs, pairs=()))
    assert sizes.meaning_per_symbol(errors) is None


# The table of costs


def write(folder, rows):
    with (folder / "costs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["codec", "seed", *NAMES, "of a later version"])
        writer.writeheader()
        writer.writerows(rows)


def test_costs_are_read_by_name_and_an_absent_file_is_none(tmp_path) -> None:
    assert read_costs(tmp_path) == {}
    write(tmp_path, [{"codec": "one", "seed": 3, "latency_ms": 1.5}, {"codec": "one", "seed": 4, "latency_ms": ""}])
    assert read_costs(tmp_path) == {("one", 3): Costs(latency_ms=1.5), ("one", 4): Costs()}


def test_seeds_are_brought_together_by_the_median() -> None:
    seeds = {("one", seed): Costs(latency_ms=value) for seed, value in enumerate((1.0, 2.0, 90.0, None))}
    assert by_codec(seeds) == {"one": Costs(latency_ms=2.0)}


@pytest.mark.parametrize("cell", ["fast", "-1", "nan", "inf"])
def test_a_damaged_table_is_told_of(tmp_path, cell: str) -> None:
    write(tmp_path, [{"codec": "one", "seed": 3, "latency_ms": cell}])
    with pytest.raises(UserMistake, match=r"costs\.csv must be the table of costs that a run writes"):
        read_costs(tmp_path)


def test_a_report_draws_from_both_tables(made, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("semcom.report.drawing.FORMATS", {"svg": {"Date": None}})
    codecs = ladder()
    table = made.table(made.sweep(**{**SMALL, "snrs": (0.0,), "counts": (0,)}, codecs=codecs, pairs=()))
    rows = [{"codec": name, "seed": 11, **vars(each)} for name, each in costs(codecs).items()]
    names = {path.name.split("__")[1] for path in report(table, tmp_path / "without") if path.suffix == ".svg"}
    write(table.parent, rows)
    more = {path.name.split("__")[1] for path in report(table, tmp_path / "with") if path.suffix == ".svg"}
    assert {each.split(".")[0] for each in more - names} == {"against_multiply_adds", "against_latency"}
    assert {draw.__name__ for draw in FIGURES} >= {each.split(".")[0] for each in more}


def test_a_smallest_size_that_has_the_score_already_brackets_nothing() -> None:
    assert break_even_size([1, 10, 100], [0.5, 0.1, 0.9], 0.5) is None


def test_a_control_that_sends_more_symbols_is_no_measure_of_a_student(made) -> None:
    codecs = {
        name: {**about, "symbols_per_token": 8} if about["role"] == "control" else about
        for name, about in ladder().items()
    }
    for those, marked in ((ladder(), True), (codecs, False)):
        drawn = replace(made.part(made.sweep(**SMALL, codecs=those, pairs=())), costs=costs(those))
        crosses = [
            line for axes in break_even.break_even(drawn).axes for line in axes.lines if line.get_marker() == "x"
        ]
        assert bool(crosses) == marked


def test_latency_is_drawn_from_quartile_to_quartile(part) -> None:
    for axes in sizes.against_latency(part).axes:
        bars = [
            segment[:, 0] for drawn in axes.collections for segment in drawn.get_segments()
            if segment[0, 1] == segment[1, 1]
        ]  # fmt: skip
        # Families are set slightly apart, which no ratio of two ends shows.
        found = sorted(left / right for left, right in bars)
        told = part.costs.values()
        assert found == pytest.approx(sorted(each.latency_low_ms / each.latency_high_ms for each in told))
