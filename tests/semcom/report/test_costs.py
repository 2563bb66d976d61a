"""Training costs: read by the names of columns, compared like with like."""

from __future__ import annotations

import math

import pytest

from semcom.mistakes import UserMistake
from semcom.report.costs import Cost, read_costs, time_ratio

TABLE = """\
codec,role,seed,parameters,steps,step_ms,train_seconds,latency_ms
plain,control,1,10,100,20,9,
plain,control,2,10,100,40,9,
distilled,student,1,10,100,60,9,
distilled,student,2,10,200,60,9,
distilled,student,3,10,100,9000,9,
"""


def written(tmp_path, text):
    path = tmp_path / "costs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_found_by_name_wherever_they_stand(tmp_path):
    costs = read_costs(written(tmp_path, TABLE))
    assert len(costs) == 5
    assert costs[0] == Cost(codec="plain", seed=1.0, steps=100.0, step_ms=20.0, train_seconds=9.0)
    lines = [",".join(reversed(line.split(","))) for line in TABLE.splitlines()]
    assert read_costs(written(tmp_path, "\n".join(lines))) == costs


def test_a_ratio_is_of_mean_steps_times_their_time_over_the_seeds_of_both(tmp_path):
    costs = read_costs(written(tmp_path, TABLE))
    assert time_ratio(costs, "distilled", "plain") == pytest.approx((6000 + 12000) / (2000 + 4000))
    assert math.isnan(time_ratio(costs, "distilled", "teacher"))


def test_whole_times_stand_in_for_both_where_one_was_not_timed():
    costs = [Cost("a", 1, 100, 20.0, 30.0), Cost("b", 1, 100, math.nan, 10.0)]
    assert time_ratio(costs, "a", "b") == 3.0
    assert math.isnan(time_ratio([Cost("a", 1, 100, 20.0), Cost("b", 1, 100)], "a", "b"))


def test_no_file_is_no_costs(tmp_path):
    assert read_costs(tmp_path / "costs.csv") == ()


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(UserMistake, match=r"costs\.csv:1: must have a column named codec"):
        read_costs(written(tmp_path, "a,b\n1,2\n"))
    with pytest.raises(UserMistake, match=r"costs\.csv:2: step_ms must be a number or empty, got 'x'"):
        read_costs(written(tmp_path, "codec,step_ms\nplain,x\n"))
    (tmp_path / "costs.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(UserMistake, match="must be a readable UTF-8 file"):
        read_costs(tmp_path / "costs.csv")
