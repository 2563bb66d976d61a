"""Recognizer: a codec whose transmitter is the identity and whose receiver tells the class of an IQ frame."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semcom.models.recognizer_spec import RecognizerSpec
from semcom.models.recognizer_units import CONVOLUTIONS, NORMS, UNITS, Bridge, Unit, join
from semcom.models.trace import Heard, Sent

MOST_CLASSES = 65_536


class Samples(Protocol):
    """A batch that carries frames."""

    @property
    def samples(self) -> Tensor:
        """Complex samples [batch, length]."""


class FrameTransmitter(nn.Module):
    """Puts a frame on the air as it is; there is nothing to train."""

    def forward(self, batch: Samples) -> Sent:
        return Sent(batch.samples, ())


class FrameReceiver(nn.Module):
    """Level control, stem, units, head and output layer.

    Args:
        spec: the shape.
        outlet: number of classes.
    """

    def __init__(self, spec: RecognizerSpec, outlet: int) -> None:
        super().__init__()
        self.spec = spec
        self.stem = _stem(spec)
        make = UNITS[spec.family]
        units: list[Unit] = [make(shape, spec.kernel) for shape in spec.chain()]
        self.units = nn.ModuleList(units)
        # Registered here, so that parameters have one order whenever it comes in.
        self.register_module("after", None)
        self.after: Bridge | None = join(units, spec.stem_leaving, spec.leaving)
        self.head = _head(spec)
        self.dropout = nn.Dropout(spec.dropout)
        self.output = nn.Linear(spec.layers_of_head[-1], outlet)

    def front(self, signal: Tensor) -> Tensor:
        """A received signal [batch, length] complex as what the network takes in, [batch, *spec.entering]."""
        if signal.ndim != 2 or signal.shape[1] != self.spec.length or not signal.is_complex():
            raise ValueError(
                f"a signal must be complex [batch, {self.spec.length}], got {signal.dtype} {tuple(signal.shape)}; "
                "make frames as long as the recognizer's spec says"
            )
        parts = torch.view_as_real(signal).movedim(2, 1)
        if self.spec.level_control:
            power = parts.square().sum(dim=1, keepdim=True).mean(dim=2, keepdim=True)
            parts = parts * power.clamp(min=torch.finfo(power.dtype).tiny).rsqrt()  # of silence, silence
        return parts if self.spec.planes == 1 else parts.unsqueeze(1)

    def through(self, features: Tensor) -> Heard:
        """What the network makes of [batch, *spec.entering]."""
        layers, features = [], self.stem(features)
        for unit in self.units:
            features = unit(features)
            layers.append(features.flatten(2).transpose(1, 2))
        if self.after is not None:
            features = self.after(features)
        features = features.flatten(2).mean(dim=2) if self.spec.family == "residual" else features.flatten(1)
        embedding = self.head(features)
        return Heard(embedding.unsqueeze(1), tuple(layers), self.output(self.dropout(embedding)).unsqueeze(1))

    def forward(self, signal: Tensor) -> Heard:
        return self.through(self.front(signal))


class Recognizer(nn.Module):
    """Tells which of some classes a received frame is. A class is a message of one token.

    Args:
        spec: the shape.
        outlet: number of classes, at most 65536.
    """

    def __init__(self, spec: RecognizerSpec, outlet: int) -> None:
        super().__init__()
        if not 1 <= outlet <= MOST_CLASSES:
            raise ValueError(f"outlet must be from 1 to {MOST_CLASSES} classes, got {outlet}")
        self.spec = spec
        self.outlet = outlet
        self.transmitter = FrameTransmitter()
        self.receiver = FrameReceiver(spec, outlet)

    def send(self, batch: Samples) -> Sent:
        """The frames themselves."""
        sent: Sent = self.transmitter(batch)
        return sent

    def hear(self, signal: Tensor, batch: Samples) -> Heard:
        """What a receiver makes of a received signal.

        Args:
            signal: [batch, length] complex.

        Returns:
            features [batch, 1, width], the embedding that the output layer reads, without dropout; layers, the output
            of every unit as [batch, places, channels]; logits [batch, 1, outlet].
        """
        heard: Heard = self.receiver(signal)
        return heard

    def decode(self, signal: Tensor, batch: Samples, *, beam: int = 1) -> Tensor:
        """The likeliest class of each frame, [batch, 1]; of one token a beam finds nothing better."""
        return self.hear(signal, batch).logits.argmax(dim=2)

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """The units that may be pruned, of all stages in one stack."""
        return (self.receiver.units,)

    def symbols(self, batch: Samples) -> tuple[int, int]:
        """The shape (batch, samples) that a batch takes on the air."""
        return batch.samples.shape[0], batch.samples.shape[1]


def initialize(spec: RecognizerSpec, outlet: int, *, seed: int) -> Recognizer:
    """A fresh recognizer whose weights depend on the seed alone, not on who drew before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed accelerators too, for good
        return Recognizer(spec, outlet)


class Rectified(nn.Sequential):
    """Parts one after another, and only what is positive of the last."""

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(super().forward(features))


def _stem(spec: RecognizerSpec) -> nn.Module:
    if spec.family == "cnn":
        return nn.Identity()
    convolution = CONVOLUTIONS[spec.planes](
        spec.entering[0], spec.widths[0], spec.kernel, padding=spec.stem_padding, bias=spec.family == "vgg"
    )
    return Rectified(convolution, NORMS[spec.planes](spec.widths[0]))


def _head(spec: RecognizerSpec) -> nn.Module:
    """Fully connected layers; those of a vgg are normalized and rectified, those of a cnn are not, as published."""
    given, *widths = spec.layers_of_head
    layers: list[nn.Module] = []
    for width in widths:
        linear = nn.Linear(given, width)
        layers.append(linear if spec.family == "cnn" else Rectified(linear, nn.BatchNorm1d(width)))
        given = width
    return nn.Sequential(*layers)
