"""NGramSpec: what a scenario says about a counted language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semcom.mistakes import UserMistake

HIGHEST_ORDER = 6


@dataclass(frozen=True)
class NGramSpec:
    """A language counted from text: no training, no settings to tune, and hard to beat with as little text.

    Args:
        order: length of the longest n-grams, 1 to 6 [tokens]; a token is predicted from order - 1 tokens before it.
            More than 4 pays with millions of sentences.
    """

    order: int = 4
    kind: Literal["ngram"] = "ngram"

    def __post_init__(self) -> None:
        if not 1 <= self.order <= HIGHEST_ORDER:
            raise UserMistake(f"order must be at least 1 and at most {HIGHEST_ORDER}, got {self.order}; 4 is usual")

    @property
    def told(self) -> str:
        """The kind in a few words, for a plan."""
        return f"{self.order}-grams"
