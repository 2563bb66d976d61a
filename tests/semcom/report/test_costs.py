"""Training costs: compared like with like."""

from __future__ import annotations

import math

import pytest

from semcom.report.costs import Costs, read_costs, time_ratio

TABLE = """\
codec,role,seed,parameters,steps,step_ms,train_seconds,latency_ms
plain,control,1,10,100,20,9,
plain,control,2,10,100,40,9,
distilled,student,1,10,100,60,9,
distilled,student,2,10,200,60,9,
distilled,student,3,10,100,9000,9,
"""


def written(tmp_path, text):
    (tmp_path / "costs.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_columns_are_found_by_name_wherever_they_stand(tmp_path):
    costs = read_costs(written(tmp_path, TABLE))
    assert len(costs) == 5
    assert costs["plain", 1] == Costs(steps=100.0, step_ms=20.0)
    lines = [",".join(reversed(line.split(","))) for line in TABLE.splitlines()]
    assert read_costs(written(tmp_path, "\n".join(lines))) == costs


def test_a_ratio_is_of_mean_steps_times_their_time_over_the_seeds_of_both(tmp_path):
    costs = read_costs(written(tmp_path, TABLE))
    assert time_ratio(costs, "distilled", "plain") == pytest.approx((6000 + 12000) / (2000 + 4000))
    assert math.isnan(time_ratio(costs, "distilled", "teacher"))


def test_a_step_that_was_not_timed_has_no_ratio():
    one, other = Costs(steps=100.0, step_ms=20.0), Costs(steps=100.0)
    assert math.isnan(time_ratio({("a", 1): one, ("b", 1): other}, "a", "b")), "wall times are of whatever else ran"
