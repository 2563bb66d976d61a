"""Cells: every user a row of its own, the sum with its own interval, and refusals before any training."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from channels import mean_sinr_db, mean_sir_db
from channels.cell import link_for
from semcom.experiment.conduct import conduct
from semcom.experiment.preview import preview
from semcom.experiment.run import metrics_of
from semcom.experiment.workers import Means
from semcom.metrics.bootstrap import bootstrap, bootstrap_difference, sum_of
from semcom.mistakes import UserMistake
from semcom.scenario.document import ScenarioError
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.results import Row, read_csv
from semcom.store.store import Store

CELL = (
    "measure.users=all", "sweep.crowd=[[plain], [big, plain]]", "sweep.snr_db=[3]", "sweep.interferers=[0, 2]",
    "training.steps=3", "link.interference={kind: neighbors, level_db: [-3, 2], fading: {kind: rayleigh}}",
    "measure.repeats=4",
)  # fmt: skip


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


@pytest.fixture(scope="module")
def cell(tiny_yaml, tmp_path_factory):
    """The folder of a finished cell, and its scenario; to be looked at alone."""
    folder = tmp_path_factory.mktemp("cell") / "out"
    scenario, text = load_scenario(tiny_yaml, CELL)
    assert conduct(scenario, text, folder, means=Means(), console=Console(quiet=True)) == 0
    return folder, scenario


def rows_of(cell) -> list[Row]:
    return read_csv(cell[0] / "results.csv")


def test_every_user_has_its_rows_and_so_has_their_sum(cell) -> None:
    found = [(r.codec, r.interferers, r.crowd, r.user) for r in rows_of(cell) if r.metric == "bleu_1" and not r.against]
    assert found == [
        (codec, count, crowd, user)
        for codec in ("big", "small")
        for count, crowd in ((0, ""), (2, "plain"), (2, "big+plain"))
        for user in (*map(str, range(1 + count)), "sum")
    ]


def test_a_row_tells_the_sinr_of_its_own_user(cell) -> None:
    runs = {run.identity: run for run in expand(cell[1]).runs}
    for row in rows_of(cell):
        if row.user == "sum":
            assert (row.sir_db, row.sinr_db, row.measured_snr_db, row.measured_sinr_db) == (None,) * 4
            continue
        view = link_for(runs[row.run_id].link, int(row.user))
        assert (row.sir_db, row.sinr_db) == (mean_sir_db(view), mean_sinr_db(view))
        # 20 sentences sent four times are 80 gains; a ratio of two such means is within 5 * sqrt(2 / 80) = 80 %. What
        # this can tell is another user's number.
        assert row.measured_snr_db == pytest.approx(view.snr_db, abs=2.6)
        assert (row.snr_db, row.level_db) == (3.0, (-3.0, 2.0) if row.interferers else None)


def test_the_sum_is_the_sum_and_its_interval_pairs_users_by_sentence(cell) -> None:
    folder, scenario = cell
    rows = [row for row in rows_of(cell) if not row.against]
    with Store(folder / "results.sqlite", reading=True) as store:
        for run in expand(scenario).runs:
            for metric in metrics_of(scenario.measure):
                mine = {r.user: r for r in rows if (r.run_id, r.metric) == (run.identity, metric.name)}
                *users, together = (mine[user] for user in run.users)
                assert together.value == pytest.approx(sum(row.value for row in users), abs=1e-12)
                names = {name for name in store.families(run.identity) if name.startswith(str(metric.family)[:4])}
                assert len(names) == len(users)
                family = next(iter(names)).partition(" of ")[0]
                each = [store.statistics(run.identity, f"{family} of user {row.user}") for row in users]
                assert all(len(rows_of_user) == together.count == 20 for rows_of_user in each)
                assert together.low <= together.value <= together.high


def test_side_by_side_statistics_combine_to_a_sum_with_paired_resamples() -> None:
    chance = np.random.default_rng(3)
    hard = chance.normal(size=(200, 1))
    mean = lambda totals: totals[..., 0] / totals[..., 1]  # noqa: E731
    users = [np.hstack((hard + 0.1 * chance.normal(size=(200, 1)), np.ones((200, 1)))) for _ in range(3)]
    alone = [bootstrap(each, mean, seed=1) for each in users]
    together = bootstrap(np.hstack(users), sum_of(mean, 3), seed=1)
    assert together.value == pytest.approx(sum(each.value for each in alone))
    # What makes a sentence hard is common to all: lengths add up, where independent ones would add in squares.
    width = sum(each.high - each.low for each in alone)
    assert together.high - together.low == pytest.approx(width, rel=0.05)


def test_differences_are_told_of_every_user(cell) -> None:
    folder, scenario = cell
    pairs = [row for row in rows_of(cell) if row.against and row.metric == "bleu_1"]
    assert [(row.crowd, row.user) for row in pairs] == [
        (crowd, user)
        for count, crowd in ((0, ""), (2, "plain"), (2, "big+plain"))
        for user in (*map(str, range(1 + count)), "sum")
    ]
    (metric,) = (each for each in metrics_of(scenario.measure) if each.name == "bleu_1")
    runs = {(run.build.name, run.point): run for run in expand(scenario).runs}
    with Store(folder / "results.sqlite", reading=True) as store:
        for row in pairs:
            run = next(each for each in runs.values() if each.identity == row.run_id)
            twin = runs[row.against, run.point]
            users = run.users[:-1] if row.user == "sum" else (row.user,)
            ours, theirs = (
                np.hstack([store.statistics(each.identity, f"bleu of user {user}") for user in users])
                for each in (run, twin)
            )
            seed = int(run.identity[:12], 16)
            combine = sum_of(metric.combine, len(users))
            expected = bootstrap_difference(ours, theirs, combine, resamples=100, seed=seed)
            assert (row.value, row.low, row.high) == (expected.value, expected.low, expected.high)


def test_it_is_done_once_and_twice_alike(cell, tmp_path, tiny_yaml) -> None:
    folder, scenario = cell
    table = (folder / "results.csv").read_bytes()
    for again in (folder, tmp_path / "anew"):
        text = load_scenario(tiny_yaml, CELL)[1]
        assert conduct(scenario, text, again, means=Means(), console=Console(quiet=True)) == 0
        assert (again / "results.csv").read_bytes() == table


def test_a_point_that_was_never_simulated_has_rows_without_values(tiny, tmp_path) -> None:
    from semcom.experiment.tabulate import tabulate

    scenario = tiny("measure.users=all", "sweep.codec=[big]", "sweep.interferers=[1]", "sweep.snr_db=[0]")
    with Store(tmp_path / "s.sqlite") as store:
        rows = tabulate(scenario, expand(scenario), store)
    assert [(row.user, row.status, row.value) for row in rows if row.metric == "bleu_1"] == [
        (user, "skipped", None) for user in ("0", "1", "sum")
    ]


def test_the_plan_says_that_all_users_are_scored(tiny, tmp_path) -> None:
    assert "users         all: 0 to 2 of each cell are scored, and their sum" in preview(
        tiny("measure.users=all"), tmp_path / "out"
    )
    assert "users " not in preview(tiny(), tmp_path / "out")


def test_only_neighbors_have_anything_to_score(tiny) -> None:
    with pytest.raises(
        ScenarioError, match=r"measure\.users must be wanted where interferers are of kind tone, got all"
    ):
        tiny("measure.users=all", "link={interference: {kind: tone}}")


def test_batches_too_small_for_the_cell_are_refused_before_any_training(tiny, tiny_yaml, tmp_path) -> None:
    with pytest.raises(ScenarioError, match=r"measure\.batch must be above 8 where measure\.users is all, got 8"):
        tiny("measure.users=all", "sweep.interferers=[8]")
    scenario, text = load_scenario(tiny_yaml, ("measure.users=all", "sweep.interferers=[7]"))
    with pytest.raises(UserMistake, match=r"measure\.users: a cell of 8 users .* got a batch of [4-7]; use fewer"):
        conduct(scenario, text, tmp_path / "out", means=Means(), console=Console(quiet=True))
    assert not list((tmp_path / "out").rglob("*.safetensors"))
