"""Seeds crossed with sentences, against closed forms: what is common to seeds, degrees of freedom, shares of a gap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from semcom.metrics.bleu import Bleu
from semcom.metrics.crossed import (
    common_covariance,
    common_share,
    fieller,
    influences,
    quantile,
    share_of_gap,
)


def mean(totals):
    return totals[..., 0] / totals[..., 1]


def of_mean(values):
    """Statistics whose metric is the plain mean."""
    return np.column_stack([values, np.ones(len(values))])


def numbers(*shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


def test_the_influence_on_a_mean_is_the_distance_from_it():
    values = numbers(40, seed=1)
    assert influences(of_mean(values), mean) == pytest.approx(values - values.mean(), abs=1e-12)


def test_the_influence_on_bleu_is_its_derivative():
    references = [f"word{k} then word{k + 1} and so it ends" for k in range(400)]
    hypotheses = [r if k % 3 else r.replace("then", "when") for k, r in enumerate(references)]
    metric = Bleu()
    statistics = metric.statistics(references, hypotheses)
    totals, step = statistics.sum(axis=0), 1e-5
    rise = (metric.combine(totals + step * statistics) - metric.combine(totals)) / step * len(statistics)
    assert influences(statistics, metric.combine) == pytest.approx(rise - rise.mean(), abs=0.01)


def test_what_sentences_alone_make_is_common_and_what_air_makes_is_not():
    sentences, air = numbers(500, seed=1), numbers(4, 500, seed=2)
    centered = [part - part.mean(axis=-1, keepdims=True) for part in (np.tile(sentences, (4, 1)), air)]
    assert common_share(centered[0]) == pytest.approx(1.0)
    # Six pairs of uncorrelated rows: the mean covariance has a standard error of 1 / sqrt(6 * 500).
    assert common_share(centered[1]) < 5 / math.sqrt(3000)
    assert common_share(3 * centered[0] + centered[1]) == pytest.approx(0.9, abs=0.03)


def test_the_common_variance_is_the_mean_covariance_of_two_seeds():
    parts = numbers(3, 60, seed=1) + 2 * numbers(60, seed=2)
    parts = parts - parts.mean(axis=1, keepdims=True)
    covariance = np.cov(parts)
    expected = covariance[np.triu_indices(3, 1)].mean() / 60
    assert common_covariance(parts[None])[0, 0] == pytest.approx(expected)
    assert common_share(parts) == pytest.approx(expected / (np.trace(covariance) / 3 / 60))


def test_nothing_is_told_of_one_seed_or_of_sentences_without_spread():
    assert math.isnan(common_share(numbers(1, 50, seed=1)))
    assert math.isnan(common_share(np.zeros((3, 50))))


def test_the_quantile_is_students_where_seeds_are_all_and_the_normals_where_sentences_are():
    assert quantile(1.0, 0.0, 3) == pytest.approx(stats.t.ppf(0.975, 2))
    assert quantile(0.0, 1.0, 3) == pytest.approx(stats.norm.ppf(0.975))
    # (3 + 1)^2 / (3^2 / 4) degrees.
    assert quantile(1.0, 1.0, 5) == pytest.approx(stats.t.ppf(0.975, 16 / 2.25))
    assert quantile(1e-12, 1.0, 3) == pytest.approx(stats.norm.ppf(0.975))


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.3, 1.0, 4.0])
@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_of_normal_seeds_and_known_sentences_holds_the_truth(ratio, seeds):
    """Var(mean) = 1 + ratio, the first part estimated on S - 1 degrees: 94.6 to 96.1 % by the docstring."""
    trials = 4000
    chance = np.random.default_rng(5)
    among = chance.chisquare(seeds - 1, trials) / (seeds - 1)
    reach = [quantile(each, ratio, seeds) * math.sqrt(each + ratio) for each in among]
    held = np.mean(np.abs(chance.standard_normal(trials)) * math.sqrt(1 + ratio) < reach)
    error = 4 * math.sqrt(0.05 * 0.95 / trials)
    assert 0.946 - error <= held <= 0.961 + error


# Shares of a gap


def trial(seed, *, share, gap, of_seed, of_sentence, sentences=40, seeds=3):
    """Student, control and teacher with a known share, whose seeds and whose sentences scatter by so much."""
    chance = np.random.default_rng(seed)
    common = 10 * chance.standard_normal(sentences)
    return [
        [
            of_mean(
                common + level + of_seed * chance.standard_normal() + of_sentence * chance.standard_normal(sentences)
            )
            for _ in range(seeds)
        ]
        for level in (share * gap, 0.0, gap)
    ]


def test_a_constant_share_has_no_spread():
    control, lead = [numbers(30, seed=each) for each in (1, 2)], 1 + numbers(30, seed=3) ** 2
    sides = [[of_mean(each + part * lead) for each in control] for part in (0.25, 0.0, 1.0)]
    interval = share_of_gap(*sides, mean)
    assert (interval.value, interval.low, interval.high) == pytest.approx((0.25, 0.25, 0.25), abs=1e-6)
    assert interval.count == 30


def test_a_share_is_of_means_over_seeds_and_not_the_mean_of_shares():
    sides = [[of_mean(np.full(4, value)) for value in side] for side in ((1.0, 3.0), (0.0, 0.0), (2.0, 12.0))]
    assert share_of_gap(*sides, mean).value == pytest.approx(4 / 14)


@pytest.mark.parametrize("gap", [0.0, 0.3, 0.6, 1.2, 5.0, -0.3, -5.0])
def test_a_share_has_bounds_where_its_gap_is_told_from_zero(gap):
    sides = trial(2, share=0.4, gap=gap, of_seed=0.0, of_sentence=1.0, seeds=1)
    share = share_of_gap(*sides, mean)
    leads = sides[2][0][:, 0] - sides[1][0][:, 0]
    bounded = abs(leads.mean()) > stats.norm.ppf(0.975) * stats.sem(leads)
    assert (abs(gap) > 1) <= bounded, "the test needs both"
    assert math.isfinite(share.value)
    assert (math.isfinite(share.low), math.isfinite(share.high)) == (bounded, bounded)
    assert share.low <= share.value <= share.high


def test_at_the_ends_gain_and_share_of_the_gap_are_just_told_apart():
    """One seed: gain - r gap is a mean over sentences, its own standard error beside it."""
    sides = trial(3, share=0.4, gap=3.0, of_seed=0.0, of_sentence=1.0, seeds=1)
    student, control, teacher = (side[0][:, 0] for side in sides)
    share = share_of_gap(*sides, mean)
    for end in (share.low, share.high):
        left = student - control - end * (teacher - control)
        assert abs(left.mean()) == pytest.approx(stats.norm.ppf(0.975) * stats.sem(left))


def test_a_share_does_not_ask_which_way_is_better():
    sides = trial(3, share=0.4, gap=3.0, of_seed=0.3, of_sentence=1.0)
    turned = [[of_mean(-each[:, 0]) for each in side] for side in sides]
    one, other = (share_of_gap(*each, mean) for each in (sides, turned))
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), abs=1e-9)


@pytest.mark.parametrize(("of_seed", "of_sentence", "seeds"), [(0.2, 0.02, 3), (0.1, 0.6, 3), (0.1, 0.1, 6), (0, 1, 1)])
def test_a_share_is_covered_as_often_as_promised(of_seed, of_sentence, seeds):
    trials, covered = 400, 0
    for number in range(trials):
        sides = trial(number, share=0.5, gap=2.0, of_seed=of_seed, of_sentence=of_sentence, seeds=seeds)
        interval = share_of_gap(*sides, mean)
        covered += interval.low <= 0.5 <= interval.high
    assert abs(covered / trials - 0.95) <= 0.02 + 3 * math.sqrt(0.95 * 0.05 / trials)


def test_without_a_gap_there_is_no_share():
    same = [of_mean(numbers(5, seed=1))]
    interval = share_of_gap([of_mean(numbers(5, seed=2))], same, same, mean)
    assert all(map(math.isnan, (interval.value, interval.low, interval.high)))
    one = share_of_gap([of_mean([0.5])], [of_mean([0.0])], [of_mean([2.0])], mean)
    assert one.value == 0.25 and math.isnan(one.low) and math.isnan(one.high)


def test_a_bottom_that_may_be_zero_bounds_nothing():
    assert fieller(1.0, 2.0, np.diag([0.0, 4.0])) == (-math.inf, math.inf)
    assert fieller(1.0, 2.0, np.diag([0.16, 0.0])) == pytest.approx((0.3, 0.7))


def test_sides_of_unequal_seeds_are_refused():
    a = of_mean(numbers(4, seed=1))
    with pytest.raises(ValueError, match="as many seeds on either side"):
        share_of_gap([a, a], [a], [a], mean)
