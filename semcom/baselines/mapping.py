"""Mapping: bits to points of QAM with Gray labels, and what arrives back to log-likelihood ratios of bits."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=8)
def levels(bits: int) -> Tensor:
    """Amplitudes of one axis for every label of so many bits, the label's first bit the highest [2^bits], double.

    (1 - 2 b_0) (2^(m-1) - (1 - 2 b_1) (2^(m-2) - ...)), at half the power of a symbol.

    Source: 3GPP TS 38.211, section 5.1.
    """
    labels = torch.arange(2**bits)
    signs = [1.0 - 2.0 * (labels >> (bits - 1 - place) & 1) for place in range(bits)]
    amplitude = signs[-1].double()
    for step, sign in enumerate(reversed(signs[:-1]), start=1):
        amplitude = sign * (2**step - amplitude)
    return amplitude / (2 * amplitude.square().mean()).sqrt()


def to_symbols(bits: Tensor, bits_per_symbol: int) -> Tensor:
    """Symbols [.., n / m] complex64 of mean power 1 from bits [.., n]; even bits of a symbol make its real part."""
    pairs = bits.unflatten(-1, (-1, bits_per_symbol // 2, 2)).long()
    weights = 2 ** torch.arange(bits_per_symbol // 2 - 1, -1, -1)
    axes = levels(bits_per_symbol // 2)[(pairs * weights[:, None]).sum(dim=-2)]
    return torch.view_as_complex(axes.float().contiguous())


def to_ratios(symbols: Tensor, gain: Tensor, noise_power: Tensor, bits_per_symbol: int) -> Tensor:
    """log p(1) / p(0) of every bit [.., n], all points equally likely, the disturbance Gaussian.

    Args:
        symbols: y = g x + v [.., K] complex.
        gain: g [.., K] complex.
        noise_power: E|v|^2 [.., K].
    """
    half = bits_per_symbol // 2
    turned = torch.view_as_real((gain.conj() * symbols).to(torch.complex128))  # |g|^2 x + noise of |g|^2 E|v|^2
    power = gain.abs().double().square()[..., None, None]
    noise = noise_power.double()[..., None, None]
    points = levels(half)
    # -|y - g x|^2 / N on one axis, but for what all points have in common.
    fit = (2 * turned[..., None] * points - power * points.square()) / noise
    labels = torch.arange(2**half)
    ratios = []
    for place in range(half):
        ones = (labels >> (half - 1 - place) & 1).bool()
        ratios.append(fit[..., ones].logsumexp(dim=-1) - fit[..., ~ones].logsumexp(dim=-1))
    return torch.stack(ratios, dim=-2).flatten(-3).float()
