"""Rebuilder: a codec that sends pictures by convolutions and rebuilds them, learned as one."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from channels import Arrived, normalize_power, to_reals, to_symbols
from semcom.metrics.structure import structural_similarity
from semcom.models.codec import Codec
from semcom.models.rebuilder_spec import KERNEL, RebuilderSpec
from semcom.models.trace import Heard, Sent, Trace
from semcom.sources.batch import Batch
from semcom.sources.pictures import BRIGHTEST, PictureBatch


class RebuildingTransmitter(nn.Module):
    """Convolutions from a picture to its symbols."""

    def __init__(self, spec: RebuilderSpec) -> None:
        super().__init__()
        self.spec = spec
        ends = (spec.planes, *spec.widths)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(entering, leaving, KERNEL, stride=2 if layer < spec.halvings else 1, padding=KERNEL // 2),
                nn.PReLU(leaving),
            )
            for layer, (entering, leaving) in enumerate(pairwise(ends))
        )
        self.last = nn.Conv2d(spec.widths[-1], spec.channels, KERNEL, padding=KERNEL // 2)

    def forward(self, batch: PictureBatch) -> Sent:
        features, spec = batch.shades, self.spec
        if tuple(features.shape[1:]) != (spec.planes, spec.rows, spec.columns):
            raise ValueError(
                f"pictures must be of {(spec.planes, spec.rows, spec.columns)} (planes, rows, columns), got "
                f"{tuple(features.shape[1:])}; make the codec's spec fit its task"
            )
        features, stages = features.contiguous(memory_format=torch.channels_last), []
        for layer in self.layers:
            features = layer(features)
            stages.append(features.flatten(2).transpose(1, 2))
        symbols = to_symbols(self.last(features).flatten(1))
        return Sent(normalize_power(symbols), (_pooled(features),), stages=tuple(stages))


class RebuildingReceiver(nn.Module):
    """Transposed convolutions from symbols to a picture."""

    def __init__(self, spec: RebuilderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.first = nn.Sequential(
            nn.ConvTranspose2d(spec.channels, spec.widths[-1], KERNEL, padding=KERNEL // 2), nn.PReLU(spec.widths[-1])
        )
        layers: list[nn.Module] = []
        ends = (spec.planes, *spec.widths)
        for layer in reversed(range(len(spec.widths))):
            halved, wanted = layer < spec.halvings, spec.sizes[layer]
            convolution = nn.ConvTranspose2d(
                ends[layer + 1],
                ends[layer],
                KERNEL,
                stride=2 if halved else 1,
                padding=KERNEL // 2,
                # Twice as many rows less one, and one more where the picture had an even number.
                output_padding=(1 - wanted[0] % 2, 1 - wanted[1] % 2) if halved else 0,
            )
            layers.append(nn.Sequential(convolution, nn.PReLU(ends[layer]) if layer else nn.Sigmoid()))
        self.layers = nn.ModuleList(layers)

    def forward(self, signal: Tensor) -> Heard:
        spec = self.spec
        if signal.ndim != 2 or signal.shape[1] != spec.symbols_per_unit or not signal.is_complex():
            raise ValueError(
                f"a signal must be complex [batch, {spec.symbols_per_unit}], got {signal.dtype} {tuple(signal.shape)}"
            )
        features = self.first(to_reals(signal).unflatten(1, (spec.channels, *spec.sizes[-1])))
        stages, entering = [features], features
        for layer in self.layers:
            features = layer(features)
            stages.append(features)
        pooled = _pooled(entering)
        nothing = pooled.new_zeros(len(signal), 1, 0)
        shown = tuple(each.flatten(2).transpose(1, 2) for each in stages[:-1])
        return Heard(pooled, (pooled,), nothing, stages=shown, picture=features)


class Rebuilder(Codec):
    """Sends pictures and gives them back.

    Args:
        spec: the shape.
        outputs: levels of a value; not looked at, for a picture is rebuilt as one.
    """

    spec: RebuilderSpec
    transmitter: RebuildingTransmitter
    receiver: RebuildingReceiver
    goal: ClassVar[str] = "rebuilding"

    def __init__(self, spec: RebuilderSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        self.transmitter = RebuildingTransmitter(spec)
        self.receiver = RebuildingReceiver(spec)

    def send(self, batch: Batch) -> Sent:
        """The symbols of each picture, and the feature maps on the way to them."""
        sent: Sent = self.transmitter(batch)
        return sent

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """What the receiver makes of a received signal: a picture, and the feature maps on the way to it."""
        heard: Heard = self.receiver(arrived.symbols)
        return heard

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The pictures [batch, 1, planes, rows, columns], uint8 as they were sent."""
        picture = self.hear(arrived, batch).picture
        assert picture is not None
        return (picture * BRIGHTEST).round().to(torch.uint8).unsqueeze(1)

    def loss(self, trace: Trace, batch: Batch) -> Tensor:
        """(1 - s) mean squared error + s (1 - MS-SSIM), s the spec's `structure`; values from 0 to 1."""
        rebuilt = trace.heard.picture
        assert isinstance(batch, PictureBatch) and rebuilt is not None
        wanted, share = batch.shades, self.spec.structure
        loss = (1 - share) * (rebuilt - wanted).square().mean()
        return loss + share * (1 - structural_similarity(rebuilt, wanted).mean()) if share else loss

    def example(self) -> PictureBatch:
        """One black picture."""
        shape = (1, self.spec.planes, self.spec.rows, self.spec.columns)
        return PictureBatch(torch.zeros(shape, dtype=torch.uint8), torch.zeros(1, dtype=torch.long), (0,))

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """None of its convolutions can be left out: each has a size of its own."""
        return ()


def _pooled(features: Tensor) -> Tensor:
    """Means over all places [batch, 1, channels]."""
    return features.flatten(2).mean(dim=2).unsqueeze(1)
