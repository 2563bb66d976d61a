"""Crossed: what seeds and what sentences leave uncertain, told apart where every seed met the same sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from semcom.metrics.bootstrap import Array, Combine, Interval, stacked

# Three seeds often show far less than their true spread. Degrees are counted as if it were so many times as large.
CAUTION = 3.0


def influences(statistics: Array, combine: Combine) -> Array:
    """What each sentence moves a metric by, times their number: [J, S] -> [J].

        u_j = (J - 1) (m - m_(-j)),   m_(-j) the metric without sentence j,

    less their mean. For a mean it is x_j - mean; for BLEU, which is no mean, it is the jackknife's linear part, so that
    var(m) = var(u) / J for every metric here.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11.
    """
    count, totals = len(statistics), statistics.sum(axis=0)
    moved = (count - 1) * (combine(totals) - combine(totals - statistics))
    centered: Array = moved - moved.mean()
    return centered


def common_covariance(parts: Array) -> Array:
    """Covariance of several means over seeds that comes of the sentences all seeds met: [K, S, J] -> [K, K].

    For y_sj = mu + a_s + b_j + e_sj, with codecs a_s that seeds train, sentences b_j and the air e_sj of each seed,

        var(mean) = (var a + var e / J) / S + var b / J.

    The first term is s^2 / S, s^2 the variance of the seeds' values. The second does not show there and is estimated by
    the mean covariance over sentences of two different seeds. One seed has no second: it gives all of its own,
    (var b + var e) / J. What chance makes negative is put to zero.

    Args:
        parts: `influences` of K metrics or differences, of S seeds on the same J sentences.

    Source: Searle, Casella and McCulloch, Variance Components, 1992, section 4.3, on the two-way crossed design; Owen,
    The Pigeonhole Bootstrap, Annals of Applied Statistics 1, 2007, on what a bootstrap over both counts twice.
    """
    seeds, sentences = parts.shape[1:]
    summed = parts.sum(axis=1)
    together, own = summed @ summed.T, np.einsum("ksj,lsj->kl", parts, parts)
    between = own if seeds == 1 else (together - own) / (seeds * (seeds - 1))
    values, vectors = np.linalg.eigh(between / (sentences * (sentences - 1)))
    clipped: Array = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return clipped


def common_share(parts: Array) -> float:
    """Which share of the variance over sentences all seeds have in common: [S, J] -> var b / (var b + var e).

    It turns the seeds' own intervals over sentences, which hold both, into what does not average out over seeds.

    Returns:
        From 0 to 1; nan where one seed, one sentence, or sentences without any spread cannot tell.
    """
    seeds, sentences = parts.shape
    if seeds < 2 or sentences < 2:
        return math.nan
    whole = float((parts**2).sum()) / (seeds * sentences * (sentences - 1))
    if not whole > 0:
        return math.nan
    return min(float(common_covariance(parts[None])[0, 0]) / whole, 1.0)


def quantile(among: float, common: float, seeds: int, *, level: float = 0.95) -> float:
    """How many standard errors an interval of a mean over seeds reaches to either side.

    Student's t with Satterthwaite's degrees of freedom, the sentences' part counting as known:

        nu = (c A + C)^2 / ((c A)^2 / (S - 1)),   se^2 = A + C.

    With c = 1, Satterthwaite's own, three seeds give 92 % instead of 95 % where A is much the larger, since A is often
    estimated far too small and C then passes for all there is; with c = 3 it is 94.6 to 96.1 %, with two seeds 91 to
    96 %, with five or more 95.0 to 96.1 %.

    Args:
        among: A = s^2 / S, s^2 the variance over seeds.
        common: C, the variance of the mean that is common to all seeds.
        seeds: S.

    Source: Satterthwaite, An Approximate Distribution of Estimates of Variance Components, Biometrics Bulletin 2, 1946.
    """
    upper = (1 + level) / 2
    weighted = CAUTION * among
    # Without any spread over seeds, and with one seed alone, what is left has as many degrees as there are sentences.
    if seeds < 2 or not weighted * weighted > 0:
        return float(ndtri(upper))
    degrees = (weighted + common) ** 2 / (weighted**2 / (seeds - 1))
    # Beyond this t is the normal to the last bit, and the routine for t is not sure to be.
    return float(stdtrit(degrees, upper)) if degrees < 1e9 else float(ndtri(upper))


def share_of_gap(
    student: Sequence[Array],
    control: Sequence[Array],
    teacher: Sequence[Array],
    combine: Combine,
    *,
    level: float = 0.95,
) -> Interval:
    """Interval of the share of the gap from control to teacher that a student closes, over seeds and sentences.

        share = (metric(student) - metric(control)) / (metric(teacher) - metric(control)) = gain / gap,

    each averaged over seeds before they are divided. A share is only as sure as the gap below it. The ends are
    Fieller's: a share r stays in the interval as long as gain - r gap is not told from zero,

        (gain - r gap)^2 <= q^2 var(gain - r gap),

    a quadratic in r, with var and q those of a mean over seeds (`common_covariance`, `quantile`). Where the gap itself
    is not told from zero nothing bounds the share, and the interval is (-inf, inf). Without any gap value and ends are
    nan.

    Args:
        student: one array per training seed, [sentences, S].
        control: where the gap begins, its arrays in the same order of seeds.
        teacher: where it ends.
        combine: the metric's `combine`; higher or lower may be better.
        level: how sure the interval is.

    Source: Fieller, Some Problems in Interval Estimation, JRSS B 16, 1954; Franz, Ratios: A Short Guide to Confidence
    Limits and Proper Use, arXiv:0710.2024, 2007, on when no bounds exist.
    """
    sides = stacked([student, control, teacher])
    seeds, count = sides.shape[1:3]
    values = combine(sides.sum(axis=2))
    pairs = np.stack([values[0] - values[1], values[2] - values[1]])
    gain, gap = (float(each) for each in pairs.mean(axis=1))
    if gap == 0 or math.isnan(gain / gap):
        return Interval(value=math.nan, low=math.nan, high=math.nan, count=count)
    share = gain / gap
    moved = [[influences(each, combine) for each in side] for side in sides] if count > 1 else []
    if not moved or not np.isfinite(moved).all():
        return Interval(value=share, low=math.nan, high=math.nan, count=count)
    own, least, most = np.array(moved)
    common = common_covariance(np.stack([own - least, most - least]))
    among = np.cov(pairs) / seeds if seeds > 1 else np.zeros((2, 2))
    away = np.array([1.0, -share])
    reach = quantile(float(away @ among @ away), float(away @ common @ away), seeds, level=level)
    low, high = fieller(gain, gap, reach**2 * (among + common))
    return Interval(value=share, low=low, high=high, count=count)


def fieller(top: float, bottom: float, allowed: Array | Sequence[Sequence[float]]) -> tuple[float, float]:
    """Where (top - r bottom)^2 <= allowed_00 - 2 r allowed_01 + r^2 allowed_11: low and high of r, or (-inf, inf).

    Args:
        allowed: covariance of the two, times the square of the quantile, [2, 2].
    """
    square, cross, rest = bottom**2 - allowed[1][1], top * bottom - allowed[0][1], top**2 - allowed[0][0]
    if square <= 0:
        return -math.inf, math.inf
    # Rounding may leave a tiny negative where nothing spreads.
    half = math.sqrt(max(cross**2 - square * rest, 0.0)) / square
    return float(cross / square - half), float(cross / square + half)
