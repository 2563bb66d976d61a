"""The loop: what it calls and when, what a step is, and that no number in it comes from anywhere else."""

import math
import random

import numpy
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from channels import Chance, Gaussian, Qam
from semcom.mistakes import UserMistake
from semcom.sources.batches import TrainingBatches, make_batch
from semcom.training.fit import History, fit
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

CHANCE = Chance(11).of("training")


class Slope(nn.Module):
    """An objective that is a plane: the same gradient at every step, as steep as it is told."""

    def __init__(self, steepness: float = 1.0, *, bystander: bool = False) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.full((2, 2), 3.0))
        self.vector = nn.Parameter(torch.full((4,), 3.0))
        self.fixed = nn.Parameter(torch.full((4,), 3.0), requires_grad=False) if bystander else None
        self.steepness = steepness
        self.modes: list[bool] = []
        self.met: list[tuple] = []

    def forward(self, batch, links, chance):
        self.modes.append(self.training)
        self.met.append((batch, links, chance))
        return {"matrix": self.steepness * self.matrix.sum(), "vector": self.steepness * self.vector.sum()}


class Numbered:
    """Batches that only tell their number."""

    def at(self, step: int):
        return make_batch([[4 + step]])


@pytest.fixture
def steps_seen():
    """What every optimizer step was about to use: the gradient's norm, and the rates of its groups."""
    seen: list[tuple[float, list[float]]] = []

    def look(optimizer, args, kwargs):
        gradients = [each.grad for group in optimizer.param_groups for each in group["params"]]
        norm = math.sqrt(sum(float(each.square().sum()) for each in gradients))
        seen.append((norm, [group["lr"] for group in optimizer.param_groups]))

    handle = register_optimizer_step_pre_hook(look)
    yield seen
    handle.remove()


def train(codec, encoded, settings, **more):
    fit(HardLabels(codec), TrainingBatches(encoded, settings.batch, CHANCE.of("batches")), settings, CHANCE, **more)
    return {name: each.detach().clone() for name, each in codec.named_parameters()}


# What is called, and when


def test_progress_is_called_after_every_step_with_how_many_are_done():
    calls = []
    settings = TrainingSettings(steps=7)
    fit(Slope(), Numbered(), settings, CHANCE, progress=lambda *call: calls.append(call))
    assert [(done, total) for done, total, _ in calls] == [(done, 7) for done in range(1, 8)]
    assert all("matrix" in message and "vector" in message for _, _, message in calls)


@pytest.mark.parametrize(("steps", "every", "expected"), [(7, 3, [3, 6, 7]), (6, 3, [3, 6]), (2, 5, [2]), (1, 1, [1])])
def test_validation_comes_every_so_many_steps_and_at_the_end(steps, every, expected):
    objective, modes, said = Slope(), [], []
    scores = iter([0.5, 0.25, 0.125])

    def validate() -> float:
        modes.append(objective.training)
        return next(scores)

    settings = TrainingSettings(steps=steps, validate_every=every)
    history = fit(
        objective, Numbered(), settings, CHANCE, validate=validate, progress=lambda *call: said.append(call[2])
    )
    assert history.steps == expected
    assert history.validation == [0.5, 0.25, 0.125][: len(expected)]
    assert [set(each) for each in history.losses] == [{"matrix", "vector"}] * len(expected)
    assert modes == [False] * len(expected), "validation sees no dropout"
    assert objective.modes == [True] * steps, "training goes on as training afterwards"
    assert f"validation {history.validation[-1]:.3f}" in said[-1]


def test_without_validation_there_is_no_history():
    assert fit(Slope(), Numbered(), TrainingSettings(steps=3), CHANCE) == History()


def test_a_trained_objective_is_left_ready_to_use():
    objective = Slope()
    fit(objective, Numbered(), TrainingSettings(steps=2), CHANCE)
    assert not objective.training
    assert all(each.grad is None for each in objective.parameters())


def test_step_t_meets_the_batch_the_air_and_the_chance_of_t():
    objective, settings = Slope(), TrainingSettings(steps=5, interferers=(0, 3))
    fit(objective, Numbered(), settings, CHANCE)
    for step, (batch, links, chance) in enumerate(objective.met):
        assert batch.tokens.tolist() == [[4 + step]]
        assert links == (settings.link(CHANCE.of("step", step).of("link")),)
        assert chance == CHANCE.of("step", step).of("air")


# What a step is


def test_every_step_has_the_rate_of_its_number(steps_seen):
    settings = TrainingSettings(steps=9, warmup=3, learning_rate=1e-2)
    fit(Slope(), Numbered(), settings, CHANCE)
    assert [rates for _, rates in steps_seen] == [[settings.learning_rate_at(step)] * 2 for step in range(9)]


@pytest.mark.parametrize(("steepness", "clip"), [(100.0, 1.0), (0.01, 1.0), (1.0, 0.25)])
def test_a_gradient_is_cut_to_the_largest_norm_and_a_smaller_one_is_left_alone(steepness, clip, steps_seen):
    """The gradient has eight entries of one size, so its norm is that size times the root of eight."""
    fit(Slope(steepness), Numbered(), TrainingSettings(steps=3, clip=clip), CHANCE)
    for norm, _ in steps_seen:
        assert norm == pytest.approx(min(clip, steepness * math.sqrt(8)), rel=1e-5)


def test_weights_decay_on_matrices_alone():
    """Without a gradient, AdamW leaves p <- p (1 - rate x decay), once a step."""
    objective = Slope(0.0, bystander=True)
    settings = TrainingSettings(steps=4, warmup=0, learning_rate=0.1, weight_decay=0.5)
    fit(objective, Numbered(), settings, CHANCE)
    expected = 3.0 * math.prod(1 - 0.5 * settings.learning_rate_at(step) for step in range(4))
    assert torch.allclose(objective.matrix, torch.full((2, 2), expected))
    assert torch.equal(objective.vector, torch.full((4,), 3.0))
    assert torch.equal(objective.fixed, torch.full((4,), 3.0))


def test_what_needs_no_gradient_is_not_trained():
    objective = Slope(bystander=True)
    fit(objective, Numbered(), TrainingSettings(steps=3), CHANCE)
    assert torch.equal(objective.fixed, torch.full((4,), 3.0))
    assert not torch.equal(objective.vector, torch.full((4,), 3.0))


def test_the_first_step_is_as_long_as_the_rate():
    """Adam's first step is rate x gradient / |gradient|, whatever the size of the gradient."""
    objective = Slope(0.3)
    fit(objective, Numbered(), TrainingSettings(steps=1, warmup=0, learning_rate=1e-2, weight_decay=0.0), CHANCE)
    assert torch.allclose(objective.vector, torch.full((4,), 3.0 - 1e-2), atol=1e-6)


# No number from anywhere else


def test_a_training_depends_on_its_chance_alone(make_codec, encoded):
    settings = TrainingSettings(steps=8, batch=8, warmup=2, interferers=(0, 2))
    results = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        random.seed(noise)
        numpy.random.seed(noise)
        torch.rand(noise)
        results.append(train(make_codec(1, dropout=0.3), encoded, settings))
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])


def test_a_training_leaves_everybody_elses_chance_alone(make_codec, encoded):
    torch.manual_seed(5)
    random.seed(5)
    numpy.random.seed(5)
    expected = (torch.rand(3), random.random(), numpy.random.rand())
    torch.manual_seed(5)
    random.seed(5)
    numpy.random.seed(5)
    train(make_codec(1, dropout=0.3), encoded, TrainingSettings(steps=2, batch=8))
    assert torch.equal(torch.rand(3), expected[0])
    assert (random.random(), numpy.random.rand()) == expected[1:]


def test_validation_does_not_disturb_training(make_codec, encoded):
    settings = TrainingSettings(steps=8, batch=8, warmup=2, validate_every=2)
    undisturbed = train(make_codec(1, dropout=0.3), encoded, settings)
    disturbed = train(make_codec(1, dropout=0.3), encoded, settings, validate=lambda: float(torch.rand(5).sum()))
    assert all(torch.equal(undisturbed[name], disturbed[name]) for name in undisturbed)


def test_another_chance_gives_another_training(make_codec, encoded):
    settings = TrainingSettings(steps=4, batch=8, warmup=2)
    codecs = [make_codec(1), make_codec(1)]
    for codec, chance in zip(codecs, (CHANCE, Chance(12).of("training")), strict=True):
        fit(HardLabels(codec), TrainingBatches(encoded, 8, CHANCE.of("batches")), settings, chance)
    assert not torch.equal(codecs[0].receiver.output.weight, codecs[1].receiver.output.weight)


def test_dropout_is_drawn_anew_at_every_step(make_codec):
    """With one sentence and one air, dropout alone tells two steps apart."""
    codec = make_codec(1, dropout=0.5)
    settings = TrainingSettings(steps=6, snr_db=90.0, learning_rate=1e-12, weight_decay=0.0)
    said = []

    class OneBatch:
        def at(self, step: int):
            return make_batch([[5, 6, 7, 8]])

    class Fresh(HardLabels):
        def forward(self, batch, links, chance):
            losses = super().forward(batch, links, Chance(1))
            said.append(float(losses["hard_labels"].detach()))
            return losses

    fit(Fresh(codec), OneBatch(), settings, CHANCE)
    assert len(set(said)) == 6


# A codec learns


def test_a_codec_learns_what_it_is_trained_on(make_codec, encoded):
    """From ln(vocabulary) for a guess to less than half of it, in seconds; a single number is a fine range."""
    codec = make_codec(1, width=16)
    settings = TrainingSettings(steps=60, batch=8, warmup=5, learning_rate=2e-2, snr_db=15.0)
    history = fit(
        HardLabels(codec),
        TrainingBatches(encoded, 8, CHANCE.of("batches")),
        settings,
        CHANCE,
        validate=lambda: 0.0,
    )
    assert history.losses[-1]["hard_labels"] < 0.5 * math.log(23)


@pytest.mark.parametrize("interference", [Qam(), Gaussian()], ids=["qam", "gaussian"])
def test_other_interferers_than_neighbors_need_no_crowd(interference, make_codec, encoded):
    settings = TrainingSettings(steps=2, batch=4, interferers=3, interference=interference)
    train(make_codec(1), encoded, settings)


def test_as_many_neighbors_as_a_batch_has_others_are_trained_with(make_codec):
    """Of sentences of one length; where lengths differ, whoever makes the batches counts what a crowd can send."""
    encoded = [[4 + (3 * row + place) % 19 for place in range(5)] for row in range(16)]
    done = []
    settings = TrainingSettings(steps=8, batch=4, interferers=3)
    train(make_codec(1), encoded, settings, progress=lambda *call: done.append(call[0]))
    assert done == list(range(1, 9))


def test_brain_floats_are_refused_where_no_accelerator_has_them():
    with pytest.raises(UserMistake, match=r"bf16 needs an accelerator .*; use '32' on this machine"):
        fit(Slope(), Numbered(), TrainingSettings(steps=1, precision="bf16"), CHANCE)


def test_more_processes_than_cores_are_refused(monkeypatch):
    monkeypatch.setattr("semcom.training.fit.os.cpu_count", lambda: 2)
    with pytest.raises(UserMistake, match=r"training\.devices must be at most 2, this machine's cores, got 3"):
        fit(Slope(), Numbered(), TrainingSettings(steps=1, devices=3), CHANCE)


def test_brain_floats_train_where_they_are_allowed(make_codec, encoded, monkeypatch):
    """The processor computes in bf16 too, slowly: enough to see that records pass through the mixed precision."""
    mixed = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed")
    monkeypatch.setattr("semcom.training.fit.processes", lambda settings, device: mixed)
    before = make_codec(1).receiver.output.weight.clone()
    after = train(make_codec(1), encoded, TrainingSettings(steps=2, batch=8, interferers=1, precision="bf16"))
    assert after["transmitter.embedding.weight"].dtype == torch.float32
    assert not torch.equal(before, after["transmitter.embedding.weight"])
