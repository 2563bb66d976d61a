"""Pulses: unit energy, no interference between symbols, and steps that are the integrals they claim to be."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import integrate, stats

from channels.pulses import gaussian_step, root_raised_cosine

ROLLOFFS = [0.1, 0.25, 0.5, 1.0]


def raised_cosine(t: torch.Tensor, rolloff: float) -> torch.Tensor:
    """The textbook's form, away from its gaps."""
    return torch.sinc(t) * torch.cos(math.pi * rolloff * t) / (1 - (2 * rolloff * t) ** 2)


@pytest.mark.parametrize("rolloff", ROLLOFFS)
def test_two_root_raised_cosines_make_a_raised_cosine(rolloff: float) -> None:
    # A sum over fine samples is the integral, for the pulse has no frequencies above one per symbol.
    fine, reach = 4, 400
    t = torch.arange(-reach * fine, reach * fine + 1, dtype=torch.float64) / fine
    pulse = root_raised_cosine(t, torch.tensor(rolloff, dtype=torch.float64))
    for late in (0.0, 0.3, 1.1, 1.7, 4.9):
        moved = root_raised_cosine(t - late, torch.tensor(rolloff, dtype=torch.float64))
        expected = raised_cosine(torch.tensor(late, dtype=torch.float64), rolloff).item()
        assert (pulse * moved).sum().item() / fine == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("rolloff", ROLLOFFS)
def test_the_pulse_is_smooth_across_its_removable_gaps(rolloff: float) -> None:
    b = rolloff
    middle = 1 - b + 4 * b / math.pi
    quarter = math.pi / (4 * b)
    edge = b / math.sqrt(2) * ((1 + 2 / math.pi) * math.sin(quarter) + (1 - 2 / math.pi) * math.cos(quarter))
    for where, expected in ((0.0, middle), (1 / (4 * b), edge), (-1 / (4 * b), edge)):
        for beside in (0.0, 1e-12, 1e-9, -3e-8, 1e-7, -1e-7, 1e-6):
            t = torch.tensor(where + beside, dtype=torch.float64)
            assert root_raised_cosine(t, torch.tensor(b, dtype=torch.float64)).item() == pytest.approx(
                expected, abs=1e-5
            )


@pytest.mark.parametrize("bandwidth_time", [0.2, 0.35, 1.0])
def test_a_gaussian_step_is_the_integral_of_the_filtered_rectangle(bandwidth_time: float) -> None:
    spread = math.sqrt(math.log(2)) / (2 * math.pi * bandwidth_time)

    def frequency(t: float) -> float:
        return stats.norm.cdf((t + 0.5) / spread) - stats.norm.cdf((t - 0.5) / spread)

    for end in (-2.0, -0.4, 0.0, 0.3, 1.5):
        expected, _ = integrate.quad(frequency, -12.0, end)
        found = gaussian_step(torch.tensor(end, dtype=torch.float64), bandwidth_time)
        assert found.item() == pytest.approx(expected, abs=1e-9)


def test_a_step_without_a_filter_is_a_ramp() -> None:
    t = torch.tensor([-1.0, -0.5, 0.0, 0.25, 0.5, 2.0])
    assert gaussian_step(t, math.inf).tolist() == [0.0, 0.0, 0.5, 0.75, 1.0, 1.0]
    torch.testing.assert_close(gaussian_step(t, 1e4), gaussian_step(t, math.inf), atol=1e-4, rtol=0)
