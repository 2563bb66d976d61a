"""Recognizer: a codec whose transmitter is the identity and whose receiver tells the class of an IQ frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from channels import Arrived
from semcom.models.codec import Codec
from semcom.models.recognizer_spec import RecognizerSpec
from semcom.models.recognizer_units import CONVOLUTIONS, NORMS, UNITS, Bridge, Unit, join
from semcom.models.trace import Heard, Sent
from semcom.sources.batch import Batch
from semcom.sources.frames import FrameBatch

MOST_CLASSES = 65_536


class FrameTransmitter(nn.Module):
    """Puts a frame on the air as it is; there is nothing to train."""

    def forward(self, batch: FrameBatch) -> Sent:
        return Sent(batch.samples, ())


class FrameReceiver(nn.Module):
    """Level control, stem, units, head and output layer.

    Args:
        spec: the shape.
        outputs: number of classes.
    """

    def __init__(self, spec: RecognizerSpec, outputs: int) -> None:
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
        self.output = nn.Linear(spec.layers_of_head[-1], outputs)

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
        stages, features = [], self.stem(features)
        for unit in self.units:
            features = unit(features)
            stages.append(features.flatten(2).transpose(1, 2))
        if self.after is not None:
            features = self.after(features)
        features = features.flatten(2).mean(dim=2) if self.spec.family == "residual" else features.flatten(1)
        embedding = self.head(features).unsqueeze(1)
        return Heard(embedding, (embedding,), self.output(self.dropout(embedding)), stages=tuple(stages))

    def forward(self, signal: Tensor) -> Heard:
        return self.through(self.front(signal))


class Recognizer(Codec):
    """Tells which of some classes a received frame is. A class is a message of one token.

    Args:
        spec: the shape.
        outputs: number of classes, at most 65536.
    """

    spec: RecognizerSpec
    transmitter: FrameTransmitter
    receiver: FrameReceiver

    def __init__(self, spec: RecognizerSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        if not 1 <= outputs <= MOST_CLASSES:
            raise ValueError(f"outputs must be from 1 to {MOST_CLASSES} classes, got {outputs}")
        self.transmitter = FrameTransmitter()
        self.receiver = FrameReceiver(spec, outputs)

    def send(self, batch: Batch) -> Sent:
        """The frames themselves."""
        sent: Sent = self.transmitter(batch)
        return sent

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """What the receiver makes of a received signal.

        Returns:
            features [batch, 1, width], the embedding that the output layer reads, without dropout, which is the only
            layer; stages, the output of every unit as [batch, places, channels]; logits [batch, 1, outputs].
        """
        heard: Heard = self.receiver(arrived.symbols)
        return heard

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The likeliest class of each frame, [batch, 1]; of one token a beam finds nothing better."""
        return self.hear(arrived, batch).logits.argmax(dim=2)

    def example(self) -> FrameBatch:
        """One frame, of nothing."""
        samples = torch.zeros(1, self.spec.length, dtype=torch.complex64)
        return FrameBatch(samples, torch.zeros(1, dtype=torch.long), (0,))

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """The units that may be pruned, of all stages in one stack."""
        return (self.receiver.units,)


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
