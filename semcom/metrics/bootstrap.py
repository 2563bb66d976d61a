"""Bootstrap intervals over sentences, paired ones for differences, and over seeds too for shares of a gap."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

Array: TypeAlias = NDArray[np.float64]
Combine: TypeAlias = Callable[[Array], Array]

# Resampling weights held at one time: 8 MB of them, however many sentences and resamples there are.
_WEIGHTS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Interval:
    """A measured number and what it might as well have been.

    Args:
        value: on the sentences as they are.
        low: lower end of the interval; nan if there is only one sentence to resample, or too few that count.
        high: upper end.
        count: sentences it rests on.
    """

    value: float
    low: float
    high: float
    count: int


def bootstrap(
    statistics: Array, combine: Combine, *, resamples: int = 1000, seed: int, level: float = 0.95
) -> Interval:
    """Percentile interval of a metric over the choice of test sentences.

    Sentences are drawn with replacement, as many as there are, and the metric is combined anew; the interval holds
    the middle `level` of the values. What is resampled must be independent: if every sentence was sent several
    times, sum its rows into one first (`sum_repeats`). The model counts as given: how else it might have been
    trained is for whoever averages over seeds (`semcom.report.averaging.mean_interval`).

    For a mean of n sentences the interval is that of Student's t with its width short by sqrt((n - 1) / n) and by
    the ratio of normal to t quantile: 94.6 % instead of 95 % at n = 100, 94.2 % at 50.

    Args:
        statistics: a metric's sufficient statistics, [sentences, S].
        combine: the same metric's `combine`.
        resamples: values drawn; with 1000 the share outside either end is 2.5 % give or take half a percent.
        seed: same seed, same interval, to the last bit.
        level: share of the values inside.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3; for BLEU Koehn, Statistical
    Significance Tests for Machine Translation Evaluation, EMNLP 2004.
    """
    return _interval(_stacked([[statistics]]), combine, resamples=resamples, seed=seed, level=level)


def bootstrap_difference(
    a: Array, b: Array, combine: Combine, *, resamples: int = 1000, seed: int, level: float = 0.95
) -> Interval:
    """Interval of metric(a) - metric(b), paired: each resample holds the same sentences for both.

    What makes a sentence hard, or its air bad, is common to both and cancels, so the interval is far narrower than
    two separate ones suggest.

    Args:
        a: statistics of one codec, [sentences, S]; row by row the same sentences as `b`.
        b: statistics of the codec that is subtracted.
        combine: the metric's `combine`.
        resamples: values drawn.
        seed: same seed, same interval.
        level: share of the values inside.

    Source: Koehn, EMNLP 2004, on paired bootstrap resampling.
    """
    return _interval(_stacked([[a], [b]]), combine, resamples=resamples, seed=seed, level=level)


def bootstrap_share_of_gap(
    student: Sequence[Array],
    control: Sequence[Array],
    teacher: Sequence[Array],
    combine: Combine,
    *,
    resamples: int = 1000,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """Interval of the share of the gap from control to teacher that a student closes, over seeds and sentences.

    share = (metric(student) - metric(control)) / (metric(teacher) - metric(control)),

    each difference averaged over training seeds before they are divided; all three codecs meet the same drawn seeds
    and sentences.

    A share is only as sure as the gap below it. The ends are Fieller's: a share r stays in the interval as long as
    the resampled student - control - r (teacher - control) lies on both sides of zero. While every resampled gap has
    the sign of the gap, these are the percentiles of the resampled shares. One that has lost it, or is zero, counts
    as -inf at the lower end and as inf at the upper; as soon as so many have that the gap's own interval reaches
    zero, nothing bounds the share, and the interval is (-inf, inf). Without any gap value and ends are nan.

    Two to ten seeds drawn with replacement spread too little, so each draw's departure from the mean of the K seeds is
    stretched by sqrt(K / (K - 1)) t / z, with the quantiles t of Student's t at K - 1 degrees and z of the normal: to
    2.7 times at K = 3. Where the luck of the seeds is most of the spread, plain draws of three would hold the truth
    three times in four, not nineteen times in twenty. Where there is little of it the interval is too wide.

    Args:
        student: one array per training seed, [sentences, S].
        control: where the gap begins, its arrays in the same order of seeds.
        teacher: where it ends.
        combine: the metric's `combine`; higher or lower may be better.
        resamples: values drawn.
        seed: of the resampling; same seed, same interval.
        level: share of the values inside.

    Source: Fieller, Some Problems in Interval Estimation, JRSS B 16, 1954; Franz, Ratios: A Short Guide to Confidence
    Limits and Proper Use, arXiv:0710.2024, 2007, on when no bounds exist; Owen, The Pigeonhole Bootstrap, Annals of
    Applied Statistics 1, 2007, on drawing seeds and sentences independently; Hesterberg, What Teachers Should Know
    About the Bootstrap, The American Statistician 69, 2015, on widening to t.
    """
    sides = _stacked([student, control, teacher])
    _check_plan(resamples, level)
    tail = (1 - level) / 2
    value, count = combine(sides.sum(axis=2)).mean(axis=1), sides.shape[2]
    gap = float(value[2] - value[1])
    if gap == 0:
        return Interval(value=math.nan, low=math.nan, high=math.nan, count=count)
    share = float(value[0] - value[1]) / gap
    if count < 2:
        return Interval(value=share, low=math.nan, high=math.nan, count=count)
    stretch = _stretch(sides.shape[1], tail)
    drawn = _with_value(_replicates(sides, combine, resamples=resamples, seed=seed, stretch=stretch), tail)
    # Turned so that the gap is positive, which leaves the ratio as it is.
    gains, gaps = np.sign(gap) * (drawn[0] - drawn[1]), np.sign(gap) * (drawn[2] - drawn[1])
    lost = gaps <= 0
    # The percentile below is a value between this one and the next.
    if lost.sum() >= max(1, int((lost.size + 1) * tail)):
        return Interval(value=share, low=-math.inf, high=math.inf, count=count)
    shares = np.divide(gains, gaps, out=np.full(lost.size, -math.inf), where=~lost)
    low = np.quantile(shares, tail, method="weibull")
    shares[lost] = math.inf
    high = np.quantile(shares, 1 - tail, method="weibull")
    return Interval(value=share, low=float(low), high=float(high), count=count)


def sum_repeats(statistics: Array, repeats: int) -> Array:
    """One row per sentence from several passes over the test set, one pass after the other.

    A sentence sent five times through different air is one independent sentence, not five: resampled singly, its
    repeats would make the interval too narrow.

    Args:
        statistics: [repeats * sentences, S], every pass in the same order of sentences.
        repeats: passes.
    """
    if repeats < 1 or len(statistics) % repeats:
        raise ValueError(
            f"repeats must divide the {len(statistics)} rows of statistics, got {repeats}; "
            "every pass must send every sentence"
        )
    summed: Array = statistics.reshape(repeats, -1, statistics.shape[-1]).sum(axis=0)
    return summed


def sum_of(combine: Combine, parts: int) -> Combine:
    """The metric of several users added up, to combine their statistics laid side by side: [..., parts * S] -> [...].

    Users are paired by sentence: a resample holds the same sentences for all of them.
    """

    def combined(totals: Array) -> Array:
        added: Array = np.sum([combine(each) for each in np.split(totals, parts, axis=-1)], axis=0)
        return added

    return combined


def _stacked(sides: Sequence[Sequence[Array]]) -> Array:
    """Statistics of one to three sides as one array, [sides, seeds, sentences, S]."""
    shapes = {each.shape for side in sides for each in side}
    if len({len(side) for side in sides}) != 1 or len(shapes) != 1:
        raise ValueError(
            f"statistics must have one shape and as many seeds on either side, got {sorted(shapes)} and "
            f"{[len(side) for side in sides]} seeds; measure everything on the same sentences"
        )
    stacked = np.array(sides, dtype=float)
    if stacked.ndim != 4 or not stacked.shape[2]:
        raise ValueError(f"statistics must be [sentences, S] with at least one sentence, got {next(iter(shapes))}")
    return stacked


def _interval(sides: Array, combine: Combine, *, resamples: int, seed: int, level: float) -> Interval:
    """Value and percentiles of the first side, less the second if there is one."""
    _check_plan(resamples, level)
    value = combine(sides.sum(axis=2)).mean(axis=1)
    count = sides.shape[2]
    if count < 2:
        return Interval(value=float(_difference(value)), low=math.nan, high=math.nan, count=count)
    tail = (1 - level) / 2
    drawn = _with_value(_difference(_replicates(sides, combine, resamples=resamples, seed=seed))[None], tail)[0]
    # The (resamples + 1) p-th value: the one that leaves exactly p outside on average, for few resamples too.
    low, high = np.quantile(drawn, [tail, 1 - tail], method="weibull")
    return Interval(value=float(_difference(value)), low=float(low), high=float(high), count=count)


def _check_plan(resamples: int, level: float) -> None:
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(f"resamples must be at least 1 and level in (0, 1), got {resamples} and {level}")


def _difference(values: Array) -> Array:
    """First side less the second, or the only side."""
    difference: Array = values[0] - values[1] if len(values) == 2 else values[0]
    return difference


def _replicates(sides: Array, combine: Combine, *, resamples: int, seed: int, stretch: float = 1.0) -> Array:
    """The metric of each side on resampled seeds and sentences, [sides, resamples].

    Args:
        stretch: how many times further from the mean of all seeds the mean of the drawn ones is taken to lie.
    """
    seeds, sentences = sides.shape[1:3]
    generator = np.random.default_rng(seed)
    votes = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
    if stretch != 1.0:
        votes = 1 / seeds + stretch * (votes - 1 / seeds)
    values = [combine(weights @ sides) for weights in _weights(sentences, resamples, generator)]
    replicates: Array = np.einsum("dkr,rk->dr", np.concatenate(values, axis=-1), votes)
    return replicates


def _with_value(replicates: Array, tail: float) -> Array:
    """The replicates that have a value on every side, [sides, some resamples].

    A resample of which the metric says nothing (no message of the class in it) is set aside. Where more are than lie
    outside either end, nothing is known of the ends: all stay, and nan with them.
    """
    has_value = ~np.isnan(replicates).any(axis=0)
    return replicates[:, has_value] if np.mean(~has_value) <= tail else replicates


def _stretch(seeds: int, tail: float) -> float:
    """What makes the spread over a few drawn seeds that of Student's t; 1 for a single one, which has none."""
    if seeds < 2:
        return 1.0
    return math.sqrt(seeds / (seeds - 1)) * float(stdtrit(seeds - 1, 1 - tail) / ndtri(1 - tail))


def _weights(sentences: int, resamples: int, generator: np.random.Generator) -> Iterator[Array]:
    """How often each sentence is drawn in each resample, [some resamples, sentences], memory-sized pieces.

    Multinomial counts, got by drawing the sentences and counting them: several times faster than numpy's
    multinomial, which draws one binomial number per sentence.
    """
    rows = max(1, _WEIGHTS_AT_ONCE // sentences)
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        drawn = generator.integers(sentences, size=(size, sentences))
        drawn += np.arange(0, size * sentences, sentences)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * sentences)
        yield counts.reshape(size, sentences).astype(float)
