"""MadeUp: sentences that one language makes up for others to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

MOST_SENTENCES = 10_000_000


@dataclass(frozen=True)
class MadeUp:
    """Sentences that another language makes up, once, to be learned from beside a language's own text.

    Args:
        by: the language that makes them up; a larger one, counts, or a mixture.
        sentences: how many; all languages that name as many by the same one learn from the same.
    """

    by: str
    sentences: int = 100_000

    def __post_init__(self) -> None:
        if not 1 <= self.sentences <= MOST_SENTENCES:
            raise ValueError(f"sentences must be from 1 to {MOST_SENTENCES}, got {self.sentences}; 100000 is usual")


@dataclass(frozen=True)
class MadeUpSpec:
    """A text and no language: so many sentences of a language that is told beside it."""

    sentences: int
    kind: ClassVar[str] = "made_up"

    @property
    def told(self) -> str:
        """The kind in a few words, for a plan."""
        return f"{self.sentences:,} sentences"
