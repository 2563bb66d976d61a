"""Two languages as one: probabilities are weighed, and the weight is the one that suits the text best."""

import math

import pytest
import torch

from semcom.languages.bits import bits_per_token
from semcom.languages.mixture import Mixture, fitted_mixture
from semcom.languages.rows import following, rows_of
from semcom.languages.transformer import initialize_language
from semcom.languages.transformer_spec import TransformerSpec
from semcom.sources.batches import evaluation_batches, make_batch

SPEC = TransformerSpec(width=8, layers=1, heads=2, feedforward=16)
SENTENCES = [[5, 6, 7, 8, 9], [10], [11, 12, 3], [5, 6, 4]]
BATCHES = evaluation_batches(SENTENCES, 2)


class Short:
    """A language that says it remembers so much and no more."""

    def __init__(self, memory):
        self.outputs, self.memory = 13, memory


@pytest.fixture
def two():
    first, second = (initialize_language(SPEC, 13, seed=seed) for seed in (1, 2))
    # Not so even as a fresh one, or the weight would hardly matter.
    for language in (first, second):
        language.embedding.weight.data *= 3
    return first, second


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_probabilities_are_weighed(two, weight):
    batch = make_batch(SENTENCES)
    mixture = Mixture(*two, weight)
    expected = weight * rows_of(two[0], batch).exp() + (1 - weight) * rows_of(two[1], batch).exp()
    torch.testing.assert_close(rows_of(mixture, batch).exp(), expected)
    tokens, real = following(batch)
    told = expected.log().gather(-1, tokens[..., None])[..., 0]
    torch.testing.assert_close(mixture.tell(batch), torch.where(real, told, 0.0))


def test_rows_go_on_in_both(two):
    mixture = Mixture(*two, 0.4)
    state = mixture.extend(mixture.begin(2), torch.tensor([0, 1, 1]), torch.tensor([5, 6, 7]))
    expected = mixture.everything(make_batch([[5], [6], [7]]))[:, 1]
    torch.testing.assert_close(mixture.scores(state), expected)
    some = torch.tensor([[4, 1], [0, 12], [9, 9]])
    torch.testing.assert_close(mixture.scores(state, some), expected.gather(1, some))


def test_the_weight_is_that_of_a_fine_search(two):
    batch = make_batch(SENTENCES)
    real = following(batch)[1]
    ours, theirs = (language.tell(batch)[real].double().exp() for language in two)
    weights = torch.linspace(0, 1, 1001, dtype=torch.double)[:, None]
    bits = -(weights * ours + (1 - weights) * theirs).log2().mean(dim=1)
    best = float(weights[bits.argmin()])
    assert 0.01 < best < 0.99
    found = fitted_mixture(*two, BATCHES)
    assert found.weight == pytest.approx(best, abs=0.001)
    assert bits_per_token(found, BATCHES, ends=True) == pytest.approx(float(bits.min()), abs=1e-5)


def test_a_language_that_is_better_everywhere_takes_all(two):
    better = two[0]

    class Worse(Short):
        def tell(self, batch):
            return better.tell(batch) - 1.0 * following(batch)[1]

    assert fitted_mixture(better, Worse(2), BATCHES).weight == pytest.approx(1.0)
    assert fitted_mixture(Worse(2), better, BATCHES).weight == pytest.approx(0.0)


@pytest.mark.parametrize(("memories", "expected"), [((2, 3), 3), ((2, None), None), ((None, 4), None)])
def test_it_remembers_as_much_as_either(memories, expected):
    assert Mixture(*map(Short, memories), 0.5).memory == expected


def test_what_does_not_fit_is_refused(two):
    with pytest.raises(ValueError, match="one vocabulary, got 13 and 14"):
        Mixture(two[0], initialize_language(SPEC, 14, seed=1), 0.5)
    for weight in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="weight must be from 0 to 1"):
            Mixture(*two, weight)
    with pytest.raises(ValueError, match="at least one batch"):
        fitted_mixture(*two, [])
