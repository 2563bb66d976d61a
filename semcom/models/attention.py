"""Multi-head attention with separate query, key, value and output layers, and a cache for decoding."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention in several heads.

    Four plain Linear layers rather than torch's fused block, so that quantization, pruning and export see
    ordinary layers.

    Source: Vaswani et al., Attention Is All You Need, NeurIPS 2017, section 3.2.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def _split(self, features: Tensor) -> Tensor:
        return features.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def ask(self, queries: Tensor) -> Tensor:
        """Queries [batch, heads, length, width / heads]."""
        return self._split(self.query(queries))

    def remember(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [batch, heads, length, width / heads] of what will be attended."""
        return self._split(self.key(memory)), self._split(self.value(memory))

    def attend(
        self, queries: Tensor, remembered: tuple[Tensor, Tensor], *, mask: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """Attend from queries [batch, length, width] over remembered keys and values.

        Args:
            mask: True where a key may be seen; broadcast to [batch, heads, queries, keys].
            causal: position t sees positions up to t alone. Not together with a mask.
        """
        keys, values = remembered
        mixed = F.scaled_dot_product_attention(self.ask(queries), keys, values, attn_mask=mask, is_causal=causal)
        return self.output(mixed.transpose(1, 2).flatten(2))

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Self-attention over [batch, length, width]."""
        return self.attend(features, self.remember(features), mask=mask)
