"""Pulses in closed form, evaluated at any time: no filter with a transient, no clock that must be a whole number."""

from __future__ import annotations

import math

import torch

__all__ = ["gaussian_step", "root_raised_cosine"]

# So close to one of its removable gaps, the root raised cosine is evaluated at this distance from it instead.
HAIR = 1e-7


def root_raised_cosine(times: torch.Tensor, rolloff: torch.Tensor) -> torch.Tensor:
    """A pulse of unit energy whose matched filter leaves no interference between symbols.

    p(t) = [sin(pi t (1-b)) + 4 b t cos(pi t (1+b))] / [pi t (1 - (4 b t)^2)],  t in symbols, b the roll-off

    Args:
        times: any shape, in symbols from the middle of the pulse; double precision.
        rolloff: of a shape that broadcasts with `times`, from 0 to 1.

    Source: Proakis and Salehi, Digital Communications, 5th edition, section 9.2-1.
    """
    t = torch.where(times.abs() < HAIR, HAIR, times)
    t = torch.where(((4 * rolloff * t).abs() - 1).abs() < HAIR, t.sign() * ((1 + HAIR) / (4 * rolloff)), t)
    slope = 4 * rolloff * t
    turns = math.pi * t
    above = torch.sin(turns * (1 - rolloff)).addcmul_(slope, torch.cos(turns * (1 + rolloff)))
    return above / (turns * (1 - slope * slope))


def gaussian_step(times: torch.Tensor, bandwidth_time: float) -> torch.Tensor:
    """How much of its phase a symbol of Gaussian-filtered frequency keying has turned, from 0 before it to 1 after.

    q(t) = s [f((t + 1/2)/s) - f((t - 1/2)/s)],  f(z) = z Phi(z) + phi(z),  s = sqrt(ln 2) / (2 pi BT)

    The integral of a rectangle of one symbol, filtered by a Gaussian of 3 dB bandwidth B. An infinite BT is no filter:
    the phase then turns linearly over the symbol.

    Args:
        times: in symbols from the middle of the symbol.
        bandwidth_time: BT, bandwidth times symbol duration.

    Source: Murota and Hirade, GMSK modulation for digital mobile radio telephony, IEEE Transactions on
    Communications 29(7), 1981.
    """
    if math.isinf(bandwidth_time):
        return (times + 0.5).clamp(0.0, 1.0)
    spread = math.sqrt(math.log(2.0)) / (2 * math.pi * bandwidth_time)
    late, early = (times - 0.5) / spread, (times + 0.5) / spread
    return spread * (integrated_normal(early) - integrated_normal(late))


def integrated_normal(z: torch.Tensor) -> torch.Tensor:
    """The integral of the normal distribution function from minus infinity: z Phi(z) + phi(z)."""
    return z * torch.special.ndtr(z) + torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
