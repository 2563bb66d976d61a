"""Tuning: the weights of signal and language under which validation sentences arrive best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from semcom.languages.language import Language
from semcom.languages.search import search
from semcom.languages.settings import SIGNAL_ALONE, SearchSettings, Weights
from semcom.models.evidence import Evidence
from semcom.sources.batches import SentenceBatch

Heard = Sequence[tuple[Evidence, SentenceBatch]]
"""What a receiver made of some sentences, and the sentences: any number of batches, at any operating points."""

NEAR = 0.75  # the next weights to be tried lie this factor away, and its inverse
FLOORS = (3.0, 4.0, 6.0, 8.0)  # nats
PREMIUM = 1.01  # a floor is an insurance against other text: it may cost a hundredth more errors on one's own
ROUNDS = 30  # Newton's method is done after six or so


@dataclass(frozen=True)
class Tried:
    """Weights that were tried, and the share of the validation tokens that came out wrong under them."""

    weights: Weights
    error: float


@dataclass(frozen=True)
class Tuned:
    """The best weights, and all that were tried, in order; the first are no language at all."""

    weights: Weights
    tried: tuple[Tried, ...]


@torch.inference_mode()
def tune(heard: Heard, language: Language, unigram: Tensor, *, settings: SearchSettings | None = None) -> Tuned:
    """The weights under which fewest tokens come out wrong; never worse on these sentences than no language.

    First the weights that make every true token likeliest where its true past is known (`likeliest_weights`), which is
    a smooth question with one answer. Then, by the search itself and what it gets wrong, those, the defaults and no
    language; from the best on one step up and down in the language's weight and in alpha; and last floors, of which
    the lowest is taken that makes hardly more errors (PREMIUM). Nothing is drawn: the same sentences give the same
    weights.

    The cost is at most twelve searches of all the sentences, less than a minute on one core for 500 of them. Choose
    sentences of the validation split, as many at each operating point that the receiver was trained for.

    Args:
        heard: evidence with the sentences that it is of; here the tokens of each batch are read.
        unigram: log-probability of every token number in the text that the receiver was trained on [vocabulary].
        settings: of the search that the weights are for.

    Raises:
        ValueError: when there is no sentence.
    """
    settings = settings or SearchSettings()
    if not heard:
        raise ValueError(
            "tuning must have at least one batch of sentences, got none; take some of the validation split"
        )
    tried: dict[Weights, float] = {}

    def best_of(candidates: Iterable[Weights]) -> Weights:
        """The weights with the fewest errors so far, the first of equals, after trying these."""
        for weights in candidates:
            if weights not in tried:
                tried[weights] = _error(heard, language, unigram, weights=weights, settings=settings)
        return min(tried, key=lambda each: tried[each])

    best = best_of((SIGNAL_ALONE, likeliest_weights(heard, language, unigram, settings.candidates), Weights()))
    if best.language:
        best = best_of(replace(best, language=round(best.language * factor, 3)) for factor in (NEAR, 1 / NEAR))
        best = best_of(replace(best, alpha=max(0.0, round(best.alpha + change, 3))) for change in (-0.2, 0.2))
        floored = [replace(best, floor=floor) for floor in FLOORS]
        most = min(tried[best_of(floored)] * PREMIUM, tried[SIGNAL_ALONE])
        best = next((each for each in floored if tried[each] <= most), best)
    return Tuned(best, tuple(Tried(weights, error) for weights, error in tried.items()))


def _error(heard: Heard, language: Language, unigram: Tensor, *, weights: Weights, settings: SearchSettings) -> float:
    wrong = total = 0
    for evidence, batch in heard:
        found = search(
            evidence, batch, language=language, unigram=unigram, weights=weights, settings=settings, confidence=False
        )
        wrong += int((found.tokens != batch.tokens)[batch.mask].sum())
        total += int(batch.mask.sum())
    return wrong / total


def likeliest_weights(heard: Heard, language: Language, unigram: Tensor, candidates: int) -> Weights:
    """The weights that maximize the mean log-probability of true tokens, each behind its true past.

    p(t) ~ p(t | signal)^temperature p_1(t)^-alpha p_LM(t | past)^language   over the candidates and the true token

    A log-linear model, whose likelihood has one maximum; Newton's method finds it, within alpha, language >= 0 and
    temperature >= 0.05. What comes after a token is left out, so that these weights are a place to search from.
    """
    features, others = _features(heard, language, unigram, candidates)
    least = torch.tensor([0.05, 0.0, 0.0], dtype=torch.double)
    weights = torch.tensor([1.0, 0.5, 0.9], dtype=torch.double)
    here = _likelihood(features, others, weights)
    for _ in range(ROUNDS):
        slope, bend = _derivatives(features, others, weights)
        free = (weights > least) | (slope > 0)
        step = torch.zeros_like(weights)
        # A trace on the diagonal: where two features say the same, as a language of unigrams does, there is no inverse.
        step[free] = torch.linalg.solve(bend[free][:, free] + 1e-6 * torch.eye(int(free.sum())), slope[free])
        before = here
        for _ in range(ROUNDS):
            there = torch.maximum(weights + step, least)
            if (reached := _likelihood(features, others, there)) > here:
                weights, here = there, reached
                break
            step = step / 2
        if here - before < 1e-7:
            break
    # Rounded: they are kept and shown, and further digits decide nothing.
    temperature, alpha, spoken = (round(value, 3) for value in weights.tolist())
    return Weights(alpha=alpha, language=spoken, temperature=temperature, floor=None)


def _features(heard: Heard, language: Language, unigram: Tensor, candidates: int) -> tuple[Tensor, Tensor]:
    """What weights are multiplied with [tokens, C + 1, 3], the true token last, and where to add minus infinity."""
    found, twice = [], []
    for evidence, batch in heard:
        count = min(candidates, evidence.vocabulary)
        stay = torch.arange(len(batch), device=batch.mask.device)
        signal, told = evidence.begin(1), language.begin(len(batch))
        for position in range(batch.mask.shape[1]):
            scores = evidence.scores(signal)[:, 0]
            truth, real = batch.tokens[:, position, None], batch.mask[:, position]
            tried = scores.topk(count, dim=1).indices
            tokens = torch.cat((tried, truth), dim=1)
            parts = (scores.gather(1, tokens), -unigram.to(tokens.device)[tokens], language.scores(told, tokens))
            found.append(torch.stack([part.double() for part in parts], dim=2)[real].cpu())
            twice.append((tokens == truth)[real].cpu())
            told = language.extend(told, stay, truth[:, 0])
            if position + 1 < batch.mask.shape[1]:
                signal = evidence.extend(signal, torch.zeros_like(truth), truth)
    same = torch.cat(twice)
    same[:, -1] = False
    return torch.cat(found), torch.zeros(same.shape, dtype=torch.double).masked_fill(same, -torch.inf)


def _likelihood(features: Tensor, others: Tensor, weights: Tensor) -> float:
    return float((features @ weights + others).log_softmax(dim=1)[:, -1].mean())


def _derivatives(features: Tensor, others: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The likelihood's gradient, and its second derivatives with their sign turned."""
    shares = (features @ weights + others).softmax(dim=1)
    mean = torch.einsum("nc,ncf->nf", shares, features)
    off = (features - mean[:, None]) * shares.sqrt()[..., None]
    bend = torch.einsum("ncf,ncg->fg", off, off) / len(features)
    return (features[:, -1] - mean).mean(dim=0), bend
