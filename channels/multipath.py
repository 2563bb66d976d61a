"""Multipath: several copies of one signal, each later, weaker, turned and moved in frequency on its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from channels.chance import Chance
from channels.fading import Fading, NoFading
from channels.ranges import Range, check_range, draw_range

__all__ = ["Echoes", "Multipath"]


@dataclass(frozen=True)
class Multipath:
    """Paths one sample apart whose mean power falls exponentially with the delay, and adds up to one.

    y_n = sum over l of  sqrt(p_l) h_l exp(2 pi j d_l n) x_{n-l},  p_l ~ exp(-l / delay_spread),  sum of p_l = 1

    Every path has gains of the same fading and, from the second on, a uniform phase on top: paths that differ by many
    wavelengths. So the mean received power is the sent one whatever the fading. A single path is flat fading.

    Args:
        fading: how each path arrives, one gain for a frame; `Rician` has its steady part in every path.
        paths: how many, one sample apart.
        delay_spread: the delay by which the mean power has fallen to 1/e [samples]; a range gives each frame a profile
            of its own.
        doppler: the largest shift of frequency [cycles per sample]; each path is shifted by this times the cosine of
            a uniform angle, as one plane wave is for a moving receiver.

    Source: tapped delay lines, Proakis and Salehi, Digital Communications, 5th edition, section 13.5-1.
    """

    fading: Fading = NoFading()
    paths: int = 1
    delay_spread: Range = (0.2, 2.0)
    doppler: Range = 0.0

    def __post_init__(self) -> None:
        if self.paths < 1:
            raise ValueError(f"paths must be at least 1, got {self.paths}; one path is a flat channel")
        check_range("delay_spread", self.delay_spread, low=1e-3)
        check_range("doppler", self.doppler, low=0.0, high=0.5)

    def draw(self, frames: int, chance: Chance) -> Echoes:
        """Decide by chance how each frame's paths arrive."""
        shape = (frames, self.paths)
        spread = draw_range(self.delay_spread, frames, generator=chance.of("delay_spread").generator())
        profile = torch.softmax(-torch.arange(self.paths, dtype=torch.float64) / spread.unsqueeze(1), dim=1)
        phase = torch.rand(shape, generator=chance.of("path_phase").generator(), dtype=torch.float64)
        phase[:, 0] = 0.0
        angle = torch.rand(shape, generator=chance.of("doppler_angle").generator(), dtype=torch.float64)
        doppler = draw_range(self.doppler, frames, generator=chance.of("doppler").generator()).unsqueeze(1)
        gains = self.fading.draw(shape, generator=chance.of("fading").generator())
        turned = torch.polar(profile.sqrt(), 2 * math.pi * phase)
        return Echoes(gains=gains * turned.to(torch.complex64), doppler=doppler * torch.cos(2 * math.pi * angle))


@dataclass(frozen=True, eq=False)
class Echoes:
    """How the paths of each frame arrive.

    Args:
        gains: [B, L] complex, the gain of each path.
        doppler: [B, L] its shift [cycles per sample].
    """

    gains: torch.Tensor
    doppler: torch.Tensor

    def received(self, sent: torch.Tensor) -> torch.Tensor:
        """What arrives of signals [B, L - 1 + N] that were already on the air before the frame: [B, N], from the first.

        No randomness, and no transient: the first sample has all its echoes.
        """
        paths = self.gains.shape[1]
        length = sent.shape[1] - paths + 1
        moving = bool(self.doppler.any())
        total = torch.zeros((sent.shape[0], length), dtype=sent.dtype)
        for path in range(paths):
            heard = self.gains[:, path : path + 1] * sent[:, paths - 1 - path :][:, :length]
            if moving:
                turns = self.doppler[:, path : path + 1] * torch.arange(length)
                heard *= torch.polar(torch.ones_like(turns), 2 * math.pi * turns)
            total += heard
        return total
