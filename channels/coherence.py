"""How long a gain lasts: a symbol, a block of symbols, a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

__all__ = ["Coherence", "PerBlock", "PerSentence", "PerSymbol", "spread"]


@dataclass(frozen=True)
class PerSymbol:
    """A new gain for every symbol: ideal interleaving, where fading averages out within a sentence."""

    kind: Literal["symbol"] = "symbol"

    def span(self, symbols: int) -> int:
        """Count the symbols that share one gain."""
        return 1


@dataclass(frozen=True)
class PerBlock:
    """A new gain every `length` symbols; the last block of a sentence may be cut short.

    Source: block fading, Tse and Viswanath, Fundamentals of Wireless Communication, section 5.4.5.

    Args:
        length: coherence time [symbols], at least 1.
    """

    length: int = 16
    kind: Literal["block"] = "block"

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"length must be at least 1 symbol, got {self.length}; a gain per symbol is kind 'symbol'")

    def span(self, symbols: int) -> int:
        """Count the symbols that share one gain."""
        # A sentence shorter than a block needs one gain, and must not be charged for the rest of the block.
        return min(self.length, symbols)


@dataclass(frozen=True)
class PerSentence:
    """One gain for a whole sentence: slow fading, where a deep fade takes everything.

    Averages over fading need as many sentences as they would need symbols under `PerSymbol`.
    """

    kind: Literal["sentence"] = "sentence"

    def span(self, symbols: int) -> int:
        """Count the symbols that share one gain."""
        return symbols


Coherence = PerSymbol | PerBlock | PerSentence


def spread(gains: torch.Tensor, *, span: int, symbols: int) -> torch.Tensor:
    """Repeat each gain `span` times along the last axis, so that there is one for every symbol.

    Only for blocks that do not divide the sentence: everywhere else gains stay few and are broadcast, which is what
    makes block fading as cheap as it should be.
    """
    return gains.unsqueeze(-1).expand(*gains.shape, span).flatten(-2)[..., :symbols]
