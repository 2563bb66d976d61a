"""Spec: what the shape of every kind of codec promises, and the parts of a trip that a method may compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol

from semcom.metrics.metric import Scored

Part = Literal["sent", "received", "heard", "stages", "logits", "attention"]
"""What of a trip a distillation method may compare: what the transmitter made, its symbols as they arrive, the
receiver's features and layers, its feature maps of whatever size, the logits it ends with, and what self-attention
weighed on the sides that are seen."""

Stack = Literal["sent", "heard"]
"""Where the layers of a side stand in a trace."""

Side = Literal["transmitter", "receiver"]

Adopted = Literal["transmitter", "receiver", "encoder", "around"]
"""What a codec may take over from another, frozen: a side, or all around the layers that it makes itself."""

Carries = str
"""What kind of message travels, in the plural: sentences, frames. A task and its codecs agree on the word."""

SINGLE_UNIT: frozenset[Carries] = frozenset({"frames", "pictures", "speech"})
"""The kinds of messages that are one unit each."""

OWN_PLACES: frozenset[Carries] = frozenset({"speech"})
"""The kinds of messages whose transmitter's layers have places of their own, more than there are units."""

Shape = tuple[int, ...]
"""Of one message's feature map: (channels, places) or (channels, rows, places)."""

FRAME_BY_FRAME: frozenset[Scored] = frozenset({"spectra"})
"""What receivers say that is rebuilt frame by frame: there a frame is a unit, on either side of the air."""

MOST_SYMBOLS = 1024  # on the air for one unit; far above any system that is worth its spectrum


class Spec(Protocol):
    """The shape of a codec, written down before any tensor exists; a frozen dataclass whose fields are its identity.

    The class variables are no fields, and so move no identity.
    """

    kind: ClassVar[str]
    """Which kind of codec it is a shape of."""
    network: ClassVar[str]
    """Where that codec's class is, as `module:Class`: found when it is made, so that a shape alone needs no torch."""
    carries: ClassVar[Carries]
    """What its messages are; must be what the scenario's task sends."""
    may_differ: ClassVar[frozenset[str]]
    """The fields in which a codec of a scenario may differ from a named size."""
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]]
    """The fields that come with what is taken over from another codec: a side's own, and what both sides agree on."""
    says: ClassVar[Scored]
    """What its receiver says; must be what the scenario's task scores."""

    @property
    def shows(self) -> frozenset[Part]:
        """What of its trips a distillation method may compare."""

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols on the air for each unit of a message."""

    @property
    def dropout(self) -> float:
        """Share of features dropped in training."""

    @property
    def learns(self) -> bool:
        """Whether any of it is trained; what does not learn is made at once, whatever the recipe of training says."""

    @property
    def told(self) -> str:
        """The shape in a few words, for a plan."""

    @property
    def rough_multiply_adds(self) -> float:
        """Of one unit through both sides, to guess how long work takes before anything is loaded."""

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the layers that a trace shows of a side, first to last."""

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """Of the feature maps that a trace shows, first to last; a trace has the places of all rows one after another.

        Empty where `shows` has no stages.
        """

    def side(self, name: Side) -> object:
        """All that decides what a side computes beside its weights; equal for sides that compute alike."""


def has_single_unit(spec: Spec) -> bool:
    """Whether its messages are one unit each."""
    return spec.carries in SINGLE_UNIT and spec.says not in FRAME_BY_FRAME


def has_own_places(spec: Spec) -> bool:
    """Whether its transmitter's layers have places of their own, more than there are units."""
    return spec.carries in OWN_PLACES and spec.says not in FRAME_BY_FRAME
