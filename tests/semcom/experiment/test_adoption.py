"""A codec that adopts one side of another: frozen to the bit, same symbols, same observation."""

from pathlib import Path

import pytest
import torch
from torch import nn

from semcom.experiment.build import load_codec
from semcom.mistakes import UserMistake
from semcom.models.make import initialize
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.work import Build

ADOPT = "codecs.under={size: tiny, adopt: {transmitter: big}}"
OVER = "codecs.over={size: tiny, adopt: {receiver: big}}"
SWEEP = ("sweep.codec=[big, under, over]", "sweep.snr_db=6", "sweep.interferers=0")


def builds(tiny_yaml: Path, *changes: str) -> dict[str, Build]:
    scenario, _ = load_scenario(tiny_yaml, changes)
    return {build.name: build for build in expand(scenario).builds}


def test_the_adopted_side_is_the_donors_to_the_bit_and_the_other_was_trained(
    tiny_yaml: Path, carry_out, tmp_path: Path
) -> None:
    assert carry_out(tmp_path, ADOPT, OVER, *SWEEP).failures == 0
    made = {name: load_codec(build, tmp_path) for name, build in builds(tiny_yaml, ADOPT, OVER, *SWEEP).items()}
    for name, side in (("under", "transmitter"), ("over", "receiver")):
        ours, theirs = getattr(made[name], side).state_dict(), getattr(made["big"], side).state_dict()
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert made["under"].receiver.layers[0].attention.query.weight.shape[0] == 16
    assert made["over"].transmitter.layers[0].attention.query.weight.shape[0] == 16


class OverBatch(nn.BatchNorm1d):
    """Batch normalization of features [batch, length, width]."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(features.mT).mT


def test_running_statistics_are_adopted_saved_and_left_alone(
    tiny_yaml: Path, carry_out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codecs that normalize over the batch go through the whole chain; no named size has such a layer yet."""

    def normed(spec: SemanticSpec, vocabulary: int, *, seed: int) -> SemanticCodec:
        codec = initialize(spec, vocabulary, seed=seed)
        codec.transmitter.norm, codec.receiver.norm = map(OverBatch, (spec.transmitter.width, spec.receiver.width))
        return codec

    monkeypatch.setattr("semcom.experiment.build.initialize", normed)
    changes = (ADOPT, *SWEEP[1:], "sweep.codec=[big, under]")
    assert carry_out(tmp_path, *changes).failures == 0
    made = {name: load_codec(build, tmp_path) for name, build in builds(tiny_yaml, *changes).items()}
    ours, theirs = made["under"].transmitter.state_dict(), made["big"].transmitter.state_dict()
    assert theirs["norm.num_batches_tracked"] == 6
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert made["under"].receiver.state_dict()["norm.num_batches_tracked"] == 6


def test_the_shape_takes_what_both_sides_must_agree_on_from_the_donor(tiny_yaml: Path) -> None:
    made = builds(tiny_yaml, ADOPT, "codecs.big.norm=post", *SWEEP[1:], "sweep.codec=[under]")
    assert made["under"].spec.transmitter == made["big"].spec.transmitter
    assert made["under"].spec.symbols_per_token == made["big"].spec.symbols_per_token == 2
    assert made["under"].spec.norm == "post"
    assert made["under"].needs == (made["big"].identity,)
    assert made["under"].method == "trained, transmitter adopted"


def test_another_donor_is_another_build(tiny_yaml: Path) -> None:
    one = builds(tiny_yaml, ADOPT, *SWEEP[1:], "sweep.codec=[under]")["under"]
    other = builds(tiny_yaml, ADOPT, "codecs.big.training={steps: 7}", *SWEEP[1:], "sweep.codec=[under]")["under"]
    assert one.identity != other.identity


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("codecs.under={size: tiny, adopt: {}}", "name one of transmitter, receiver"),
        ("codecs.under={size: tiny, adopt: {transmitter: big, receiver: big}}", "name one of transmitter, receiver"),
        ("codecs.under={size: tiny, adopt: {transmitter: nobody}}", "none of the codecs"),
        ("codecs.under={size: tiny, adopt: {transmitter: under}}", "itself"),
    ],
)
def test_an_adoption_that_makes_no_sense_is_refused(tiny_yaml: Path, change: str, message: str) -> None:
    with pytest.raises(UserMistake, match=message):
        builds(tiny_yaml, change)


@pytest.mark.slow
def test_two_processes_train_one_codec_together(tmp_path: Path, carry_out) -> None:
    """DDP over two CPU processes: gradients are averaged, so both end with one codec, twice the same."""
    changes = ("training.devices=2", "sweep.codec=[big, small]", "sweep.snr_db=6", "sweep.interferers=0")
    tables = []
    for name in ("one", "two"):
        assert carry_out(tmp_path / name, *changes).failures == 0
        tables.append((tmp_path / name / "results.csv").read_bytes())
    assert tables[0] == tables[1]
    alone = tmp_path / "alone"
    assert carry_out(alone, *changes[1:]).failures == 0
    assert (alone / "results.csv").read_bytes() != tables[0]


@pytest.mark.slow
def test_two_processes_may_learn_what_leaves_some_weights_alone(tmp_path: Path, carry_out) -> None:
    symbols = "codecs.small.distill={teacher: big, label_weight: 0, methods: [{kind: symbols}]}"
    two = "codecs.small.training={devices: 2, steps: 4}"
    carried = carry_out(tmp_path / "out", symbols, two, "sweep.snr_db=6", "sweep.interferers=0")
    assert not carried.failures, carried.said


def test_workers_and_devices_are_not_nested(tiny_yaml: Path, semcom, tmp_path: Path) -> None:
    said = semcom("run", tiny_yaml, "--out", tmp_path / "run", "--workers", "2", "--set", "training.devices=2")
    assert said.code == 2
    assert "--workers must be 1" in said.err
    assert not (tmp_path / "run").exists()
