"""WordSpec: what shapes of codecs share that hear a spoken word, say in a few symbols which it was, and name it."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from semcom.metrics.metric import Scored
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.spec import MOST_SYMBOLS, Carries, Part, Shape, Side, Stack

# Of a message, where a cost is told: what one of the free spoken digits takes.
USUAL_S = 0.44
MOST_SAMPLES = 480_000


class WordSpec:
    """A semantic encoder of spoken words, all of whose layers count in what is sent, and a receiver of the word.

    The dataclass of a kind has the fields named here, and says what its encoder is.
    """

    carries: ClassVar[Carries] = "speech"
    says: ClassVar[Scored] = "classes"
    shows: ClassVar[frozenset[Part]] = frozenset({"sent", "received", "heard", "logits"})
    learns: ClassVar[bool] = True

    rate: int
    samples: int
    symbols: int
    hidden: int
    dropout: float

    def check_word(self) -> None:
        """Refuse fields that mean nothing.

        Raises:
            ValueError: with what to change.
        """
        _ = self.inside  # its limits are those of a side
        if not 1 <= self.samples <= MOST_SAMPLES:
            raise ValueError(f"samples must be from 1 to {MOST_SAMPLES:,}, got {self.samples}")
        if not 1 <= self.symbols <= MOST_SYMBOLS:
            raise ValueError(f"symbols must be from 1 to {MOST_SYMBOLS}, got {self.symbols}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    @property
    @abstractmethod
    def inside(self) -> SideSpec:
        """The Transformer and the channel code, in the numbers that a side is made of."""

    @property
    @abstractmethod
    def usual_frames(self) -> float:
        """Places of the encoder's layers in a word of usual length."""

    @property
    @abstractmethod
    def places(self) -> object:
        """What the encoder's layers have a place for; equal for codecs that have equal places in every word."""

    @property
    def manner(self) -> SemanticSpec:
        """How layers are put together; of a codec's spec only norm and dropout are meant."""
        return SemanticSpec(norm="pre", dropout=self.dropout)

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols of a word."""
        return self.symbols

    @property
    def usual_encoder(self) -> float:
        """Multiply-adds of the encoder's layers for a word of usual length, without what attention adds."""
        side = self.inside
        return self.usual_frames * side.layers * (4 * side.width**2 + 2 * side.width * side.feedforward)

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the encoder's layers, and of the one embedding that the receiver ends with."""
        side = self.inside
        return (side.width,) * side.layers if stack == "sent" else (side.width,)

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """None: its layers have as many places as the word has frames."""
        return ()

    def side(self, name: Side) -> object:
        """See `Spec.side`: the receiver knows nothing of the encoder."""
        return self if name == "transmitter" else (self.inside.width, self.symbols, self.hidden)
