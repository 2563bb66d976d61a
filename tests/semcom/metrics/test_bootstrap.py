"""Bootstrap intervals against closed forms: variance, coverage, pairing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semcom.metrics import bootstrap as module
from semcom.metrics.bleu import Bleu
from semcom.metrics.bootstrap import bootstrap, bootstrap_difference, sum_repeats


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
    with pytest.raises(ValueError, match="at least one sentence"):
        bootstrap(a[:0], mean, seed=1)
    with pytest.raises(ValueError, match="level in"):
        bootstrap(a, mean, seed=1, level=95)
    with pytest.raises(ValueError, match="repeats must divide the 5 rows"):
        sum_repeats(b, 2)


def test_the_ends_are_percentiles_that_leave_their_share_outside():
    """Of 39 values the least and the largest are the ends: each leaves 1 in 40 outside."""
    a, b = of_mean(numbers(30, seed=1)), of_mean(numbers(30, seed=2))
    own, other = module._replicates(module.stacked([[a], [b]]), mean, resamples=39, seed=7)
    one = bootstrap(a, mean, resamples=39, seed=7)
    assert (one.low, one.high) == pytest.approx((own.min(), own.max()), abs=1e-12)
    both = bootstrap_difference(a, b, mean, resamples=39, seed=7)
    assert (both.low, both.high) == pytest.approx(((own - other).min(), (own - other).max()), abs=1e-12)
