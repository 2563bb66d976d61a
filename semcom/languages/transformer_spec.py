"""TransformerSpec: the shape of a Transformer language model, written down before any tensor exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semcom.models.semantic_spec import SemanticSpec, SideSpec


@dataclass(frozen=True)
class TransformerSpec:
    """A decoder-only Transformer, pre-norm, whose one matrix serves as embedding and as output layer.

    Args:
        width: features per token (d_model); even, at most 4096.
        layers: Transformer layers, from 1 to 64.
        heads: attention heads; must divide the width.
        feedforward: hidden units of each layer's feed-forward part, at most 16384.
        dropout: share of features dropped in training.
    """

    width: int = 128
    layers: int = 2
    heads: int = 8
    feedforward: int = 512
    dropout: float = 0.0
    kind: Literal["transformer"] = "transformer"

    def __post_init__(self) -> None:
        # The limits are those of a codec's side, and so are the messages.
        _ = self.side, self.manner

    @property
    def side(self) -> SideSpec:
        """The same numbers as a side of a codec has them, which is what layers are made of."""
        return SideSpec(width=self.width, layers=self.layers, heads=self.heads, feedforward=self.feedforward)

    @property
    def manner(self) -> SemanticSpec:
        """How layers are put together; of a codec's spec only norm and dropout are meant."""
        return SemanticSpec(norm="pre", dropout=self.dropout)

    @property
    def told(self) -> str:
        """The shape in a few words, for a plan."""
        return f"{self.layers}x{self.width}"

    def parameters(self, vocabulary: int) -> int:
        """How many parameters it has with a vocabulary of so many tokens, embedding included."""
        attention = 4 * (self.width**2 + self.width)
        feedforward = 2 * self.width * self.feedforward + self.feedforward + self.width
        norms = 2 * 2 * self.width
        return vocabulary * self.width + self.layers * (attention + feedforward + norms) + 2 * self.width


def usual(width: int, layers: int) -> TransformerSpec:
    """Feed-forward 4 x width, and 8 heads or fewer, so that each keeps 8 features or more."""
    return TransformerSpec(width=width, layers=layers, heads=min(8, width // 8), feedforward=4 * width)


# With a vocabulary of 2,000: 0.09, 0.23, 0.65, 5.25 and 26.24 million parameters.
LANGUAGE_SIZES: dict[str, TransformerSpec] = {
    "tiny": usual(32, 2),
    "small": usual(64, 2),
    "base": usual(128, 2),
    "large": usual(256, 6),
    "teacher": usual(512, 8),
}
