"""Detectors in a scenario: an axis like others, which moves no identity where it is left alone."""

from __future__ import annotations

import pytest

from semcom.mistakes import UserMistake
from semcom.report.reading import read_results
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.results import read_csv
from semcom.tasks.detectors import AsNoise, Successive

CELL = ("measure.users=all", "sweep.interferers=[0, 1]")


def runs(tiny_yaml, *changes: str):
    return expand(load_scenario(tiny_yaml, (*CELL, *changes))[0]).runs


def test_what_is_left_alone_moves_no_identity(tiny_yaml) -> None:
    plain = [run.identity for run in runs(tiny_yaml)]
    for same in ("link.detector=noise", "sweep.detector=[noise]", "link.scrambling=false"):
        assert [run.identity for run in runs(tiny_yaml, same)] == plain
    for other in ("link.detector=successive", "link.scrambling=true"):
        assert [run.identity in plain for run in runs(tiny_yaml, other)] == [
            not run.link.interferers for run in runs(tiny_yaml)
        ]


def test_an_axis_of_detectors_where_there_is_anybody_to_tell_apart(tiny_yaml) -> None:
    plain = runs(tiny_yaml)
    crowded = sum(run.link.interferers > 0 for run in plain)
    found = runs(tiny_yaml, "sweep.detector=[noise, {kind: successive, rounds: 2, soft: true}]")
    assert len(found) == len(plain) + crowded
    assert len({run.identity for run in found}) == len(found)
    assert {run.detector for run in found} == {AsNoise(), Successive(rounds=2, soft=True)}
    assert len({(run.build.name, run.point) for run in found}) == len(found)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            ("link.detector=successive", "measure.users=wanted"),
            "link.detector must be noise where measure.users is want",
        ),
        (("sweep.detector=[successive]", "sweep.interferers=0"), "sweep.detector must have interferers"),
        (("link.scrambling=true", "sweep.interferers=0"), "link.scrambling must have interferers"),
        (
            ("link.scrambling=true", "measure.users=wanted", "link.interference=gaussian"),
            "link.scrambling must have interferers of kind neighbors",
        ),
        (("link.detector={kind: successive, rounds: 0}",), "rounds must be from 1 to 16, got 0"),
    ],
)
def test_detectors_of_nobody_are_refused(tiny_yaml, changes: tuple[str, ...], told: str) -> None:
    with pytest.raises(UserMistake, match=told):
        load_scenario(tiny_yaml, (*CELL, *changes))


def test_rows_tell_the_detector_and_figures_keep_them_apart(carry_out, tmp_path) -> None:
    small = ("training.steps=2", "measure.sentences=6", "measure.batch=6", "sweep.snr_db=[9]", "link.scrambling=true")
    detectors = "sweep.detector=[noise, {kind: successive, soft: true}]"
    assert carry_out(tmp_path / "run", *CELL, *small, detectors).failures == 0
    rows = read_csv(tmp_path / "run" / "results.csv")
    assert {row.detector for row in rows if row.interferers} == {"", "successive(soft=True)"}
    assert {row.detector for row in rows if not row.interferers} == {""}
    assert {row.interference for row in rows if row.interferers} == {"neighbors, scrambled"}
    crowded = [part for part in read_results(tmp_path / "run" / "results.csv").parts() if part.condition.detector]
    assert {part.distinction for part in crowded} == {("detector successive(soft=True)",)}
    assert any(not point.interferers for point in crowded[0].points), "who is alone belongs to every detector"
