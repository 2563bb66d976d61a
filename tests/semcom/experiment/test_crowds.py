"""Mixed crowds: other users through other codecs, built before they are needed, encoded once, told in every row."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from rich.console import Console

from semcom.experiment.conduct import conduct
from semcom.experiment.data import data_of
from semcom.experiment.preview import preview
from semcom.experiment.run import carry_out_run
from semcom.experiment.tabulate import tabulate
from semcom.experiment.workers import Means
from semcom.models.make import initialize
from semcom.models.sides import Transmitter
from semcom.scenario.document import ScenarioError
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.work import Run
from semcom.store.folder import RunFolder
from semcom.store.results import read_csv
from semcom.store.store import Store
from semcom.training.checkpoint import save_weights

CROWDS = "sweep.crowd=[[big], [plain], [big, plain]]"


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


@pytest.fixture
def untrained(tiny, tmp_path):
    """Hand out `untrained("seed=4")`: the runs of the tiny scenario, their codecs being there but untrained."""

    def call(*changes: str) -> list[Run]:
        sweep = expand(tiny(*changes))
        for build in sweep.builds:
            codec = initialize(build.spec, data_of(build, tmp_path).outputs, seed=len(build.name))
            save_weights(codec, RunFolder(tmp_path).weights(build.identity), about={"build": build.identity})
        return list(sweep.runs)

    return call


def test_every_codec_meets_every_crowd_and_is_alone_once(tiny) -> None:
    sweep = expand(tiny(CROWDS))
    each = [(run.link.interferers, run.crowd and "+".join(build.name for build in run.crowd)) for run in sweep.runs]
    once = [(0, None), *((2, names) for names in ("big", "plain", "big+plain"))]
    assert list(dict.fromkeys(each)) == once
    assert len(each) == 2 * 3 * len(once)


def test_what_sends_in_a_crowd_is_built_with_the_seed_of_the_run(tiny) -> None:
    sweep = expand(tiny("sweep.codec=[small]", "link.crowd=[plain]", "sweep.seed=[1, 2]", "sweep.interferers=2"))
    assert {(build.name, build.seed) for build in sweep.builds} == {
        (name, seed) for name in ("big", "small", "plain") for seed in (1, 2)
    }
    assert all(build.seed == run.build.seed for run in sweep.runs for build in run.builds)
    assert tiny("sweep.codec=[plain]", "link.crowd=[small]").needed_codecs == ("big", "plain", "small")


def test_a_crowd_counts_only_as_far_as_it_changes_a_number(tiny) -> None:
    def identities(*changes: str) -> list[str]:
        return [run.identity for run in expand(tiny("sweep.codec=[big]", "sweep.interferers=2", *changes)).runs]

    plainly = identities()
    assert identities("link.crowd=[big]") == identities("link.crowd=[big, big, plain]") == plainly
    assert identities("link.crowd=[plain]") == identities("link.crowd=[plain, plain]")
    different = [plainly, *(identities(f"link.crowd={names}") for names in ("[plain]", "[plain, big]", "[big, plain]"))]
    assert len({name for each in different for name in each}) == 3 * 4


def test_only_codecs_among_one_crowd_are_paired(tiny, tmp_path) -> None:
    scenario = tiny(CROWDS)
    (tmp_path / "results.sqlite").touch()
    with Store(tmp_path / "s.sqlite") as store:
        pairs = [row for row in tabulate(scenario, expand(scenario), store) if row.against]
    met = [(row.crowd, row.interferers, row.snr_db, row.metric) for row in pairs]
    assert len(set(met)) == len(met) == 4 * 3 * 3
    assert {row.codec for row in pairs} == {"big"} and {row.against for row in pairs} == {"small"}


def test_the_encoder_runs_once_per_batch_and_codec_for_all_crowds(untrained, tmp_path, monkeypatch) -> None:
    seen: list[tuple[int, ...]] = []
    forward = Transmitter.forward

    def counting(self, batch):
        seen.append((id(self), batch.rows))
        return forward(self, batch)

    monkeypatch.setattr(Transmitter, "forward", counting)
    for run in untrained(CROWDS, "sweep.snr_db=[0, 6]"):
        carry_out_run(run, tmp_path)
    assert len(seen) == len(set(seen)), "one encoding for all SNRs and crowds"
    assert len({codec for codec, _ in seen}) == 3


def test_powers_met_in_a_mixed_crowd_are_those_asked_for(untrained, tmp_path) -> None:
    """Codecs send unit power whatever their symbols a token, so the closed form does not ask which they are."""
    rare = "codecs.rare={size: tiny, symbols_per_token: 1}"
    runs = untrained(
        rare, "sweep.crowd=[[big], [rare, plain]]", "sweep.codec=[small]", "sweep.snr_db=0", "measure.repeats=20",
        "link.interference={kind: neighbors, level_db: [-3, 0], fading: {kind: rayleigh}}", "sweep.interferers=2",
    )  # fmt: skip
    assert len(runs) == 2
    for run in runs:
        record = carry_out_run(run, tmp_path).record
        expected = -10 * math.log10(1 + 10**-0.3 + 1)
        # 400 draws of two gains: the disturbance, 2.5 on average, has a variance of 0.5^2 + 1^2 from the gains and of
        # 2 * 0.5 from their overlap, so five standard errors of its mean are 15 %.
        assert record["measured_sinr_db"] == pytest.approx(expected, abs=0.7)


def test_a_run_with_a_mixed_crowd_ends_with_a_table(tiny_yaml, tmp_path) -> None:
    changes = ("sweep.crowd=[[plain], [big, plain]]", "sweep.codec=[small]", "sweep.snr_db=[6]", "training.steps=3")
    scenario, text = load_scenario(tiny_yaml, changes)
    assert "crowd         plain, big+plain" in preview(scenario, tmp_path / "out")

    def again() -> bytes:
        assert conduct(scenario, text, tmp_path / "out", means=Means(), console=Console(quiet=True)) == 0
        return (tmp_path / "out" / "results.csv").read_bytes()

    table = again()
    rows = read_csv(tmp_path / "out" / "results.csv")
    assert [(row.interferers, row.crowd) for row in rows if row.metric == "bleu_1"] == [
        (0, ""), (2, "plain"), (2, "big+plain"),
    ]  # fmt: skip
    assert {row.status for row in rows} == {"done"}
    assert again() == table, "nothing is left to do"


def test_a_crowd_that_cannot_be_built_fails_its_runs_alone(tiny_yaml, tmp_path, monkeypatch) -> None:
    from semcom.experiment import build as module

    real = module.carry_out_build

    def broken(build, *rest, **more):
        if build.name == "plain":
            raise RuntimeError("no luck")
        return real(build, *rest, **more)

    monkeypatch.setattr(module, "carry_out_build", broken)
    changes = ("sweep.crowd=[[plain], [big]]", "sweep.codec=[big]", "sweep.snr_db=[6]", "training.steps=2")
    scenario, text = load_scenario(tiny_yaml, changes)
    assert conduct(scenario, text, Path(tmp_path / "out"), means=Means(), console=Console(quiet=True)) == 1
    rows = [row for row in read_csv(tmp_path / "out" / "results.csv") if row.metric == "bleu_1"]
    assert [(row.crowd, row.status) for row in rows] == [("", "done"), ("plain", "failed"), ("big", "done")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("link.crowd=[nobody]", r"link\.crowd names 'nobody', which is none of the codecs: big, plain, small"),
        ("sweep.crowd=[[big], [nobody]]", r"sweep\.crowd names 'nobody'"),
        ("sweep.crowd=[[]]", r"sweep\.crowd\[0\]: must have 1 or more entries, got 0"),
        ("link.crowd=[]", r"link\.crowd: must have 1 or more entries, got 0"),
        ("sweep.crowd=[big]", r"sweep\.crowd: must be a list of lists, got one list; write \[\[big\]\]"),
        ("sweep.crowd=[[big], [big]]", "crowd names a value twice"),
        (
            "sweep={codec: [big, small], crowd: [[big]]}",
            r"sweep\.crowd must have interferers to send through it, got none",
        ),
        (
            "link={crowd: [big], interference: {kind: qam}}",
            r"link\.crowd names codecs .* got kind qam; leave out either",
        ),
    ],
)
def test_crowds_that_cannot_be_are_refused(tiny, change: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        tiny(change)


def test_a_crowd_is_named_in_one_place(tiny) -> None:
    with pytest.raises(ScenarioError, match=r"link\.crowd must be left out where sweep\.crowd names crowds, got both"):
        tiny("link.crowd=[big]", "sweep.crowd=[[big], [small]]")


def test_a_cell_of_another_crowd_is_another_run(tiny) -> None:
    """Where all users are scored every codec of the crowd counts, one whose turn never comes by its rate alone."""

    def identities(*changes: str) -> set[str]:
        scenario = tiny("measure.users=all", "sweep.codec=[big]", "sweep.interferers=1", *changes)
        return {run.identity for run in expand(scenario).runs}

    crowds = ("[big]", "[plain]", "[plain, big]")
    found = [identities(), *(identities(f"link.crowd={names}") for names in crowds)]
    assert len(set.union(*found)) == len(found) * 3


def test_a_crowd_by_another_name_is_told_by_the_name_of_today(tiny_yaml, tmp_path) -> None:
    """Twins are one build, so nothing is sent again; the row was stored under the name of then."""
    twin = "codecs.twin={size: tiny, symbols_per_token: 2}"
    small = ("sweep={codec: [big], snr_db: [6], interferers: [2]}", "training.steps=2")
    for name in ("plain", "twin"):
        scenario, text = load_scenario(tiny_yaml, (twin, *small, f"link.crowd=[{name}]"))
        assert conduct(scenario, text, tmp_path / "out", means=Means(), console=Console(quiet=True)) == 0
        assert {row.crowd for row in read_csv(tmp_path / "out" / "results.csv")} == {name}
