"""Senses: a picture and its caption on the air together, each by a transmitter of its own, joined at the receiver."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from channels import Arrived, normalize_power, to_reals, to_symbols
from semcom.models.classifier import PictureTransmitter, channel_decoder
from semcom.models.codec import Codec
from semcom.models.senses_spec import LETTER_WIDTH, LETTERS, SensesSpec
from semcom.models.trace import Heard, Sent
from semcom.sources.batch import Batch
from semcom.sources.pictures import PictureBatch

DROWNED_DB = 15.0
"""The loudest noise over a drowned sense, relative to the signal; the softest is as loud as that."""


class CaptionTransmitter(nn.Module):
    """The letters of a caption to symbols of unit power: each with its neighbors, the strongest of all places."""

    def __init__(self, spec: SensesSpec) -> None:
        super().__init__()
        self.embedding = nn.Embedding(LETTERS, LETTER_WIDTH)
        self.around = nn.Conv1d(LETTER_WIDTH, spec.hidden, 3, padding=1)
        self.channel_encoder = nn.Linear(spec.hidden, 2 * spec.caption_symbols)

    def forward(self, letters: Tensor) -> Tensor:
        """[batch, length] bytes, 0 behind a caption's end, to [batch, caption_symbols]."""
        features = torch.relu(self.around(self.embedding(letters).transpose(1, 2)))
        features = features.masked_fill((letters == 0)[:, None], 0.0).amax(dim=2)
        return normalize_power(to_symbols(self.channel_encoder(features)))


class SensesTransmitter(nn.Module):
    """The picture's symbols and behind them the caption's."""

    def __init__(self, spec: SensesSpec) -> None:
        super().__init__()
        self.picture = PictureTransmitter(spec)
        self.caption = CaptionTransmitter(spec)

    def forward(self, batch: PictureBatch) -> Sent:
        sent: Sent = self.picture(batch)
        symbols = torch.cat((sent.symbols, self.caption(batch.captions)), dim=1)
        return Sent(symbols, sent.layers, stages=sent.stages)


class SensesReceiver(nn.Module):
    """A channel decoder for each sense, and what joins them.

    Args:
        spec: the shape.
        outputs: number of classes.
    """

    def __init__(self, spec: SensesSpec, outputs: int) -> None:
        super().__init__()
        self.spec = spec
        width = spec.widths[-1]
        self.picture_decoder = channel_decoder(spec)
        self.caption_decoder = nn.Sequential(
            nn.Linear(2 * spec.caption_symbols, spec.hidden), nn.ReLU(), nn.Linear(spec.hidden, width), nn.ReLU()
        )
        self.joining = nn.Sequential(nn.Linear(2 * width + 2, spec.hidden), nn.ReLU(), nn.Linear(spec.hidden, width))
        self.dropout = nn.Dropout(spec.dropout)
        self.output = nn.Linear(width, outputs)

    def forward(self, signal: Tensor) -> Heard:
        spec = self.spec
        if signal.ndim != 2 or signal.shape[1] != spec.symbols_per_unit or not signal.is_complex():
            raise ValueError(
                f"a signal must be complex [batch, {spec.symbols_per_unit}], got {signal.dtype} {tuple(signal.shape)}"
            )
        if self.training and spec.drowned:
            signal = signal + self._drowning(signal)
        picture, caption = signal.split((spec.symbols, spec.caption_symbols), dim=1)
        energies = [each.abs().square().mean(dim=1, keepdim=True).clamp_min(1e-6).log() for each in (picture, caption)]
        decoded = (self.picture_decoder(to_reals(picture)), self.caption_decoder(to_reals(caption)))
        embedding = torch.relu(self.joining(torch.cat((*decoded, *energies), dim=1))).unsqueeze(1)
        return Heard(embedding, (embedding,), self.output(self.dropout(embedding)))

    def _drowning(self, signal: Tensor) -> Tensor:
        """Noise over one sense of some messages, drawn as dropout is, and nothing over the rest."""
        rows, device = len(signal), signal.device
        hit = torch.rand(rows, 1, device=device) < self.spec.drowned
        first = torch.rand(rows, 1, device=device) < 0.5
        is_picture = torch.arange(signal.shape[1], device=device) < self.spec.symbols
        amplitude = 10 ** (torch.rand(rows, 1, device=device) * DROWNED_DB / 20)
        return torch.randn_like(signal) * amplitude * (hit & (first == is_picture))


class Senses(Codec):
    """Tells which of some classes a picture with a caption is, from either or both.

    Args:
        spec: the shape.
        outputs: number of classes.
    """

    spec: SensesSpec
    transmitter: SensesTransmitter
    receiver: SensesReceiver

    def __init__(self, spec: SensesSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        self.transmitter = SensesTransmitter(spec)
        self.receiver = SensesReceiver(spec, outputs)

    def send(self, batch: Batch) -> Sent:
        """The symbols of both senses, and the feature maps on the way to those of the picture."""
        sent: Sent = self.transmitter(batch)
        return sent

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """What the receiver makes of both senses: features [batch, 1, width], logits [batch, 1, outputs]."""
        heard: Heard = self.receiver(arrived.symbols)
        return heard

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The likeliest class of each message, [batch, 1]."""
        return self.hear(arrived, batch).logits.argmax(dim=2)

    def example(self) -> PictureBatch:
        """One black picture with a caption of ten letters."""
        names = ("x" * 10,) * self.outputs
        pixels = torch.zeros(1, *self.spec.entering, dtype=torch.uint8)
        return PictureBatch(pixels, torch.zeros(1, dtype=torch.long), (0,), names=names)

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """The units of the picture's network."""
        return (self.transmitter.picture.trunk.units,)
