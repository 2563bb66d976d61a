"""SeparateSpec: the shape of separate source and channel coding, the classical rival of every learned codec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from semcom.metrics.metric import Scored
from semcom.models.spec import MOST_SYMBOLS, Adopted, Carries, Part, Shape, Side, Stack

SourceKind = Literal["tokens", "characters", "huffman_characters", "huffman_words", "compressor", "arithmetic"]
Modulation = Literal["fit", "qpsk", "qam16", "qam64", "qam256"]

BITS_OF: Mapping[Modulation, int] = {"qpsk": 2, "qam16": 4, "qam64": 6, "qam256": 8}
"""Coded bits of one symbol."""

TABLE_BYTES: Mapping[SourceKind, int] = {
    "tokens": 0,
    "characters": 2048,
    "huffman_characters": 2048,
    "huffman_words": 262_144,
    "compressor": 32_768,
    "arithmetic": 0,
}
"""What both sides of a source code hold of the training text [bytes]."""

CRC_BITS = (0, 6, 11, 16, 24)
MOST_ITERATIONS = 200
EDGES_A_BIT = 5  # of the graphs of 5G, about, at the rates that sentences are sent at
EDGE_COST = 2000  # multiply-adds that take as long as one message along one edge does, for a plan


@dataclass(frozen=True)
class SeparateSpec:
    """Text to bits, bits to protected bits, those to symbols, and back: source code, channel code and modulation apart.

    A sentence is one block, which takes exactly the symbols that the codecs beside it have for as many tokens. The
    receiver is told how many tokens a sentence has, as theirs is, and how many bits its block, as a control channel
    tells it; neither costs symbols.

    Args:
        symbols_per_token: complex symbols for each token, the bandwidth, at most 1024 [symbols].
        source: how a sentence becomes bits: `tokens` numbers of equal length, `characters` numbers of equal length,
            `huffman_characters`, `huffman_words`, a general `compressor` with a dictionary, all of them from the
            training text; or `arithmetic` coding under the codec's `language`.
        code: how bits are protected: `ldpc`, the data channel's code of 5G, or `none`, repeated as often as they fit.
        modulation: `fit` takes the lowest order at which the code's rate is at most 2/3, or the bits fit at all without
            a code.
        crc: bits of the checksum by which the receiver knows a failed block: 0, 6, 11, 16 or 24 of 5G [bits]. With 0 it
            believes the code's own parity checks, and without a code everything.
        on_failure: what a failed block gives: `drop` nothing, `keep` whatever its bits say.
        iterations: of the decoder of `ldpc` at most; a block that passes its check is done earlier.
    """

    kind: ClassVar[str] = "separate"
    network: ClassVar[str] = "semcom.baselines.separate:Separate"
    carries: ClassVar[Carries] = "sentences"
    says: ClassVar[Scored] = "sentences"
    may_differ: ClassVar[frozenset[str]] = frozenset(
        {"symbols_per_token", "source", "code", "modulation", "crc", "on_failure", "iterations"}
    )
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = {}
    shows: ClassVar[frozenset[Part]] = frozenset()

    symbols_per_token: int = 8
    source: SourceKind = "tokens"
    code: Literal["ldpc", "none"] = "ldpc"
    modulation: Modulation = "fit"
    crc: int = 16
    on_failure: Literal["drop", "keep"] = "drop"
    iterations: int = 20

    def __post_init__(self) -> None:
        ranges = (
            ("symbols_per_token", self.symbols_per_token, MOST_SYMBOLS),
            ("iterations", self.iterations, MOST_ITERATIONS),
        )
        for name, value, most in ranges:
            if not 1 <= value <= most:
                raise ValueError(f"{name} must be from 1 to {most}, got {value}")
        if self.crc not in CRC_BITS:
            known = ", ".join(map(str, CRC_BITS))
            raise ValueError(f"crc must be one of {known} bits, got {self.crc}; 5G protects short blocks with 16")

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols on the air for each token."""
        return self.symbols_per_token

    @property
    def dropout(self) -> float:
        """None."""
        return 0.0

    @property
    def learns(self) -> bool:
        """Nothing is trained; tables of the training text are counted."""
        return False

    @property
    def table_bytes(self) -> int:
        """Room for what both sides hold of the training text [bytes]."""
        return TABLE_BYTES[self.source]

    @property
    def told(self) -> str:
        """The three parts, and the bandwidth."""
        source = self.source.replace("_", " ")
        code = "uncoded" if self.code == "none" else "5G LDPC"
        modulation = "QAM that fits" if self.modulation == "fit" else self.modulation.upper()
        return f"separate coding: {source}, {code}, {modulation}, {self.symbols_per_token} symbols a token"

    @property
    def decoder_messages(self) -> int:
        """Of one token: what the channel decoder computes at least, in messages along edges; bits without a code."""
        bits = 2 * self.symbols_per_token
        return bits if self.code == "none" else bits * EDGES_A_BIT * self.iterations

    @property
    def rough_multiply_adds(self) -> float:
        """Of one token, by what its decoder takes of time."""
        return float(EDGE_COST * self.decoder_messages)

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """It has no layers."""
        return ()

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """None."""
        return ()

    def side(self, name: Side) -> object:
        """Both sides hold the same tables."""
        return self


def counts_with_language(spec: object) -> bool:
    """Whether both sides of a codec count with a language, which then is a part of it."""
    return isinstance(spec, SeparateSpec) and spec.source == "arithmetic"


SEPARATE_SIZES: dict[str, SeparateSpec] = {"separate": SeparateSpec()}
