"""A language learns from text by the one loop, and a training that was killed ends as one that was not."""

from dataclasses import replace
from random import Random

import pytest
import torch

from channels import Chance
from semcom.languages.bits import bits_per_token
from semcom.languages.transformer import initialize_language
from semcom.languages.transformer_spec import TransformerSpec
from semcom.sources.batches import evaluation_batches, make_batch
from semcom.training.checkpoint import Checkpoint
from semcom.training.language_objective import NextToken
from semcom.training.recipe import Recipe
from semcom.training.train_language import train_language

VOCABULARY = 13
SPEC = TransformerSpec(width=16, layers=1, heads=2, feedforward=32, dropout=0.1)
RECIPE = Recipe(steps=60, batch=8, learning_rate=2e-2, warmup=5, validate_every=20)


def counting(count: int, seed: int) -> list[list[int]]:
    """Sentences that go on with the next number three times out of four."""
    chance, sentences = Random(seed), []
    for _ in range(count):
        sentence = [chance.randrange(3, VOCABULARY)]
        for _ in range(chance.randrange(2, 7)):
            sure = chance.random() < 0.75
            sentence.append(3 + (sentence[-1] - 2) % 10 if sure else chance.randrange(3, VOCABULARY))
        sentences.append(sentence)
    return sentences


TEXT, HELD_OUT = counting(60, 1), evaluation_batches(counting(30, 2), 8)


def trained(recipe=RECIPE, **more):
    return train_language(SPEC, VOCABULARY, TEXT, recipe, chance=Chance(4), **more)


def test_the_loss_is_the_mean_surprise_with_the_ends():
    language = initialize_language(SPEC, VOCABULARY, seed=1)
    batch = make_batch([[3, 4, 5], [6]])
    loss = NextToken(language)(batch, (), Chance(1))
    assert list(loss) == ["next_token"]
    torch.testing.assert_close(loss["next_token"], -language.tell(batch).sum() / 6)


def test_a_language_learns_what_follows():
    language, history = trained(validation=HELD_OUT)
    uniform, learned = torch.log2(torch.tensor(10.0)).item(), bits_per_token(language, HELD_OUT)
    assert history.steps == [20, 40, 60] and history.validation[-1] == pytest.approx(learned)
    assert learned < 0.85 * uniform and history.losses[-1]["next_token"] < history.losses[0]["next_token"]
    assert not language.training


@pytest.mark.parametrize("at", [1, 17])
def test_killed_and_begun_again_is_never_killed(at, tmp_path, monkeypatch):
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)
    recipe = replace(RECIPE, steps=20)
    expected, _ = trained(recipe)

    def pull(done, total, message):
        if done == at:
            raise KeyboardInterrupt

    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "one language")
    with pytest.raises(KeyboardInterrupt):
        trained(recipe, checkpoint=checkpoint, progress=pull)
    assert checkpoint.load()["step"] == at
    language, _ = trained(recipe, checkpoint=checkpoint)
    theirs = expected.state_dict()
    assert all(torch.equal(each, theirs[name]) for name, each in language.state_dict().items())


def test_several_processes_are_refused():
    with pytest.raises(ValueError, match="devices must be 1 for a language, got 2"):
        trained(replace(RECIPE, devices=2))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no accelerator")
def test_an_accelerator_in_half_precision_learns_as_well():
    validation = [batch.to("cuda") for batch in HELD_OUT]
    language, _ = trained(replace(RECIPE, precision="bf16"), validation=HELD_OUT, device="cuda")
    assert language.tell(validation[0]).dtype == torch.float32
    assert bits_per_token(language, validation) < 0.85 * torch.log2(torch.tensor(10.0)).item()
