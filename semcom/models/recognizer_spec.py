"""RecognizerSpec: the shape of a network that recognizes IQ frames, also of one that was pruned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from typing import ClassVar, Literal

from semcom.metrics.metric import Scored
from semcom.models.spec import Adopted, Carries, Part, Shape, Side, Stack

Family = Literal["residual", "vgg", "cnn"]
# Far above any recognizer that one machine trains, far below what would fill its memory before anybody notices.
MOST_LENGTH = 65_536
MOST_UNITS = 256
MOST_WIDTH = 4096
MOST_HEAD = 16_384
MOST_KERNEL = 31
MOST_GIVEN = 1_048_576  # features that the fully connected layers read


@dataclass(frozen=True)
class UnitShape:
    """What one unit takes in and gives out, and how wide it is inside.

    Args:
        entering: of its input.
        leaving: of its output.
        hidden: channels between its convolutions; those of its output where it has one convolution alone.
        padding: zeros on each side of each axis of places.
        pools: whether places are halved by a maximum at its end.
    """

    entering: Shape
    leaving: Shape
    hidden: int
    padding: int
    pools: bool


@dataclass(frozen=True)
class RecognizerSpec:
    """A receiver for IQ frames whose transmitter is the frame itself.

    A `residual` network is a stem, stages of units of two convolutions with a way around them, a mean over all places
    and an output layer. Every stage but the first halves the places. A `vgg` has units of one convolution and a
    maximum over pairs of places at the end of each stage, a `cnn` has units of five convolutions that each halve the
    places; both read all places at their end, so that they suit one length of frames.

    Args:
        family: what the units are.
        length: complex samples of a frame, at most 65536.
        widths: channels of each stage, at most 4096.
        units: units of each stage, together at most 256.
        planes: 1 takes real and imaginary part as two channels of a row of samples; 2 takes them as two rows of one
            channel, with square kernels, as published.
        kernel: taps of a convolution along an axis; odd, at most 31.
        head: widths of the fully connected layers before the output layer, at most 16384.
        dropout: share of the embedding dropped in training, before the output layer.
        level_control: scale every received frame to unit power first.
        kept: numbers of the units that are left, counted over all stages from 0; None: all of them.
        hidden: channels inside each unit that is left, pruned or not; None: as wide as its output. A `vgg` has none.
    """

    kind: ClassVar[str] = "recognizer"
    network: ClassVar[str] = "semcom.models.recognizer:Recognizer"
    carries: ClassVar[Carries] = "frames"
    says: ClassVar[Scored] = "classes"
    may_differ: ClassVar[frozenset[str]] = frozenset({"widths", "units", "planes", "dropout", "level_control"})
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {}  # with one side alone there is nothing to take over
    shows: ClassVar[frozenset[Part]] = frozenset({"heard", "stages", "logits"})
    learns: ClassVar[bool] = True

    family: Family = "residual"
    length: int = 128
    widths: tuple[int, ...] = (16, 32, 64)
    units: tuple[int, ...] = (3, 3, 3)
    planes: Literal[1, 2] = 1
    kernel: int = 3
    head: tuple[int, ...] = ()
    dropout: float = 0.0
    level_control: bool = True
    kept: tuple[int, ...] | None = None
    hidden: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.family not in ("residual", "vgg", "cnn"):
            raise ValueError(f"family must be 'residual', 'vgg' or 'cnn', got {self.family!r}")
        if self.planes not in (1, 2):
            raise ValueError(f"planes must be 1 or 2, got {self.planes!r}")
        _between("length", (self.length,), MOST_LENGTH)
        _between("kernel", (self.kernel,), MOST_KERNEL)
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, so that places stay where they are, got {self.kernel}")
        if not self.widths or len(self.widths) != len(self.units):
            raise ValueError(
                f"widths and units must have one number for each stage, got {self.widths} and {self.units}"
            )
        _between("widths", self.widths, MOST_WIDTH)
        _between("units", self.units, MOST_UNITS)
        _between("head", self.head, MOST_HEAD)
        if sum(self.units) > MOST_UNITS:
            raise ValueError(f"units must be at most {MOST_UNITS} together, got {sum(self.units)}; use fewer")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        _check_pruned(self)
        _check_places(self)

    @property
    def symbols_per_unit(self) -> int:
        """Complex samples that a frame puts on the air."""
        return self.length

    @property
    def told(self) -> str:
        """The family, its units and their widths."""
        kept = "" if self.kept is None else f" of {sum(self.units)}"
        return f"{self.family} of {len(self.remaining)}{kept} units, {'-'.join(map(str, self.widths))} channels"

    @property
    def rough_multiply_adds(self) -> float:
        """Of one frame through the convolutions of its units."""
        taps = self.kernel**self.planes * (1 if self.family == "vgg" else 2)
        return float(sum(taps * unit.entering[0] * unit.hidden * prod(unit.leaving[1:]) for unit in self.chain()))

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the embedding, the one layer that is shown."""
        return self.layers_of_head[-1:] if stack == "heard" else ()

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """Of what every unit that is left gives out."""
        return tuple(unit.leaving for unit in self.chain())

    def side(self, name: Side) -> object:
        """The transmitter computes nothing."""
        return self if name == "receiver" else None

    @property
    def halvings(self) -> int:
        """How often places are halved."""
        return {"residual": len(self.units) - 1, "vgg": len(self.units), "cnn": sum(self.units)}[self.family]

    @property
    def entering(self) -> Shape:
        """The shape of a frame."""
        return (2, self.length) if self.planes == 1 else (1, 2, self.length)

    @property
    def stem_leaving(self) -> Shape:
        """What the units are given."""
        stem = (self.widths[0], *(places + 2 * (self.stem_padding - self.kernel // 2) for places in self.entering[1:]))
        return self.entering if self.family == "cnn" else stem  # a cnn has none

    @property
    def stem_padding(self) -> int:
        """Zeros on each side of the first convolution."""
        return self.kernel // 2 + _margin(self, 0)

    @property
    def remaining(self) -> tuple[int, ...]:
        """The numbers of the units that are left."""
        return tuple(range(sum(self.units))) if self.kept is None else self.kept

    def chain(self) -> tuple[UnitShape, ...]:
        """The units that are left, from the stem to the end; where two do not meet, a bridge goes between."""
        whole = self.whole()
        left = [whole[number] for number in self.remaining]
        hidden = self.hidden or [unit.hidden for unit in left]
        return tuple(replace(unit, hidden=width) for unit, width in zip(left, hidden, strict=True))

    def whole(self) -> tuple[UnitShape, ...]:
        """All units, as if none had been pruned."""
        shapes, reached = [], self.stem_leaving
        for stage, (width, count) in enumerate(zip(self.widths, self.units, strict=True)):
            for place in range(count):
                shapes.append(_unit(self, reached, width, stage=stage, first=place == 0, last=place == count - 1))
                reached = shapes[-1].leaving
        return tuple(shapes)

    @property
    def leaving(self) -> Shape:
        """What the units give to the end of the network."""
        return self.whole()[-1].leaving

    @property
    def layers_of_head(self) -> tuple[int, ...]:
        """Widths from what the head is given to the embedding that the output layer reads."""
        given = self.leaving[0] if self.family == "residual" else prod(self.leaving)
        return (given, *self.head)


def _between(name: str, values: tuple[int, ...], most: int) -> None:
    for value in values:
        if not 1 <= value <= most:
            raise ValueError(f"{name} must be from 1 to {most}, got {value}")


def _check_pruned(spec: RecognizerSpec) -> None:
    if spec.kept is not None:
        last = sum(spec.units) - 1
        rising = all(a < b for a, b in pairwise(spec.kept))
        if not spec.kept or not rising or spec.kept[0] < 0 or spec.kept[-1] > last:
            raise ValueError(f"kept must be rising numbers from 0 to {last}, at least one, got {spec.kept}")
        if len(spec.kept) == sum(spec.units):
            object.__setattr__(spec, "kept", None)  # one shape, one spec
    if spec.hidden is None:
        return
    if spec.family == "vgg":
        raise ValueError("hidden must be None for a vgg, whose units have no channels inside; prune units instead")
    whole = spec.whole()
    widest = tuple(whole[number].hidden for number in spec.remaining)
    fitting = len(spec.hidden) == len(widest) and all(1 <= a <= b for a, b in zip(spec.hidden, widest, strict=True))
    if not fitting:
        raise ValueError(f"hidden must be at least 1 and at most {widest}, unit by unit, got {spec.hidden}")
    if spec.hidden == widest:
        object.__setattr__(spec, "hidden", None)


def _check_places(spec: RecognizerSpec) -> None:
    ends = [shape.leaving for shape in spec.whole()]
    # An odd rest of one place may stay one in a residual network; maxima over pairs leave nothing of it.
    if any(min(shape[1:]) < 1 for shape in ends):
        raise ValueError(
            f"length must leave samples and rows after halving them {spec.halvings} times, got {spec.length}; "
            "use longer frames, or fewer stages"
        )
    if spec.layers_of_head[0] > MOST_GIVEN:
        raise ValueError(
            f"fully connected layers must read at most {MOST_GIVEN} features, got {spec.layers_of_head[0]}; "
            "use shorter frames, narrower stages or more of them"
        )


def _margin(spec: RecognizerSpec, stage: int) -> int:
    # The published vgg pads its first two stages with two more zeros, without which two rows would soon be none.
    return 2 if spec.family == "vgg" and spec.planes == 2 and stage < 2 else 0


def _unit(spec: RecognizerSpec, entering: Shape, width: int, *, stage: int, first: bool, last: bool) -> UnitShape:
    margin, places = _margin(spec, stage), entering[1:]
    if spec.family == "residual":
        halved = stage > 0 and first
        leaving = tuple((each + 1) // 2 for each in places) if halved else places
        pools = False
    elif spec.family == "vgg":
        grown = tuple(each + 2 * margin for each in places)
        leaving, pools = tuple(each // 2 for each in grown) if last else grown, last
    else:
        leaving, pools = (*([1] * (spec.planes - 1)), places[-1] // 2), True
    return UnitShape(entering, (width, *leaving), width, spec.kernel // 2 + margin, pools)


# The first four have the shapes of the official code of layer pruning for modulation recognition, parameter for
# parameter (repository yaolu-zjut/PSR; Lu et al., arXiv 2406.07929). One thing differs: where a stage begins, the way
# around a residual unit averages neighbouring places, where that code takes one mean over all of them and stops its
# gradient. The rest train in minutes on one core of a CPU.
RECOGNIZER_SIZES: dict[str, RecognizerSpec] = {
    "iq_resnet56": RecognizerSpec(units=(9, 9, 9), planes=2),
    "iq_resnet110": RecognizerSpec(units=(18, 18, 18), planes=2),
    "iq_vgg": RecognizerSpec(family="vgg", widths=(64, 128, 256, 512), units=(1, 2, 3, 3), planes=2, head=(256, 128)),
    "iq_cnn1d": RecognizerSpec(family="cnn", widths=(32,), units=(6,), planes=2, head=(128,), dropout=0.3),
    "iq_resnet20": RecognizerSpec(),
    "iq_resnet8": RecognizerSpec(units=(1, 1, 1)),
    "iq_small": RecognizerSpec(widths=(8, 16, 32), units=(1, 1, 1)),
    "iq_tiny": RecognizerSpec(widths=(4, 8, 16), units=(1, 1, 1)),
}
