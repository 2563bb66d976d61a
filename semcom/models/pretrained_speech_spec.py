"""PretrainedSpeechSpec: the shape of a codec of speech whose semantic encoder is a pretrained one, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

from semcom.mistakes import UserMistake
from semcom.models.encoder_folder import FAMILIES, RATE, EncoderFolder, encoder_in
from semcom.models.semantic_spec import SideSpec
from semcom.models.spec import Adopted
from semcom.models.word_spec import USUAL_S, WordSpec

RATES = 50  # whose multiples are heard [Hz]: the filter to 16 kHz from others would be too long

# Of HuBERT, wav2vec 2.0 and WavLM in their base size: what is counted on until a folder says otherwise.
BASE = EncoderFolder(
    Path(),
    "hubert",
    {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "feat_extract_norm": "group",
        "conv_dim": [512] * 7,
        "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
        "conv_stride": [5, 2, 2, 2, 2, 2, 2],
        "num_conv_pos_embeddings": 128,
        "num_conv_pos_embedding_groups": 16,
    },
    normalizes=True,
    masks=False,
)


@dataclass(frozen=True)
class PretrainedSpeechSpec(WordSpec):
    """A pretrained HuBERT, wav2vec 2.0 or WavLM, frozen, that hears a word; what is sent of its layers is learned.

    The waveform, brought to 16 kHz, goes through the encoder as it is in `folder`: its convolutions, its positions and
    its Transformer layers h_1 to h_L. Their sum, weighed by softmax(w_l) with a learned w, is normalized, averaged over
    the frames of the word, and goes through two fully connected layers to the symbols. The receiver is that of kind
    `speech`, as wide as the encoder. Nothing of the encoder is trained, and nothing in it is dropped or hidden.

    Args:
        rate: samples of speech a second [Hz]; a task sets it.
        samples: of the longest word [samples]; a task sets it.
        folder: where the encoder is, as `save_pretrained` of transformers leaves it: config.json, model.safetensors
            and, if there is one, preprocessor_config.json. In a scenario a relative path starts in the scenario's
            folder.
        digest: of what the folder holds; empty until it was looked at.
        symbols: complex symbols sent for each word, at most 1024 [symbols].
        hidden: width of the fully connected layers next to the air, on either side, at most 16384.
        dropout: share of features dropped in training before the word is named.

    Source: Hsu et al., HuBERT, IEEE/ACM TASLP 29, 2021; Chen et al., WavLM, IEEE JSTSP 16, 2022; Baevski et al.,
    wav2vec 2.0, NeurIPS 2020; the weighted sum of frozen layers, Yang et al., SUPERB, Interspeech 2021, section 3; the
    air between encoder and head is ours.
    """

    kind: ClassVar[str] = "pretrained_speech"
    network: ClassVar[str] = "semcom.models.pretrained_speech:PretrainedSpeechCodec"
    may_differ: ClassVar[frozenset[str]] = frozenset({"folder", "symbols", "hidden", "dropout"})
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {
        "transmitter": ("folder", "digest", "rate", "samples", "symbols", "hidden")
    }

    rate: int = 8000
    samples: int = 8000
    folder: str = field(default="", compare=False)  # what is there counts, not where
    digest: str = ""
    symbols: int = 16
    hidden: int = 128
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.rate < RATES or self.rate % RATES:
            raise ValueError(f"rate must be a multiple of {RATES} samples a second, got {self.rate}")
        self.check_word()

    def found(self) -> Self:
        """The shape with what its folder holds; without a folder as it is.

        Raises:
            UserMistake: the folder holds no encoder that can be read, or one that hears nothing in words this short.
        """
        if not self.folder:
            return self
        there = replace(self, digest=encoder_in(self.folder).digest)
        if there.room < (least := there.encoder.field):
            raise UserMistake(
                f"{self.folder}: must be of an encoder that has a frame in {there.room} samples at 16 kHz, the longest "
                f"word, got one whose frames look at {least}; take longer words"
            )
        return there

    @property
    def encoder(self) -> EncoderFolder:
        """What was found; until then the base size of these encoders."""
        return encoder_in(self.folder) if self.digest and self.folder else BASE

    @property
    def inside(self) -> SideSpec:
        """The encoder's Transformer, and the channel code."""
        return replace(self.encoder.inside, channel_hidden=self.hidden)

    @property
    def width(self) -> int:
        """Of the encoder's layers."""
        return self.encoder.inside.width

    @property
    def room(self) -> int:
        """Of the longest word at 16 kHz [samples]."""
        return -(-self.samples * RATE // self.rate)

    @property
    def places(self) -> object:
        """Frames of its convolutions."""
        encoder = self.encoder
        steps = tuple(map(tuple, (encoder.settings["conv_kernel"], encoder.settings["conv_stride"])))
        return self.rate, self.samples, steps, encoder.hears_padding

    @property
    def usual_samples(self) -> int:
        """At 16 kHz, of a word of usual length as the encoder hears it [samples]."""
        encoder = self.encoder
        usual = self.room if encoder.hears_padding else min(self.room, round(USUAL_S * RATE))
        return max(encoder.field, usual)

    @property
    def usual_frames(self) -> float:
        """Of a word of usual length as the encoder hears it."""
        return float(self.encoder.frames_of(self.usual_samples))

    @property
    def told(self) -> str:
        """The encoder, and the bandwidth."""
        inside, symbols = self.encoder.inside, f"{self.symbols} symbols a word"
        if not self.digest:
            return f"a frozen encoder ({', '.join(FAMILIES)}) from a folder, {symbols}"
        return f"frozen {self.encoder.family}, {inside.layers}x{inside.width}, {symbols}"

    @property
    def rough_multiply_adds(self) -> float:
        """Of one word of usual length, without what attention and resampling add."""
        front = self.encoder.front_multiply_adds(self.usual_samples)
        return self.usual_encoder + front + 4.0 * self.hidden * self.width


PRETRAINED_SPEECH_SIZES: dict[str, PretrainedSpeechSpec] = {"pretrained_speech": PretrainedSpeechSpec()}
