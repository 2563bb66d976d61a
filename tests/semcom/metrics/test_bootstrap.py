"""Bootstrap intervals against closed forms: variance, coverage, pairing, and what several seeds add."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semcom.metrics import bootstrap as module
from semcom.metrics.bleu import Bleu
from semcom.metrics.bootstrap import (
    bootstrap,
    bootstrap_difference,
    bootstrap_share_of_gap,
    sum_repeats,
)


def mean(totals):
    return totals[..., 0] / totals[..., 1]


def of_mean(values):
    """Statistics whose metric is the plain mean."""
    return np.column_stack([values, np.ones(len(values))])


def numbers(count, seed):
    return np.random.default_rng(seed).standard_normal(count)


def replicates(run, *arrays, resamples=4000):
    """What the metric was on every resample, per side and seed: heard by listening in on `combine`."""
    heard = []

    def listen(totals):
        heard.append(mean(totals))
        return heard[-1]

    run(*arrays, listen, resamples=resamples, seed=3)
    return np.concatenate(heard[1:], axis=-1)


def assert_variance(samples, expected):
    """Fail if a sample variance is further from `expected` than five of its standard errors, sqrt((m4 - m2^2) / n)."""
    squares = (samples - samples.mean()) ** 2
    error = squares.std() / math.sqrt(len(samples))
    assert abs(samples.var(ddof=1) - expected) <= 5 * error


def test_variance_of_a_mean_is_that_of_the_sample_over_n():
    """Var* = sum (x - mean)^2 / n^2 exactly, over all resamples."""
    values = numbers(200, seed=1)
    assert_variance(replicates(bootstrap, of_mean(values))[0, 0], values.var() / 200)


def test_ends_are_the_normal_quantiles_of_a_mean():
    """With 200 sentences the resampled mean is normal; a quantile p of R values has sd sqrt(p q / R) / density."""
    values, resamples = numbers(200, seed=1), 4000
    interval = bootstrap(of_mean(values), mean, resamples=resamples, seed=5)
    scale = values.std() / math.sqrt(200)
    error = scale * math.sqrt(0.025 * 0.975 / resamples) / stats.norm.pdf(stats.norm.ppf(0.025))
    assert interval.value == pytest.approx(values.mean(), abs=1e-12)
    assert interval.low == pytest.approx(values.mean() + scale * stats.norm.ppf(0.025), abs=5 * error)
    assert interval.high == pytest.approx(values.mean() + scale * stats.norm.ppf(0.975), abs=5 * error)
    assert interval.count == 200


def test_coverage_is_that_of_the_percentile_interval():
    """The share of 95 % intervals that hold the truth, against its closed form for means of normal numbers.

    The interval is mean +- 1.96 s sqrt((n - 1) / n) / sqrt(n), so it covers with P(|t| < 1.96 sqrt((n - 1) / n)) for
    Student's t of n - 1 degrees: 94.2 % at n = 50. 499 resamples put exactly 2.5 % outside each end on average.
    """
    count, trials = 50, 3000
    expected = 2 * stats.t.cdf(stats.norm.ppf(0.975) * math.sqrt((count - 1) / count), df=count - 1) - 1
    covered = 0
    for trial in range(trials):
        interval = bootstrap(of_mean(numbers(count, seed=trial)), mean, resamples=499, seed=trial)
        covered += interval.low <= 0 <= interval.high
    assert abs(covered / trials - expected) <= 5 * math.sqrt(expected * (1 - expected) / trials)


@given(st.integers(2, 30), st.integers(0, 2**63 - 1))
def test_same_seed_same_interval(count, seed):
    statistics = of_mean(numbers(count, seed=7))
    assert bootstrap(statistics, mean, resamples=20, seed=seed) == bootstrap(statistics, mean, resamples=20, seed=seed)


def test_another_seed_another_interval():
    statistics = of_mean(numbers(30, seed=7))
    assert bootstrap(statistics, mean, seed=1) != bootstrap(statistics, mean, seed=2)


def test_the_memory_bound_changes_no_digit(monkeypatch):
    statistics = of_mean(numbers(30, seed=7).round(2))
    whole = replicates(bootstrap, statistics, resamples=100)
    monkeypatch.setattr(module, "_WEIGHTS_AT_ONCE", 90)
    pieces = replicates(bootstrap, statistics, resamples=100)
    assert pieces == pytest.approx(whole, abs=1e-12)


def test_every_sentence_is_drawn_as_binomial_counts():
    """One sentence's count among n draws: mean 1, variance 1 - 1/n; two counts: covariance -1/n."""
    count, resamples, heard = 8, 20_000, []

    def listen(totals):
        heard.append(totals[0, 0])
        return totals[..., 0]

    bootstrap(np.eye(count), listen, resamples=resamples, seed=2)
    counts = np.concatenate(heard[1:])
    assert counts.shape == (resamples, count)
    for own in range(count):
        error = counts[:, own].std() / math.sqrt(resamples)
        assert abs(counts[:, own].mean() - 1) <= 5 * error
        assert_variance(counts[:, own], 1 - 1 / count)
        products = (counts[:, own] - 1) * (counts[:, own - 1] - 1)
        assert abs(products.mean() + 1 / count) <= 5 * products.std() / math.sqrt(resamples)


def test_every_resample_holds_as_many_sentences():
    heard = []

    def listen(totals):
        heard.append(totals[..., 1])
        return mean(totals)

    bootstrap(of_mean(numbers(37, seed=1)), listen, resamples=50, seed=1)
    assert (np.concatenate(heard[1:], axis=-1) == 37).all()


def test_a_constant_gain_has_no_spread_when_paired():
    values = numbers(50, seed=1)
    interval = bootstrap_difference(of_mean(values + 0.25), of_mean(values), mean, seed=1)
    assert (interval.value, interval.low, interval.high) == pytest.approx((0.25, 0.25, 0.25), abs=1e-12)


def test_paired_variance_is_that_of_the_differences():
    """Common numbers ten times larger than the differences leave no trace."""
    common, gain = 10 * numbers(300, seed=1), numbers(300, seed=2)
    heard = replicates(bootstrap_difference, of_mean(common + gain), of_mean(common))
    assert_variance(heard[0, 0] - heard[1, 0], gain.var() / 300)


def test_a_difference_changes_sign_with_its_sides():
    a, b = of_mean(numbers(40, seed=1)), of_mean(numbers(40, seed=2))
    there, back = bootstrap_difference(a, b, mean, seed=1), bootstrap_difference(b, a, mean, seed=1)
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low), abs=1e-12)


def test_seeds_and_sentences_both_add_their_variance():
    """For x_ki = seed_k + sentence_i: Var* = var(seeds) / K + var(sentences) / n, population variances."""
    of_seed, of_sentence = numbers(5, seed=1), numbers(100, seed=2)
    arrays = [of_mean(of_sentence + shift) for shift in of_seed]
    samples = module._replicates(np.array([arrays]), mean, resamples=4000, seed=3)[0]
    assert_variance(samples, of_seed.var() / 5 + of_sentence.var() / 100)


def trial(seed, *, share, gap, of_seed, of_sentence, sentences=40, seeds=3):
    """Student, control and teacher with a known share, whose seeds and whose sentences scatter by so much."""
    chance = np.random.default_rng(seed)
    common = 10 * chance.standard_normal(sentences)
    return [
        [
            of_mean(
                common + mean + of_seed * chance.standard_normal() + of_sentence * chance.standard_normal(sentences)
            )
            for _ in range(seeds)
        ]
        for mean in (share * gap, 0.0, gap)
    ]


def test_a_constant_share_has_no_spread():
    control, lead = [numbers(30, seed=each) for each in (1, 2)], 1 + numbers(30, seed=3) ** 2
    sides = [[of_mean(each + part * lead) for each in control] for part in (0.25, 0.0, 1.0)]
    interval = bootstrap_share_of_gap(*sides, mean, seed=1)
    assert (interval.value, interval.low, interval.high) == pytest.approx((0.25, 0.25, 0.25), abs=1e-12)
    assert interval.count == 30


def test_a_share_is_of_means_over_seeds_and_not_the_mean_of_shares():
    sides = [[of_mean(np.full(4, value)) for value in side] for side in ((1.0, 3.0), (0.0, 0.0), (2.0, 12.0))]
    assert bootstrap_share_of_gap(*sides, mean, seed=1).value == pytest.approx(4 / 14)


def test_over_a_sure_gap_the_ends_are_percentiles_of_the_shares():
    sides = trial(1, share=0.4, gap=5.0, of_seed=0.0, of_sentence=1.0, seeds=1)
    student, control, teacher = module._replicates(module._stacked(sides), mean, resamples=999, seed=7)
    ends = np.quantile((student - control) / (teacher - control), [0.025, 0.975], method="weibull")
    interval = bootstrap_share_of_gap(*sides, mean, resamples=999, seed=7)
    assert (interval.low, interval.high) == pytest.approx(tuple(ends), abs=1e-12)


@pytest.mark.parametrize("gap", [0.0, 0.3, 0.6, 1.2, 5.0, -0.3, -5.0])
def test_a_share_has_bounds_where_its_gap_is_told_from_zero(gap):
    """Fieller's condition, by the very resamples that bound the gap."""
    sides = trial(2, share=0.4, gap=gap, of_seed=0.0, of_sentence=1.0, seeds=1)
    share = bootstrap_share_of_gap(*sides, mean, seed=7)
    under = bootstrap_difference(sides[2][0], sides[1][0], mean, seed=7)
    bounded = under.low > 0 or under.high < 0
    assert (abs(gap) > 1) <= bounded, "the test needs both"
    assert math.isfinite(share.value)
    assert (math.isfinite(share.low), math.isfinite(share.high)) == (bounded, bounded)
    assert share.low <= share.value <= share.high


def test_a_few_lost_gaps_only_widen_the_interval():
    """Fieller's set, by brute force: r is in as long as student - control - r gap is on both sides of zero."""
    no_gap = module._stacked(trial(5, share=0.4, gap=0.0, of_seed=0.0, of_sentence=1.0, seeds=1))
    _, control, teacher = module._replicates(no_gap, mean, resamples=1000, seed=7)
    gap = -np.quantile(teacher - control, 0.01)
    sides = trial(5, share=0.4, gap=gap, of_seed=0.0, of_sentence=1.0, seeds=1)
    student, control, teacher = module._replicates(module._stacked(sides), mean, resamples=1000, seed=7)
    lost = (teacher - control <= 0).sum()
    assert 0 < lost < 25, "the test is of some, but too few to matter"
    interval = bootstrap_share_of_gap(*sides, mean, seed=7)
    grid = np.linspace(-20, 20, 4001)
    below = np.array([((student - control - r * (teacher - control)) <= 0).mean() for r in grid])
    kept = grid[(below >= 0.025) & (below <= 0.975)]
    assert -20 < interval.low <= kept.min() + 0.01 and kept.max() - 0.01 <= interval.high < 20
    assert interval.low > kept.min() - 2 and interval.high < kept.max() + 2


def test_a_share_does_not_ask_which_way_is_better():
    sides = trial(3, share=0.4, gap=3.0, of_seed=0.3, of_sentence=1.0)
    turned = [[of_mean(-each[:, 0]) for each in side] for side in sides]
    one, other = (bootstrap_share_of_gap(*each, mean, seed=2) for each in (sides, turned))
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), abs=1e-12)


def test_drawn_seeds_spread_like_students_t():
    """Var* of the mean = (t / z)^2 s^2 / K, s the sample standard deviation over seeds."""
    of_seed = numbers(3, seed=1)
    arrays = [of_mean(np.full(5, shift)) for shift in of_seed]
    stretch = module._stretch(3, 0.025)
    samples = module._replicates(np.array([arrays]), mean, resamples=4000, seed=3, stretch=stretch)[0]
    widening = stats.t.ppf(0.975, 2) / stats.norm.ppf(0.975)
    assert_variance(samples, widening**2 * of_seed.var(ddof=1) / 3)
    assert module._stretch(1, 0.025) == 1.0


@pytest.mark.parametrize(("of_seed", "of_sentence", "seeds"), [(0.2, 0.02, 3), (0.1, 0.6, 3), (0.1, 0.1, 6), (0, 1, 1)])
def test_a_share_is_covered_at_least_as_often_as_promised(of_seed, of_sentence, seeds):
    """Few seeds with most of the spread are the hard case: drawn as they are, three hold the truth 75 times in 100."""
    trials, covered = 400, 0
    for number in range(trials):
        sides = trial(number, share=0.5, gap=2.0, of_seed=of_seed, of_sentence=of_sentence, seeds=seeds)
        interval = bootstrap_share_of_gap(*sides, mean, resamples=399, seed=number)
        covered += interval.low <= 0.5 <= interval.high
    assert covered / trials >= 0.94 - 5 * math.sqrt(0.94 * 0.06 / trials)


def test_without_a_gap_there_is_no_share():
    same = [of_mean(numbers(5, seed=1))]
    interval = bootstrap_share_of_gap([of_mean(numbers(5, seed=2))], same, same, mean, seed=1)
    assert all(map(math.isnan, (interval.value, interval.low, interval.high)))
    one = bootstrap_share_of_gap([of_mean([0.5])], [of_mean([0.0])], [of_mean([2.0])], mean, seed=1)
    assert one.value == 0.25 and math.isnan(one.low) and math.isnan(one.high)


def test_bleu_gets_an_interval_around_it():
    references = [f"word{k} then word{k + 1} and so it ends" for k in range(30)]
    hypotheses = [r if k % 3 else r.replace("then", "when") for k, r in enumerate(references)]
    metric = Bleu()
    statistics = metric.statistics(references, hypotheses)
    interval = bootstrap(statistics, metric.combine, seed=1)
    assert 0 < interval.low < interval.value < interval.high < 1


def test_repeats_become_one_row_a_sentence():
    passes = np.array([[1.0, 1], [2, 1], [3, 1], [10, 1], [20, 1], [30, 1]])
    assert sum_repeats(passes, 2).tolist() == [[11, 2], [22, 2], [33, 2]]


def test_repeats_of_the_same_sentences_do_not_narrow_the_interval():
    once = of_mean(numbers(80, seed=1))
    often = np.tile(once, (9, 1))
    kept, summed = bootstrap(once, mean, seed=4), bootstrap(sum_repeats(often, 9), mean, seed=4)
    assert (summed.value, summed.low, summed.high) == pytest.approx((kept.value, kept.low, kept.high), abs=1e-12)
    assert summed.count == 80


def test_one_sentence_has_no_interval():
    interval = bootstrap(of_mean([0.5]), mean, seed=1)
    assert interval.value == 0.5
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_what_does_not_fit_is_refused():
    a, b = of_mean(numbers(4, seed=1)), of_mean(numbers(5, seed=1))
    with pytest.raises(ValueError, match="measure everything on the same sentences"):
        bootstrap_difference(a, b, mean, seed=1)
    with pytest.raises(ValueError, match="as many seeds on either side"):
        bootstrap_share_of_gap([a, a], [a], [a], mean, seed=1)
    with pytest.raises(ValueError, match="at least one sentence"):
        bootstrap(a[:0], mean, seed=1)
    with pytest.raises(ValueError, match="level in"):
        bootstrap(a, mean, seed=1, level=95)
    with pytest.raises(ValueError, match="repeats must divide the 5 rows"):
        sum_repeats(b, 2)


def test_the_ends_are_percentiles_that_leave_their_share_outside():
    """Of 39 values the least and the largest are the ends: each leaves 1 in 40 outside."""
    a, b = of_mean(numbers(30, seed=1)), of_mean(numbers(30, seed=2))
    own, other = module._replicates(module._stacked([[a], [b]]), mean, resamples=39, seed=7)
    one = bootstrap(a, mean, resamples=39, seed=7)
    assert (one.low, one.high) == pytest.approx((own.min(), own.max()), abs=1e-12)
    both = bootstrap_difference(a, b, mean, resamples=39, seed=7)
    assert (both.low, both.high) == pytest.approx(((own - other).min(), (own - other).max()), abs=1e-12)


def test_a_gap_that_is_zero_in_a_resample_is_lost():
    """One sentence in six makes the whole gap: a third of the resamples lack it, and have no gap at all."""
    control, teacher = [of_mean([0, 1, 0, 1, 0, 1])], [of_mean([1, 1, 0, 1, 0, 1])]
    interval = bootstrap_share_of_gap(teacher, control, teacher, mean, seed=1)
    assert (interval.value, interval.low, interval.high) == (1.0, -math.inf, math.inf)


def test_as_many_lost_gaps_as_a_tail_holds_bound_nothing():
    """The 25th of 1000 is still outside: with so many gaps lost the gap's own interval reaches zero."""
    no_gap = module._stacked(trial(5, share=0.4, gap=0.0, of_seed=0.0, of_sentence=1.0, seeds=1))
    _, control, teacher = module._replicates(no_gap, mean, resamples=1000, seed=7)
    ordered = np.sort(teacher - control)
    for lost, bounded in ((24, True), (25, False)):
        gap = -(ordered[lost - 1] + ordered[lost]) / 2
        sides = trial(5, share=0.4, gap=gap, of_seed=0.0, of_sentence=1.0, seeds=1)
        interval = bootstrap_share_of_gap(*sides, mean, seed=7)
        assert not math.isnan(interval.low) and math.isfinite(interval.low) == math.isfinite(interval.high) == bounded
