"""Each fading is the distribution it says it is, not only on average."""

from __future__ import annotations

import math

import pytest
import torch

from channels import Chance, Fading, Nakagami, NoFading, RandomPhase, Rayleigh, Rician, db_to_ratio

DRAWS = 200_000


def gains(fading: Fading, count: int = DRAWS) -> torch.Tensor:
    return fading.draw((count,), generator=Chance(8).of("fading", 0).generator())


@pytest.mark.parametrize(
    "fading", [Rician(-10.0), Rician(0.0), Rician(10.0), Nakagami(0.5), Nakagami(1.0), Nakagami(4.0)], ids=str
)
def test_mean_power_is_one_whatever_the_parameter(fading: Fading, assert_mean) -> None:
    assert_mean(gains(fading).abs().square(), 1.0)


def test_no_fading_is_one_number_seen_from_everywhere() -> None:
    drawn = NoFading().draw((3, 2, 5), generator=Chance(1).generator())
    assert drawn.shape == (3, 2, 5)
    assert torch.equal(drawn, torch.ones(3, 2, 5, dtype=torch.complex64))
    assert drawn.untyped_storage().nbytes() == 8


@pytest.mark.parametrize("turns", [1, 2, 3, 7])
def test_a_random_phase_is_uniform_and_nothing_else(turns: int, assert_mean) -> None:
    h = gains(RandomPhase())
    torch.testing.assert_close(h.abs(), torch.ones(DRAWS))
    # Every moment of a uniform phase is 0.
    turned = torch.polar(torch.ones(DRAWS), turns * h.angle())
    assert_mean(turned.real, 0.0)
    assert_mean(turned.imag, 0.0)
    assert_mean(turned.real.square(), 0.5)


@pytest.mark.parametrize("x", [0.05, 0.5, 1.0, 3.0])
def test_rayleigh_power_is_exponential(x: float, assert_mean) -> None:
    assert_mean((gains(Rayleigh()).abs().square() < x).double(), 1 - math.exp(-x))


@pytest.mark.parametrize("k_factor_db", [-3.0, 3.0, 9.0])
def test_rician_shares_its_power_in_the_ratio_k(k_factor_db: float, assert_mean) -> None:
    k = db_to_ratio(k_factor_db)
    h = gains(Rician(k_factor_db))
    assert_mean(h.real, math.sqrt(k / (k + 1)))
    assert_mean(h.imag, 0.0)
    assert_mean((h - math.sqrt(k / (k + 1))).abs().square(), 1 / (k + 1))
    assert_mean(h.abs().pow(4), 2 - (k / (k + 1)) ** 2)


@pytest.mark.parametrize("m", [0.5, 1.0, 2.5, 20.0])
def test_nakagami_power_varies_by_one_over_m(m: float, assert_mean) -> None:
    h = gains(Nakagami(m))
    assert_mean(h.abs().pow(4), 1 + 1 / m)
    # A uniform phase has no mean, nor has its double.
    for turned in (h, h.square()):
        assert_mean(turned.real, 0.0)
        assert_mean(turned.imag, 0.0)


def test_a_whole_fading_figure_is_a_number_too() -> None:
    whole, real = (Nakagami(m).draw((5, 3), generator=Chance(1).generator()) for m in (2, 2.0))
    assert torch.equal(whole, real)


def test_nakagami_of_one_is_rayleigh(assert_mean) -> None:
    assert_mean((gains(Nakagami(1.0)).abs().square() < 0.1).double(), 1 - math.exp(-0.1))


@pytest.mark.parametrize("m", [0.4, 0.0, -1.0, math.nan, math.inf, 1e300])
def test_nakagami_refuses_what_is_no_fading_figure(m: float) -> None:
    with pytest.raises(ValueError, match=r"m must be from 0\.5 to a million, got"):
        Nakagami(m)


@pytest.mark.parametrize("k_factor_db", [math.inf, -math.inf, math.nan, 1e9])
def test_rician_refuses_infinite_factors(k_factor_db: float) -> None:
    with pytest.raises(ValueError, match="k_factor_db must be from -100 to 100 decibels"):
        Rician(k_factor_db)
