"""PluggedSpec: what shapes of codecs share that make the semantic layers of a codec around them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.spec import Adopted, Part, Shape, Side, Spec, Stack

Family = Literal["generated", "heads"]
MAKING = (
    "family", "layers", "width", "depth", "heads", "feedforward", "skip", "project", "own_projections", "dropout",
)  # fmt: skip
"""The fields that say how layers are made, whatever they are of."""


@dataclass(frozen=True)
class GeneratorSpec:
    """What makes the layers of one side; knows nothing of what the layers are of.

    Args:
        family: `generated` makes each layer from those before it; `heads` all of them from one small Transformer.
        places: features of each of the teacher's layers (its width).
        wanted: numbers of the teacher's layers that are made, from 1 on.
        inside: the block: its width, depth, heads and hidden units.
        skip: whether what is made is added to the layer before it; of heads to what enters.
        project: whether a linear layer leads from the block to the layer. Without it the block is as wide as the layer.
        own_projections: whether that linear layer is another one for every layer.
        dropout: share of features dropped in training.
    """

    family: Family
    places: int
    wanted: tuple[int, ...]
    inside: SideSpec
    skip: bool
    project: bool
    own_projections: bool
    dropout: float

    @property
    def manner(self) -> SemanticSpec:
        """How the block's layers are put together; of a codec's spec only norm and dropout are meant."""
        return SemanticSpec(norm="pre", dropout=self.dropout)


class PluggedSpec:
    """A codec plugged in around the semantic layers of another, whose layers it makes itself.

    The dataclass of a kind has the fields named in `MAKING`, and `plugged`, the shape of the codec around. What it says
    of that codec's sides is all that is not the same for every kind.
    """

    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {"around": ("plugged",)}
    shows: ClassVar[frozenset[Part]] = frozenset({"sent", "received", "heard", "logits"})
    learns: ClassVar[bool] = True
    fits_into: ClassVar[tuple[str, ...]]
    """The kinds of codecs that it may be plugged into."""

    family: Family
    layers: tuple[int, ...]
    width: int
    depth: int
    heads: int
    feedforward: int
    skip: bool
    project: bool
    own_projections: bool | None
    dropout: float

    @property
    @abstractmethod
    def around(self) -> Spec:
        """The shape of the codec around."""

    @abstractmethod
    def makes(self, name: Side) -> bool:
        """Whether the layers of this side are made here; else they are those of the codec around."""

    @abstractmethod
    def around_side(self, name: Side) -> SideSpec:
        """The Transformer of the codec around whose layers are made."""

    def check_making(self) -> None:
        """Refuse fields that mean nothing.

        Raises:
            ValueError: with what to change.
        """
        _ = self.inside  # its limits are those of a side
        if self.family not in ("generated", "heads"):
            raise ValueError(f"family must be 'generated' or 'heads', got {self.family!r}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        if not self.project and self.family == "heads":
            raise ValueError("project must be true in family heads, got false: its heads are projections; leave it out")
        if self.own_projections and (self.family == "heads" or not self.project):
            raise ValueError(
                "own_projections must be of family generated with project: true, got "
                f"family {self.family}, project {str(self.project).lower()}; leave it out"
            )
        if self.layers and (min(self.layers) < 1 or list(self.layers) != sorted(set(self.layers))):
            raise ValueError(f"layers must rise from 1 on, got {list(self.layers)}; leave the key out for all")

    def check_fit(self) -> None:
        """Refuse to be plugged into this codec around; apart from the values, which hold whatever it is.

        Raises:
            ValueError: with what to change.
        """
        for name in filter(self.makes, SIDES):
            self._check_side(self.around_side(name), name)

    def _check_side(self, side: SideSpec, name: str) -> None:
        if self.layers and self.layers[-1] != side.layers:
            raise ValueError(
                f"layers must end with {side.layers}, the last of the {name} that it is plugged into, which drives the "
                f"rest, got {list(self.layers)}; leave the key out for all"
            )
        if not self.project and self.width != side.width:
            raise ValueError(
                f"width must be {side.width}, that of the {name} it is plugged into, where project is false, got "
                f"{self.width}; set width: {side.width} or project: true"
            )

    @property
    def inside(self) -> SideSpec:
        """The block, in the numbers that Transformer layers are made of."""
        return SideSpec(width=self.width, layers=self.depth, heads=self.heads, feedforward=self.feedforward)

    def wanted(self, stack: Stack) -> tuple[int, ...]:
        """Numbers, from 1 on, of the teacher's layers that a trace of this codec shows."""
        name: Side = "transmitter" if stack == "sent" else "receiver"
        everything = tuple(range(1, len(self.around.widths_of(stack)) + 1))
        return (self.layers or everything) if self.makes(name) else everything

    def generator(self, name: Side) -> GeneratorSpec:
        """The shape of what makes the layers of this side."""
        side = self.around_side(name)
        wanted = self.layers or tuple(range(1, side.layers + 1))
        return GeneratorSpec(
            family=self.family,
            places=side.width,
            wanted=wanted,
            inside=self.inside,
            skip=self.skip,
            project=self.project,
            own_projections=bool(self.own_projections),
            dropout=self.dropout,
        )

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols on the air for each unit, as the codec around sends them."""
        return self.around.symbols_per_unit

    def told_making(self, made: str) -> str:
        """Which layers are made by what, and what it is plugged into.

        Args:
            made: whose layers, in words.
        """
        options = [name for name in ("skip", "project") if not getattr(self, name)]
        own = ", a projection for each" if self.own_projections else ""
        without = f" without {' and '.join(options)}" if options else ""
        some = f" {', '.join(map(str, self.layers))}" if self.layers else ""
        how = "generated" if self.family == "generated" else "from heads"
        return f"{made}{some} {how} by {self.depth}x{self.width}{without}{own}, in {self.around.told}"

    def multiply_adds_of_making(self, name: Side) -> float:
        """Of making the layers of a side at one place, without what attention adds."""
        count = len(self.generator(name).wanted)
        passes = count if self.family == "generated" else 1
        layer = 4 * self.width**2 + 2 * self.width * self.feedforward
        return passes * self.depth * layer + (passes + count) * self.around_side(name).width * self.width

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the layers that a trace shows: those of the codec around, whose coordinates they are in."""
        widths = self.around.widths_of(stack)
        return tuple(widths[number - 1] for number in self.wanted(stack))

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """None: all its layers have the places of the message."""
        return ()

    def side(self, name: Side) -> object:
        """A side whose layers it does not make is the side of the codec around."""
        return (self, name) if self.makes(name) else self.around.side(name)


SIDES: tuple[Side, ...] = ("transmitter", "receiver")
