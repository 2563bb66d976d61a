"""PretrainedSpeechCodec: a frozen pretrained encoder hears a word, and what is sent of its layers is learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semcom.models.encoder_folder import RATE
from semcom.models.frozen_encoder import FrozenEncoder
from semcom.models.pretrained_speech_spec import PretrainedSpeechSpec
from semcom.models.resampling import Resample
from semcom.models.speech import SpeechCodec, WordTransmitter
from semcom.models.trace import Sent
from semcom.sources.speech import FULL, SpeechBatch

SMALLEST = 1e-7  # added to a variance before its root, as in transformers' feature extractor


class PretrainedTransmitter(WordTransmitter):
    """A waveform at 16 kHz and a frozen encoder, and what follows of `WordTransmitter`.

    Words go in at equal length, silence behind them. Where an encoder hears that silence (`hears_padding`), every word
    is filled up to the longest that there is, whatever stands beside it: what is made of a word hangs on no other word.
    Of the others a batch is cut behind its longest word, and padding is kept from attention.
    """

    spec: PretrainedSpeechSpec

    def add_hearing(self, maker: nn.Module | None) -> None:
        """See `WordTransmitter.add_hearing`."""
        self.resample = Resample(self.spec.rate, RATE)
        self.encoder = FrozenEncoder(self.spec.folder, self.spec.digest, has_layers=maker is None)
        self.maker = maker

    def forward(self, batch: SpeechBatch, guide: Sequence[Tensor] | None = None) -> Sent:
        """Symbols [batch, symbols], and the layers [batch, frames, width] with the frames that are real.

        Args:
            guide: layers of a teacher, which a maker follows.
        """
        self.check(batch)
        waveform, lengths = self._heard(batch)
        first, layers = self.encoder(waveform, lengths)
        frames = torch.arange(first.shape[1], device=first.device)
        real = frames < self.encoder.there.frames_of(lengths)[:, None]
        if self.maker is not None:
            layers = self.maker(first, real[:, None, None, :], guide)
        return Sent(self.say(layers, real), tuple(layers), places=real)

    def _heard(self, batch: SpeechBatch) -> tuple[Tensor, Tensor]:
        """The waveform at 16 kHz [batch, samples], zeros behind each word, and the lengths of the words [batch]."""
        there = self.encoder.there
        longest = self.spec.samples if there.hears_padding else batch.longest
        made = self.resample(batch.samples[:, :longest].float() / FULL)
        made = F.pad(made, (0, max(0, there.field - made.shape[1])))
        # A word shorter than one frame is a frame long.
        lengths = (-(-batch.durations * self.resample.up // self.resample.down)).clamp(min=there.field)
        real = torch.arange(made.shape[1], device=made.device) < lengths[:, None]
        if there.normalizes:
            made = normalized(made, real)
        return made.masked_fill(~real, 0.0), lengths


def normalized(waveform: Tensor, real: Tensor) -> Tensor:
    """Each waveform [batch, samples] at mean 0 and variance 1 over its real samples."""
    count = real.sum(dim=1, keepdim=True)
    centered = waveform - waveform.masked_fill(~real, 0.0).sum(dim=1, keepdim=True) / count
    variance = centered.masked_fill(~real, 0.0).square().sum(dim=1, keepdim=True) / count
    return centered / (variance + SMALLEST).sqrt()


class PretrainedSpeechCodec(SpeechCodec):
    """Tells which of some words was spoken, by what a frozen encoder makes of it.

    Args:
        spec: the shape.
        outputs: number of words.

    Raises:
        UserMistake: the encoder's folder is gone, or holds another one now.
    """

    hears: ClassVar[type[WordTransmitter]] = PretrainedTransmitter
