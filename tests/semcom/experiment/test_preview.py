"""The plan of a scenario before anything is trained, and how long it may take."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from semcom.experiment.estimate import build_seconds, run_seconds, sweep_seconds
from semcom.experiment.preview import preview
from semcom.mistakes import UserMistake
from semcom.scenario.expand import expand
from semcom.scenario.load import find_scenario, load_scenario
from semcom.scenario.work import Sweep

RESULTS = Path(__file__).resolve().parents[3] / "scenarios" / "results"


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


@pytest.fixture
def sweep(tiny):
    """Hand out `sweep("seed=4")`: the same, expanded."""
    return lambda *changes: expand(tiny(*changes))


def seconds(sweep: Sweep) -> float:
    return sweep_seconds(sweep, set())


def seen(folder: Path) -> dict[Path, int]:
    """Files and their times; a reader of SQLite keeps two files of its own beside the store."""
    files = (path for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm")))
    return {path: path.stat().st_mtime_ns for path in files if path.is_file()}


def test_more_work_takes_longer(sweep) -> None:
    start = seconds(sweep())
    more = ("training.steps=60", "training.batch=64", "codecs.big.size=teacher", "sweep.snr_db=[0, 3, 6, 9]")
    more += ("measure.sentences=500", "measure.repeats=4", "measure.metrics=[bleu_1, similarity]", "sweep.seed=[1, 2]")
    for change in more:
        assert seconds(sweep(change)) > start, change


def test_a_student_pays_for_its_teacher(sweep) -> None:
    taught = {build.name: build_seconds(build) for build in sweep("sweep.codec=[small, plain]").builds}
    assert taught["small"] > taught["plain"]


def test_an_estimate_is_within_a_factor_of_two_of_what_was_measured() -> None:
    """The committed run of quickstart took place on one core, and says how long each part of it took."""
    scenario = load_scenario(find_scenario("quickstart"))[0]
    took = json.loads((RESULTS / "quickstart" / "record.json").read_text(encoding="utf-8"))
    trained = {identity: each["record"]["seconds"] for identity, each in took["builds"].items()}
    expanded = expand(scenario)
    for build in expanded.builds:
        assert 0.5 < build_seconds(build) / trained[build.identity] < 2, build.name
    measured = sum(each["record"]["seconds"] for each in took["runs"].values())
    assert 0.5 < sum(map(run_seconds, expanded.runs)) / measured < 2
    assert 0.5 < seconds(expanded) / took["seconds"]["this call"] < 2


def test_steps_are_proportional_to_time(sweep) -> None:
    one, ten = (build_seconds(sweep(f"training.steps={steps}").builds[0]) for steps in (100, 1000))
    assert ten == pytest.approx(10 * one)


def test_what_is_done_takes_no_time(sweep) -> None:
    whole = sweep()
    done = {each.identity for each in (*whole.builds, *whole.runs)}
    assert sweep_seconds(whole, done) == 0.0
    last = whole.runs[-1]
    assert sweep_seconds(whole, done - {last.identity}) == run_seconds(last)


def test_runs_that_are_one_are_counted_once(sweep) -> None:
    one = sweep("sweep.codec=[plain]")
    two = sweep("codecs.twin={size: tiny, symbols_per_token: 2}", "sweep.codec=[plain, twin]")
    assert seconds(two) == seconds(one)


def test_a_plan_says_what_will_be_done(tiny, tmp_path) -> None:
    scenario = tiny("codecs.again={size: tiny, symbols_per_token: 2, start: plain}", "sweep.codec=[big, small, again]")
    text = preview(scenario, tmp_path / "out")
    lines = {line.split()[1]: line for line in text.splitlines() if line.startswith("  ") and "steps" in line}
    assert text.startswith("tiny: Does the whole chain hold, from text to table?\n")
    assert "4 codecs (4 to train)" in text
    assert list(lines) == ["big", "small", "plain", "again"]
    assert "soft_logits+symbols, taught by big, 6 steps, seed 3" in lines["small"]
    assert "begun from plain" in lines["again"]
    assert re.search(r"18 points \(18 to measure\), 3 metrics each, on \d+ of \d+ test sentences\n", text)
    assert "snr_db        0, 6, 12" in text
    assert "interferers   0, 2" in text
    assert "interference  neighbors" in text
    assert "points        big 6, small 6, again 6" in text
    assert not (tmp_path / "out").exists(), "looking changes nothing"


def test_a_plan_knows_what_is_done(tiny, finished) -> None:
    before = seen(finished)
    text = preview(tiny(), finished)
    assert "2 codecs (0 to train)" in text
    assert "12 points (0 to measure)" in text
    assert "about 0s of one core to go" in text
    assert text.count("[done]") == 2
    more = preview(tiny("sweep.snr_db=[0, 6, 12, 15]", "sweep.codec=[big, small, plain]"), finished)
    assert "3 codecs (1 to train)" in more
    assert "24 points (12 to measure)" in more
    assert seen(finished) == before


def test_a_text_file_is_read_before_it_is_too_late(tiny, tmp_path, made_up) -> None:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(made_up(100)))
    with pytest.raises(UserMistake, match="at least 10 test sentences"):
        preview(tiny(f"corpus.path={path}", "sweep.interferers=9"), tmp_path / "out")
