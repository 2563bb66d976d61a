"""ClassifierSpec: the shape of a network that recognizes pictures, and where it is cut for the air to go between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from semcom.metrics.metric import Scored
from semcom.models.recognizer_spec import MOST_UNITS, MOST_WIDTH, UnitShape
from semcom.models.spec import MOST_SYMBOLS, Adopted, Carries, Part, Shape, Side, Stack

Family = Literal["residual", "wide"]
# Far above any picture that a network of this kind is trained on, far below what would fill a memory.
MOST_SIDE = 1024
MOST_PLANES = 16
MOST_HIDDEN = 16_384
KERNEL = 3
STEM_OF_WIDE = 16  # channels before the first stage of a wide network, whatever its widths


@dataclass(frozen=True)
class ClassifierSpec:
    """A convolutional network that names the class of a picture, cut in two by the air.

    The network is a stem, stages of units of two convolutions with a way around them, a mean over all places and an
    output layer; every stage but the first halves rows and columns. A `residual` network normalizes behind its
    convolutions, a `wide` one before them. `transmitter_stages` says where the air goes through it:

    - all stages (the default): the mean over all places goes through two fully connected layers to the symbols, and
      through two more at the receiver, which ends with the output layer.
    - fewer, but at least 1: the feature maps at that place are reduced to 4 channels and go through one fully connected
      layer to the symbols; the receiver goes the way back, and through the rest of the network.
    - 0: the pixels themselves are the symbols, two a symbol, at mean power 1 over all training pictures, and the whole
      network is the receiver. In clear air that is the network as it is without a link.

    Args:
        family: what the units are.
        planes: of a picture, 1 for shades of grey and 3 for colors; a task sets it.
        rows: of a picture [pixels]; a task sets it.
        columns: of a picture [pixels]; a task sets it.
        widths: channels of each stage, at most 4096.
        units: units of each stage, together at most 256.
        transmitter_stages: stages that stand at the transmitter; without the key all of them, 0 for the pixels alone.
        symbols: complex symbols sent for each picture, at most 1024; where pixels are sent it has no effect [symbols].
        hidden: width of the fully connected layers between the mean over places and the symbols, on either side.
        dropout: share of the embedding dropped in training, before the output layer.
    """

    kind: ClassVar[str] = "classifier"
    network: ClassVar[str] = "semcom.models.classifier:Classifier"
    carries: ClassVar[Carries] = "pictures"
    says: ClassVar[Scored] = "classes"
    may_differ: ClassVar[frozenset[str]] = frozenset(
        {"widths", "units", "transmitter_stages", "symbols", "hidden", "dropout"}
    )
    # What either side needs of the network, both must agree on.
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = dict.fromkeys(
        ("transmitter", "receiver"),
        ("family", "planes", "rows", "columns", "widths", "units", "transmitter_stages", "symbols", "hidden"),
    )
    learns: ClassVar[bool] = True

    family: Family = "residual"
    planes: int = 1
    rows: int = 28
    columns: int = 28
    widths: tuple[int, ...] = (16, 32, 64)
    units: tuple[int, ...] = (1, 1, 1)
    transmitter_stages: int | None = None
    symbols: int = 8
    hidden: int = 128
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check(self)
        if self.transmitter_stages == len(self.units):
            object.__setattr__(self, "transmitter_stages", None)  # one shape, one spec

    @property
    def cut(self) -> int:
        """How many stages stand at the transmitter."""
        return len(self.units) if self.transmitter_stages is None else self.transmitter_stages

    @property
    def is_whole(self) -> bool:
        """Whether all stages stand at the transmitter."""
        return self.cut == len(self.units)

    @property
    def is_raw(self) -> bool:
        """Whether the pixels themselves are sent."""
        return self.cut == 0

    @property
    def shows(self) -> frozenset[Part]:
        """Everything but attention; of a transmitter that computes nothing, nothing."""
        seen: frozenset[Part] = frozenset({"heard", "stages", "logits"})
        return seen if self.is_raw else seen | {"sent", "received"}

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols of a picture; where pixels are sent, half as many as there are values."""
        return (self.values + 1) // 2 if self.is_raw else self.symbols

    @property
    def values(self) -> int:
        """Numbers that make up a picture."""
        return self.planes * self.rows * self.columns

    @property
    def bandwidth_ratio(self) -> float:
        """Complex symbols over the values of a picture, k / n."""
        return self.symbols_per_unit / self.values

    @property
    def told(self) -> str:
        """The family, its units and their widths, and the bandwidth."""
        sent = "pixels sent" if self.is_raw else f"{self.symbols} symbols a picture"
        where = f", {self.cut} of {len(self.units)} stages at the transmitter" if 0 < self.cut < len(self.units) else ""
        widths = "-".join(map(str, self.widths))
        return f"{self.family} of {sum(self.units)} units, {widths} channels{where}, {sent}"

    @property
    def rough_multiply_adds(self) -> float:
        """Of one picture through the convolutions of its units."""
        ends = [(unit.entering[0] + unit.leaving[0], unit.hidden * prod(unit.leaving[1:])) for unit in self.chain()]
        return float(sum(KERNEL**2 * channels * inside for channels, inside in ends))

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the means over places that either side ends with: one layer, where the side has any."""
        if stack == "heard":
            return self.widths[-1:]
        return () if self.is_raw else self.widths[self.cut - 1 : self.cut]

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """Of what every unit gives out, those at the transmitter first."""
        return tuple(unit.leaving for unit in self.chain())

    def side(self, name: Side) -> object:
        """All but what the other side alone computes; where pixels are sent the transmitter computes nothing."""
        return None if name == "transmitter" and self.is_raw else self

    @property
    def entering(self) -> Shape:
        """The shape of a picture."""
        return (self.planes, self.rows, self.columns)

    @property
    def stem_leaving(self) -> Shape:
        """What the units are given."""
        return (STEM_OF_WIDE if self.family == "wide" else self.widths[0], self.rows, self.columns)

    def stages(self) -> tuple[tuple[UnitShape, ...], ...]:
        """The units, stage by stage."""
        return _stages(self)

    def chain(self) -> tuple[UnitShape, ...]:
        """The units, from the stem to the end."""
        return tuple(unit for stage in self.stages() for unit in stage)

    @property
    def at_cut(self) -> Shape:
        """The feature maps that reach the end of the transmitter's stages."""
        return self.stem_leaving if self.is_raw else self.stages()[self.cut - 1][-1].leaving


def _stages(spec: ClassifierSpec) -> tuple[tuple[UnitShape, ...], ...]:
    found, reached = [], spec.stem_leaving
    for stage, (width, count) in enumerate(zip(spec.widths, spec.units, strict=True)):
        shapes = []
        for place in range(count):
            halved = stage > 0 and place == 0
            places = tuple((each + 1) // 2 for each in reached[1:]) if halved else reached[1:]
            shapes.append(UnitShape(reached, (width, *places), width, KERNEL // 2, pools=False))
            reached = shapes[-1].leaving
        found.append(tuple(shapes))
    return tuple(found)


def _check(spec: ClassifierSpec) -> None:
    if spec.family not in ("residual", "wide"):
        raise ValueError(f"family must be 'residual' or 'wide', got {spec.family!r}")
    if not spec.widths or len(spec.widths) != len(spec.units):
        raise ValueError(f"widths and units must have one number for each stage, got {spec.widths} and {spec.units}")
    _between("planes", (spec.planes,), MOST_PLANES)
    _between("rows", (spec.rows,), MOST_SIDE)
    _between("columns", (spec.columns,), MOST_SIDE)
    _between("widths", spec.widths, MOST_WIDTH)
    _between("units", spec.units, MOST_UNITS)
    _between("symbols", (spec.symbols,), MOST_SYMBOLS)
    _between("hidden", (spec.hidden,), MOST_HIDDEN)
    if sum(spec.units) > MOST_UNITS:
        raise ValueError(f"units must be at most {MOST_UNITS} together, got {sum(spec.units)}; use fewer")
    if not 0 <= spec.dropout < 1:
        raise ValueError(f"dropout must be in [0, 1), got {spec.dropout}")
    if spec.transmitter_stages is not None and not 0 <= spec.transmitter_stages <= len(spec.units):
        raise ValueError(
            f"transmitter_stages must be from 0 to {len(spec.units)}, the number of stages, got "
            f"{spec.transmitter_stages}"
        )


def _between(name: str, values: tuple[int, ...], most: int) -> None:
    for value in values:
        if not 1 <= value <= most:
            raise ValueError(f"{name} must be from 1 to {most}, got {value}")


def _resnet(depth: int) -> ClassifierSpec:
    return ClassifierSpec(units=((depth - 2) // 6,) * 3)


def _wide(depth: int, factor: int) -> ClassifierSpec:
    return ClassifierSpec(family="wide", widths=(16 * factor, 32 * factor, 64 * factor), units=((depth - 4) // 6,) * 3)


# The networks of the papers for CIFAR: He et al., CVPR 2016, section 4.2, with shortcuts without weights (option A,
# where neighbouring places are averaged rather than every second one taken); Zagoruyko and Komodakis, Wide Residual
# Networks, BMVC 2016. The last one, for tests and first tries, is ours.
CLASSIFIER_SIZES: dict[str, ClassifierSpec] = {
    "resnet8": _resnet(8),
    "resnet14": _resnet(14),
    "resnet20": _resnet(20),
    "resnet32": _resnet(32),
    "resnet56": _resnet(56),
    "wrn_10_1": _wide(10, 1),
    "wrn_16_1": _wide(16, 1),
    "wrn_16_2": _wide(16, 2),
    "wrn_28_1": _wide(28, 1),
    "wrn_40_1": _wide(40, 1),
    "wrn_40_2": _wide(40, 2),
    "resnet8_tiny": ClassifierSpec(widths=(4, 8, 16), hidden=32),
}
