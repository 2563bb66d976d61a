"""Transformer layers and positions, pre-norm by default and post-norm as in DeepSC."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn

from semcom.models.attention import MultiHeadAttention
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.trace import Attention

KeysAndValues = tuple[Tensor, Tensor]


class Residual(nn.Module):
    """Add a part's output to its input, normalizing before the part (`pre`) or after the sum (`post`)."""

    def __init__(self, width: int, spec: SemanticSpec) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(spec.dropout)
        self.before = spec.norm == "pre"

    def given(self, features: Tensor) -> Tensor:
        """What the part sees of the features."""
        return self.norm(features) if self.before else features

    def forward(self, features: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        if self.before:
            return features + self.dropout(part(self.given(features)))
        normalized: Tensor = self.norm(features + self.dropout(part(features)))
        return normalized


def look_back(
    attention: MultiHeadAttention,
    around: Residual,
    features: Tensor,
    past: KeysAndValues | None,
    *,
    mask: Tensor | None = None,
) -> tuple[Tensor, KeysAndValues]:
    """Self-attention of positions [rows, new, width] that see each other and those before; and all keys and values.

    With one new position at a time that is causal attention.

    Args:
        mask: True where a key, of those before or of the new ones, may be seen.
    """
    grown: list[KeysAndValues] = []

    def part(x: Tensor) -> Tensor:
        keys, values = attention.remember(x)
        if past is not None:
            keys, values = torch.cat((past[0], keys), dim=2), torch.cat((past[1], values), dim=2)
        grown.append((keys, values))
        return attention.attend(x, (keys, values), mask=mask)

    return around(features, part), grown[0]


def feed_forward(side: SideSpec) -> nn.Sequential:
    """The position-wise part of a layer."""
    return nn.Sequential(nn.Linear(side.width, side.feedforward), nn.ReLU(), nn.Linear(side.feedforward, side.width))


class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward, over [batch, length, width]."""

    def __init__(self, side: SideSpec, spec: SemanticSpec) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(side.width, side.heads)
        self.feedforward = feed_forward(side)
        self.around_attention = Residual(side.width, spec)
        self.around_feedforward = Residual(side.width, spec)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        features = self.around_attention(features, lambda x: self.attention(x, mask))
        return self.around_feedforward(features, self.feedforward)

    def step(
        self, features: Tensor, past: KeysAndValues | None, mask: Tensor | None = None
    ) -> tuple[Tensor, KeysAndValues]:
        """Positions [batch, new, width] more that see each other and those before, and the keys and values of all."""
        features, grown = look_back(self.attention, self.around_attention, features, past, mask=mask)
        return self.around_feedforward(features, self.feedforward), grown


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to what was received, then feed-forward."""

    def __init__(self, side: SideSpec, spec: SemanticSpec) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(side.width, side.heads)
        self.across = MultiHeadAttention(side.width, side.heads)
        self.feedforward = feed_forward(side)
        self.around_attention = Residual(side.width, spec)
        self.around_across = Residual(side.width, spec)
        self.around_feedforward = Residual(side.width, spec)

    def forward(self, features: Tensor, received: KeysAndValues, mask: Tensor | None = None) -> Tensor:
        """A whole sentence at once, each position blind to later ones.

        Padding needs no mask in the causal part: it comes last, so nobody real looks at it.
        """
        features = self.around_attention(
            features, lambda x: self.attention.attend(x, self.attention.remember(x), causal=True)
        )
        features = self.around_across(features, lambda x: self.across.attend(x, received, mask=mask))
        return self.around_feedforward(features, self.feedforward)

    def step(
        self, features: Tensor, received: KeysAndValues, past: KeysAndValues | None, mask: Tensor | None = None
    ) -> tuple[Tensor, KeysAndValues]:
        """One position [batch, 1, width] more, given the keys and values of those before it."""
        features, grown = look_back(self.attention, self.around_attention, features, past)
        features = self.around_across(features, lambda x: self.across.attend(x, received, mask=mask))
        return self.around_feedforward(features, self.feedforward), grown


def self_attention(layer: EncoderLayer | DecoderLayer, entering: Tensor) -> Attention:
    """What a layer's self-attention compared, worked out anew from what entered it; its fast path stays as it is."""
    given = layer.around_attention.given(entering)
    keys, values = layer.attention.remember(given)
    return Attention(layer.attention.ask(given), keys, values, causal=isinstance(layer, DecoderLayer))


@lru_cache(maxsize=256)
def _sinusoid(length: int, width: int) -> Tensor:
    with torch.device("cpu"):  # it is kept, and asked for its values, whichever device modules are made on
        position = torch.arange(length, dtype=torch.float64)[:, None]
        step = -torch.log(torch.tensor(1e4)).item() / width
        rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * step)
    return torch.stack((torch.sin(position * rate), torch.cos(position * rate)), dim=-1).flatten(1).float()


def add_positions(features: Tensor, *, first: int = 0) -> Tensor:
    """Add sinusoidal positions first, first + 1, ... to [batch, length, width].

    Source: Vaswani et al., NeurIPS 2017, section 3.5.
    """
    last = first + features.shape[1]
    return features + _sinusoid(last, features.shape[-1])[first:].to(features)


def final_norm(side: SideSpec, spec: SemanticSpec) -> nn.Module:
    """Pre-norm stacks end un-normalized, so they get one more normalization; post-norm ones do not need it."""
    return nn.LayerNorm(side.width) if spec.norm == "pre" else nn.Identity()
