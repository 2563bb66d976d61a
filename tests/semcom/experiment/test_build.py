"""A build: the same weights from the same seed however often it was stopped, from others' weights if told so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from semcom.experiment.build import carry_out_build, load_codec
from semcom.experiment.data import data_of
from semcom.mistakes import UserMistake
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.work import Build
from semcom.store.folder import RunFolder
from semcom.training.checkpoint import weights_of
from semcom.training.fit import Diverged

Weights = dict[str, torch.Tensor]


@pytest.fixture
def builds(tiny_yaml):
    """Hand out `builds("training.steps=3")`: the builds of the tiny scenario with changes, by name."""

    def call(*changes: str) -> dict[str, Build]:
        return {build.name: build for build in expand(load_scenario(tiny_yaml, changes)[0]).builds}

    return call


def make(builds: dict[str, Build], folder: Path, *, names: tuple[str, ...] = (), **options: object) -> dict[str, dict]:
    """Carry builds out in their order; their records."""
    known = {build.identity: build for build in builds.values()}
    return {
        name: carry_out_build(build, known, folder, **options)
        for name, build in builds.items()
        if not names or name in names
    }


def weights(build: Build, folder: Path) -> Weights:
    return {name: value.clone() for name, value in weights_of(load_codec(build, folder)).items()}


def equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_build_leaves_weights_and_a_record_and_its_checkpoint(builds, tmp_path) -> None:
    plans = builds()
    records = make(plans, tmp_path)
    for name, build in plans.items():
        left = sorted(path.name for path in RunFolder(tmp_path).model(build.identity).iterdir())
        assert left == ["checkpoint.pt", "weights.safetensors"], "the former goes when the record is stored"
        record = records[name]
        json.dumps(record, allow_nan=False)
        assert (record["name"], record["seed"], record["method"]) == (name, 3, build.method)
        assert record["size_bytes"] == RunFolder(tmp_path).weights(build.identity).stat().st_size
        assert record["parameters"] == sum(value.numel() for value in weights(build, tmp_path).values())
        assert record["parameters"] > record["body_parameters"] > 0
        assert record["history"]["steps"] == [4, 6], "every four steps and at the end"
        assert record["settings"]["steps"] == 6
    # Eight bytes of length, a header, four bytes a number.
    with safe_open(RunFolder(tmp_path).weights(plans["big"].identity), framework="pt") as file:
        assert file.metadata()["build"] == plans["big"].identity
        assert json.loads(file.metadata()["spec"])["symbols_per_token"] == 2


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(builds, tmp_path) -> None:
    plans, others = builds(), builds("seed=4")
    make(plans, tmp_path / "one")
    torch.manual_seed(99)
    make(plans, tmp_path / "two")
    make(others, tmp_path / "one")
    for name, build in plans.items():
        assert equal(weights(build, tmp_path / "one"), weights(build, tmp_path / "two")), name
        assert not equal(weights(build, tmp_path / "one"), weights(others[name], tmp_path / "one")), name


class Stopped(Exception):
    """Somebody pulled the plug."""


@pytest.mark.parametrize("name", ["big", "small"])
def test_a_build_that_was_stopped_ends_with_the_same_weights(builds, tmp_path, monkeypatch, name: str) -> None:
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)
    plans = builds()
    straight = make(plans, tmp_path / "straight")
    make(plans, tmp_path / "stopped", names=("big",) if name == "small" else ("nobody",))

    def stop_at(step: int):
        def progress(done: int, total: int, message: str) -> None:
            if done == step:
                raise Stopped

        return progress

    for step in (1, 3, 5):
        with pytest.raises(Stopped):
            make(plans, tmp_path / "stopped", names=(name,), progress=stop_at(step))
    seen: list[int] = []
    record = make(plans, tmp_path / "stopped", names=(name,), progress=lambda done, *_: seen.append(done))[name]
    assert seen == [6], "only the last step was left"
    assert equal(weights(plans[name], tmp_path / "straight"), weights(plans[name], tmp_path / "stopped"))
    assert record["history"] == straight[name]["history"]


def test_a_start_begins_from_the_other_s_weights(builds, tmp_path) -> None:
    slow = "codecs.again={size: tiny, symbols_per_token: 2, start: plain, training: {learning_rate: 1.0e-9, steps: 1}}"
    plans = builds(slow, "sweep.codec=[plain, again]")
    make(plans, tmp_path)
    plain, again = (weights(plans[name], tmp_path) for name in ("plain", "again"))
    assert all(torch.allclose(again[name], plain[name], atol=1e-7) for name in plain)
    assert not equal(again, plain), "and goes on from there"


@pytest.mark.parametrize("side", ["transmitter", "receiver"])
@pytest.mark.parametrize("size", ["student_quarter", "deepsc"])
def test_an_adopted_side_stays_the_donor_s(builds, tmp_path, side: str, size: str) -> None:
    plans = builds(
        f"codecs.big={{size: {size}, symbols_per_token: 2}}",
        f"codecs.under={{size: tiny, adopt: {{{side}: big}}}}",
        "sweep.codec=[under]",
        "training.steps=2",
    )
    make(plans, tmp_path)
    ours, theirs = (getattr(load_codec(plans[name], tmp_path), side).state_dict() for name in ("under", "big"))
    assert equal(ours, theirs)
    spec = load_codec(plans["under"], tmp_path).spec
    assert spec.transmitter.width != spec.receiver.width, "the other side is a tiny one"


def test_a_student_needs_its_teacher_s_weights(builds, tmp_path) -> None:
    with pytest.raises(UserMistake, match=r"weights\.safetensors: no such file; train the codec first"):
        make(builds(), tmp_path, names=("small",))


def test_a_training_that_is_lost_says_so_and_leaves_no_weights(builds, tmp_path) -> None:
    plans = builds("training.learning_rate=1.0e+30", "sweep.codec=[plain]")
    with pytest.raises(Diverged, match=r"training diverged: .* Try a lower training\.learning_rate"):
        make(plans, tmp_path)
    assert not RunFolder(tmp_path).weights(plans["plain"].identity).exists()


def test_validation_that_no_batch_can_supply_is_passed_over(builds, tmp_path) -> None:
    # Some thirty validation sentences make one batch here, and a made-up crowd of any size is no trouble.
    plans = builds("training={steps: 2, batch: 64, interferers: 28, interference: {kind: qam}}", "sweep.codec=[plain]")
    assert make(plans, tmp_path)["plain"]["history"]["validation"][0] > 0
    crowded = builds("training={steps: 2, batch: 64, interferers: 28}", "sweep.codec=[plain]")
    assert make(crowded, tmp_path)["plain"]["history"]["validation"] == [0.0]


def test_the_vocabulary_is_that_of_the_text(builds, tmp_path) -> None:
    plans = builds("sweep.codec=[plain]")
    record = make(plans, tmp_path)["plain"]
    assert record["vocabulary"] == load_codec(plans["plain"], tmp_path).outputs
    assert 60 < record["vocabulary"] < 100
    assert record["train_sentences"] > 500


def test_every_validation_batch_has_an_air_of_its_own_and_the_same_each_time(builds, tmp_path) -> None:
    from semcom.experiment import build as module

    build, asked = builds("sweep.codec=[plain]")["plain"], []

    def objective(batch, links, chance):
        (link,) = links
        asked.append((link.snr_db, chance.integer()))
        return {"loss": torch.tensor(1.0)}

    validate = module._validation(build, objective, data_of(build, tmp_path), "cpu")
    assert validate() == 1.0
    once = list(asked)
    assert len(once) > 1 and len({snr for snr, _ in once}) == len({air for _, air in once}) == len(once)
    asked.clear()
    validate()
    assert asked == once
