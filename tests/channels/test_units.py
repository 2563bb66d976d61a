"""Decibels: round trips, ends of the scale, and the conversions between conventions."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels import db_to_ratio, deepsc_to_snr_db, ebno_to_snr_db, ratio_to_db, snr_to_ebno_db

DECIBELS = st.floats(-200, 200)


@given(DECIBELS)
def test_decibels_survive_the_round_trip(db: float) -> None:
    assert ratio_to_db(db_to_ratio(db)) == pytest.approx(db, abs=1e-9)


@given(DECIBELS, DECIBELS)
def test_adding_decibels_multiplies_ratios(one: float, other: float) -> None:
    assert db_to_ratio(one + other) == pytest.approx(db_to_ratio(one) * db_to_ratio(other), rel=1e-9)


@given(st.lists(st.floats(-60, 60), min_size=1, max_size=5))
def test_tensors_meet_the_same_numbers(dbs: list[float]) -> None:
    tensor = torch.tensor(dbs, dtype=torch.float64)
    assert db_to_ratio(tensor).tolist() == pytest.approx([db_to_ratio(db) for db in dbs])
    assert ratio_to_db(db_to_ratio(tensor)).tolist() == pytest.approx(dbs, abs=1e-9)


def test_known_values() -> None:
    assert db_to_ratio(0) == 1.0
    assert db_to_ratio(10) == 10.0
    assert db_to_ratio(-30) == pytest.approx(1e-3)
    assert db_to_ratio(-math.inf) == 0.0
    assert ratio_to_db(0.0) == -math.inf
    assert ratio_to_db(math.inf) == math.inf
    assert ratio_to_db(2) == pytest.approx(3.0103, abs=1e-4)


def test_gradients_pass_through_decibels() -> None:
    db = torch.tensor(6.0, dtype=torch.float64, requires_grad=True)
    db_to_ratio(db).backward()
    assert db.grad is not None
    assert db.grad.item() == pytest.approx(math.log(10) / 10 * 10**0.6)


def test_a_negative_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match="must be at least 0, got -1"):
        ratio_to_db(-1.0)


@given(DECIBELS, st.floats(0.1, 8))
def test_bits_per_symbol_shift_the_axis_there_and_back(snr_db: float, bits: float) -> None:
    ebno_db = snr_to_ebno_db(snr_db, bits_per_symbol=bits)
    assert ebno_to_snr_db(ebno_db, bits_per_symbol=bits) == pytest.approx(snr_db, abs=1e-9)


def test_qpsk_at_rate_one_half_has_equal_ebno_and_snr() -> None:
    assert ebno_to_snr_db(4.0, bits_per_symbol=2 * 0.5) == pytest.approx(4.0)
    assert ebno_to_snr_db(4.0, bits_per_symbol=2) == pytest.approx(7.0103, abs=1e-4)


def test_the_older_code_bases_labels_are_three_decibels_low() -> None:
    assert [round(deepsc_to_snr_db(label), 2) for label in (0, 6, 12)] == [3.01, 9.01, 15.01]
