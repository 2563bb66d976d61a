"""Rare: a one-sided bound where hardly a message is harmed, or hardly one arrives."""

from __future__ import annotations

import math

from scipy.special import chdtri

# Nearer than this to an end of a metric a percentile interval is too short: it rests on a handful of messages.
NEAR = 0.01


def furthest(distance: float, variance: float, weight: float, *, level: float = 0.95) -> float:
    """How far from the end of a metric it may truly lie: a one-sided upper bound for `distance`.

    A metric near its end is short of it by a sum over the few messages that were harmed. Their number is Poisson's and
    their weights differ, and for such sums the gamma interval holds its level where the normal and the bootstrap do
    not:

        bound = (v + w^2) / (2 (y + w)) chi2(2 (y + w)^2 / (v + w^2)),

    chi2 the quantile of chi squared at the degrees in brackets. Where nothing was harmed it is the rule of three, 3 w.

    Args:
        distance: y, of the value from the end.
        variance: v, of the value.
        weight: w, what one message more could take away.
        level: how often the bound holds, at least.

    Source: Fay and Feuer, Confidence Intervals for Directly Standardized Rates: A Method Based on the Gamma
    Distribution, Statistics in Medicine 16, 1997; Hanley and Lippman-Hand, If Nothing Goes Wrong, Is Everything All
    Right?, JAMA 249, 1983.
    """
    if not weight > 0 or not variance >= 0 or not distance >= 0:
        return math.nan
    mean, spread = distance + weight, variance + weight**2
    return spread / (2 * mean) * float(chdtri(2 * mean**2 / spread, 1 - level))
