"""Sources: sentences in token numbers to bits and back, with whatever both sides hold of the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from semcom.baselines.arithmetic import Arithmetic
from semcom.baselines.huffman import Bits
from semcom.baselines.separate_spec import SeparateSpec
from semcom.baselines.text_codes import CODES, TextCode
from semcom.languages.language import Language
from semcom.sources.tokenizer import Tokenizer


class Source(Protocol):
    """Sentences to bits and back; both sides know how many tokens each has."""

    def pack(self, sentences: Sequence[Sequence[int]]) -> list[Bits]:
        """The bits of each sentence."""

    def unpack(self, packed: Sequence[Bits], lengths: Sequence[int]) -> list[list[int]]:
        """The sentences of bits, behind which others may stand; of wrong bits whatever they say."""


class Tokens:
    """Equally many bits for every token number."""

    def __init__(self, outputs: int) -> None:
        self._outputs = outputs
        self._width = max(1, (outputs - 1).bit_length())

    def pack(self, sentences: Sequence[Sequence[int]]) -> list[Bits]:
        """See `Source.pack`."""
        return ["".join(format(token, f"0{self._width}b") for token in sentence) for sentence in sentences]

    def unpack(self, packed: Sequence[Bits], lengths: Sequence[int]) -> list[list[int]]:
        """See `Source.unpack`; a number that no token has is read as the last one."""
        width, last = self._width, self._outputs - 1
        return [
            [min(int(bits[first : first + width] or "0", 2), last) for first in range(0, width * length, width)]
            for bits, length in zip(packed, lengths, strict=True)
        ]


class Texts:
    """A code of texts, for which tokens are turned into text and back."""

    def __init__(self, code: TextCode, tokenizer: Tokenizer) -> None:
        self._code, self._tokenizer = code, tokenizer

    def pack(self, sentences: Sequence[Sequence[int]]) -> list[Bits]:
        """See `Source.pack`."""
        return [self._code.pack(text) for text in self._tokenizer.decode(sentences)]

    def unpack(self, packed: Sequence[Bits], lengths: Sequence[int]) -> list[list[int]]:
        """See `Source.unpack`; a wrong text may come out longer or shorter than the sentence was."""
        return self._tokenizer.encode([self._code.unpack(bits) for bits in packed])


def source_of(
    spec: SeparateSpec, outputs: int, table: bytes, *, tokenizer: Tokenizer | None, language: Language | None
) -> Source:
    """The source code of a shape.

    Args:
        outputs: how many token numbers there are.
        table: what it took from the training text.
        tokenizer: for codes of texts.
        language: for arithmetic coding.
    """
    if spec.source == "tokens":
        return Tokens(outputs)
    if spec.source == "arithmetic":
        if language is None:
            raise ValueError("arithmetic coding needs a language, got None; equip the codec with one")
        return Arithmetic(language)
    if tokenizer is None:
        raise ValueError(f"a source of kind {spec.source} needs a tokenizer, got None; equip the codec with one")
    return Texts(CODES[spec.source](table), tokenizer)
