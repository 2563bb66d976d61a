"""Accuracy in all and by class, against counting by hand; its intervals against an exact sum; the confusion matrix."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semcom.metrics.accuracy import Accuracy, BalancedAccuracy, ClassAccuracy, MacroF1, confusion
from semcom.metrics.bootstrap import bootstrap, bootstrap_difference, sum_repeats
from semcom.metrics.score import score
from semcom.mistakes import UserMistake

CLASSES = ("ant", "bee", "cat")
SENT = [0, 0, 0, 0, 1, 1, 2, 2]
TOLD = [0, 0, 0, 1, 1, 0, 2, None]
ALL = [Accuracy(CLASSES), *(ClassAccuracy(CLASSES, of=each) for each in CLASSES)]


def test_values_by_hand():
    """Hits 3, 1, 1 of 4, 2, 2; answered 4, 2, 1: F1 is 6/8, 2/4 and 2/3."""
    metrics = [*ALL, BalancedAccuracy(CLASSES), MacroF1(CLASSES)]
    by_hand = (5 / 8, 3 / 4, 1 / 2, 1 / 2, (3 / 4 + 1 / 2 + 1 / 2) / 3, (6 / 8 + 2 / 4 + 2 / 3) / 3)
    assert score(metrics, SENT, TOLD) == pytest.approx(by_hand, abs=1e-15)


@given(st.data())
def test_values_are_what_counting_gives(data):
    pair = st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(0, 2)))
    sent, told = zip(*data.draw(st.lists(pair, min_size=1, max_size=30)), strict=True)
    found = dict(zip(("all", *CLASSES), score(ALL, sent, told), strict=True))
    assert found["all"] == pytest.approx(sum(map(lambda s, t: s == t, sent, told)) / len(sent), abs=1e-15)
    for number, name in enumerate(CLASSES):
        own = [answer == number for true, answer in zip(sent, told, strict=True) if true == number]
        assert found[name] == pytest.approx(sum(own) / len(own), abs=1e-15) if own else math.isnan(found[name])


def test_guessing_scores_what_the_axis_calls_chance():
    """Five standard errors of a share over 30,000 even guesses, and of the mean of three shares over a third each."""
    rng = np.random.default_rng(8)
    sent, told = rng.integers(3, size=(2, 30_000)).tolist()
    for metric in (ALL[0], BalancedAccuracy(CLASSES)):
        assert metric.axis.chance == pytest.approx(1 / 3)
        assert abs(score([metric], sent, told)[0] - 1 / 3) <= 5 * math.sqrt(2 / 9 / 30_000) * 1.01
    assert Accuracy().axis.chance is None


def test_confusion_counts_every_pair():
    assert confusion(ALL[0].statistics(SENT, TOLD)).tolist() == [[3, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]]


def test_confusion_survives_the_summing_of_repeats():
    """What is kept has one row a message, however often it was sent."""
    rng = np.random.default_rng(3)
    told = rng.integers(3, size=(4, len(SENT))).tolist()
    rows = ALL[0].statistics(SENT * 4, [each for one in told for each in one])
    kept = sum_repeats(rows, 4)
    assert len(kept) == len(SENT)
    expected = np.zeros((3, 4), dtype=int)
    for each in told:
        np.add.at(expected, (SENT, each), 1)
    assert (confusion(kept) == expected).all()
    assert ALL[0].combine(kept.sum(axis=0)) == pytest.approx(np.trace(expected) / 32, abs=1e-15)


@pytest.mark.parametrize(("sent", "told"), [([3], [0]), ([0], [-1]), ([0], ["ant"]), ([None], [0]), ([0], [0.0])])
def test_what_is_no_class_is_refused(sent, told):
    with pytest.raises(ValueError, match="a class must be a whole number from 0 to 2, got"):
        ALL[0].statistics(sent, told)


def test_unnamed_and_twice_named_classes_are_refused():
    with pytest.raises(ValueError, match="accuracy must know the task's classes, got none"):
        Accuracy().statistics([0], [0])
    with pytest.raises(ValueError, match="a name of its own, got ant, ant"):
        Accuracy(("ant", "ant"))
    with pytest.raises(UserMistake, match="one of the classes: ant, bee, cat, got dog"):
        ClassAccuracy(CLASSES, of="dog")


def drawn(trial, *, count, right=0.7):
    """Messages of three classes at random, each recognized with the same probability and else taken for the next."""
    rng = np.random.default_rng(trial)
    sent = rng.integers(3, size=count)
    return sent.tolist(), np.where(rng.random(count) < right, sent, (sent + 1) % 3).tolist()


def test_coverage_of_accuracy_is_that_of_the_percentile_interval():
    """The share of intervals that hold the truth, against its exact value.

    A resample of n messages with k hits has Binomial(n, k / n) hits. Of 199 resamples the ends are the fifth from
    below and from above, so the truth is missed where fewer than five reach it from either side.
    """
    count, trials, truth, resamples = 60, 600, 0.7, 199
    hits = np.arange(count + 1)
    up_to = stats.binom.cdf(round(truth * count), count, hits / count)
    from_there = stats.binom.sf(round(truth * count) - 1, count, hits / count)
    missed = sum(stats.binom.cdf(4, resamples, share) for share in (up_to, from_there))
    expected = 1 - float(stats.binom.pmf(hits, count, truth) @ missed)
    covered = 0
    for trial in range(trials):
        rows = ALL[0].statistics(*drawn(trial, count=count))
        interval = bootstrap(rows, ALL[0].combine, resamples=resamples, seed=trial)
        covered += interval.low <= truth + 1e-12 and truth - 1e-12 <= interval.high
    assert 0.9 < expected < 0.98
    assert abs(covered / trials - expected) <= 5 * math.sqrt(expected * (1 - expected) / trials)


@pytest.mark.parametrize("metric", [ALL[1], BalancedAccuracy(CLASSES)], ids=lambda metric: metric.name)
def test_coverage_by_class(metric):
    """94 % of the intervals within five standard errors, two per cent allowed for what percentiles miss at n = 30."""
    trials, covered = 300, 0
    for trial in range(trials):
        interval = bootstrap(metric.statistics(*drawn(trial, count=90)), metric.combine, resamples=199, seed=trial)
        covered += interval.low <= 0.7 <= interval.high
    assert abs(covered / trials - 0.94) <= 0.02 + 5 * math.sqrt(0.94 * 0.06 / trials)


def test_a_class_sent_seldom_has_an_interval_from_the_resamples_that_hold_it():
    """Six of 60 messages are of the class, and 0.2 % of resamples hold none: those have no say."""
    sent = [1] * 6 + [0] * 54
    rows = ALL[2].statistics(sent, [1, 1, 1, 0, 0, 0] + [0] * 54)
    interval = bootstrap(rows, ALL[2].combine, resamples=4000, seed=1)
    without = bootstrap(rows, lambda totals: np.isnan(ALL[2].combine(totals)).astype(float), resamples=4000, seed=1)
    assert without.value == 0.0
    assert interval.value == 0.5
    assert 0.0 <= interval.low < 0.2 and 0.8 < interval.high <= 1.0
    gain = bootstrap_difference(ALL[2].statistics(sent, sent), rows, ALL[2].combine, resamples=4000, seed=1)
    assert gain.low < gain.value < gain.high


def test_a_class_sent_once_has_a_value_and_no_interval():
    """A third of the resamples do not hold it, and the others all say the same: that is no certainty."""
    rows = ALL[2].statistics([1] + [0] * 30, [1] + [0] * 30)
    interval = bootstrap(rows, ALL[2].combine, seed=1)
    assert interval.value == 1.0
    assert math.isnan(interval.low) and math.isnan(interval.high)
