"""The bound near the end of a metric: rules known by heart, and how often it holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from semcom.metrics.rare import furthest


def test_where_nothing_was_harmed_it_is_the_rule_of_three():
    assert furthest(0.0, 0.0, 1 / 200) == pytest.approx(-math.log(0.05) / 200)


@pytest.mark.parametrize("harmed", [1, 4, 20])
def test_of_whole_messages_it_is_the_exact_bound_of_a_poisson_number(harmed):
    """Garwood's: the mean at which so few or fewer come in one case of twenty."""
    bound = furthest(harmed / 500, harmed / 500**2, 1 / 500)
    assert stats.poisson.cdf(harmed, 500 * bound) == pytest.approx(0.05)


@pytest.mark.parametrize("rate", [0.0005, 0.002, 0.008])
def test_it_holds_where_losses_are_of_unequal_size(rate):
    chance, trials, count = np.random.default_rng(3), 3000, 500
    losses = (chance.random((trials, count)) < rate) * chance.random((trials, count))
    bounds = [furthest(row.mean(), row.var() / count, 1 / count) for row in losses]
    held = np.mean(np.array(bounds) >= rate / 2)
    assert held >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / trials)


def test_without_a_weight_nothing_is_known():
    assert math.isnan(furthest(0.0, 0.0, math.nan))
