"""GenerativeSpec: the shape of a codec whose semantic layers are generated in the coordinates of a teacher's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from semcom.metrics.metric import Scored
from semcom.models.semantic_spec import USUAL_VOCABULARY, SemanticSpec, SideSpec, symmetric
from semcom.models.spec import Adopted, Carries, Part, Shape, Side, Stack

Family = Literal["generated", "heads"]
Generates = Literal["encoder", "decoder", "both"]


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
        dropout: share of features dropped in training.
    """

    family: Family
    places: int
    wanted: tuple[int, ...]
    inside: SideSpec
    skip: bool
    project: bool
    dropout: float

    @property
    def manner(self) -> SemanticSpec:
        """How the block's layers are put together; of a codec's spec only norm and dropout are meant."""
        return SemanticSpec(norm="pre", dropout=self.dropout)


@dataclass(frozen=True)
class GenerativeSpec:
    """A codec plugged in around the semantic layers of another: small networks make those layers instead.

    Embedding, channel encoder, channel decoder and output layer are those of the codec that it is plugged into
    (`adopt: {around: NAME}`), frozen, and so is a side whose layers it does not make. What it makes are that codec's
    layers, in their own coordinates, and the last of them drives what follows.

    The family `generated` makes one layer after another: one block, on a grid of layers by places in the sentence, sees
    every place of the layers so far. The family `heads` is the baseline that generates nothing: a small Transformer,
    and a head for every layer.

    Args:
        family: `generated` or `heads`.
        generates: whose layers are made: the semantic encoder's, the semantic decoder's, or those of both.
        layers: numbers of the layers that are made, from 1 on; the last one must be among them. Without the key all.
        width: features of the block; even, at most 4096.
        depth: Transformer layers of the block, from 1 to 64; the same ones make every layer.
        heads: attention heads of the block; must divide its width.
        feedforward: hidden units of the block's feed-forward part, at most 16384.
        skip: whether what is made is added to the layer before it; in the family `heads` to what enters the first.
        project: whether a linear layer leads from the block to each layer, as heads do; else both must be equally wide.
        dropout: share of features dropped in training.

    Source: our reconstruction of GenDistiller, Gao et al., arXiv 2310.13418, 2023, and arXiv 2406.09444, 2024, of whose
    text we had abstracts and summaries; the heads after Chang, Yang and Lee, DistilHuBERT, ICASSP 2022.
    """

    kind: ClassVar[str] = "generative"
    network: ClassVar[str] = "semcom.models.generative:GenerativeCodec"
    carries: ClassVar[Carries] = "sentences"
    says: ClassVar[Scored] = "sentences"
    may_differ: ClassVar[frozenset[str]] = frozenset(
        {"family", "generates", "layers", "width", "depth", "heads", "feedforward", "skip", "project", "dropout"}
    )
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {"around": ("plugged",)}
    shows: ClassVar[frozenset[Part]] = frozenset({"sent", "received", "heard", "logits"})
    learns: ClassVar[bool] = True

    plugged: SemanticSpec = symmetric(128, 4, heads=8)
    family: Family = "generated"
    generates: Generates = "both"
    layers: tuple[int, ...] = ()
    width: int = 64
    depth: int = 1
    heads: int = 4
    feedforward: int = 256
    skip: bool = True
    project: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _ = self.inside  # its limits are those of a side
        if self.family not in ("generated", "heads"):
            raise ValueError(f"family must be 'generated' or 'heads', got {self.family!r}")
        if self.generates not in ("encoder", "decoder", "both"):
            raise ValueError(f"generates must be 'encoder', 'decoder' or 'both', got {self.generates!r}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        if not self.project and self.family == "heads":
            raise ValueError("project must be true in family heads, got false: its heads are projections; leave it out")
        if self.layers and (min(self.layers) < 1 or list(self.layers) != sorted(set(self.layers))):
            raise ValueError(f"layers must rise from 1 on, got {list(self.layers)}; leave the key out for all")

    def check_fit(self) -> None:
        """Refuse to be plugged into this codec around; apart from the values, which hold whatever it is.

        Raises:
            ValueError: with what to change.
        """
        if self.makes("receiver") and self.plugged.decoding != "parallel":
            raise ValueError(
                "generates must be encoder where the codec around decodes its tokens one after another, got "
                f"{self.generates}: its layers are not there all at once; set generates: encoder"
            )
        sides: tuple[Side, ...] = ("transmitter", "receiver")
        for name in filter(self.makes, sides):
            self._check_side(getattr(self.plugged, name), name)

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

    def makes(self, name: Side) -> bool:
        """Whether the layers of this side are made here; else they are those of the codec around."""
        return self.generates in ("both", "encoder" if name == "transmitter" else "decoder")

    def wanted(self, stack: Stack) -> tuple[int, ...]:
        """Numbers, from 1 on, of the teacher's layers that a trace of this codec shows."""
        name: Side = "transmitter" if stack == "sent" else "receiver"
        everything = tuple(range(1, getattr(self.plugged, name).layers + 1))
        return (self.layers or everything) if self.makes(name) else everything

    def generator(self, name: Side) -> GeneratorSpec:
        """The shape of what makes the layers of this side."""
        side: SideSpec = getattr(self.plugged, name)
        wanted = self.layers or tuple(range(1, side.layers + 1))
        return GeneratorSpec(self.family, side.width, wanted, self.inside, self.skip, self.project, self.dropout)

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols on the air for each token."""
        return self.plugged.symbols_per_token

    @property
    def decoding(self) -> str:
        """As the codec around decodes."""
        return self.plugged.decoding

    @property
    def told(self) -> str:
        """Which layers are made by what, and what it is plugged into."""
        options = [name for name in ("skip", "project") if not getattr(self, name)]
        without = f" without {' and '.join(options)}" if options else ""
        some = f" {', '.join(map(str, self.layers))}" if self.layers else ""
        made = {"encoder": "encoder layers", "decoder": "decoder layers", "both": "layers"}[self.generates]
        how = "generated" if self.family == "generated" else "from heads"
        return f"{made}{some} {how} by {self.depth}x{self.width}{without}, in {self.plugged.told}"

    @property
    def rough_multiply_adds(self) -> float:
        """Of one token, with a vocabulary of usual size."""
        return _rough(self)

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the layers that a trace shows: those of the codec around, whose coordinates they are in."""
        side = self.plugged.transmitter if stack == "sent" else self.plugged.receiver
        return (side.width,) * len(self.wanted(stack))

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """None: all its layers have the places of the sentence."""
        return ()

    def side(self, name: Side) -> object:
        """A side whose layers it does not make is the side of the codec around."""
        return (self, name) if self.makes(name) else self.plugged.side(name)


def _rough(spec: GenerativeSpec) -> float:
    total = float(spec.plugged.receiver.width * USUAL_VOCABULARY)
    layer = 4 * spec.width**2 + 2 * spec.width * spec.feedforward
    sides: tuple[Side, ...] = ("transmitter", "receiver")
    for name in sides:
        side: SideSpec = getattr(spec.plugged, name)
        total += 2 * side.width * side.channel_hidden
        if not spec.makes(name):
            total += side.layers * (4 * side.width**2 + 2 * side.width * side.feedforward)
            continue
        count = len(spec.generator(name).wanted)
        passes = count if spec.family == "generated" else 1
        total += passes * spec.depth * layer + (passes + count) * side.width * spec.width
    return total


GENERATIVE_SIZES: dict[str, GenerativeSpec] = {
    "generated": GenerativeSpec(),
    "layer_heads": GenerativeSpec(family="heads", depth=2),
}
