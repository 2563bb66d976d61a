"""Likelihoods: how well what arrived fits every row of a table of symbols, where gain and noise power are known."""

from __future__ import annotations

import torch
from torch import Tensor

from channels import Arrived

LEAST = 1e-30  # of a noise power: where an equalizer has nothing left to multiply by, both power and signal are zero


def per_symbol(values: Tensor, arrived: Arrived) -> Tensor:
    """Gains or powers [batch, G] of an air, for each symbol that arrived [batch, K].

    The air may be longer than the symbols: in a cell it lasts as long as its slowest user.
    """
    whole = arrived.airs[0][1].noise.shape[-1]
    return values.repeat_interleave(whole // values.shape[1], dim=1)[:, : arrived.symbols.shape[1]]


def heard_in(arrived: Arrived, symbols: int) -> Tensor:
    """What the signal of each token says of rows of so many symbols, double [batch, length, 3 n + 1].

    log p(y | x) = -|y - g x|^2 / N = 2 Re(conj(g) y conj(x)) / N - |g|^2 |x|^2 / N - |y|^2 / N

    summed over the n symbols of a token, but for the logarithm of pi N, which all rows have in common. Interference
    counts as Gaussian noise: N is what the receiver believes of both together (`Arrived.noise_power`).

    Returns: the factors of Re x, Im x and |x|^2, and what is added.
    """
    power = per_symbol(arrived.noise_power, arrived).double().clamp_min(LEAST)
    gain, received = (each.to(torch.complex128) for each in (per_symbol(arrived.gain, arrived), arrived.symbols))
    matched = 2 * gain.conj() * received / power
    parts = (matched.real, matched.imag, -_energy(gain) / power, -_energy(received) / power)
    real, imaginary, energy, added = (part.unflatten(1, (-1, symbols)) for part in parts)
    return torch.cat((real, imaginary, energy, added.sum(dim=2, keepdim=True)), dim=2)


def spoken_by(table: Tensor) -> Tensor:
    """Rows of symbols [rows, n] in the form that `heard_in` is multiplied with, double [3 n + 1, rows]."""
    rows = table.to(torch.complex128)
    return torch.cat((rows.real, rows.imag, _energy(rows), torch.ones_like(rows.real[:, :1])), dim=1).t()


def _energy(symbols: Tensor) -> Tensor:
    return symbols.real.square() + symbols.imag.square()
