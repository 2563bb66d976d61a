"""PictureSpec: the shape of a small codec of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semcom.metrics.metric import Scored
from semcom.models.spec import MOST_SYMBOLS, Carries, Part, Side, Stack

PIXELS = 64


@dataclass(frozen=True)
class PictureSpec:
    """Two fully connected networks that learn together what to send of a picture, and what it means.

    Args:
        hidden: features of the hidden layer of either side.
        symbols_per_picture: complex symbols sent for each picture [symbols].
    """

    kind: ClassVar[str] = "perceptron"
    network: ClassVar[str] = "semcom.models.stripes:PictureCodec"
    carries: ClassVar[Carries] = "pictures"
    says: ClassVar[Scored] = "classes"
    may_differ: ClassVar[frozenset[str]] = frozenset({"hidden", "symbols_per_picture"})
    settled: ClassVar[dict[Side, tuple[str, ...]]] = dict.fromkeys(
        ("transmitter", "receiver"), ("hidden", "symbols_per_picture")
    )
    shows: ClassVar[frozenset[Part]] = frozenset({"sent", "received", "heard", "logits"})

    hidden: int = 32
    symbols_per_picture: int = 4

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {self.hidden}")
        if not 1 <= self.symbols_per_picture <= MOST_SYMBOLS:
            raise ValueError(f"symbols_per_picture must be from 1 to {MOST_SYMBOLS}, got {self.symbols_per_picture}")

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols of a picture."""
        return self.symbols_per_picture

    @property
    def dropout(self) -> float:
        """None."""
        return 0.0

    @property
    def learns(self) -> bool:
        """Yes."""
        return True

    @property
    def told(self) -> str:
        """Widths, and the bandwidth."""
        return f"{self.hidden} -> {self.hidden}, {self.symbols_per_picture} symbols a picture"

    @property
    def rough_multiply_adds(self) -> float:
        """Of one picture."""
        return float(self.hidden * (PIXELS + 4 * self.symbols_per_picture))

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the one hidden layer of a side."""
        return (self.hidden,)

    def side(self, name: Side) -> object:
        """Both sides are as wide as the spec says."""
        return self


PICTURE_SIZES: dict[str, PictureSpec] = {"stripes_small": PictureSpec(), "stripes_large": PictureSpec(hidden=128)}
