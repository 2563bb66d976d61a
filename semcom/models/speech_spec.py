"""SpeechSpec: the shape of a codec that recognizes spoken words, a Transformer at its transmitter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from semcom.metrics.metric import Scored
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.spec import MOST_SYMBOLS, Adopted, Carries, Part, Shape, Side, Stack

FRAMES_A_SECOND = 50  # as many as HuBERT and WavLM look at
MOST_MELS = 256
MOST_SAMPLES = 480_000
# Of a message, where a cost is told: what one of the free spoken digits takes.
USUAL_S = 0.44


@dataclass(frozen=True)
class SpeechSpec:
    """A Transformer that hears a word, says in a few symbols which it was, and a receiver that names it.

    The transmitter makes 50 frames a second of the waveform's log-mel spectrum, takes three of them together at a time
    by a convolution, and sends them through its Transformer, the semantic encoder. All its layers count in what is
    said: their sum, weighed by softmax(w_l) with a learned w, as SUPERB weighs the layers of a speech encoder, is
    normalized, averaged over the frames of the word, and goes through two fully connected layers to the symbols. A word
    takes equally many of them however long it is. The receiver goes back through fully connected layers, and a linear
    layer names the word.

    Args:
        rate: samples of speech a second [Hz]; a task sets it.
        samples: of the longest word [samples]; a task sets it.
        mels: bands of the log-mel spectrum, at most 256.
        width: features of a frame in the Transformer; even, at most 4096.
        layers: of the Transformer, from 1 to 64.
        heads: attention heads; must divide the width.
        feedforward: hidden units of each layer's feed-forward part, at most 16384.
        symbols: complex symbols sent for each word, at most 1024 [symbols].
        hidden: width of the fully connected layers next to the air, on either side, at most 16384.
        dropout: share of features dropped in training.

    Source: the weighted sum of layers with a small head behind it, Yang et al., SUPERB: Speech processing Universal
    PERformance Benchmark, Interspeech 2021, section 3; the air between the two is ours.
    """

    kind: ClassVar[str] = "speech"
    network: ClassVar[str] = "semcom.models.speech:SpeechCodec"
    carries: ClassVar[Carries] = "speech"
    says: ClassVar[Scored] = "classes"
    may_differ: ClassVar[frozenset[str]] = frozenset(
        {"mels", "width", "layers", "heads", "feedforward", "symbols", "hidden", "dropout"}
    )
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {
        "transmitter": ("rate", "samples", "mels", "width", "layers", "heads", "feedforward", "symbols", "hidden"),
        "receiver": ("width", "symbols", "hidden"),
        "encoder": ("rate", "samples", "mels", "width", "layers", "heads", "feedforward"),
    }
    shows: ClassVar[frozenset[Part]] = frozenset({"sent", "received", "heard", "logits"})
    learns: ClassVar[bool] = True

    rate: int = 8000
    samples: int = 8000
    mels: int = 40
    width: int = 64
    layers: int = 2
    heads: int = 4
    feedforward: int = 128
    symbols: int = 16
    hidden: int = 128
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _ = self.inside  # its limits are those of a side
        if self.rate < FRAMES_A_SECOND or self.rate % FRAMES_A_SECOND:
            raise ValueError(f"rate must be a multiple of {FRAMES_A_SECOND} samples a second, got {self.rate}")
        if not 1 <= self.samples <= MOST_SAMPLES:
            raise ValueError(f"samples must be from 1 to {MOST_SAMPLES:,}, got {self.samples}")
        if not 2 <= self.mels <= min(MOST_MELS, self.window // 2):
            raise ValueError(f"mels must be from 2 to {min(MOST_MELS, self.window // 2)}, got {self.mels}")
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
    def frames(self) -> int:
        """Of the longest word."""
        return -(-self.samples // self.hop)

    @property
    def inside(self) -> SideSpec:
        """The Transformer and the channel code, in the numbers that a side is made of."""
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
        """Complex symbols of a word."""
        return self.symbols

    @property
    def told(self) -> str:
        """Layers by width, the bands, and the bandwidth."""
        return f"{self.layers}x{self.width} on {self.mels} mel bands, {self.symbols} symbols a word"

    @property
    def rough_multiply_adds(self) -> float:
        """Of one word of usual length, without what attention adds."""
        layer = 4 * self.width**2 + 2 * self.width * self.feedforward
        around = self.window // 2 * self.mels + 3 * self.mels * self.width
        return USUAL_S * FRAMES_A_SECOND * (self.layers * layer + around) + 4.0 * self.hidden * self.width

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the Transformer's layers, and of the one embedding that the receiver ends with."""
        return (self.width,) * self.layers if stack == "sent" else (self.width,)

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """None: its layers have as many places as the word has frames."""
        return ()

    def side(self, name: Side) -> object:
        """See `Spec.side`: the receiver knows nothing of the Transformer."""
        return self if name == "transmitter" else (self.width, self.symbols, self.hidden)


# `speech_teacher` has six layers, the fewest of a teacher whose layers are worth generating.
SPEECH_SIZES: dict[str, SpeechSpec] = {
    "speech_small": SpeechSpec(),
    "speech_tiny": SpeechSpec(mels=20, width=16, layers=1, heads=2, feedforward=32, hidden=32),
    "speech_teacher": SpeechSpec(width=96, layers=6, feedforward=192, dropout=0.1),
}
