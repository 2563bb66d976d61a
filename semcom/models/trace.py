"""Trace: the named tensors one trip leaves behind, for objectives and distillation to compare."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Sent:
    """What a transmitter made: symbols [batch, K] complex at unit power, and its Transformer layers.

    `layers` holds one [batch, length, width] tensor per encoder layer, first to last.
    """

    symbols: Tensor
    layers: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Heard:
    """What a receiver made of the equalized signal: channel decoder output, layers, and logits over tokens."""

    features: Tensor
    layers: tuple[Tensor, ...]
    logits: Tensor


@dataclass(frozen=True, eq=False)
class Trace:
    """One whole trip.

    Args:
        targets: what should have arrived, [batch, length] token numbers.
        mask: True for real tokens, [batch, length]; everything a loss averages is averaged over these.
        equalized: the receiver's signal after the equalizer, [batch, K] complex.
    """

    targets: Tensor
    mask: Tensor
    sent: Sent
    equalized: Tensor
    heard: Heard


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values [batch, length] over real tokens; independent of how much padding stands beside them."""
    return torch.where(mask, values, torch.zeros_like(values)).sum() / mask.sum()
