"""SpeechRebuilder: hears a word, sends it frame by frame, and gives its log-mel spectrum back."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from channels import Arrived, normalize_power, to_reals, to_symbols
from semcom.metrics.spectra import RANGE_DB
from semcom.models.channel_coding import ChannelDecoder, ChannelEncoder
from semcom.models.codec import Codec
from semcom.models.layers import EncoderLayer, add_positions, final_norm
from semcom.models.mel import MelDecibels
from semcom.models.sides import through
from semcom.models.speech import CONTEXT, quiet
from semcom.models.speech_rebuilder_spec import SpeechRebuilderSpec
from semcom.models.trace import Heard, Sent, Trace, masked_mean
from semcom.sources.batch import Batch
from semcom.sources.speech import FramedBatch

# Networks see decibels from -60 to 0 as numbers from -2 to 2, of which speech fills the range about evenly.
MIDDLE_DB, STEP_DB = -RANGE_DB / 2, RANGE_DB / 4


class SpectrumTransmitter(nn.Module):
    """Log-mel spectrum, semantic encoder, channel encoder of each frame, unit power over the frames of a word."""

    def __init__(self, spec: SpeechRebuilderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.mel = MelDecibels(spec.rate, window=spec.window, hop=spec.hop, mels=spec.mels)
        self.into = nn.Conv1d(spec.mels, spec.width, CONTEXT, padding=CONTEXT // 2)
        self.dropout = nn.Dropout(spec.dropout)
        self.layers = nn.ModuleList(EncoderLayer(spec.inside, spec.manner) for _ in range(spec.layers))
        self.norm = final_norm(spec.inside, spec.manner)
        self.channel_encoder = ChannelEncoder(spec.inside, spec.symbols)

    def forward(self, batch: FramedBatch) -> Sent:
        """Symbols [batch, frames x symbols], layers [batch, frames, width], and the spectrum that should arrive."""
        spec = self.spec
        if not isinstance(batch, FramedBatch) or (batch.hop, batch.samples.shape[1]) != (spec.hop, spec.samples):
            raise ValueError(
                f"words must be of {spec.samples} samples, counted in frames of {spec.hop}, got {type(batch).__name__} "
                f"of {batch.samples.shape[1]}; make the codec's spec fit its task"
            )
        decibels, real = self.mel(batch)
        wanted = (decibels - MIDDLE_DB) / STEP_DB * real[..., None]
        features = self.dropout(add_positions(self.into(wanted.mT).mT))
        layers, entering = through(self.layers, None, features, mask=real[:, None, None, :], guide=None)
        reals = self.channel_encoder(self.norm(layers[-1]))
        sent = real.repeat_interleave(spec.symbols, dim=1)
        return Sent(normalize_power(to_symbols(reals).flatten(1), sent), layers, entering, spectrum=wanted)


class SpectrumReceiver(nn.Module):
    """Channel decoder of each frame, semantic decoder, and a linear layer to the bands."""

    def __init__(self, spec: SpeechRebuilderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.channel_decoder = ChannelDecoder(spec.inside, spec.symbols)
        self.dropout = nn.Dropout(spec.dropout)
        self.layers = nn.ModuleList(EncoderLayer(spec.inside, spec.manner) for _ in range(spec.layers))
        self.norm = final_norm(spec.inside, spec.manner)
        self.last = nn.Linear(spec.width, spec.mels)

    def forward(self, signal: Tensor, real: Tensor) -> Heard:
        """The spectrum [batch, frames, bands], and the layers on the way to it.

        Args:
            signal: [batch, frames x symbols], complex.
            real: which frames belong to the word [batch, frames].
        """
        wanted = (len(real), real.shape[1] * self.spec.symbols)
        if signal.shape != wanted or not signal.is_complex():
            raise ValueError(f"a signal must be complex {wanted}, got {signal.dtype} {tuple(signal.shape)}")
        heard = self.channel_decoder(to_reals(signal.unflatten(1, (-1, self.spec.symbols))))
        features = self.dropout(add_positions(heard))
        layers, entering = through(self.layers, None, features, mask=real[:, None, None, :], guide=None)
        spectrum = self.last(self.norm(layers[-1]))
        nothing = spectrum.new_zeros(*real.shape, 0)
        return Heard(heard, layers, nothing, entering=entering, spectrum=spectrum)


class SpeechRebuilder(Codec):
    """Sends the spectra of spoken words and gives them back.

    Args:
        spec: the shape.
        outputs: number of words; not looked at, for a spectrum is rebuilt whichever word it is of.
    """

    spec: SpeechRebuilderSpec
    transmitter: SpectrumTransmitter
    receiver: SpectrumReceiver
    goal: ClassVar[str] = "rebuilding"

    def __init__(self, spec: SpeechRebuilderSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        self.transmitter = SpectrumTransmitter(spec)
        self.receiver = SpectrumReceiver(spec)

    def send(self, batch: Batch) -> Sent:
        """The symbols of each frame, and the layers on the way to them."""
        sent: Sent = self.transmitter(batch)
        return sent

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """What the receiver makes of a received signal: a spectrum, and the layers on the way to it."""
        heard: Heard = self.receiver(arrived.symbols, batch.mask)
        return heard

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The spectra [batch, frames, bands] in decibels below the loudest band of the word, from -60 to 0."""
        spectrum = self.hear(arrived, batch).spectrum
        assert spectrum is not None
        return (spectrum * STEP_DB + MIDDLE_DB).clamp(-RANGE_DB, 0.0)

    def loss(self, trace: Trace, batch: Batch) -> Tensor:
        """Mean squared error over the bands of real frames, in steps of 15 dB."""
        wanted, rebuilt = trace.sent.spectrum, trace.heard.spectrum
        assert wanted is not None and rebuilt is not None
        return masked_mean((rebuilt - wanted).square().mean(dim=2), trace.mask)

    def example(self) -> FramedBatch:
        """One word of usual length, in silence."""
        return FramedBatch(**vars(quiet(self.spec)), hop=self.spec.hop)

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """The layers of semantic encoder and decoder."""
        return (self.transmitter.layers, self.receiver.layers)
