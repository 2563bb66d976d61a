"""SemanticSpec: the shape of a semantic codec, written down before any tensor exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from semcom.metrics.metric import Scored
from semcom.models.spec import MOST_SYMBOLS, Adopted, Carries, Part, Shape, Side, Stack

# Far above any codec that one machine trains, far below what would fill its memory before anybody notices.
MOST_LAYERS = 64
MOST_WIDTH = 4096
MOST_HIDDEN = 16_384
USUAL_VOCABULARY = 4000


@dataclass(frozen=True)
class SideSpec:
    """One side of the link: a Transformer, and the fully connected channel code next to the air.

    Args:
        width: features per token (d_model); even, at most 4096.
        layers: Transformer layers, from 1 to 64.
        heads: attention heads; must divide the width.
        feedforward: hidden units of each layer's feed-forward part, at most 16384.
        channel_hidden: hidden units of the fully connected channel encoder or decoder, at most 16384.
    """

    width: int = 128
    layers: int = 4
    heads: int = 8
    feedforward: int = 512
    channel_hidden: int = 256

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "feedforward", "channel_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        most = {"width": MOST_WIDTH, "layers": MOST_LAYERS, "feedforward": MOST_HIDDEN, "channel_hidden": MOST_HIDDEN}
        for name, limit in most.items():
            if getattr(self, name) > limit:
                raise ValueError(f"{name} must be at most {limit}, got {getattr(self, name)}; use a smaller one")
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, got width {self.width} and {self.heads} heads")
        if self.width % 2:
            raise ValueError(f"width must be even (positions are sine and cosine pairs), got {self.width}")


@dataclass(frozen=True)
class SemanticSpec:
    """A transmitter and a receiver that agree on how many complex symbols a token gets.

    Args:
        transmitter: semantic encoder and channel encoder.
        receiver: channel decoder and semantic decoder; may have another width and depth.
        symbols_per_token: complex symbols sent per token; the bandwidth.
        decoding: `parallel` decides all tokens at once; `autoregressive` one after another, each
            knowing those before it.
        tied: one matrix serves as the transmitter's embedding and the receiver's output layer. Needs equal
            widths; with unequal ones each side keeps its own.
        norm: layer normalization before each part (`pre`) or after its residual sum (`post`, as in DeepSC).
        dropout: share of features dropped in training.
    """

    kind: ClassVar[str] = "semantic"
    network: ClassVar[str] = "semcom.models.semantic:SemanticCodec"
    carries: ClassVar[Carries] = "sentences"
    says: ClassVar[Scored] = "sentences"
    may_differ: ClassVar[frozenset[str]] = frozenset(
        {"transmitter", "receiver", "symbols_per_token", "decoding", "tied", "norm", "dropout"}
    )
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {
        "transmitter": ("transmitter", "symbols_per_token", "norm"),
        "receiver": ("receiver", "symbols_per_token", "norm", "decoding", "tied"),
    }
    shows: ClassVar[frozenset[Part]] = frozenset({"sent", "received", "heard", "logits", "attention"})

    transmitter: SideSpec = SideSpec()
    receiver: SideSpec = SideSpec(channel_hidden=512)
    symbols_per_token: int = 8
    decoding: Literal["parallel", "autoregressive"] = "parallel"
    tied: bool = True
    norm: Literal["pre", "post"] = "pre"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.symbols_per_token <= MOST_SYMBOLS:
            raise ValueError(f"symbols_per_token must be from 1 to {MOST_SYMBOLS}, got {self.symbols_per_token}")
        if self.decoding not in ("parallel", "autoregressive"):
            raise ValueError(f"decoding must be 'parallel' or 'autoregressive', got {self.decoding!r}")
        if self.norm not in ("pre", "post"):
            raise ValueError(f"norm must be 'pre' or 'post', got {self.norm!r}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols on the air for each token."""
        return self.symbols_per_token

    @property
    def learns(self) -> bool:
        """Yes."""
        return True

    @property
    def told(self) -> str:
        """Layers by width of both sides, and the bandwidth."""
        sides = " -> ".join(f"{side.layers}x{side.width}" for side in (self.transmitter, self.receiver))
        return f"{sides}, {self.symbols_per_token} symbols a token"

    @property
    def rough_multiply_adds(self) -> float:
        """Of one token, with a vocabulary of usual size, and without what attention adds in long sentences."""
        return sum(_rough(side) for side in (self.transmitter, self.receiver)) + self.receiver.width * USUAL_VOCABULARY

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the Transformer layers of a side, first to last."""
        side = self.transmitter if stack == "sent" else self.receiver
        return (side.width,) * side.layers

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """None: all its layers have the places of the sentence."""
        return ()

    def side(self, name: Side) -> object:
        """See `Spec.side`."""
        return getattr(self, name), self.norm

    @property
    def shares_embedding(self) -> bool:
        """Whether both sides use one embedding matrix."""
        return self.tied and self.transmitter.width == self.receiver.width


def _rough(side: SideSpec) -> float:
    return side.layers * (4 * side.width**2 + 2 * side.width * side.feedforward) + 2 * side.width * side.channel_hidden


def symmetric(width: int, layers: int, *, heads: int, channel_hidden: tuple[int, int] | None = None) -> SemanticSpec:
    """A codec with like sides: feed-forward 4 x width, channel code 2 x and 4 x width unless told."""
    sending, hearing = channel_hidden or (2 * width, 4 * width)
    side = SideSpec(width=width, layers=layers, heads=heads, feedforward=4 * width, channel_hidden=sending)
    return SemanticSpec(transmitter=side, receiver=replace(side, channel_hidden=hearing))
