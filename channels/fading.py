"""NoFading, Rayleigh, Rician, Nakagami: how each user arrives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from channels.chance import complex_gaussian
from channels.units import db_to_ratio

__all__ = ["Fading", "Nakagami", "NoFading", "Rayleigh", "Rician"]


@dataclass(frozen=True)
class NoFading:
    """Every user arrives as sent: the AWGN link.

    h = 1

    Several antennas then hear the same signal, so they average the noise and cannot tell two users apart.
    """

    kind: Literal["none"] = "none"

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Give gains of one, as a single number seen from everywhere."""
        return torch.ones((), dtype=torch.complex64).expand(*shape)


@dataclass(frozen=True)
class Rayleigh:
    """Scatter from all around and no direct path.

    h = z,  z ~ CN(0, 1),  so |h|^2 is exponential with mean 1.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 2.4.2.
    """

    kind: Literal["rayleigh"] = "rayleigh"

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw independent gains of mean power 1."""
        return complex_gaussian(shape, generator=generator)


@dataclass(frozen=True)
class Rician:
    """A steady path plus scatter, sharing unit power in the ratio K.

    h = sqrt(K/(K+1)) + sqrt(1/(K+1)) z,  z ~ CN(0, 1),  so E|h|^2 = 1.

    The steady path keeps phase zero; a receiver that knows h cannot tell, one that knows nothing profits.

    Args:
        k_factor_db: power of the steady path over that of the scatter [dB].

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 2.4.2.
    """

    k_factor_db: float = 6.0
    kind: Literal["rician"] = "rician"

    def __post_init__(self) -> None:
        if not abs(self.k_factor_db) <= 100:  # so that NaN is refused too
            raise ValueError(
                f"k_factor_db must be from -100 to 100 decibels, got {self.k_factor_db}; "
                "a link without scatter is kind 'none', one without a steady path is 'rayleigh'"
            )

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw independent gains of mean power 1."""
        k = db_to_ratio(self.k_factor_db)
        return complex_gaussian(shape, power=1 / (k + 1), generator=generator).add_(math.sqrt(k / (k + 1)))


@dataclass(frozen=True)
class Nakagami:
    """Fading whose depth is one dial: m = 1 is Rayleigh, less is worse, large m hardly fades.

    h = sqrt(g) exp(j t),  g ~ Gamma(shape m, scale 1/m),  t uniform,  so E|h|^2 = 1 and Var|h|^2 = 1/m.

    Args:
        m: fading figure, at least 0.5.

    Source: Simon and Alouini, Digital Communication over Fading Channels, 2nd edition, section 2.2.1.4.
    """

    m: float = 2.0
    kind: Literal["nakagami"] = "nakagami"

    def __post_init__(self) -> None:
        if not 0.5 <= self.m <= 1e6:  # so that NaN is refused too
            raise ValueError(f"m must be from 0.5 to a million, got {self.m}; 1 is Rayleigh fading")

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw independent gains of mean power 1."""
        # The public torch.distributions.Gamma takes no generator; this is the sampler underneath it.
        shapes = torch.full(tuple(shape), self.m, dtype=torch.float32)
        power = torch._standard_gamma(shapes, generator=generator) / self.m
        phase = torch.empty(tuple(shape)).uniform_(-math.pi, math.pi, generator=generator)
        return torch.polar(power.sqrt(), phase)


Fading = NoFading | Rayleigh | Rician | Nakagami
