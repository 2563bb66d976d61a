"""What averaging promises, in closed form."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from semcom.report.averaging import mean_interval

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
