"""Multipath: unit mean power under every fading, profiles and Doppler in closed form, and no transient."""

from __future__ import annotations

import math

import pytest
import torch

from channels.catalog import FADING
from channels.chance import Chance
from channels.fading import NoFading, Rayleigh
from channels.multipath import Multipath


@pytest.mark.parametrize("fading", FADING)
def test_mean_received_power_is_the_sent_power_of_any_signal(fading: type, assert_mean) -> None:
    # A steady carrier is the hardest case: its echoes add up or cancel as a whole.
    echoes = Multipath(fading=fading(), paths=4, delay_spread=(0.5, 3.0)).draw(20_000, Chance(1))
    steady = torch.ones((20_000, 4), dtype=torch.complex64)
    assert_mean(echoes.received(steady)[:, 0].abs().square(), 1.0)


def test_paths_fall_exponentially(assert_mean) -> None:
    echoes = Multipath(fading=Rayleigh(), paths=5, delay_spread=1.5).draw(20_000, Chance(1))
    weights = [math.exp(-path / 1.5) for path in range(5)]
    for path, weight in enumerate(weights):
        assert_mean(echoes.gains[:, path].abs().square(), weight / sum(weights))


def test_every_frame_has_a_profile_of_its_own() -> None:
    power = Multipath(fading=NoFading(), paths=3, delay_spread=(0.3, 3.0)).draw(50, Chance(1)).gains.abs().square()
    torch.testing.assert_close(power.sum(dim=1), torch.ones(50))
    assert len(power[:, 0].unique()) == 50


def test_an_echo_is_the_signal_later() -> None:
    sent = torch.randn((6, 40), generator=Chance(2).generator()).to(torch.complex64)
    echoes = Multipath(fading=Rayleigh(), paths=3, delay_spread=2.0).draw(6, Chance(2))
    received = echoes.received(sent)
    assert received.shape == (6, 38)
    by_hand = sum(echoes.gains[:, path, None] * sent[:, 2 - path : 40 - path] for path in range(3))
    torch.testing.assert_close(received, by_hand)


def test_doppler_has_the_autocorrelation_of_clarke(assert_mean) -> None:
    # One plane wave from a uniform angle: E exp(2 pi j f cos(angle) n) = J0(2 pi f n).
    moving = Multipath(fading=Rayleigh(), doppler=0.01).draw(20_000, Chance(3))
    received = moving.received(torch.ones((20_000, 61), dtype=torch.complex64)).to(torch.complex128)
    for lag in (10, 25, 60):
        product = received[:, lag] * received[:, 0].conj()
        bessel = torch.special.bessel_j0(torch.tensor(2 * math.pi * 0.01 * lag, dtype=torch.float64)).item()
        assert_mean(product.real, bessel)
        assert_mean(product.imag, 0.0)


@pytest.mark.parametrize(
    ("setting", "value"), [("paths", 0), ("delay_spread", 0.0), ("doppler", 0.6), ("doppler", (0.2, 0.1))]
)
def test_what_is_no_multipath_is_refused(setting: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{setting} must be"):
        Multipath(**{setting: value})  # type: ignore[arg-type]
