"""What averaging promises, in closed form."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats import t as student

from semcom.metrics.crossed import quantile
from semcom.report.averaging import mean_interval
from semcom.report.tables import cell, difference_table
from semcom.report.wording import caption

numbers = st.floats(-1, 1, allow_nan=False)
lengths = st.floats(0, 0.5)


def test_one_seed_keeps_its_own_interval():
    assert mean_interval([0.6], [0.5], [0.8]) == (0.6, 0.5, 0.8)


def test_seeds_that_agree_keep_the_mean_length_of_their_intervals():
    mean, low, high = mean_interval([0.5, 0.5, 0.5], [0.4, 0.42, 0.44], [0.6, 0.6, 0.66])
    assert (mean, low, high) == pytest.approx((0.5, 0.5 - 0.08, 0.5 + 0.12))


def test_seeds_without_intervals_give_student_t():
    values = [0.4, 0.5, 0.9]
    mean, low, high = mean_interval(values, [math.nan] * 3, [math.nan] * 3)
    spread = math.sqrt(((0.4 - 0.6) ** 2 + (0.5 - 0.6) ** 2 + (0.9 - 0.6) ** 2) / 2)
    assert mean == pytest.approx(0.6)
    assert high - mean == mean - low == pytest.approx(student.ppf(0.975, 2) * spread / math.sqrt(3))


def test_both_parts_add_in_squares():
    mean, low, high = mean_interval([0.2, 0.4], [0.1, 0.3], [0.25, 0.45])
    half = student.ppf(0.975, 1) * (0.2 / math.sqrt(2)) / math.sqrt(2)
    assert mean - low == pytest.approx(math.hypot(0.1, half))
    assert high - mean == pytest.approx(math.hypot(0.05, half))


def test_a_value_outside_its_own_interval_adds_nothing_on_that_side():
    _, low, high = mean_interval([0.5, 0.5], [0.51, 0.51], [0.6, 0.6])
    assert (low, high) == pytest.approx((0.5, 0.6))


@given(st.lists(st.tuples(numbers, lengths, lengths), min_size=1, max_size=6))
def test_the_interval_holds_the_mean_and_order_does_not_matter(seeds):
    def averaged(rows):
        return mean_interval([v for v, _, _ in rows], [v - a for v, a, _ in rows], [v + b for v, _, b in rows])

    mean, low, high = averaged(seeds)
    assert low <= mean + 1e-12 and mean <= high + 1e-12
    assert averaged(seeds[::-1]) == pytest.approx((mean, low, high), abs=1e-12)


def test_seeds_meet_in_one_point_and_its_interval_stays_where_the_metric_can_be(made):
    lines = made.sweep(snrs=(-6.0, 6.0), counts=(0,), metrics=("bleu_4",), seeds=(1, 2, 3), pairs=())
    results = made.results(lines)
    assert len(results.points) == len(lines) / 3
    for point in results.points:
        values = [
            line["value"] for line in lines if (line["codec"], line["snr_db"]) == (point.system.codec, point.snr_db)
        ]
        assert point.value == pytest.approx(sum(values) / 3)
        assert point.seeds == (1, 2, 3)
        assert 0 <= point.low <= point.value <= point.high <= 1


def test_a_failed_seed_leaves_the_mean_of_the_others_and_is_counted(made):
    lines = made.sweep(snrs=(0.0, 6.0), counts=(0,), metrics=("bleu_4",), seeds=(1, 2), pairs=())
    gone = {"value": "", "low": "", "high": "", "status": "failed"}
    lines[0] = {**lines[0], **gone}
    first = made.results(lines).points[0]
    assert first.missing == ("failed",)
    assert first.seeds == (2,)
    other = next(line for line in lines if line["seed"] == 2 and line["codec"] == "teacher" and line["snr_db"] == 0.0)
    assert first.value == other["value"]


def test_differences_are_not_cut_to_the_range_of_the_metric(made):
    lines = made.sweep(snrs=(0.0, 6.0), counts=(0,), metrics=("bleu_4",), pairs=(("plain", "teacher"),))
    paired = made.results(lines).paired
    assert any(point.low < 0 for point in paired)


def test_a_run_begun_again_after_a_failure_is_its_number_alone(made):
    lines = made.sweep(snrs=(0.0, 6.0), counts=(0,), metrics=("bleu_4",), pairs=())
    gone = {**lines[0], "value": "", "low": "", "high": "", "status": "failed"}
    for both in ([gone, *lines], [*lines, gone]):
        first = made.results(both).points[0]
        assert (first.value, first.missing, first.seeds) == (lines[0]["value"], (), (11,))


def test_a_mean_rests_on_as_many_sentences_as_its_shortest_seed(made):
    for short in (0, 1):
        lines = made.sweep(snrs=(0.0, 6.0), counts=(0,), metrics=("bleu_4",), seeds=(1, 2), pairs=())
        of_first = [line for line in lines if (line["codec"], line["snr_db"]) == ("teacher", 0.0)]
        of_first[short]["count"] = 1500
        assert [point.count for point in made.results(lines).points] == [1500, *[2000] * 5]


def test_what_the_seeds_have_in_common_is_taken_with_satterthwaites_t():
    values, length = [0.4, 0.5, 0.9], 0.2
    lows, highs = [v - length for v in values], [v + length for v in values]
    among, common = student_variance(values) / 3, 0.25 * (length / norm.ppf(0.975)) ** 2
    half = quantile(among, common, 3) * math.sqrt(among + common)
    mean, low, high = mean_interval(values, lows, highs, 0.25)
    assert (low, high) == pytest.approx((mean - half, mean + half))
    wide = mean_interval(values, lows, highs)
    assert wide[1] < low and high < wide[2], "what is not known is taken to be all"


def test_nothing_in_common_is_students_t_over_seeds():
    known = mean_interval([0.4, 0.5, 0.9], [0.3, 0.4, 0.8], [0.5, 0.6, 1.0], 0.0)
    assert known == pytest.approx(mean_interval([0.4, 0.5, 0.9], [math.nan] * 3, [math.nan] * 3))


def student_variance(values):
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def test_a_table_that_tells_what_seeds_share_says_so_and_has_shorter_intervals(made):
    lines = made.sweep(snrs=(0.0, 6.0), counts=(0,), metrics=("bleu_4",), seeds=(1, 2, 3), pairs=())
    older, newer = made.results(lines), made.results([{**line, "common": 0.2} for line in lines])
    for one, other in zip(older.points, newer.points, strict=True):
        assert (one.is_crossed, other.is_crossed) == (False, True)
        assert one.low < other.low < other.value < other.high < one.high
    captions = [caption(each, each.points) for each in (older, newer)]
    assert "95 % or more" in captions[0] and "added in squares" in captions[0]
    assert "the part that all seeds have in common" in captions[1]


@pytest.mark.parametrize(
    ("metric", "value", "bound", "ends"),
    [
        ("bleu_4", 1.0, "at least", (1 + math.log(0.05) / 500, 1.0)),
        ("exact_match", 0.0, "at most", (0.0, -math.log(0.05) / 500)),
        ("word_error_rate", 0.0, "at most", (0.0, -math.log(0.05) / 500)),
        ("bleu_4", 0.0, "", (0.0, 0.0)),
        ("accuracy_of_cat", 1.0, "", (math.nan, math.nan)),
    ],
)
def test_near_an_end_an_interval_is_one_sided(made, metric, value, bound, ends):
    lines = made.sweep(snrs=(0.0,), counts=(0,), metrics=("bleu_4",), pairs=())
    told = {"metric": metric, "value": value, "low": value, "high": value, "count": 500}
    point = made.results([{**lines[0], **told}]).points[0]
    assert point.bound == bound
    assert (point.low, point.high) == pytest.approx(ends, nan_ok=True)
    if bound:
        assert cell(point) == f"{value:.3f} [{bound} {ends[0] if bound == 'at least' else ends[1]:.3f}]"


def test_nobody_is_level_without_a_margin(made):
    lines = made.sweep(snrs=(0.0, 6.0), counts=(0,), metrics=("bleu_4",), pairs=(("distilled", "plain"),))
    for line in lines:
        if line["against"]:
            line.update(value=0.001, low=-0.004, high=0.006)
    (part,) = made.results(lines).parts()
    assert "level within its ends alone (at most 0.006 here)" in difference_table(part).caption
    for line in lines:
        if line["against"]:
            line.update(value=0.005, low=0.004, high=0.006)
    (part,) = made.results(lines).parts()
    assert "level" not in difference_table(part).caption


def test_two_that_no_sentence_tells_apart_are_level_by_the_rule_of_three_alone(made):
    lines = made.sweep(snrs=(0.0, 6.0), counts=(0,), metrics=("bleu_4",), pairs=(("distilled", "plain"),))
    for line in lines:
        if line["against"]:
            line.update(value=0.0, low=0.0, high=0.0, count=500)
    for point in made.results(lines).paired:
        assert (point.low, point.high) == pytest.approx((math.log(0.025) / 500, -math.log(0.025) / 500))
