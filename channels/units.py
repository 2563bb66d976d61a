"""Decibels in, ratios out: the only place where decibels are undone."""

from __future__ import annotations

import math
from typing import overload

import torch

__all__ = ["db_to_ratio", "deepsc_to_snr_db", "ebno_to_snr_db", "ratio_to_db", "snr_to_ebno_db"]


@overload
def db_to_ratio(db: float) -> float: ...
@overload
def db_to_ratio(db: torch.Tensor) -> torch.Tensor: ...
def db_to_ratio(db: float | torch.Tensor) -> float | torch.Tensor:
    """Turn decibels of power into a ratio of powers: 10^(db/10).

    Differentiable for tensors. Minus infinity is the ratio 0.
    """
    if isinstance(db, (int, float)):
        return float(10.0 ** (db / 10.0))
    return torch.pow(10.0, db / 10.0)


@overload
def ratio_to_db(ratio: float) -> float: ...
@overload
def ratio_to_db(ratio: torch.Tensor) -> torch.Tensor: ...
def ratio_to_db(ratio: float | torch.Tensor) -> float | torch.Tensor:
    """Turn a ratio of powers into decibels: 10 log10(ratio).

    The ratio 0 is minus infinity and an infinite ratio infinity, so a link without interferers needs no special case.

    Raises:
        ValueError: a negative number, which is no ratio of powers.
    """
    # The number comes first: asking about torch.Tensor would load torch for a person who only asks for a plan.
    if isinstance(ratio, (int, float)):
        if ratio < 0:
            raise ValueError(f"a ratio of powers must be at least 0, got {ratio}; decibels take powers, not amplitudes")
        return 10.0 * math.log10(ratio) if ratio > 0 else -math.inf
    return 10.0 * torch.log10(ratio)


def ebno_to_snr_db(ebno_db: float, *, bits_per_symbol: float) -> float:
    """From energy per information bit to this project's SNR, per complex symbol.

    snr = (Eb/N0) * bits per complex symbol

    Args:
        bits_per_symbol: information bits, so code rate times bits of the constellation.
    """
    return ebno_db + ratio_to_db(bits_per_symbol)


def snr_to_ebno_db(snr_db: float, *, bits_per_symbol: float) -> float:
    """From this project's SNR, per complex symbol, to energy per information bit; undoes `ebno_to_snr_db`."""
    return snr_db - ratio_to_db(bits_per_symbol)


def deepsc_to_snr_db(label_db: float) -> float:
    """From the label on a curve of the DeepSC code base to this project's SNR of the same physics.

    That code allows power 1 to each of a symbol's two real axes, so 2 to the symbol, and scales the noise for a
    symbol of power 1. A codec at its power limit therefore meets 3 dB less noise than the label says: "12 dB" there
    is 15 dB here.

    Source: our measurement of github.com/13274086/DeepSC, commit 6ede3fd.
    """
    return label_db + ratio_to_db(2.0)
