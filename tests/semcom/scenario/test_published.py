"""Published curves: whole, sensible, and on an axis whose distance from ours is known."""

from __future__ import annotations

import math

import pytest

from channels import NoFading, Rayleigh
from channels.units import deepsc_to_snr_db
from semcom.metrics.catalog import METRICS
from semcom.scenario.published import DEEPSC_OFFSET_DB, PUBLISHED, Published

each_curve = pytest.mark.parametrize("curve", PUBLISHED, ids=lambda curve: curve.name)


def test_the_shift_is_the_factor_of_two_between_real_and_complex_symbols() -> None:
    assert pytest.approx(10 * math.log10(2), abs=1e-4) == DEEPSC_OFFSET_DB
    assert deepsc_to_snr_db(12.0) == pytest.approx(12.0 + DEEPSC_OFFSET_DB, abs=1e-4)


@each_curve
def test_a_curve_is_whole(curve: Published) -> None:
    assert curve.scores
    assert set(curve.scores) <= {metric.name for metric in METRICS}
    for scores in curve.scores.values():
        assert len(scores) == len(curve.snr_db)
        assert all(0 <= score <= 1 for score in scores)
    assert list(curve.snr_db) == sorted(set(curve.snr_db))
    assert curve.fading in (NoFading().kind, Rayleigh().kind)
    assert curve.offset_db == DEEPSC_OFFSET_DB
    assert "+3 dB" in curve.note
    assert "symbols a word" in curve.note


@each_curve
def test_longer_matches_are_rarer(curve: Published) -> None:
    assert all(four < one for one, four in zip(curve.scores["bleu_1"], curve.scores["bleu_4"], strict=True))


def test_names_are_told_apart() -> None:
    assert len({curve.name for curve in PUBLISHED}) == len(PUBLISHED)
