"""The filter between two rates: what is below the lower half rate stays as it was, what is above is gone."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.signal import resample_poly

from semcom.models.resampling import Resample, low_pass


def tone(hertz: float, rate: int) -> torch.Tensor:
    return (2 * math.pi * hertz * torch.arange(rate, dtype=torch.float64) / rate).sin()[None]


def level(waveform: torch.Tensor, hertz: float, rate: int) -> float:
    """The amplitude at one frequency, measured away from the ends."""
    inside = waveform[0, rate // 4 : 3 * rate // 4].double()
    time = torch.arange(len(inside), dtype=torch.float64) / rate
    turning = torch.polar(torch.ones_like(time), -2 * math.pi * hertz * time)
    return float(2 * (inside * turning).mean().abs())


@pytest.mark.parametrize("hertz", [100, 1000, 3500])
def test_a_tone_keeps_its_frequency_and_its_level(hertz: int) -> None:
    made = Resample(8000, 16_000)(tone(hertz, 8000))
    assert made.shape == (1, 16_000)
    assert level(made, hertz, 16_000) == pytest.approx(1, abs=1e-3)
    assert level(made, 8000 - hertz, 16_000) < 2e-4, "its mirror image above 4 kHz is not there"
    torch.testing.assert_close(made[:, 2000:-2000], tone(hertz, 16_000)[:, 2000:-2000], atol=1e-3, rtol=0)


def test_what_16_khz_cannot_hold_is_taken_away() -> None:
    made = Resample(48_000, 16_000)(tone(1000, 48_000) + tone(10_000, 48_000))
    assert level(made, 1000, 16_000) == pytest.approx(1, abs=1e-3)
    assert level(made, 6000, 16_000) < 2e-4, "10 kHz would be heard at 6 kHz"


@pytest.mark.parametrize("rate", [8000, 48_000, 44_100, 11_050, 16_000])
def test_it_agrees_with_scipy(rate: int) -> None:
    resample = Resample(rate, 16_000)
    noise = torch.randn(2, 4321, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    taps = low_pass(resample.up, resample.down) / resample.up
    wanted = resample_poly(noise.numpy(), resample.up, resample.down, axis=1, window=taps)
    torch.testing.assert_close(resample(noise), torch.from_numpy(wanted), atol=1e-5, rtol=0)
