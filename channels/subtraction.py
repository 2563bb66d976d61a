"""Subtraction: what arrives of one user once a receiver has taken away what it holds the others to have sent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from channels.arrived import Arrived
from channels.cell import seen_from
from channels.link import Link
from channels.realization import Realization, combine, superpose

__all__ = ["Guesses", "arrive_without"]


@dataclass(frozen=True, eq=False)
class Guesses:
    """What a receiver holds everyone to have sent: x_u = g_u + d_u, the error d_u uncorrelated with the guess g_u.

    Args:
        symbols: g [B, U, K] complex; zero where nothing is known yet.
        doubts: E|d|^2 [B, U], one number a message; 1 where nothing is known yet, 0 where nothing is left to doubt.
    """

    symbols: torch.Tensor
    doubts: torch.Tensor

    @classmethod
    def none(cls, shape: tuple[int, int, int], device: torch.device) -> Guesses:
        """Before anybody was decoded, of (batch, users, symbols)."""
        return cls(torch.zeros(shape, dtype=torch.complex64, device=device), torch.ones(shape[:2], device=device))

    def of(self, rows: torch.Tensor) -> Guesses:
        """Those of some messages."""
        return Guesses(self.symbols[rows], self.doubts[rows])


@dataclass(frozen=True, eq=False)
class Cleaned(Arrived):
    """A signal from which others were taken away; its gain and noise power count with what is left of them.

    Args:
        belief: noise power [B, 1] at each antenna, gains [B, U, A, G] and weights [B, A, G], the own user's first.
    """

    belief: tuple[torch.Tensor, torch.Tensor, torch.Tensor]

    @cached_property
    def _believed(self) -> list[tuple[float | torch.Tensor, torch.Tensor, torch.Tensor]]:
        return [self.belief]


def arrive_without(guesses: Guesses, received: torch.Tensor, link: Link, *, known: torch.Tensor, user: int) -> Cleaned:
    """Take the other users' guesses away, then equalize for one user; no randomness.

    r = y - sum_{v != u} k_v g_v = k_u x_u + sum_{v != u} k_v d_v - sum_v e_v x_v + n

    for known gains k = h + e. The receiver counts user v as an interferer of power |k_v|^2 E|d_v|^2, and with each one
    taken away comes the error of its estimated gain, (1 - E|d_v|^2) E|e_v|^2 of noise. As in `channels.cell`, all is
    divided by the amplitude of the user's mean power, so that its own power is the unit. Where nothing is known of
    anybody yet, this is what arrives at `channels.cell.as_heard_for`.

    Args:
        received: y [B, A, K] complex.
        link: of the wanted user, whoever `user` is.
        known: k [B, U, A, G], as `known_gains` of the link gives them.
    """
    order = list(seen_from(user, known.shape[1]))
    others, unit = order[1:], link.amplitudes[user]
    left = received
    if others:
        taken = Realization(paths=tuple(-known[:, other] for other in others), noise=received)
        left = superpose(guesses.symbols[:, others], taken)
    doubts = guesses.doubts[:, others]
    powers = torch.tensor(link.amplitudes, device=received.device)[others].square()
    noise = (link.noise_power + link.csi_error_power * (1 - doubts).sum(dim=1, keepdim=True)) / unit**2
    interference = (powers * doubts).sum(dim=1, keepdim=True) / unit**2
    shares = torch.cat((torch.ones_like(guesses.doubts[:, :1]), doubts), dim=1).sqrt()
    gains = known[:, order] * shares[..., None, None] / unit
    weights = link.equalizer.weights(
        gains, noise_power=noise.unsqueeze(-1), interference_power=interference.unsqueeze(-1)
    )
    return Cleaned(combine(left / unit, weights), (), (noise, gains, weights))
