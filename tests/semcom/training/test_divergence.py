"""A training that is lost is stopped, says so, and puts back the last weights that were good."""

import math

import pytest
import torch
from torch import nn

from channels import Chance
from semcom.sources.batches import make_batch
from semcom.training.checkpoint import Checkpoint
from semcom.training.fit import DIVERGED, SMOOTHING, Diverged, fit
from semcom.training.settings import TrainingSettings

SETTINGS = TrainingSettings(steps=300, warmup=0, learning_rate=1e-3)


class Scripted(nn.Module):
    """An objective whose loss at every step is what the script says; its weights move a little each time."""

    def __init__(self, script) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(3))
        self.script = script
        self.step = 0

    def forward(self, batch, links, chance):
        loss = self.script(self.step, links)
        self.step += 1
        # One at the start and with a gradient, but no larger or smaller for it.
        unit = self.weights.sum() / self.weights.sum().detach()
        return {"scripted": loss * unit}


class OneWord:
    def at(self, step: int):
        return make_batch([[4]])


def run(objective, settings=SETTINGS, **more):
    """Fit; the weights after every step, and what was raised."""
    after = {0: objective.weights.detach().clone()}

    def progress(done: int, total: int, message: str) -> None:
        after[done] = objective.weights.detach().clone()

    try:
        fit(objective, OneWord(), settings, Chance(1), progress=progress, **more)
    except Diverged as diverged:
        return after, str(diverged)
    return after, None


@pytest.fixture
def kept_every_step(monkeypatch):
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)


@pytest.mark.usefixtures("kept_every_step")
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf], ids=str)
@pytest.mark.parametrize("when", [0, 1, 20])
def test_a_loss_that_is_no_number_stops_at_once_with_the_weights_before_it(bad, when):
    objective = Scripted(lambda step, links: bad if step == when else 1.0)
    after, message = run(objective)
    assert f"the loss became {bad} at step {when + 1}" in message
    assert f"the weights of step {when} were kept" in message
    assert "Try a lower training.learning_rate or more training.warmup" in message
    assert max(after) == when
    assert torch.equal(objective.weights.detach(), after[when])


def test_without_anything_kept_the_first_weights_are_put_back():
    objective = Scripted(lambda step, links: math.nan if step == 6 else 1.0)
    after, message = run(objective)
    assert not torch.equal(after[6], after[0]), "the weights did move before"
    assert "the weights of step 0 were kept" in message
    assert torch.equal(objective.weights.detach(), after[0])


@pytest.mark.usefixtures("kept_every_step")
def test_a_loss_that_grows_past_hope_is_stopped():
    objective = Scripted(lambda step, links: 1.0 if step < 70 else 10.0)
    after, message = run(objective)
    # With 1 before and 10 from step 70 on, smoothed over 50 steps: 10 - 9 (1 - 1/50)^n passes 2 at n = 6.
    passed = 70 + math.ceil(math.log(8 / 9) / math.log(1 - 1 / SMOOTHING))
    assert passed == 76
    assert f"the loss grew from 1 to {DIVERGED:.0f}." in message
    assert f"by step {passed}" in message
    assert torch.equal(objective.weights.detach(), after[max(after)])


@pytest.mark.usefixtures("kept_every_step")
def test_after_a_divergence_the_checkpoint_still_holds_good_weights(tmp_path):
    objective = Scripted(lambda step, links: math.nan if step == 9 else 1.0)
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    after, _ = run(objective, checkpoint=checkpoint)
    assert torch.equal(checkpoint.load()["weights"]["weights"], after[9])


@pytest.mark.usefixtures("kept_every_step")
def test_weights_spoiled_by_a_gradient_are_never_taken_for_good_ones(tmp_path):
    """A loss can be a fine number and its gradient none, as of a root at zero: the weights go one step earlier."""

    class Root(Scripted):
        def forward(self, batch, links, chance):
            losses = super().forward(batch, links, chance)
            if self.step == 8:
                losses["root"] = (0 * self.weights).sum().sqrt()
            return losses

    objective = Root(lambda step, links: 1.0)
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    after, message = run(objective, checkpoint=checkpoint)
    assert message is not None
    assert torch.isfinite(objective.weights).all()
    assert torch.equal(objective.weights.detach(), after[7])
    assert torch.isfinite(checkpoint.load()["weights"]["weights"]).all()


def test_a_codec_that_errs_hardly_at_all_may_err_twice_as_much_while_the_rate_rises():
    objective = Scripted(lambda step, links: 0.0025 if step < 70 else 0.02)
    after, message = run(objective)
    assert message is None and max(after) == 300


def test_a_lucky_first_batch_is_no_divergence():
    """A codec that already works loses little in the clear air of its first step, and more in the air of others."""
    chance = next(Chance(seed) for seed in range(100) if SETTINGS.link(Chance(seed).of("step", 0, "link")).snr_db > 17)
    objective = Scripted(lambda step, links: 10 ** (-links[0].snr_db / 10))
    history = fit(objective, OneWord(), SETTINGS, chance, validate=lambda: 0.0)
    assert history.steps == [300]


def test_a_student_that_begins_as_its_teacher_is_no_divergence():
    """Its first loss is nothing, or next to nothing: any loss is many times that."""
    _, message = run(Scripted(lambda step, links: 1e-7 if step == 0 else 0.01))
    assert message is None


@pytest.mark.parametrize("first", [1.0, 30.0])
def test_a_falling_loss_with_noise_on_it_is_left_alone(first):
    _, message = run(Scripted(lambda step, links: first * (0.3 + 0.7 * 0.98**step) * (1.4 if step % 2 else 0.6)))
    assert message is None


def test_a_bad_beginning_alone_is_no_reason_to_stop():
    """Warm-up is rough: nothing finite is judged before the average has settled."""
    _, message = run(Scripted(lambda step, links: 1.0 if step in (0,) or step > 10 else 3.0))
    assert message is None


@pytest.mark.usefixtures("kept_every_step")
def test_begun_again_a_loss_is_held_against_the_first_ones_of_all(tmp_path):
    """A training stopped after its first losses knows them still: one that goes on as it was is no divergence."""
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    stopped = SMOOTHING + 10
    _, message = run(Scripted(lambda step, links: math.nan if step == stopped else 1.0), checkpoint=checkpoint)
    assert f"at step {stopped + 1}" in message
    after, message = run(Scripted(lambda step, links: 1.0), checkpoint=checkpoint)
    assert message is None
    assert min(set(after) - {0}) == stopped + 1, "it did go on"


def test_begun_again_and_lost_at_once_the_weights_of_the_checkpoint_are_put_back(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "me")
    with monkeypatch.context() as patch:
        patch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)
        after, _ = run(Scripted(lambda step, links: math.nan if step == 9 else 1.0), checkpoint=checkpoint)
    again = Scripted(lambda step, links: math.nan if step == 2 else 1.0)
    _, message = run(again, checkpoint=checkpoint)
    assert "at step 12; the weights of step 9 were kept" in message
    assert torch.equal(again.weights.detach(), after[9])


def test_the_first_losses_are_told_as_their_mean():
    """Before there are as many as are averaged over: the mean of 0 to 9, then of 0 to 19."""
    objective = Scripted(lambda step, links: float(step))
    settings = TrainingSettings(steps=20, warmup=0, validate_every=10)
    history = fit(objective, OneWord(), settings, Chance(1), validate=lambda: 0.0)
    assert [each["scripted"] for each in history.losses] == pytest.approx([4.5, 9.5])
