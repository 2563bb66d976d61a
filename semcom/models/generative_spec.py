"""GenerativeSpec: the shape of a codec whose semantic layers are generated in the coordinates of a teacher's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from semcom.metrics.metric import Scored
from semcom.models.plugged_spec import MAKING, SIDES, Family, PluggedSpec
from semcom.models.semantic_spec import USUAL_VOCABULARY, SemanticSpec, SideSpec, symmetric
from semcom.models.spec import Carries, Side

Generates = Literal["encoder", "decoder", "both"]


@dataclass(frozen=True)
class GenerativeSpec(PluggedSpec):
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
        own_projections: whether every layer has a linear layer of its own there, as in the family `heads` a head;
            without the key one leads to all.
        dropout: share of features dropped in training.

    Source: our reconstruction of GenDistiller, Gao et al., arXiv 2310.13418, 2023, and arXiv 2406.09444, 2024, of whose
    text we had abstracts and summaries; the heads after Chang, Yang and Lee, DistilHuBERT, ICASSP 2022.
    """

    kind: ClassVar[str] = "generative"
    network: ClassVar[str] = "semcom.models.generative:GenerativeCodec"
    carries: ClassVar[Carries] = "sentences"
    says: ClassVar[Scored] = "sentences"
    may_differ: ClassVar[frozenset[str]] = frozenset({*MAKING, "generates"})
    fits_into: ClassVar[tuple[str, ...]] = (SemanticSpec.kind,)

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
    own_projections: bool | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self.check_making()
        if self.generates not in ("encoder", "decoder", "both"):
            raise ValueError(f"generates must be 'encoder', 'decoder' or 'both', got {self.generates!r}")

    @property
    def around(self) -> SemanticSpec:
        """The shape of the codec around."""
        return self.plugged

    def around_side(self, name: Side) -> SideSpec:
        """A side of the codec around."""
        side: SideSpec = getattr(self.plugged, name)
        return side

    def check_fit(self) -> None:
        """See `PluggedSpec.check_fit`."""
        if self.makes("receiver") and self.plugged.decoding != "parallel":
            raise ValueError(
                "generates must be encoder where the codec around decodes its tokens one after another, got "
                f"{self.generates}: its layers are not there all at once; set generates: encoder"
            )
        super().check_fit()

    def makes(self, name: Side) -> bool:
        """Whether the layers of this side are made here; else they are those of the codec around."""
        return self.generates in ("both", "encoder" if name == "transmitter" else "decoder")

    @property
    def decoding(self) -> str:
        """As the codec around decodes."""
        return self.plugged.decoding

    @property
    def told(self) -> str:
        """Which layers are made by what, and what it is plugged into."""
        made = {"encoder": "encoder layers", "decoder": "decoder layers", "both": "layers"}[self.generates]
        return self.told_making(made)

    @property
    def rough_multiply_adds(self) -> float:
        """Of one token, with a vocabulary of usual size."""
        total = float(self.plugged.receiver.width * USUAL_VOCABULARY)
        for name in SIDES:
            side = self.around_side(name)
            total += 2 * side.width * side.channel_hidden
            if self.makes(name):
                total += self.multiply_adds_of_making(name)
            else:
                total += side.layers * (4 * side.width**2 + 2 * side.width * side.feedforward)
        return total


GENERATIVE_SIZES: dict[str, GenerativeSpec] = {
    "generated": GenerativeSpec(),
    "layer_heads": GenerativeSpec(family="heads", depth=2),
}
