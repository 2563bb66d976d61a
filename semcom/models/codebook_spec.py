"""CodebookSpec: the shape of a code that is drawn and not learned, the control of every learned one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from semcom.metrics.metric import Scored
from semcom.models.semantic_spec import USUAL_VOCABULARY
from semcom.models.spec import Adopted, Carries, Part, Shape, Side, Stack

ROWS = 65_536
"""Of the table that a code with memory takes its symbols from, at least; a power of two."""

MOST_BOOK_SYMBOLS = 64  # for each token: a table of ROWS then takes 32 MiB
MOST_MEMORY = 16
MOST_BOOK = 10**9


@dataclass(frozen=True)
class CodebookSpec:
    """A random code: every token has symbols drawn once for all users; the receiver weighs exact likelihoods.

    Args:
        symbols_per_token: complex symbols sent for each token, the bandwidth, at most 64 [symbols].
        memory: so many tokens before a token, at most 16, decide about its symbols with it: a tree code. 0 gives each
            token symbols of its own, wherever it stands.
        book: which of the books; another number is another code. Codecs of one book and shape send alike.
        learned: whether the book is trained from there on, through the likelihoods of the receiver; needs memory 0.
    """

    kind: ClassVar[str] = "codebook"
    network: ClassVar[str] = "semcom.models.codebook:Codebook"
    carries: ClassVar[Carries] = "sentences"
    says: ClassVar[Scored] = "sentences"
    may_differ: ClassVar[frozenset[str]] = frozenset({"symbols_per_token", "memory", "book", "learned"})
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {}
    shows: ClassVar[frozenset[Part]] = frozenset({"logits"})

    symbols_per_token: int = 8
    memory: int = 0
    book: int = 1
    learned: bool = False

    def __post_init__(self) -> None:
        ranges = (
            ("symbols_per_token", self.symbols_per_token, 1, MOST_BOOK_SYMBOLS),
            ("memory", self.memory, 0, MOST_MEMORY),
            ("book", self.book, 1, MOST_BOOK),
        )
        for name, value, least, most in ranges:
            if not least <= value <= most:
                raise ValueError(f"{name} must be from {least} to {most}, got {value}")
        if self.learned and self.memory:
            raise ValueError(f"learned must be without memory, got memory {self.memory}; set memory to 0")

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols on the air for each token."""
        return self.symbols_per_token

    @property
    def dropout(self) -> float:
        """None."""
        return 0.0

    @property
    def learns(self) -> bool:
        """Only a learned book."""
        return self.learned

    @property
    def decoding(self) -> Literal["parallel", "autoregressive"]:
        """A code with memory is decoded token after token."""
        return "autoregressive" if self.memory else "parallel"

    @property
    def told(self) -> str:
        """Which code it is, and the bandwidth."""
        memory = f" with memory {self.memory}" if self.memory else ""
        book = f" {self.book}" if self.book > 1 else ""
        kind = "learned" if self.learned else "random"
        return f"{kind} codebook{book}{memory}, {self.symbols_per_token} symbols a token"

    @property
    def rough_multiply_adds(self) -> float:
        """Of one token: its signal against every row, as `Codebook` does it."""
        return (ROWS if self.memory else USUAL_VOCABULARY) * (3.0 * self.symbols_per_token + 1)

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """It has no layers."""
        return ()

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """None."""
        return ()

    def side(self, name: Side) -> object:
        """Both sides hold the same book."""
        return self


CODEBOOK_SIZES: dict[str, CodebookSpec] = {"codebook": CodebookSpec()}
