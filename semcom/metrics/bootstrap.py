"""Bootstrap intervals over sentences, paired ones for differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

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
    trained is for whoever averages over seeds (`semcom.metrics.crossed`, `semcom.report.averaging.mean_interval`).

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
    return _interval(stacked([[statistics]]), combine, resamples=resamples, seed=seed, level=level)


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
    return _interval(stacked([[a], [b]]), combine, resamples=resamples, seed=seed, level=level)


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


def stacked(sides: Sequence[Sequence[Array]]) -> Array:
    """Statistics of one to three sides as one array, [sides, seeds, sentences, S]."""
    shapes = {each.shape for side in sides for each in side}
    if len({len(side) for side in sides}) != 1 or len(shapes) != 1:
        raise ValueError(
            f"statistics must have one shape and as many seeds on either side, got {sorted(shapes)} and "
            f"{[len(side) for side in sides]} seeds; measure everything on the same sentences"
        )
    found = np.array(sides, dtype=float)
    if found.ndim != 4 or not found.shape[2]:
        raise ValueError(f"statistics must be [sentences, S] with at least one sentence, got {next(iter(shapes))}")
    return found


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


def _replicates(sides: Array, combine: Combine, *, resamples: int, seed: int) -> Array:
    """The metric of each side on resampled sentences, [sides, resamples]."""
    generator = np.random.default_rng(seed)
    values = [combine(weights @ sides) for weights in _weights(sides.shape[2], resamples, generator)]
    replicates: Array = np.concatenate(values, axis=-1).mean(axis=1)
    return replicates


def _with_value(replicates: Array, tail: float) -> Array:
    """The replicates that have a value on every side, [sides, some resamples].

    A resample of which the metric says nothing (no message of the class in it) is set aside. Where more are than lie
    outside either end, nothing is known of the ends: all stay, and nan with them.
    """
    has_value = ~np.isnan(replicates).any(axis=0)
    return replicates[:, has_value] if np.mean(~has_value) <= tail else replicates


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
