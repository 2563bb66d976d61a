"""Classifier: a network that recognizes pictures, part of it at the transmitter and the rest at the receiver."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from channels import Arrived, normalize_power, to_reals, to_symbols
from semcom.models.classifier_spec import KERNEL, ClassifierSpec
from semcom.models.codec import Codec
from semcom.models.recognizer_units import ResidualUnit
from semcom.models.trace import Heard, Sent
from semcom.models.wide_units import WideUnit
from semcom.sources.batch import Batch
from semcom.sources.pictures import PictureBatch

MOST_CLASSES = 65_536
# Channels that feature maps are reduced to before a fully connected layer reads all their places.
REDUCED = 4
UNITS: dict[str, type[ResidualUnit | WideUnit]] = {"residual": ResidualUnit, "wide": WideUnit}


class Trunk(nn.Module):
    """The units of some stages, one after another, and the stem before the first stage.

    Args:
        spec: of the whole network.
        first: number of the first stage, from 0.
        last: of the one behind the last.
    """

    def __init__(self, spec: ClassifierSpec, first: int, last: int) -> None:
        super().__init__()
        self.stem = nn.Identity() if first or first == last else _stem(spec)
        make = UNITS[spec.family]
        shapes = [unit for stage in spec.stages()[first:last] for unit in stage]
        self.units = nn.ModuleList(make(shape, KERNEL) for shape in shapes)
        # A wide network normalizes before its convolutions, and so once more behind the last.
        ends_wide = spec.family == "wide" and first < last == len(spec.units)
        self.final_norm = nn.BatchNorm2d(spec.widths[-1]) if ends_wide else None

    def forward(self, features: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What comes out, and the output of every unit as [batch, places, channels]."""
        stages, features = [], self.stem(features)
        for unit in self.units:
            features = unit(features)
            stages.append(features.flatten(2).transpose(1, 2))
        if self.final_norm is not None:
            features = F.relu(self.final_norm(features))
        return features, tuple(stages)


class PictureTransmitter(nn.Module):
    """The first stages and the channel encoder, or the pixels as they are; see the spec."""

    def __init__(self, spec: ClassifierSpec) -> None:
        super().__init__()
        self.spec = spec
        if not spec.is_raw:
            self.trunk = Trunk(spec, 0, spec.cut)
            self.channel_encoder = _channel_encoder(spec)

    def forward(self, batch: PictureBatch) -> Sent:
        pixels = batch.standard
        if tuple(pixels.shape[1:]) != self.spec.entering:
            raise ValueError(
                f"pictures must be of {self.spec.entering} (planes, rows, columns), got {tuple(pixels.shape[1:])}; "
                "make the codec's spec fit its task"
            )
        if self.spec.is_raw:
            # Both parts of a symbol have variance 1 over the training pictures.
            return Sent(to_symbols(_even(pixels.flatten(1))) / 2**0.5, ())
        features, stages = self.trunk(pixels.contiguous(memory_format=torch.channels_last))
        reals = self.channel_encoder(features)
        pooled = features.flatten(2).mean(dim=2).unsqueeze(1)
        return Sent(normalize_power(to_symbols(reals)), (pooled,), stages=stages)


class PictureReceiver(nn.Module):
    """The channel decoder, the rest of the stages and the output layer.

    Args:
        spec: the shape.
        outputs: number of classes.
    """

    def __init__(self, spec: ClassifierSpec, outputs: int) -> None:
        super().__init__()
        self.spec = spec
        self.channel_decoder = nn.Identity() if spec.is_raw else channel_decoder(spec)
        self.trunk = Trunk(spec, spec.cut, len(spec.units))
        self.dropout = nn.Dropout(spec.dropout)
        self.output = nn.Linear(spec.widths[-1], outputs)

    def pixels(self, signal: Tensor) -> Tensor:
        """The pixels that a signal of pixels holds [batch, planes, rows, columns], at mean 0 and variance 1."""
        return (to_reals(signal) * 2**0.5)[:, : self.spec.values].unflatten(1, self.spec.entering)

    def forward(self, signal: Tensor) -> Heard:
        spec = self.spec
        if signal.ndim != 2 or signal.shape[1] != spec.symbols_per_unit or not signal.is_complex():
            raise ValueError(
                f"a signal must be complex [batch, {spec.symbols_per_unit}], got {signal.dtype} {tuple(signal.shape)}"
            )
        features = self.pixels(signal) if spec.is_raw else self.channel_decoder(to_reals(signal))
        stages: tuple[Tensor, ...] = ()
        if not spec.is_whole:
            features, stages = self.trunk(features.contiguous(memory_format=torch.channels_last))
            features = features.flatten(2).mean(dim=2)
        embedding = features.unsqueeze(1)
        return Heard(embedding, (embedding,), self.output(self.dropout(embedding)), stages=stages)


class Classifier(Codec):
    """Tells which of some classes a picture is. A class is a message of one token.

    Args:
        spec: the shape.
        outputs: number of classes, at most 65536.
    """

    spec: ClassifierSpec
    transmitter: PictureTransmitter
    receiver: PictureReceiver

    def __init__(self, spec: ClassifierSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        if not 1 <= outputs <= MOST_CLASSES:
            raise ValueError(f"outputs must be from 1 to {MOST_CLASSES} classes, got {outputs}")
        self.transmitter = PictureTransmitter(spec)
        self.receiver = PictureReceiver(spec, outputs)

    def send(self, batch: Batch) -> Sent:
        """The symbols of each picture, and the feature maps on the way to them."""
        sent: Sent = self.transmitter(batch)
        return sent

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """What the receiver makes of a received signal.

        Returns:
            features [batch, 1, width], the embedding that the output layer reads, without dropout, which is the only
            layer; stages, the output of every unit of the receiver as [batch, places, channels]; logits
            [batch, 1, outputs].
        """
        heard: Heard = self.receiver(arrived.symbols)
        return heard

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The likeliest class of each picture, [batch, 1]; of one token a beam finds nothing better."""
        return self.hear(arrived, batch).logits.argmax(dim=2)

    def example(self) -> PictureBatch:
        """One black picture."""
        return PictureBatch(
            torch.zeros(1, *self.spec.entering, dtype=torch.uint8), torch.zeros(1, dtype=torch.long), (0,)
        )

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """The units that may be pruned, those of each side that has any in a stack of their own."""
        trunks = [self.receiver.trunk] if self.spec.is_raw else [self.transmitter.trunk, self.receiver.trunk]
        return tuple(each.units for each in trunks if len(each.units))


def _stem(spec: ClassifierSpec) -> nn.Module:
    convolution = nn.Conv2d(spec.planes, spec.stem_leaving[0], KERNEL, padding=KERNEL // 2, bias=False)
    if spec.family == "wide":
        return convolution
    return nn.Sequential(convolution, nn.BatchNorm2d(spec.stem_leaving[0]), nn.ReLU())


def _channel_encoder(spec: ClassifierSpec) -> nn.Module:
    """Feature maps at the cut to the reals that are sent."""
    channels, rows, columns = spec.at_cut
    if spec.is_whole:
        return nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(channels, spec.hidden),
            nn.ReLU(),
            nn.Linear(spec.hidden, 2 * spec.symbols),
        )
    return nn.Sequential(
        nn.Conv2d(channels, REDUCED, 1), nn.Flatten(), nn.Linear(REDUCED * rows * columns, 2 * spec.symbols)
    )


def channel_decoder(spec: ClassifierSpec) -> nn.Module:
    """The reals that arrive to an embedding, or to feature maps where stages are left to go through."""
    channels, rows, columns = spec.at_cut
    if spec.is_whole:
        return nn.Sequential(
            nn.Linear(2 * spec.symbols, spec.hidden), nn.ReLU(), nn.Linear(spec.hidden, channels), nn.ReLU()
        )
    return nn.Sequential(
        nn.Linear(2 * spec.symbols, REDUCED * rows * columns),
        nn.Unflatten(1, (REDUCED, rows, columns)),
        nn.Conv2d(REDUCED, channels, 1),
    )


def _even(values: Tensor) -> Tensor:
    """With a zero behind them where they are odd in number."""
    return F.pad(values, (0, values.shape[1] % 2))
