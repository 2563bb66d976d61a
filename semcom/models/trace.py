"""Trace: the named tensors one trip leaves behind, for objectives and distillation to compare."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from channels import Arrived


@dataclass(frozen=True, eq=False)
class Attention:
    """What one layer's self-attention compares: [batch, heads, length, width / heads] each.

    `causal` says that a query sees no later key.
    """

    queries: Tensor
    keys: Tensor
    values: Tensor
    causal: bool


@dataclass(frozen=True, eq=False)
class Sent:
    """What a transmitter made: symbols [batch, K] complex at unit power, and its Transformer layers.

    `layers` holds one [batch, length, width] tensor per encoder layer, first to last; `entering` is what entered
    the last one, from which `attention` is worked out for who asks (`SemanticCodec.with_attention`). `stages` are
    feature maps, as in `Heard`. `places` [batch, length] is True where a place of the layers is real; None where the
    places are the units of the message. `spectrum` [batch, length, bands] is what was spoken, where speech is sent, and
    `hidden` [batch, length] what of it was hidden from the transmitter.
    """

    symbols: Tensor
    layers: tuple[Tensor, ...]
    entering: Tensor | None = None
    attention: Attention | None = None
    stages: tuple[Tensor, ...] = ()
    places: Tensor | None = None
    spectrum: Tensor | None = None
    hidden: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Heard:
    """What a receiver made of the equalized signal: features, layers, and logits over the answers.

    `features` [batch, length, width] are a channel decoder's output; `layers` one tensor of that form per layer.
    `stages` are feature maps [batch, places, channels] of whatever size, where a network has such. `entering` and
    `attention` are of the last layer, as in `Sent`. `picture` [batch, planes, rows, columns], from 0 to 1, is what a
    receiver rebuilt that chooses among no answers; it has logits over none, [batch, length, 0]. `spectrum`
    [batch, length, bands] is one that a receiver rebuilt, on the scale of `Sent.spectrum`; it has no logits either.
    """

    features: Tensor
    layers: tuple[Tensor, ...]
    logits: Tensor
    entering: Tensor | None = None
    attention: Attention | None = None
    stages: tuple[Tensor, ...] = ()
    picture: Tensor | None = None
    spectrum: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Trace:
    """One whole trip.

    Args:
        targets: what should have arrived, [batch, length] token numbers.
        mask: True for real tokens, [batch, length]; everything a loss averages is averaged over these.
        arrived: the receiver's signal after the equalizer.
        sent_arrived: what became of `sent`, [batch, K] complex, where `arrived` is another's signal or went through
            other air; for who asks.
    """

    targets: Tensor
    mask: Tensor
    sent: Sent
    arrived: Arrived
    heard: Heard
    sent_arrived: Tensor | None = None

    @property
    def stages(self) -> tuple[Tensor, ...]:
        """The feature maps of the whole network, those at the transmitter first."""
        return (*self.sent.stages, *self.heard.stages)


def hard_labels(trace: Trace) -> Tensor:
    """Cross-entropy to the true tokens, averaged over real tokens [nats per token]."""
    return masked_mean(F.cross_entropy(trace.heard.logits.mT, trace.targets, reduction="none"), trace.mask)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of values [batch, length] over real tokens; independent of how much padding stands beside them."""
    return torch.where(mask, values, torch.zeros_like(values)).sum() / mask.sum()
