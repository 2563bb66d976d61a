"""SpeechRebuilderSpec: the shape of a codec that sends spoken words frame by frame and rebuilds their spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from semcom.metrics.metric import Scored
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.spec import MOST_SYMBOLS, Adopted, Carries, Part, Shape, Side, Stack
from semcom.models.speech_spec import FRAMES_A_SECOND
from semcom.models.word_spec import MOST_SAMPLES, USUAL_S
from semcom.words import counted

BANDS = 40  # of the spectrum that is rebuilt, or a quarter of a frame's samples if those are fewer


@dataclass(frozen=True)
class SpeechRebuilderSpec:
    """Transformers on either side of the air: the spectrum of a spoken word goes in, and the same comes out.

    The transmitter makes 50 frames a second of the waveform's log-mel spectrum (`semcom.models.mel.MelDecibels`), takes
    three of them together at a time by a convolution, and sends them through its Transformer, the semantic encoder. Two
    fully connected layers make the symbols of each frame, at mean power 1 over the frames of a word; behind its end
    nothing is sent. The receiver knows how many frames a word has, as it knows how many tokens a sentence has. It goes
    back through fully connected layers and a Transformer, the semantic decoder, of the same shape as the encoder, and a
    linear layer gives the bands of each frame.

    A frame of 20 ms takes `symbols` complex symbols, so a second of speech takes 50 times as many: with 4 of them, 200
    symbols for 2,000 values, 40 bands a frame.

    Args:
        rate: samples of speech a second [Hz]; a task sets it.
        samples: of the longest word [samples]; a task sets it.
        width: features of a frame in either Transformer; even, at most 4096.
        layers: of each Transformer, from 1 to 64.
        heads: attention heads; must divide the width.
        feedforward: hidden units of each layer's feed-forward part, at most 16384.
        symbols: complex symbols sent for each frame of 20 ms, at most 1024 [symbols].
        hidden: width of the fully connected layers next to the air, on either side, at most 16384.
        dropout: share of features dropped in training.

    Source: semantic and channel coding of each token, Xie et al., Deep Learning Enabled Semantic Communication Systems,
    IEEE TSP 69, 2021; of frames of speech that are rebuilt, Weng and Qin, Semantic Communication Systems for
    Speech Transmission, IEEE JSAC 39, 2021, whose networks are convolutions on the waveform.
    """

    kind: ClassVar[str] = "speech_rebuilder"
    network: ClassVar[str] = "semcom.models.speech_rebuilder:SpeechRebuilder"
    carries: ClassVar[Carries] = "speech"
    says: ClassVar[Scored] = "spectra"
    may_differ: ClassVar[frozenset[str]] = frozenset(
        {"width", "layers", "heads", "feedforward", "symbols", "hidden", "dropout"}
    )
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = dict.fromkeys(
        ("transmitter", "receiver"),
        ("rate", "samples", "width", "layers", "heads", "feedforward", "symbols", "hidden"),
    )
    shows: ClassVar[frozenset[Part]] = frozenset({"sent", "received", "heard"})
    learns: ClassVar[bool] = True

    rate: int = 8000
    samples: int = 8000
    width: int = 64
    layers: int = 2
    heads: int = 4
    feedforward: int = 128
    symbols: int = 4
    hidden: int = 128
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _ = self.inside  # its limits are those of a side
        if self.rate < FRAMES_A_SECOND or self.rate % FRAMES_A_SECOND:
            raise ValueError(f"rate must be a multiple of {FRAMES_A_SECOND} samples a second, got {self.rate}")
        if self.mels < 2:
            raise ValueError(f"rate must leave 8 samples in a frame, 2 bands of 4, got {self.rate} samples a second")
        if not 1 <= self.samples <= MOST_SAMPLES:
            raise ValueError(f"samples must be from 1 to {MOST_SAMPLES:,}, got {self.samples}")
        if not 1 <= self.symbols <= MOST_SYMBOLS:
            raise ValueError(f"symbols must be from 1 to {MOST_SYMBOLS}, got {self.symbols}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    @property
    def hop(self) -> int:
        """Samples from frame to frame, 20 ms."""
        return self.rate // FRAMES_A_SECOND

    @property
    def window(self) -> int:
        """Samples of a frame, 32 ms."""
        return self.hop * 8 // 5

    @property
    def mels(self) -> int:
        """Bands of the spectrum; of the rate alone, so that all codecs of a task rebuild the same."""
        return min(BANDS, self.window // 4)

    @property
    def inside(self) -> SideSpec:
        """Either Transformer and the channel code, in the numbers that a side is made of."""
        return SideSpec(
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            feedforward=self.feedforward,
            channel_hidden=self.hidden,
        )

    @property
    def manner(self) -> SemanticSpec:
        """How its layers are put together; of a codec's spec only norm and dropout are meant."""
        return SemanticSpec(norm="pre", dropout=self.dropout)

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols of a frame."""
        return self.symbols

    @property
    def told(self) -> str:
        """Layers by width, the bands, and the bandwidth."""
        return (
            f"{self.layers}x{self.width} each way on {self.mels} mel bands, {counted(self.symbols, 'symbol')} a frame, "
            f"{self.symbols * FRAMES_A_SECOND} a second"
        )

    @property
    def rough_multiply_adds(self) -> float:
        """Of one frame both ways, of a word of usual length."""
        layer = 4 * self.width**2 + 2 * self.width * self.feedforward + 2 * self.width * USUAL_S * FRAMES_A_SECOND
        around = self.window // 2 * self.mels + 4 * self.mels * self.width
        return 2 * self.layers * layer + around + 4.0 * self.hidden * (self.width + self.symbols)

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the layers of either Transformer."""
        return (self.width,) * self.layers

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """None: its layers have as many places as the word has frames."""
        return ()

    def side(self, name: Side) -> object:
        """Both sides are mirrors of each other."""
        return self


# The second has a tenth of the weights of the first.
SPEECH_REBUILDER_SIZES: dict[str, SpeechRebuilderSpec] = {
    "spectrum": SpeechRebuilderSpec(),
    "spectrum_tiny": SpeechRebuilderSpec(width=16, layers=1, heads=2, feedforward=64, hidden=64),
}
