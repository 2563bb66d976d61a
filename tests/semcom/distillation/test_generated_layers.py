"""A student that generates its teacher's layers: what it learns from, when it is led, and what its training moves."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from channels import Chance, Link
from semcom.distillation.distiller import Distiller
from semcom.distillation.generated_layers import GeneratedLayers, is_forced
from semcom.distillation.hidden_hints import HiddenHints
from semcom.distillation.teaching import Teaching
from semcom.models.codec import Codec
from semcom.models.generative import GenerativeCodec
from semcom.models.generative_spec import GenerativeSpec
from semcom.models.make import initialize
from semcom.models.semantic_spec import symmetric
from semcom.sources.batches import TrainingBatches, make_batch
from semcom.training.checkpoint import Checkpoint
from semcom.training.fit import fit
from semcom.training.settings import TrainingSettings

VOCABULARY = 19
PLUGGED = replace(symmetric(8, 3, heads=2), symbols_per_token=2)
SPEC = GenerativeSpec(plugged=PLUGGED, width=12, heads=3, feedforward=20)
ENCODED = [[4 + (5 * row + 3 * place) % 15 for place in range(3 + row % 3)] for row in range(12)]
BATCH = make_batch(ENCODED[:6])
LINK = Link(snr_db=4.0, interferers=1)
SETTINGS = TrainingSettings(steps=6, batch=5, warmup=0, interferers=(0, 1))


def teacher() -> Codec:
    return initialize(PLUGGED, VOCABULARY, seed=5).eval()


def distiller(spec: GenerativeSpec = SPEC, *, hears: Any = "own", **fields: Any) -> Distiller:
    around = teacher()
    student = initialize(spec, VOCABULARY, seed=1)
    assert isinstance(student, GenerativeCodec)
    student.plug_in(around)
    method = GeneratedLayers(**fields)
    return Distiller(student, [around], Teaching(teacher="teacher", methods=(method,), label_weight=0, hears=hears))


def loss_of(made: Distiller) -> float:
    return made(BATCH, [LINK], Chance(5))["generated_layers"].item()


def test_it_is_led_in_training_for_as_long_as_the_schedule_says_and_never_when_validated() -> None:
    led, free = loss_of(distiller().train()), loss_of(distiller(forced=0.0).train())
    assert led != pytest.approx(free, rel=1e-3)
    falling = distiller().train()
    falling.reach(1.0)
    assert loss_of(falling) == free
    assert loss_of(distiller().eval()) == free


def test_halfway_half_of_the_steps_are_forced() -> None:
    drawn = [is_forced([GeneratedLayers()], 0.5, Chance(1).of("step", step)) for step in range(400)]
    assert not is_forced([HiddenHints()], 0.0, Chance(1))
    assert 150 < sum(drawn) < 250  # of 400, five standard errors are 50


@pytest.mark.parametrize("hears", ["own", "student"])
@pytest.mark.parametrize("forced", [0.0, 1.0])
def test_training_moves_the_makers_alone(hears: Any, forced: float) -> None:
    made = distiller(hears=hears, forced=forced, forced_at_end=forced)
    before, theirs = copy.deepcopy(made.student.state_dict()), copy.deepcopy(made.teachers[0].state_dict())
    fit(made, TrainingBatches(ENCODED, 5, Chance(1)), SETTINGS, Chance(2))
    assert all(torch.equal(each, theirs[name]) for name, each in made.teachers[0].state_dict().items())
    assert all(each.grad is None for each in made.teachers[0].parameters())
    for name, each in made.student.state_dict().items():
        assert torch.equal(each, before[name]) == (".maker." not in name), name


def test_a_killed_training_goes_on_where_its_schedule_was(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(done: int, total: int, message: str) -> None:
        if done == 3:
            raise Killed

    def train(made: Distiller, **options: Any) -> dict[str, torch.Tensor]:
        fit(made, TrainingBatches(ENCODED, 5, Chance(1)), SETTINGS, Chance(2), **options)
        return made.student.state_dict()

    expected = train(distiller())
    checkpoint = Checkpoint(tmp_path / "checkpoint", "identity")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)
        with pytest.raises(Killed):
            train(distiller(), checkpoint=checkpoint, progress=kill)
    found = train(distiller(), checkpoint=checkpoint)
    assert all(torch.equal(each, expected[name]) for name, each in found.items())


def test_layers_that_are_left_out_are_not_learned() -> None:
    chosen = distiller(replace(SPEC, layers=(1, 3)), forced=0.0)
    assert [[name for name, _ in each.named_children()] for each in chosen.adapters[0].children()] == [
        ["0_0", "1_2"]
    ] * 2
    assert loss_of(chosen) > 0


def test_receivers_alone_can_be_generated_and_learn_from_the_receiver() -> None:
    made = distiller(replace(SPEC, generates="decoder"), side="decoder")
    assert loss_of(made.train()) > 0
    with pytest.raises(ValueError, match="transmitter is adopted and frozen"):
        distiller(replace(SPEC, generates="decoder"))


def test_a_teacher_of_another_depth_has_other_layers() -> None:
    other = replace(symmetric(8, 2, heads=2), symbols_per_token=2)
    with pytest.raises(ValueError, match=r"shape it is plugged into, 3 layers of 8 features, got 2 of 8"):
        GeneratedLayers().adapters(SPEC, other)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"forced": 1.5}, "forced of"), ({"forced_at_end": -0.1}, "forced_at_end of"), ({"l1": 0, "cosine": 0}, "l1 and")],
)
def test_fields_that_mean_nothing_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GeneratedLayers(**fields)
