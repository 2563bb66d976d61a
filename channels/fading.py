"""NoFading, RandomPhase, Rayleigh, Rician, Nakagami: how each user arrives, but for the channels of a standard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from channels.chance import complex_gaussian
from channels.standard import Cdl, Tdl
from channels.units import db_to_ratio

__all__ = ["Fading", "Nakagami", "NoFading", "RandomPhase", "Rayleigh", "Rician"]


@dataclass(frozen=True)
class NoFading:
    """Every user arrives as sent: the AWGN link.

    h = 1

    Several antennas then hear the same signal, so they average the noise and cannot tell two users apart. Interferers
    arrive in phase with the wanted user, which real ones do not: see `RandomPhase`.
    """

    kind: Literal["none"] = "none"

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Give gains of one, as a single number seen from everywhere."""
        return torch.ones((), dtype=torch.complex64).expand(*shape)


@dataclass(frozen=True)
class RandomPhase:
    """Every user arrives as loud as sent and turned by a random phase: interferers out of step, without fading.

    h = exp(j t),  t uniform,  so |h| = 1

    A receiver that knows the wanted gain turns it back; the interferers then arrive at any phase.
    """

    kind: Literal["random_phase"] = "random_phase"

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw independent gains of power 1."""
        return turned(torch.ones(tuple(shape)), generator=generator)


@dataclass(frozen=True)
class Rayleigh:
    """Scatter from all around and no direct path.

    h = z,  z ~ CN(0, 1),  so |h|^2 is exponential with mean 1.

    Args:
        stratified: deal the gains of a batch evenly over their distribution, so that their mean strays less.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 2.4.2.
    """

    stratified: bool | None = None
    kind: Literal["rayleigh"] = "rayleigh"

    def __post_init__(self) -> None:
        leave_out_false(self)

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw gains of mean power 1, independent unless stratified."""
        if self.stratified:
            power = -torch.log1p(-even(shape, generator=generator))
            return turned(power.sqrt().float(), generator=generator)
        return complex_gaussian(shape, generator=generator)


@dataclass(frozen=True)
class Rician:
    """A steady path plus scatter, sharing unit power in the ratio K.

    h = sqrt(K/(K+1)) + sqrt(1/(K+1)) z,  z ~ CN(0, 1),  so E|h|^2 = 1.

    The steady path keeps phase zero; a receiver that knows h cannot tell, one that knows nothing profits.
    Stratified, the scatter is dealt evenly (`even`), in phase with the steady path and across it, each on its own.

    Args:
        k_factor_db: power of the steady path over that of the scatter, from -100 to 100 [dB].
        stratified: deal the gains of a batch evenly over their distribution, so that their mean strays less.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 2.4.2.
    """

    k_factor_db: float = 6.0
    stratified: bool | None = None
    kind: Literal["rician"] = "rician"

    def __post_init__(self) -> None:
        leave_out_false(self)
        if not abs(self.k_factor_db) <= 100:  # so that NaN is refused too
            raise ValueError(
                f"k_factor_db must be from -100 to 100 decibels, got {self.k_factor_db}; "
                "a link without scatter is kind 'none', one without a steady path is 'rayleigh'"
            )

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw gains of mean power 1, independent unless stratified."""
        k = db_to_ratio(self.k_factor_db)
        if self.stratified:
            # Half of the scatter's power goes to each axis.
            along, across = (torch.special.ndtri(even(shape, generator=generator)) for _ in range(2))
            scatter = torch.complex(along, across) * math.sqrt(0.5 / (k + 1))
            return (scatter + math.sqrt(k / (k + 1))).to(torch.complex64)
        return complex_gaussian(shape, power=1 / (k + 1), generator=generator).add_(math.sqrt(k / (k + 1)))


@dataclass(frozen=True)
class Nakagami:
    """Fading whose depth is one dial: m = 1 is Rayleigh, less is worse, large m hardly fades.

    h = sqrt(g) exp(j t),  g ~ Gamma(shape m, scale 1/m),  t uniform,  so E|h|^2 = 1 and Var|h|^2 = 1/m.

    Args:
        m: fading figure, from 0.5 to a million; 1 is Rayleigh, larger values fade less.
        stratified: deal the gains of a batch evenly over their distribution, so that their mean strays less.

    Source: Simon and Alouini, Digital Communication over Fading Channels, 2nd edition, section 2.2.1.4.
    """

    m: float = 2.0
    stratified: bool | None = None
    kind: Literal["nakagami"] = "nakagami"

    def __post_init__(self) -> None:
        leave_out_false(self)
        if not 0.5 <= self.m <= 1e6:  # so that NaN is refused too
            raise ValueError(f"m must be from 0.5 to a million, got {self.m}; 1 is Rayleigh fading")

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw gains of mean power 1, independent unless stratified."""
        if self.stratified:
            # torch has the distribution, but not its inverse.
            from scipy.special import gammaincinv

            power = torch.from_numpy(gammaincinv(self.m, even(shape, generator=generator).numpy())).float() / self.m
        else:
            # The public torch.distributions.Gamma takes no generator; this is the sampler underneath it.
            shapes = torch.full(tuple(shape), self.m, dtype=torch.float32)
            power = torch._standard_gamma(shapes, generator=generator) / self.m
        return turned(power.sqrt(), generator=generator)


Fading = NoFading | RandomPhase | Rayleigh | Rician | Nakagami | Tdl | Cdl


def leave_out_false(fading: Rayleigh | Rician | Nakagami) -> None:
    """Make False None: what is not stratified is the same, and has the same identity, however that was said."""
    if not fading.stratified:
        object.__setattr__(fading, "stratified", None)


def turned(amplitude: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
    """Give each amplitude a uniform phase of its own."""
    return torch.polar(amplitude, torch.empty(amplitude.shape).uniform_(-math.pi, math.pi, generator=generator))


def even(shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
    """Uniform numbers between 0 and 1, one in each of n equal parts along the first axis of length n, in random order.

    u = (rank + v) / n,  rank a random order of 0, ..., n-1,  v uniform in [0, 1)

    Each number is uniform. Numbers at other places of the other axes are independent: a gain's distribution, and that
    of all gains of one sentence, over blocks and antennas, stay as they are, and so do the streams of other users.

    Sentences of one batch are no longer independent: no two lie in one part, so their gains are negatively correlated
    and the mean over a batch strays far less from its expectation. Intervals that take sentences for independent, as
    the bootstrap does, are then wider than they must be: they still count the fading that no longer moves the mean.
    """
    each = tuple(shape)
    rank = torch.rand(each, generator=generator, dtype=torch.float64).argsort(dim=0)
    within = torch.rand(each, generator=generator, dtype=torch.float64)
    # Rounding may reach the ends, where inverse distributions are infinite.
    return ((rank + within) / each[0]).clamp_(2.0**-60, 1 - 2.0**-53)
