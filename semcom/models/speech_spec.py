"""SpeechSpec: the shape of a codec that recognizes spoken words, a Transformer at its transmitter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from semcom.models.semantic_spec import SideSpec
from semcom.models.spec import Adopted
from semcom.models.word_spec import USUAL_S, WordSpec

FRAMES_A_SECOND = 50  # as many as HuBERT and WavLM look at
MOST_MELS = 256


@dataclass(frozen=True)
class SpeechSpec(WordSpec):
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
    may_differ: ClassVar[frozenset[str]] = frozenset(
        {"mels", "width", "layers", "heads", "feedforward", "symbols", "hidden", "dropout"}
    )
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {
        "transmitter": ("rate", "samples", "mels", "width", "layers", "heads", "feedforward", "symbols", "hidden"),
        "receiver": ("width", "symbols", "hidden"),
        "encoder": ("rate", "samples", "mels", "width", "layers", "heads", "feedforward"),
    }

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
        if self.rate < FRAMES_A_SECOND or self.rate % FRAMES_A_SECOND:
            raise ValueError(f"rate must be a multiple of {FRAMES_A_SECOND} samples a second, got {self.rate}")
        if not 2 <= self.mels <= min(MOST_MELS, self.window // 2):
            raise ValueError(f"mels must be from 2 to {min(MOST_MELS, self.window // 2)}, got {self.mels}")
        self.check_word()

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
    def places(self) -> object:
        """Frames of the spectrum."""
        return self.rate, self.samples, self.hop

    @property
    def usual_frames(self) -> float:
        """Of a word of usual length."""
        return USUAL_S * FRAMES_A_SECOND

    @property
    def told(self) -> str:
        """Layers by width, the bands, and the bandwidth."""
        return f"{self.layers}x{self.width} on {self.mels} mel bands, {self.symbols} symbols a word"

    @property
    def rough_multiply_adds(self) -> float:
        """Of one word of usual length, without what attention adds."""
        around = self.window // 2 * self.mels + 3 * self.mels * self.width
        return self.usual_encoder + self.usual_frames * around + 4.0 * self.hidden * self.width


# `speech_teacher` has six layers, the fewest of a teacher whose layers are worth generating.
SPEECH_SIZES: dict[str, SpeechSpec] = {
    "speech_small": SpeechSpec(),
    "speech_tiny": SpeechSpec(mels=20, width=16, layers=1, heads=2, feedforward=32, hidden=32),
    "speech_teacher": SpeechSpec(width=96, layers=6, feedforward=192, dropout=0.1),
}
