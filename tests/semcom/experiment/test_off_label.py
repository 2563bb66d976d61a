"""Points whose measured SNR or SINR is far from their label are told in one line, with what brings them nearer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from channels import link_for, mean_sinr_db
from semcom.experiment.off_label import off_label
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.work import Run
from semcom.store.results import read_csv
from semcom.store.store import Finished

RAYLEIGH = "link.fading={kind: rayleigh}"
STRATIFIED = "link.fading={kind: rayleigh, stratified: true}"


@pytest.fixture
def runs(tiny_yaml) -> Callable[..., tuple[Run, ...]]:
    """Hand out `runs("seed=4")`: the runs of the tiny scenario with changes."""
    return lambda *changes: expand(load_scenario(tiny_yaml, changes)[0]).runs


def met(run: Run, user: int = 0, *, snr: float = 0.0, sinr: float = 0.0) -> dict[str, Any]:
    """What a user measured, so far off its labels."""
    link = link_for(run.link, user)
    return {"measured_snr_db": link.snr_db + snr, "measured_sinr_db": mean_sinr_db(link) + sinr}


def done(run: Run, record: dict[str, Any], status: Any = "done") -> Finished:
    return Finished(run.identity, "", status, "", record)


def told(runs: tuple[Run, ...], **gaps: float) -> str | None:
    """What is said where the last run, of two interferers at 12 dB, is off and no other."""
    records = {run.identity: done(run, met(run)) for run in runs}
    return off_label(runs, records | {runs[-1].identity: done(runs[-1], met(runs[-1], **gaps))})


@pytest.mark.parametrize("gap", [-0.6, 1.5, -12.0])
def test_a_measured_snr_off_its_label_is_told(runs, gap: float) -> None:
    line = told(runs(), snr=gap)
    what = f"1 of 12 points with measured SNR more than 0.5 dB off the label, up to {gap:+.1f} dB"
    assert line and line.startswith(f"{what} for small at 12 dB, 2 interferers; more measure.sentences")
    assert "SINR" not in line


@pytest.mark.parametrize(("gap", "shown"), [(0.52, "+0.52"), (-0.54, "-0.54"), (0.56, "+0.6"), (-0.97, "-1.0")])
def test_a_gap_next_to_the_bound_is_not_rounded_to_it(runs, gap: float, shown: str) -> None:
    line = told(runs(), snr=gap)
    assert line and f"more than 0.5 dB off the label, up to {shown} dB for" in line


@pytest.mark.parametrize("gap", [0.0, 0.49, -0.3, 0.5 - 1e-9])
def test_little_is_not_told(runs, gap: float) -> None:
    assert told(runs(), snr=gap, sinr=-gap) is None


@pytest.mark.parametrize("gap", [0.7, -0.7, 3.0])
def test_a_measured_sinr_is_told_where_somebody_interferes(runs, gap: float) -> None:
    line = told(runs(), sinr=gap)
    assert line and line.startswith("1 of 12 points with measured SINR") and f"up to {gap:+.1f} dB" in line
    alone = runs("sweep.interferers=0")
    assert told(alone, sinr=gap) is None


def test_both_are_one_line_and_the_furthest_is_named(runs) -> None:
    every = runs()
    found = {run.identity: done(run, met(run, snr=0.6 + k / 10, sinr=-1.0)) for k, run in enumerate(every)}
    line = off_label(every, found)
    assert line and "\n" not in line
    assert "12 of 12 points with measured SNR" in line and "up to +1.7 dB for small at 12 dB, 2 interferers" in line
    assert ", and 6 of 12 points with measured SINR" in line


@pytest.mark.parametrize("record", [{}, {"measured_snr_db": float("nan"), "measured_sinr_db": float("nan")}])
def test_what_was_not_measured_is_not_off(runs, record: dict[str, Any]) -> None:
    every = runs()
    assert off_label(every, {}) is None
    assert off_label(every, {run.identity: done(run, record, "failed") for run in every}) is None
    assert off_label(every, {run.identity: done(run, record) for run in every}) is None


@pytest.mark.parametrize("user", [0, 1, 2])
def test_every_user_of_a_cell_has_a_label_of_its_own(runs, user: int) -> None:
    (run,) = runs("measure.users=all", "sweep.interferers=2", "sweep.snr_db=6", "sweep.codec=[big]")
    users = [met(run, each, snr=0.9 * (each == user)) for each in range(3)]
    line = off_label([run], {run.identity: done(run, users[0] | {"users": users})})
    assert line and "1 of 1 point with measured SNR" in line and "+0.9 dB for big at 6 dB" in line
    right = [met(run, each) for each in range(3)]
    assert off_label([run], {run.identity: done(run, right[0] | {"users": right})}) is None


@pytest.mark.parametrize(
    ("change", "stratify", "turn"),
    [
        ("link.fading={kind: none}", False, True),
        ("link.fading={kind: random_phase}", False, False),
        (RAYLEIGH, True, False),
        (STRATIFIED, False, False),
        ("link.interference={kind: qam, fading: {kind: nakagami}}", True, False),
        ("link.interference={kind: gaussian}", False, False),
    ],
)
def test_the_advice_fits_the_air(runs, change: str, stratify: bool, turn: bool) -> None:
    line = told(runs(change), sinr=2.0)
    assert line and "more measure.sentences or measure.repeats" in line
    assert ("stratified: true" in line) == stratify
    assert ("random_phase" in line) == turn


def test_a_run_says_so_at_its_end_and_stratified_gains_are_nearer(carry_out, tmp_path) -> None:
    def carried(fading: str) -> tuple[str, float, int]:
        changes = ("training.steps=1", "sweep.codec=[big]", "sweep.interferers=0", "sweep.snr_db=[0, 9]", fading)
        said = carry_out(tmp_path / "run", *changes).said
        rows = {(row.snr_db, row.measured_snr_db) for row in read_csv(tmp_path / "run" / "results.csv")}
        gaps = [abs(measured - label) for label, measured in rows]
        return " ".join(said.split()), max(gaps), sum(gap > 0.5 for gap in gaps)

    # Twenty gains: an exponential power's mean strays by 1/sqrt(20), or 1 dB.
    said, plain, far = carried(RAYLEIGH)
    assert far == 2 and f"2 of 2 points with measured SNR more than 0.5 dB off the label, up to +{plain:.1f} dB" in said
    said, spread, far = carried(STRATIFIED)
    assert far == 0 and "off the label" not in said and spread < plain / 2
    said, _, far = carried("link.fading={kind: none}")
    assert far == 0 and "off the label" not in said
