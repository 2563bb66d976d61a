"""Buffers, such as running statistics, are part of a model: they are kept, resumed, put back and frozen with it."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from channels import Chance
from semcom.distillation.distiller import Distiller
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.teaching import Teaching
from semcom.experiment.build import _adopt
from semcom.mistakes import UserMistake
from semcom.scenario.work import Adoption
from semcom.sources.batches import TrainingBatches
from semcom.training.checkpoint import Checkpoint, check_weights, load_weights, save_weights, weights_of
from semcom.training.fit import Diverged, fit
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

CHANCE = Chance(3).of("training")
SETTINGS = TrainingSettings(steps=9, batch=8, warmup=2, validate_every=4)


class OverBatch(nn.Module):
    """Batch normalization of features [batch, length, width], with one that has no weights behind it, and dropout."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.plain = nn.BatchNorm1d(width)
        self.bare = nn.BatchNorm1d(width, affine=False)
        self.dropout = nn.Dropout(0.2)

    def forward(self, features):
        return self.dropout(self.bare(self.plain(features.mT)).mT)


@pytest.fixture
def normed(make_codec):
    """Hand out `normed(2)`: a codec with batch normalization on both sides."""

    def make(seed: int = 1, **changes):
        codec = make_codec(seed, tied=False, **changes)
        for side in (codec.transmitter, codec.receiver):
            side.norm = nn.Sequential(side.norm, OverBatch(8))
        return codec

    return make


class Stopped(Exception):
    """Somebody pulled the plug."""


def train(objective, encoded, *, checkpoint=None, plug=None, chance=CHANCE):
    """Fit, until the plug is pulled; everything that the objective is then."""

    def progress(done, total, message):
        if done == plug:
            raise Stopped

    batches = TrainingBatches(encoded, SETTINGS.batch, chance.of("batches"))
    fit(objective, batches, SETTINGS, chance, checkpoint=checkpoint, validate=lambda: 0.0, progress=progress)
    return copies(objective)


def copies(module):
    return {name: each.clone() for name, each in module.state_dict().items()}


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    assert not [name for name in ours if not torch.equal(ours[name], theirs[name])]


def statistics(state):
    return {name: each for name, each in state.items() if "running" in name or "num_batches" in name}


@pytest.fixture
def at_every_step(monkeypatch):
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)


# Kept


def test_running_statistics_move_in_training_and_come_back_from_a_file(normed, encoded, tmp_path):
    codec, other, path = normed(1), normed(2), tmp_path / "weights.safetensors"
    before = copies(codec)
    train(HardLabels(codec), encoded)
    after = statistics(copies(codec))
    assert len(after) == 12
    assert not [name for name, each in after.items() if torch.equal(each, before[name])], "all of them moved"
    told = save_weights(codec, path, about={"build": "abc"})
    load_weights(other, path, build="abc", noted=told)
    assert_same(copies(other), copies(codec))
    assert save_weights(other, path, about={"build": "abc"}) == told, "equal states give equal bytes"


class Mixed(nn.Module):
    """One weight of every type that a network may hold."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((2, 3), start + 0.5))
        for kind in (torch.float16, torch.bfloat16, torch.float64):
            self.register_buffer(f"of_{str(kind)[6:]}", torch.full((3,), start + 0.25, dtype=kind))
        for kind in (torch.int8, torch.uint8, torch.int32, torch.int64):
            self.register_buffer(f"of_{str(kind)[6:]}", torch.full((2,), start, dtype=kind))
        self.register_buffer("of_bool", torch.tensor([True, start > 1]))
        self.register_buffer("counter", torch.tensor(start))
        self.register_buffer("scratch", torch.full((3,), float(start)), persistent=False)


def test_weights_of_any_type_come_back_and_what_is_no_state_stays_out(tmp_path):
    path, other = tmp_path / "weights.safetensors", Mixed(2)
    save_weights(Mixed(1), path, about={"build": "abc"})
    check_weights(path, build="abc")
    load_weights(other, path, build="abc")
    assert_same(copies(other), copies(Mixed(1)))
    assert {name: each.dtype for name, each in weights_of(other).items()} == {
        name: each.dtype for name, each in load_file(path).items()
    }
    assert "scratch" not in load_file(path)
    assert other.scratch[0] == 2


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("of_int8", torch.ones(2), "of_int8 must be of int8, got float32; delete it"),
        ("counter", torch.tensor(1.0), "counter must be of int64, got float32"),
        ("weight", torch.ones(2, 3, dtype=torch.float16), "weight must be of float32, got float16"),
        ("of_bool", torch.tensor([1, 0]), "of_bool must be of bool, got int64"),
        ("of_float16", torch.tensor([1, 2, torch.inf], dtype=torch.float16), "of_float16 must be finite"),
        ("of_bfloat16", torch.tensor([1, 2, torch.nan], dtype=torch.bfloat16), "of_bfloat16 must be finite"),
        ("counter", torch.ones(1, dtype=torch.int64), r"counter must have shape \(\), got \(1,\)"),
    ],
)
def test_a_weight_of_another_type_or_none_that_a_training_leaves_is_refused(name, value, message, tmp_path):
    path, other = tmp_path / "weights.safetensors", Mixed(2)
    save_file({**copies(Mixed(1)), name: value}, path)
    with pytest.raises(UserMistake, match=message):
        load_weights(other, path)
    assert_same(copies(other), copies(Mixed(2)))


def test_a_file_without_the_statistics_is_of_another_network(normed, tmp_path):
    path, codec = tmp_path / "weights.safetensors", normed(1)
    save_file({name: each.detach() for name, each in codec.named_parameters()}, path)
    with pytest.raises(UserMistake, match=r"belong to another network: .*num_batches_tracked"):
        load_weights(codec, path)


# Resumed and put back


@pytest.mark.usefixtures("at_every_step")
@pytest.mark.parametrize("plug", [1, 4, 8])
def test_stopped_and_begun_again_the_statistics_are_those_of_one_that_went_through(plug, normed, encoded, tmp_path):
    expected = train(HardLabels(normed(1)), encoded)
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "one training")
    with pytest.raises(Stopped):
        train(HardLabels(normed(1)), encoded, checkpoint=checkpoint, plug=plug)
    assert_same(train(HardLabels(normed(2)), encoded, checkpoint=checkpoint), expected)


@pytest.mark.usefixtures("at_every_step")
def test_a_training_that_is_lost_goes_back_to_the_statistics_of_the_good_weights(normed, encoded):
    class Lost(HardLabels):
        step = 0

        def forward(self, batch, links, chance):
            losses = super().forward(batch, links, chance)
            self.step += 1
            return {name: loss * (torch.nan if self.step == 6 else 1.0) for name, loss in losses.items()}

    with pytest.raises(Stopped):
        train(objective := Lost(normed(1)), encoded, plug=5)
    good = copies(objective)
    with pytest.raises(Diverged, match="the weights of step 5 were kept"):
        train(objective := Lost(normed(1)), encoded)
    assert_same(copies(objective), good)


# Adopted


@pytest.mark.parametrize("side", ["transmitter", "receiver"])
@pytest.mark.parametrize("taught", [False, True])
def test_an_adopted_side_keeps_its_statistics_and_the_other_side_moves_its_own(side, taught, normed, encoded):
    donor, codec = normed(5), normed(1)
    train(HardLabels(donor), encoded, chance=Chance(4))
    theirs = copies(getattr(donor, side))
    _adopt(codec, Adoption(side, "the donor"), donor)
    first = statistics(copies(codec))
    modes = []
    frozen = getattr(codec, side).norm[1]
    frozen.register_forward_hook(lambda *_: modes.append((frozen.plain.training, frozen.dropout.training)))
    train(
        Distiller(codec, [donor], Teaching(teacher="teacher", methods=(SoftLogits(),), hears="own"))
        if taught
        else HardLabels(codec),
        encoded,
    )
    assert set(modes) == {(False, True)}, "dropout acts in a frozen side as it always did"
    assert_same(copies(getattr(codec, side)), theirs)
    moved = {name for name, each in statistics(copies(codec)).items() if not torch.equal(each, first[name])}
    assert moved == {name for name in first if not name.startswith(side)}
    assert_same(copies(getattr(donor, side)), theirs)
