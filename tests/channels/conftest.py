"""A small modem of its own, to count bit errors on any link."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

import channels as air

BitErrors = Callable[..., torch.Tensor]


@pytest.fixture(scope="session")
def bit_errors() -> BitErrors:
    """Hand out `bit_errors(link, order=4)`: the share of wrong bits in each symbol, [B, K]."""

    def count(link: air.Link, *, order: int = 4, shape: tuple[int, int] = (500, 600), seed: int = 1) -> torch.Tensor:
        """Send random Gray-mapped symbols and slice what the link's own equalizer makes of them."""
        chance = air.Chance(seed)
        side = 2 if order == 2 else math.isqrt(order)
        numbers = torch.randint(side, (*shape, 2), generator=chance.of("bits").generator())
        axes = (2.0 * numbers - (side - 1)) / math.sqrt(2 * (side**2 - 1) / 3)
        if order == 2:
            axes = torch.stack((axes[..., 0] * math.sqrt(2), torch.zeros(shape)), dim=-1)
        realization = air.draw(link, shape, chance)
        symbols = torch.view_as_complex(axes)
        received = air.superpose(air.everyone(symbols, link, realization), realization)
        estimate = torch.view_as_real(air.equalize(received, link, realization))
        decided = (estimate * math.sqrt(2 * (side**2 - 1) / 3) + side - 1).div(2).round().clamp(0, side - 1).long()
        # Gray labels: neighbors differ in one bit; the bits that differ are those set in the exclusive or.
        different = (numbers ^ (numbers >> 1)) ^ (decided ^ (decided >> 1))
        bits = side.bit_length() - 1
        wrong = sum((different >> bit) & 1 for bit in range(bits)).double() / bits
        return wrong[..., 0] if order == 2 else wrong.mean(dim=-1)

    return count


@pytest.fixture
def qpsk() -> Callable[[int, int], torch.Tensor]:
    """Hand out `qpsk(batch, symbols)`: unit-power symbols to send, the same ones each time."""

    def make(batch: int, symbols: int) -> torch.Tensor:
        return air.Qam().draw((batch, symbols), generator=air.Chance(77).of("symbols").generator())

    return make
