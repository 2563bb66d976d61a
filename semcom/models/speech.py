"""SpeechCodec: hears a word, sends in a few symbols which it was, and names it at the receiver."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from channels import Arrived, normalize_power, to_reals, to_symbols
from semcom.models.channel_coding import ChannelDecoder, ChannelEncoder
from semcom.models.codec import Codec
from semcom.models.layers import EncoderLayer, add_positions, final_norm
from semcom.models.mel import LogMel
from semcom.models.pretrained_speech_spec import PretrainedSpeechSpec
from semcom.models.sides import through
from semcom.models.speech_rebuilder_spec import SpeechRebuilderSpec
from semcom.models.speech_spec import SpeechSpec
from semcom.models.trace import Heard, Sent
from semcom.models.word_spec import USUAL_S, WordSpec
from semcom.sources.batch import Batch
from semcom.sources.speech import SpeechBatch

CONTEXT = 3  # frames that enter the Transformer together at each place


class WordTransmitter(nn.Module, ABC):
    """What every transmitter of words does with the layers of its encoder, wherever they come from.

    Their weighted sum, normalization, mean over time, channel encoder, unit power.

    Args:
        maker: makes the encoder's layers in its stead (`semcom.models.generative_layers`); None has layers of its own.
        wanted: numbers of the layers that there are, from 1 on; None are all. Only their weights count in the sum.
    """

    def __init__(
        self, spec: WordSpec, *, maker: nn.Module | None = None, wanted: tuple[int, ...] | None = None
    ) -> None:
        super().__init__()
        self.spec = spec
        self.wanted = [number - 1 for number in wanted or range(1, spec.inside.layers + 1)]
        self.add_hearing(maker)
        self.weights = nn.Parameter(torch.zeros(spec.inside.layers))
        self.norm = final_norm(spec.inside, spec.manner)
        self.channel_encoder = ChannelEncoder(spec.inside, spec.symbols)

    @abstractmethod
    def add_hearing(self, maker: nn.Module | None) -> None:
        """Make all before the weighted sum; it comes first, since weights are drawn in the order of the parts."""

    def say(self, layers: Sequence[Tensor], real: Tensor) -> Tensor:
        """Symbols [batch, symbols] of layers [batch, frames, width] and the frames that are real [batch, frames]."""
        shares = self.weights[self.wanted].softmax(dim=0)
        mixed = self.norm((torch.stack(tuple(layers), dim=-1) * shares).sum(dim=-1))
        counted = real[..., None].to(mixed)
        pooled = (mixed * counted).sum(dim=1, keepdim=True) / counted.sum(dim=1, keepdim=True)
        return normalize_power(to_symbols(self.channel_encoder(pooled)).flatten(1))

    def check(self, batch: SpeechBatch) -> None:
        """Refuse words of another length than the spec says."""
        if batch.samples.shape[1] != self.spec.samples:
            raise ValueError(
                f"words must be of {self.spec.samples} samples, filled up with silence, got {batch.samples.shape[1]}; "
                "make the codec's spec fit its task"
            )


class SpeechTransmitter(WordTransmitter):
    """Log-mel spectrum and semantic encoder, and what follows of `WordTransmitter`."""

    spec: SpeechSpec

    def add_hearing(self, maker: nn.Module | None) -> None:
        """See `WordTransmitter.add_hearing`."""
        spec = self.spec
        self.mel = LogMel(spec.rate, window=spec.window, hop=spec.hop, mels=spec.mels)
        self.into = nn.Conv1d(spec.mels, spec.width, CONTEXT, padding=CONTEXT // 2)
        self.dropout = nn.Dropout(spec.dropout)
        own = () if maker else (EncoderLayer(spec.inside, spec.manner) for _ in range(spec.layers))
        self.layers = nn.ModuleList(own)
        self.maker = maker

    def forward(self, batch: SpeechBatch, guide: Sequence[Tensor] | None = None) -> Sent:
        """Symbols [batch, symbols], and the layers [batch, frames, width] with the frames that are real.

        Args:
            guide: layers of a teacher, which a maker follows.
        """
        self.check(batch)
        energies, real = self.mel(batch)
        heard = energies if batch.hidden is None else energies.masked_fill(batch.hidden[..., None], 0.0)
        features = self.dropout(add_positions(self.into(heard.mT).mT))
        layers, entering = through(self.layers, self.maker, features, mask=real[:, None, None, :], guide=guide)
        symbols = self.say(layers, real)
        return Sent(symbols, layers, entering, places=real, spectrum=energies, hidden=batch.hidden)


class SpeechReceiver(nn.Module):
    """Channel decoder and output layer.

    Args:
        outputs: number of words that it tells apart.
    """

    def __init__(self, spec: WordSpec, outputs: int) -> None:
        super().__init__()
        self.spec = spec
        self.channel_decoder = ChannelDecoder(spec.inside, spec.symbols)
        self.dropout = nn.Dropout(spec.dropout)
        self.output = nn.Linear(spec.inside.width, outputs)

    def forward(self, signal: Tensor) -> Heard:
        symbols = self.spec.symbols
        if signal.ndim != 2 or signal.shape[1] != symbols or not signal.is_complex():
            raise ValueError(f"a signal must be complex [batch, {symbols}], got {signal.dtype} {tuple(signal.shape)}")
        embedding = self.channel_decoder(to_reals(signal).unsqueeze(1))
        return Heard(embedding, (embedding,), self.output(self.dropout(embedding)))


class SpeechCodec(Codec):
    """Tells which of some words was spoken. A word is a message of one token.

    Args:
        spec: the shape.
        outputs: number of words.
    """

    hears: ClassVar[type[WordTransmitter]] = SpeechTransmitter

    spec: WordSpec  # type: ignore[assignment]
    transmitter: WordTransmitter
    receiver: SpeechReceiver

    def __init__(self, spec: SpeechSpec | PretrainedSpeechSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        self.transmitter = self.hears(spec)
        self.receiver = SpeechReceiver(spec, outputs)

    def send(self, batch: Batch) -> Sent:
        """The symbols of each word, and the layers on the way to them."""
        sent: Sent = self.transmitter(batch)
        return sent

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """What the receiver makes of a received signal: its embedding [batch, 1, width], and logits."""
        heard: Heard = self.receiver(arrived.symbols)
        return heard

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The likeliest word of each message, [batch, 1]; of one token a beam finds nothing better."""
        return self.hear(arrived, batch).logits.argmax(dim=2)

    def example(self) -> SpeechBatch:
        """One word of usual length, in silence."""
        return quiet(self.spec)

    def take_encoder(self, donor: Codec) -> None:
        """Take over what another codec hears words with, up to the layers of its semantic encoder, and freeze it.

        The weights of the layers, and all behind them, stay this codec's own: a head on a frozen encoder.
        """
        assert isinstance(donor, SpeechCodec), "as the plan of a codec has seen"
        for name in ("into", "layers"):
            part: nn.Module = getattr(self.transmitter, name)
            part.load_state_dict(getattr(donor.transmitter, name).state_dict())
            part.requires_grad_(False)

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """The layers of the semantic encoder, where they are its own."""
        return (self.transmitter.layers,) if isinstance(self.transmitter, SpeechTransmitter) else ()


def quiet(spec: WordSpec | SpeechRebuilderSpec) -> SpeechBatch:
    """One word of usual length in which nothing is heard, to count what a trip costs."""
    length = max(1, min(spec.samples, round(USUAL_S * spec.rate)))
    samples = torch.zeros(1, spec.samples, dtype=torch.int16)
    return SpeechBatch(samples, torch.tensor([length]), torch.zeros(1, dtype=torch.long), (0,), length)
