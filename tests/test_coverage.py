"""How often intervals hold the truth, over simulated experiments of seeds and sentences whose truth is known.

Sentence j of a codec of seed s gets each of its words right with the log-odds

    eta_sj = base + SEED a_s + SENTENCE b_j + AIR e_sj,    a, b, e independent normal numbers,

so that n words in a row are right with E[p^n], p = 1 / (1 + exp(-eta)), and the corpus BLEU of a codec with very many
sentences is the geometric mean of E[p], E[p^2], E[p^3] and E[p^4]; the truth is its mean over codecs.

Run as a script it prints a table for many more experiments than the tests have time for.
"""

from __future__ import annotations

import functools
import itertools
import math
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, ndtri

from semcom.metrics.bleu import LONGEST_NGRAM, Bleu
from semcom.metrics.catalog import axis_of
from semcom.metrics.crossed import common_share, influences, share_of_gap
from semcom.report.averaging import _within, mean_interval

# Standard deviations of log-odds. Air is the most of it: every seed draws its own fades.
SEED, SENTENCE, AIR = 0.15, 0.8, 1.2
# What two codecs of one seed share of their air, as they send the same sentences through the same fades.
ALIKE = 0.9
SHORTEST, LONGEST = 5, 20
COMBINE = Bleu().combine
Z = float(ndtri(0.975))
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def truth(base: float, seed: float = SEED) -> float:
    """BLEU-4 of very many sentences, averaged over very many codecs."""
    eta = base + seed * NODES[:, None] + math.hypot(SENTENCE, AIR) * NODES
    logs = [np.log(expit(eta) ** order @ WEIGHTS) for order in range(1, LONGEST_NGRAM + 1)]
    return float(np.exp(np.mean(logs, axis=0)) @ WEIGHTS)


@functools.cache
def base_of(bleu: float, seed: float = SEED) -> float:
    """The log-odds at which BLEU-4 is truly so much."""
    return float(brentq(lambda base: truth(base, seed) - bleu, -8, 14))


def heard(eta: np.ndarray, lengths: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """BLEU's counts of words that are right or wrong one by one, [..., sentences, 10]."""
    # A word beyond the end of its sentence is never right.
    there = np.arange(LONGEST) < lengths[:, None]
    right = (chance.random((*eta.shape, LONGEST), dtype=np.float32) < expit(eta)[..., None]) & there
    counts, row = [], right
    for order in range(1, LONGEST_NGRAM + 1):
        counts.append(row.sum(axis=-1))
        row = row[..., :-1] & right[..., order:]
    words = [np.broadcast_to(lengths - order, eta.shape) for order in (0, 1, 2, 3, 0, 0)]
    return np.stack([*counts, *words], axis=-1).astype(float)


def experiment(
    bases: tuple[float, ...], seeds: int, sentences: int, number: int, seed: float = SEED
) -> list[list[np.ndarray]]:
    """Counts of codecs on the same sentences, by codec and seed."""
    chance = np.random.default_rng([number, seeds, sentences])
    lengths = chance.integers(SHORTEST, LONGEST + 1, sentences)
    hard, air = SENTENCE * chance.standard_normal(sentences), chance.standard_normal((seeds, sentences))
    found = []
    for base in bases:
        own = chance.standard_normal((seeds, sentences))
        met = AIR * (math.sqrt(ALIKE) * air + math.sqrt(1 - ALIKE) * own)
        codec = seed * chance.standard_normal((seeds, 1))
        found.append(list(heard(base + codec + hard + met, lengths, chance)))
    return found


def rows_of(parts: Sequence[np.ndarray], values: Sequence[float]) -> list[list[float]]:
    """Values, lows and highs of each seed: what its bootstrap over sentences comes to, without waiting for it."""
    halves = [Z * float(each.std()) / math.sqrt(len(each)) for each in parts]
    return [
        list(each)
        for each in zip(*((v, v - half, v + half) for v, half in zip(values, halves, strict=True)), strict=True)
    ]


def value_of(runs: list[np.ndarray]) -> list[float]:
    """One value a seed."""
    return [float(COMBINE(each.sum(axis=0))) for each in runs]


def interval_of(runs: list[np.ndarray], *, known: bool = True) -> tuple[float, float, float]:
    """Of a mean over seeds, as a report has it from the rows of its table; `known` whether they tell `common`."""
    parts = [influences(each, COMBINE) for each in runs]
    common = common_share(np.stack(parts)) if known else math.nan
    value, low, high = mean_interval(*rows_of(parts, value_of(runs)), common)
    return (value, *_within(value, low, high, axis=axis_of("bleu_4"), users=1, count=len(runs[0]))[:2])


def difference_of(one: list[np.ndarray], other: list[np.ndarray]) -> tuple[float, float, float]:
    """The same of a paired difference."""
    parts = [influences(a, COMBINE) - influences(b, COMBINE) for a, b in zip(one, other, strict=True)]
    values = [a - b for a, b in zip(value_of(one), value_of(other), strict=True)]
    return mean_interval(*rows_of(parts, values), common_share(np.stack(parts)))


def share_of(student: list[np.ndarray], control: list[np.ndarray], teacher: list[np.ndarray]) -> tuple[float, ...]:
    """The same of a share of a gap."""
    found = share_of_gap(student, control, teacher, COMBINE)
    return found.value, found.low, found.high


def covered(trials: int, one: Callable[[int], tuple[float, ...]], true: float) -> float:
    """The share of experiments whose interval holds the truth."""
    ends = [one(number)[1:] for number in range(trials)]
    return sum(low <= true <= high for low, high in ends) / trials


def within(share: float, least: float, most: float, trials: int) -> bool:
    """Whether a share is one of [least, most] but for three standard errors of chance."""
    low, high = (3 * math.sqrt(each * (1 - each) / trials) for each in (least, most))
    return least - low <= share <= most + high


@pytest.mark.slow
@pytest.mark.parametrize("bleu", [0.3, 0.6, 0.9, 0.98])
@pytest.mark.parametrize("seeds", [3, 5])
def test_an_interval_over_seeds_holds_the_truth_as_often_as_it_says(bleu: float, seeds: int) -> None:
    trials, base = 300, (base_of(bleu),)
    assert within(covered(trials, lambda n: interval_of(experiment(base, seeds, 500, n)[0]), bleu), 0.93, 0.97, trials)


@pytest.mark.slow
def test_the_interval_of_a_paired_difference_holds_it_as_often_as_it_says() -> None:
    trials, bases = 400, (base_of(0.6), base_of(0.6) - 0.15)
    gain = truth(bases[0]) - truth(bases[1])
    held = covered(trials, lambda number: difference_of(*experiment(bases, 3, 500, number)), gain)
    assert within(held, 0.93, 0.97, trials)


@pytest.mark.slow
def test_a_table_that_does_not_tell_what_seeds_share_has_a_bound() -> None:
    trials, base = 300, (base_of(0.6),)
    held = covered(trials, lambda number: interval_of(experiment(base, 3, 500, number)[0], known=False), 0.6)
    assert within(held, 0.95, 1.0, trials)


@pytest.mark.slow
@pytest.mark.parametrize(("bleu", "seeds"), [(0.994, 1), (0.998, 3), (0.9997, 3)])
def test_at_least_holds_where_a_percentile_interval_does_not(bleu: float, seeds: int) -> None:
    """Of one seed alone the truth is of its codec, so no codec differs from another there."""
    trials, spread = 300, SEED if seeds > 1 else 0.0
    base = (base_of(bleu, spread),)
    held = covered(trials, lambda number: interval_of(experiment(base, seeds, 250, number, spread)[0]), bleu)
    assert within(held, 0.95, 1.0, trials)


def table(trials: int) -> None:
    """Coverage in per cent at many places: of values with and without `common`, of differences and of shares."""
    print("seed_sd,bleu,seeds,sentences,value,bound,difference,share,width_of_bound")
    places = ((2, 500), (3, 250), (3, 500), (5, 500), (8, 500), (3, 2000))
    for seed, bleu, (seeds, sentences) in itertools.product((0.03, 0.15, 0.4), (0.3, 0.6, 0.9, 0.98), places):
        bases = tuple(base_of(bleu, seed) + each for each in (0.0, -0.15, 0.15))
        own, least, most = (truth(base, seed) for base in bases)
        truths = (bleu, bleu, own - least, (own - least) / (most - least))
        found = []
        for number in range(trials):
            student, control, teacher = experiment(bases, seeds, sentences, number, seed)
            values = [interval_of(student), interval_of(student, known=False)]
            found.append([*values, difference_of(student, control), share_of(student, control, teacher)])
        held = [[low <= true <= high for (_, low, high), true in zip(each, truths, strict=True)] for each in found]
        wide = np.mean([(each[1][2] - each[1][1]) / (each[0][2] - each[0][1]) for each in found])
        told = [f"{100 * each:.1f}" for each in np.mean(held, axis=0)]
        print(",".join(map(str, (seed, bleu, seeds, sentences, *told, f"{wide:.2f}"))), flush=True)


if __name__ == "__main__":
    table(int(sys.argv[1]))
