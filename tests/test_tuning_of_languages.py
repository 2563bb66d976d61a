"""Tuning: weights come out as they went in, and never worse than no language."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from semcom.languages.language import BOUNDARY
from semcom.languages.prior import unigram_of
from semcom.languages.search import search
from semcom.languages.settings import SIGNAL_ALONE, SearchSettings
from semcom.languages.tuning import PREMIUM, Tuned, likeliest_weights, tune
from semcom.models.evidence import Apart
from semcom.sources.batches import SentenceBatch, make_batch

V, LENGTH = 12, 8


@dataclass
class Bigrams:
    table: Tensor
    memory: int | None = 1

    @property
    def outputs(self) -> int:
        return len(self.table)

    def begin(self, rows: int) -> Tensor:
        return torch.full((rows,), BOUNDARY)

    def scores(self, state: Tensor, candidates: Tensor | None = None) -> Tensor:
        return self.table[state] if candidates is None else self.table[state].gather(1, candidates)

    def extend(self, state: Tensor, parents: Tensor, tokens: Tensor) -> Tensor:
        return tokens

    def tell(self, batch: SentenceBatch) -> Tensor:
        raise NotImplementedError


def world(sentences: int, *, noise: float, seed: int = 3) -> tuple[Bigrams, Tensor, list[tuple[Apart, SentenceBatch]]]:
    """Sentences of a chain of tokens, each heard as one of V directions in noise; the receiver knows the unigram."""
    chance = torch.Generator().manual_seed(seed)
    language = Bigrams((torch.randn(V, V, generator=chance) * 2).log_softmax(dim=-1))
    language.table[:, BOUNDARY] = -30.0
    tokens = [torch.full((sentences,), BOUNDARY)]
    for _ in range(LENGTH):
        tokens.append(torch.multinomial(language.table[tokens[-1]].softmax(dim=-1), 1, generator=chance)[:, 0])
    text = torch.stack(tokens[1:], dim=1)
    unigram = unigram_of(text.tolist(), V)
    signal = torch.eye(V)[text] + noise * torch.randn(sentences, LENGTH, V, generator=chance)
    # -|y - e_t|^2 / (2 noise^2), and what is the same for all t left out; by Bayes' rule the prior comes on top.
    logits = signal / noise**2 + unigram
    return language, unigram, [(Apart(logits), make_batch(text.tolist()))]


def test_for_an_ideal_receiver_bayes_rule_comes_out() -> None:
    """Temperature one, the unigram wholly taken out, the language wholly in; to within a tenth, by 4,800 tokens."""
    language, unigram, heard = world(600, noise=0.5)
    found = likeliest_weights(heard, language, unigram, candidates=V)
    assert [found.temperature, found.alpha, found.language] == pytest.approx([1, 1, 1], abs=0.1)


def test_a_receiver_too_sure_of_itself_is_cooled_down() -> None:
    language, unigram, heard = world(600, noise=0.5)
    sure = [(Apart(3 * evidence._logits), batch) for evidence, batch in heard]
    found = likeliest_weights(sure, language, unigram, candidates=V)
    assert found.temperature == pytest.approx(1 / 3, abs=0.04)


def errors(tuned: Tuned) -> dict[object, float]:
    return {each.weights: each.error for each in tuned.tried}


def test_tuned_weights_are_the_best_of_what_was_tried_and_keep_what_they_promise() -> None:
    language, unigram, heard = world(60, noise=0.8)
    settings = SearchSettings(beam=12)
    tuned = tune(heard, language, unigram, settings=settings)
    tried = errors(tuned)
    assert tuned.tried[0].weights == SIGNAL_ALONE
    assert len(tuned.tried) <= 12
    assert tried[tuned.weights] <= PREMIUM * min(tried.values()) < 0.8 * tried[SIGNAL_ALONE]
    assert tuned.weights.floor is not None
    evidence, batch = heard[0]
    found = search(evidence, batch, language=language, unigram=unigram, weights=tuned.weights, settings=settings)
    assert (found.tokens != batch.tokens).double().mean().item() == pytest.approx(tried[tuned.weights])
    assert tune(heard, language, unigram, settings=settings) == tuned


def test_a_language_that_only_misleads_is_left_out() -> None:
    language, unigram, heard = world(60, noise=0.6)
    wrong = Bigrams(language.table.roll(5, dims=0).roll(3, dims=1))
    tuned = tune(heard, wrong, unigram)
    assert errors(tuned)[tuned.weights] <= errors(tuned)[SIGNAL_ALONE]
    assert tuned.weights.language < 0.3


def test_nothing_to_tune_on_is_refused() -> None:
    language, unigram, _ = world(2, noise=1)
    with pytest.raises(ValueError, match="at least one batch of sentences, got none"):
        tune([], language, unigram)
