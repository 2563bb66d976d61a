"""Arrived: what a receiver holds of one batch after its equalizer, and what it knows of how reliable that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from channels.link import Link
from channels.realization import Realization, equalize, weigh

__all__ = ["Arrived", "arrive", "join"]


@dataclass(frozen=True, eq=False)
class Arrived:
    """The wanted user's symbols as estimated, x_hat = g x + v.

    Gain and noise power are what the receiver believes: with perfect csi they are right, with estimates or without
    any they follow from what it takes the gains to be. They are worked out when first asked for.

    Args:
        symbols: x_hat [B, K] complex.
        airs: the link that was gone through and what chance decided on it; several where parts of the batch went
            through airs of their own, first rows first.
    """

    symbols: torch.Tensor
    airs: tuple[tuple[Link, Realization], ...]

    @cached_property
    def gain(self) -> torch.Tensor:
        """g = sum_a w_a h_0a  [B, G], G gains a message as the link's coherence says."""
        return _joined([(weights * known[:, 0]).sum(dim=1) for _, known, weights in self._believed])

    @cached_property
    def noise_power(self) -> torch.Tensor:
        """E|v|^2 = N0 sum_a |w_a|^2 + sum_k |sum_a w_a h_ka|^2  [B, G], interferers k at unit power counted in."""
        return _joined([_noise_power(noise, known, weights) for noise, known, weights in self._believed])

    @cached_property
    def _believed(self) -> list[tuple[float | torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Noise power at each antenna, known gains and weights, of every part."""
        return [(link.noise_power, *weigh(link, air)) for link, air in self.airs]

    def first(self, symbols: int) -> Arrived:
        """The same, cut to so many symbols from the start."""
        return replace(self, symbols=self.symbols[:, :symbols])

    def detach(self) -> Arrived:
        """The same, through which no gradient flows."""
        return replace(self, symbols=self.symbols.detach())


def arrive(received: torch.Tensor, link: Link, air: Realization) -> Arrived:
    """Equalize what the antennas received, [B, A, K] complex."""
    return Arrived(equalize(received, link, air), ((link, air),))


def join(parts: Sequence[Arrived]) -> Arrived:
    """One batch of the parts, each of which came through airs of its own, in the order they are handed over."""
    airs = tuple(air for part in parts for air in part.airs)
    return Arrived(_joined([part.symbols for part in parts]), airs)


def _noise_power(noise_power: float | torch.Tensor, known: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    noise = noise_power * weights.abs().square().sum(dim=1)
    leaking = (weights.unsqueeze(1) * known[:, 1:]).sum(dim=2)
    return noise + leaking.abs().square().sum(dim=1)


def _joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(tuple(parts))
