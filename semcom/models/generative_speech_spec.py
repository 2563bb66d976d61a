"""GenerativeSpeechSpec: the shape of a codec of speech whose encoder layers are generated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semcom.metrics.metric import Scored
from semcom.models.plugged_spec import MAKING, Family, PluggedSpec
from semcom.models.pretrained_speech_spec import PretrainedSpeechSpec
from semcom.models.semantic_spec import SideSpec
from semcom.models.spec import Carries, Side
from semcom.models.speech_spec import SPEECH_SIZES, SpeechSpec


@dataclass(frozen=True)
class GenerativeSpeechSpec(PluggedSpec):
    """A codec of speech plugged in around the semantic encoder of another: a small network makes its layers instead.

    What enters the first layer, the weights of the layers, the channel code and the receiver are those of the codec
    that it is plugged into (`adopt: {around: NAME}`), frozen: of kind `speech` the convolution on the log-mel spectrum,
    of kind `pretrained_speech` the encoder's convolutions and its positions. What it makes are that codec's layers, in
    their own coordinates; their weighted sum drives what follows, as the layers themselves would.

    The family `generated` makes one layer after another: one block, on a grid of layers by frames, sees every frame of
    the layers so far. The family `heads` is the baseline that generates nothing: a small Transformer, and a head for
    every layer.

    Args:
        family: `generated` or `heads`.
        layers: numbers of the layers that are made, from 1 on; the last one must be among them, and the weights of the
            others are left out of the sum. Without the key all.
        width: features of the block; even, at most 4096.
        depth: Transformer layers of the block, from 1 to 64; the same ones make every layer.
        heads: attention heads of the block; must divide its width.
        feedforward: hidden units of the block's feed-forward part, at most 16384.
        skip: whether what is made is added to the layer before it; in the family `heads` to what enters the first.
        project: whether a linear layer leads from the block to each layer, as heads do; else both must be equally wide.
        own_projections: whether every layer has a linear layer of its own there, as in the family `heads` a head;
            without the key one leads to all.
        dropout: share of features dropped in training.

    Source: our reconstruction of GenDistiller, Gao et al., arXiv 2310.13418, 2023, and arXiv 2406.09444, 2024, whose
    home is speech; of their text we had abstracts and summaries. The heads after Chang, Yang and Lee, DistilHuBERT,
    ICASSP 2022.
    """

    kind: ClassVar[str] = "generative_speech"
    network: ClassVar[str] = "semcom.models.generative_speech:GenerativeSpeechCodec"
    carries: ClassVar[Carries] = "speech"
    says: ClassVar[Scored] = "classes"
    may_differ: ClassVar[frozenset[str]] = frozenset(MAKING)
    fits_into: ClassVar[tuple[str, ...]] = (SpeechSpec.kind, PretrainedSpeechSpec.kind)

    plugged: SpeechSpec | PretrainedSpeechSpec = SPEECH_SIZES["speech_teacher"]
    family: Family = "generated"
    layers: tuple[int, ...] = ()
    width: int = 64
    depth: int = 1
    heads: int = 4
    feedforward: int = 128
    skip: bool = True
    project: bool = True
    own_projections: bool | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self.check_making()

    @property
    def around(self) -> SpeechSpec | PretrainedSpeechSpec:
        """The shape of the codec around."""
        return self.plugged

    def around_side(self, name: Side) -> SideSpec:
        """Its semantic encoder."""
        return self.plugged.inside

    def makes(self, name: Side) -> bool:
        """The encoder's layers; there are none at the receiver."""
        return name == "transmitter"

    @property
    def places(self) -> object:
        """Those of the codec around."""
        return self.plugged.places

    @property
    def told(self) -> str:
        """Which layers are made by what, and what it is plugged into."""
        return self.told_making("encoder layers")

    @property
    def rough_multiply_adds(self) -> float:
        """Of one word of usual length."""
        made = self.plugged.usual_frames * self.multiply_adds_of_making("transmitter")
        return self.plugged.rough_multiply_adds + made - self.plugged.usual_encoder


GENERATIVE_SPEECH_SIZES: dict[str, GenerativeSpeechSpec] = {
    "generated_speech": GenerativeSpeechSpec(),
    "speech_layer_heads": GenerativeSpeechSpec(family="heads", depth=2),
}
