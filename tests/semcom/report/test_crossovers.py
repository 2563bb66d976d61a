"""Crossovers: a change of sign that both sides confirm, or plainly who leads."""

from __future__ import annotations

import dataclasses
import math

import pytest

from semcom.report import drawing
from semcom.report.crossovers import crossover_summary, crossover_table, leads_of
from semcom.report.results import DIFFERENCE, Condition, Point, Results, System

ONE, OTHER = System("learned", "codec"), System("classical", "codec")


def lead(*values: float, width: float = 0.02, metric: str = "bleu_1"):
    points = [
        Point(
            system=ONE,
            against=OTHER,
            condition=Condition(fading="none"),
            metric=metric,
            kind=DIFFERENCE,
            snr_db=3.0 * place,
            interferers=0,
            value=value,
            low=value - width,
            high=value + width,
        )
        for place, value in enumerate(values)
    ]
    (found,) = leads_of(Results(points=tuple(reversed(points)), systems=(System("first", "codec"), ONE, OTHER)))
    return found


def test_who_leads_everywhere_and_who_is_level_is_said_plainly() -> None:
    assert lead(0.1, 0.2, 0.05).said == "learned leads everywhere from 0 to 6 dB"
    assert lead(-0.1, -0.2).said == "classical leads everywhere from 0 to 3 dB"
    # Of a metric that is better low the sign means the other one.
    assert lead(0.1, 0.2, metric="word_error_rate").said == "classical leads everywhere from 0 to 3 dB"
    assert lead(0.01, -0.01, 0.0).said == "the difference holds zero everywhere from 0 to 6 dB"


def test_a_crossing_is_where_the_difference_is_zero_and_its_interval_where_that_holds_zero() -> None:
    found = lead(0.1, -0.2)
    (crossing,) = found.crossings
    assert crossing.snr_db == pytest.approx(1.0)
    assert (crossing.low, crossing.high) == pytest.approx((0.8, 1.2))
    assert found.said == "cross at 1.0 dB [0.8, 1.2]: learned leads at 0 dB; classical leads at 3 dB"
    # The other way round it is the same place.
    (turned,) = lead(-0.1, 0.2).crossings
    assert dataclasses.astuple(turned) == pytest.approx(dataclasses.astuple(crossing))


def test_a_crossing_may_lie_across_points_that_hold_zero() -> None:
    (crossing,) = lead(0.1, 0.01, -0.01, -0.1).crossings
    assert crossing.low == pytest.approx(3 * 0.08 / 0.09)
    assert crossing.snr_db == pytest.approx(4.5)
    assert crossing.high == pytest.approx(6 + 3 * 0.01 / 0.09)


def test_a_change_of_sign_that_one_side_does_not_confirm_is_none() -> None:
    found = lead(0.1, 0.05, -0.01)
    assert not found.crossings
    assert found.said == "learned leads from 0 to 3 dB; the difference holds zero at 6 dB"


def test_two_crossings_are_both_told() -> None:
    found = lead(0.1, -0.1, 0.1)
    assert [round(each.snr_db, 1) for each in found.crossings] == [1.5, 4.5]
    assert found.said.startswith("cross at 1.5 dB [1.2, 1.8] and at 4.5 dB [4.2, 4.8]: ")
    assert len(crossover_table([found]).full) == 3


def test_a_point_without_a_number_is_not_bridged() -> None:
    found = lead(0.1, math.nan, -0.1)
    (crossing,) = found.crossings
    assert (crossing.low, crossing.high, math.isnan(crossing.snr_db)) == (0.0, 6.0, True)
    assert found.said.startswith("cross between 0 and 6 dB: ")


def test_a_run_prints_them_and_keeps_a_table(finished, semcom, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(drawing, "drawings", lambda *_: iter(()))
    assert crossover_summary(finished / "results.csv") is not None
    answer = semcom("report", finished, "--out", tmp_path)
    assert answer.code == 0
    assert "Who leads, by paired differences" in answer.out
    kept = (tmp_path / "tables" / "crossovers.csv").read_text()
    assert kept.startswith("metric,codec,against,")
    assert "big,small" in kept
