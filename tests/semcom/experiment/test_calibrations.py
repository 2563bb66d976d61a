"""Calibration: what a run keeps of how sure its receivers were, told in a table and drawn; off unless asked for."""

from __future__ import annotations

import dataclasses
import math

import pytest

from semcom.report.calibration import calibration, wrong_and_sure
from semcom.report.drawing import report
from semcom.report.reading import read_results
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.calibrations import Bin, read_calibrations
from semcom.store.results import read_csv

ASKED = "measure.confidence=true"
CHANGES = (
    "languages={counts: {kind: ngram, order: 2}}",
    "codecs.plain.language=counts",
    "sweep={codec: [big, plain], snr_db: [6, 18]}",
    "measure.metrics=[exact_match]",
    "measure.compare=[]",
)


def test_a_run_tells_how_sure_its_receivers_were_and_how_often_right(carry_out, tmp_path) -> None:
    out = tmp_path / "out"
    assert carry_out(out, *CHANGES, ASKED).failures == 0
    bins = read_calibrations(out / "calibration.csv")
    rows = [row for row in read_csv(out / "results.csv") if row.kind == "value"]
    for row in rows:
        here = [each for each in bins if (each.codec, each.seed, each.snr_db) == (row.codec, row.seed, row.snr_db)]
        assert {each.language for each in here} == {row.language}
        assert sum(each.count for each in here) == row.count
        assert sum(each.right for each in here) / row.count == pytest.approx(row.value)
        assert all(each.bin / 10 <= each.confidence <= (each.bin + 1) / 10 for each in here)
    assert out / "figures" / "calibration__no_interferers.png" in report(out / "results.csv", out)


def test_who_does_not_ask_has_the_runs_of_before_and_no_table(carry_out, tiny_yaml, tmp_path) -> None:
    carry_out(tmp_path / "out", *CHANGES)
    assert not (tmp_path / "out" / "calibration.csv").exists()
    plain, asked = (expand(load_scenario(tiny_yaml, (*CHANGES, *more))[0]) for more in ((), (ASKED,)))
    assert {run.identity for run in plain.runs}.isdisjoint(run.identity for run in asked.runs)
    told = load_scenario(tiny_yaml, (*CHANGES, "measure.confidence=false"))[0]
    assert [run.identity for run in expand(told).runs] == [run.identity for run in plain.runs]


def made(place: int, count: int, right: int, **more: object) -> Bin:
    about = {"codec": "plain", "seed": 1, "fading": "none", "interference": "none", "snr_db": 0.0, "interferers": 0}
    return Bin(**{**about, "bin": place, "count": count, "confidence": place / 10 + 0.05, "right": right, **more})


def test_seeds_are_added_up_and_wrong_but_sure_sentences_counted(finished) -> None:
    systems = read_results(finished / "results.csv").systems
    bins = [made(9, 10, 9, codec="small"), made(9, 30, 11, codec="small", seed=2), made(2, 8, 2, codec="small")]
    figure = calibration(bins, systems)
    (line,) = [each for each in figure.axes[0].lines if str(each.get_label()).startswith("small")]
    assert list(line.get_xdata()) == pytest.approx([0.25, 0.95])
    assert list(line.get_ydata()) == pytest.approx([0.25, 0.5])
    assert wrong_and_sure(bins) == (26, 20)
    said = " ".join(" ".join(text.get_text() for text in figure.texts).split())
    assert "small 77 % of 26" in said
    assert calibration([made(1, 1, 1, codec="nobody")], systems) is None


@pytest.mark.parametrize("wrong", [{"bin": 10}, {"right": 9}, {"confidence": math.nan}, {"snr_db": math.inf}])
def test_a_bin_that_cannot_be_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="must be"):
        dataclasses.replace(made(3, 8, 2), **wrong)
