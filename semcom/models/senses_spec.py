"""SensesSpec: the shape of a codec that sends a picture and its caption, and joins them at the receiver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from semcom.models.classifier_spec import CLASSIFIER_SIZES, ClassifierSpec
from semcom.models.spec import MOST_SYMBOLS, Adopted

LETTERS = 256  # values of a byte
LETTER_WIDTH = 16


@dataclass(frozen=True)
class SensesSpec(ClassifierSpec):
    """A picture in `symbols` and the name of its class in words in `caption_symbols`, one after the other on the air.

    Each sense has a transmitter of its own, at mean power 1. The receiver decodes both, and two layers that also know
    how much energy came in for each name the class. In training one sense of some messages, either of the two, is
    drowned in noise of 0 to 15 dB over the signal, so that the receiver learns to do without it. Our construction: the
    paper on layered self-supervision promises several senses and tests none.

    Args:
        caption_symbols: complex symbols sent for each caption, at most 1024 [symbols].
        drowned: share of the training messages of which one sense is drowned.
    """

    kind: ClassVar[str] = "senses"
    network: ClassVar[str] = "semcom.models.senses:Senses"
    may_differ: ClassVar[frozenset[str]] = frozenset(
        {"widths", "units", "symbols", "hidden", "dropout", "caption_symbols", "drowned"}
    )
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {
        side: (*fields, "caption_symbols") for side, fields in ClassifierSpec.settled.items()
    }

    caption_symbols: int = 8
    drowned: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.is_whole:
            raise ValueError("transmitter_stages must be left out of two senses: the trunk stands whole at one end")
        if not 1 <= self.caption_symbols <= MOST_SYMBOLS:
            raise ValueError(f"caption_symbols must be from 1 to {MOST_SYMBOLS}, got {self.caption_symbols}")
        if not 0 <= self.drowned <= 1:
            raise ValueError(f"drowned must be a share from 0 to 1, got {self.drowned}")

    @property
    def symbols_per_unit(self) -> int:
        """Of both senses."""
        return self.symbols + self.caption_symbols

    @property
    def told(self) -> str:
        """What the network of the picture is, and what either sense is sent in."""
        return f"{super().told}, {self.caption_symbols} more a caption"


def _like(spec: ClassifierSpec) -> SensesSpec:
    return SensesSpec(family=spec.family, widths=spec.widths, units=spec.units, hidden=spec.hidden)


SENSES_SIZES: dict[str, SensesSpec] = {
    f"senses_{name}": _like(CLASSIFIER_SIZES[name]) for name in ("resnet8", "resnet20", "resnet8_tiny")
}
