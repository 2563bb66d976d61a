"""One seed, many independent random streams, each named after its cause."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

__all__ = ["Chance", "complex_gaussian"]


@dataclass(frozen=True)
class Chance:
    """The run's seed, narrowed by naming causes.

    `chance.of("fading", 2).generator()` is the same stream whenever and wherever it is asked for: nothing is
    consumed, there is no order of calls, and naming one more cause disturbs no other. That is what makes two
    codecs meet the same air, and a fifth interferer leave the first four alone.

    Asking twice for the same cause gives the same numbers twice, so everything that should differ needs its own
    name: batches and epochs too, `chance.of("batch", 7)`.

    Args:
        seed: any integer; the one number that a scenario gives.
        causes: words and counts; `("user", 1)`, `("user", "1")` and `("user1",)` are three different streams.
    """

    seed: int
    causes: tuple[str | int, ...] = ()

    def __post_init__(self) -> None:
        # bool and numpy integers print differently from the int they equal, so they would name another stream.
        if type(self.seed) is not int:
            raise ValueError(f"seed must be a plain int, got {self.seed!r}; convert it with int(...)")
        check_causes(self.causes)

    def of(self, *causes: str | int) -> Chance:
        """Narrow the seed to a cause: `chance.of("fading", user)`."""
        return Chance(self.seed, self.causes + causes)

    def integer(self) -> int:
        """A whole number below 2^63, to seed any other generator that wants one."""
        return hashed((self.seed, *self.causes))

    def generator(self) -> torch.Generator:
        """A fresh CPU generator at the beginning of this cause's stream.

        Always on the CPU, so that a laptop and a GPU meet the same air; what it draws is moved afterwards.

        torch's Mersenne Twister keeps 32 bits of the seed. Two causes of one batch share a stream with a chance
        of 2^-32; among a million batches some pairs will, far apart in time, which no average can notice.
        """
        return self.begin(torch.Generator())

    def begin(self, generator: torch.Generator, *causes: str | int) -> torch.Generator:
        """Put a CPU generator at the beginning of a cause's stream: `chance.begin(generator, "fading", user)`.

        It then draws what `chance.of("fading", user).generator()` would draw, and forgets what it was in the midst
        of. At half the cost, for streams that are drawn one after another: making a generator seeds it once too often.
        """
        check_causes(causes)
        return generator.manual_seed(hashed((self.seed, *self.causes, *causes)))


def check_causes(causes: tuple[str | int, ...]) -> None:
    """Refuse what only looks like a word or a count."""
    for cause in causes:
        if type(cause) is not int and type(cause) is not str:
            raise ValueError(f"a cause must be a plain str or int, got {cause!r}; convert it first")


def hashed(names: tuple[str | int, ...]) -> int:
    """Turn a seed and its causes into a whole number below 2^63."""
    digest = hashlib.blake2b(repr(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def complex_gaussian(shape: Sequence[int], *, power: float = 1.0, generator: torch.Generator) -> torch.Tensor:
    """Circular complex Gaussian numbers, complex64.

    z = a + jb with a, b ~ N(0, power/2) independent, so E|z|^2 = power.

    Half of the power goes to each real axis: forgetting it is the 3 dB error this field knows best.
    """
    # Complex numbers in one call: torch, too, gives each axis half of the variance that it is told.
    return torch.normal(0.0, math.sqrt(power), shape, dtype=torch.complex64, generator=generator)
