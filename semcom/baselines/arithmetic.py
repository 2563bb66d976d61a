"""Arithmetic coding: token numbers to the shortest bits under a language, and back, in whole numbers throughout."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semcom.baselines.huffman import Bits
from semcom.languages.language import BOUNDARY, Language
from semcom.languages.ngram import NGram
from semcom.sources.tokenizer import PAD

PRECISION = 32
"""Bits of a frequency: a token of probability p has about p 2^32 of them, and at least one."""

Ends = NDArray[np.int64]
"""Of every token the frequencies up to it and with it [vocabulary]."""


class Arithmetic:
    """Sentences of known length as one number each, which needs hardly more bits than the language is surprised by.

    The number is an exact fraction: no rounding, no carry. Both sides ask the language in the same steps, so that they
    hold the same frequencies to the last bit: counts in any company, and languages whose arithmetic may depend on how
    many are asked together one sentence at a time.

    Source: Rissanen, Generalized Kraft inequality and arithmetic coding, IBM Journal of Research and Development 20(3),
    1976; Witten, Neal and Cleary, Arithmetic coding for data compression, Communications of the ACM 30(6), 1987.
    """

    def __init__(self, language: Language) -> None:
        self._language = language
        self._together = isinstance(language, NGram)

    def pack(self, sentences: Sequence[Sequence[int]]) -> list[Bits]:
        """The bits of each sentence; none is empty."""
        spans = [_Span(len(sentence)) for sentence in sentences]

        def tell(row: int, place: int, ends: Ends) -> int:
            token = int(sentences[row][place])
            spans[row].narrow(ends, token)
            return token

        self._walk([len(sentence) for sentence in sentences], tell)
        return [span.shortest() for span in spans]

    def unpack(self, packed: Sequence[Bits], lengths: Sequence[int]) -> list[list[int]]:
        """The sentences of bits, behind which zeros may stand; of wrong bits whatever they say."""
        spans = [_Span(length) for length in lengths]
        values = [span.value(bits) for span, bits in zip(spans, packed, strict=True)]
        found: list[list[int]] = [[] for _ in lengths]

        def tell(row: int, place: int, ends: Ends) -> int:
            aim = min(spans[row].aim(values[row]), int(ends[-1]) - 1)
            token = int(np.searchsorted(ends, aim, side="right"))
            spans[row].narrow(ends, token)
            found[row].append(token)
            return token

        self._walk(lengths, tell)
        return found

    def _walk(self, lengths: Sequence[int], tell: Callable[[int, int, Ends], int]) -> None:
        """Go through sentences token after token.

        Args:
            tell: given sentence, place and the frequencies there, says which token stands there.
        """
        rows = list(range(len(lengths)))
        for some in [rows] if self._together else [[row] for row in rows]:
            state, left = self._language.begin(len(some)), some
            for place in range(max((lengths[row] for row in some), default=0)):
                # Sentences that are over leave.
                parents = [index for index, row in enumerate(left) if place < lengths[row]]
                scores = self._language.scores(state)
                tokens = [tell(left[index], place, frequencies(scores[index])) for index in parents]
                left = [left[index] for index in parents]
                state = self._language.extend(state, torch.tensor(parents), torch.tensor(tokens))


def frequencies(log_p: Tensor) -> Ends:
    """Running sums of whole frequencies, from log-probabilities of all tokens [vocabulary].

    Padding and the end of a sentence, which never stand in one, have what rounding up leaves them.
    """
    p = np.exp(log_p.double().cpu().numpy())
    p[[PAD, BOUNDARY]] = 0.0
    room = (1 << PRECISION) - len(p)
    ends: Ends = (1 + np.floor(p * (room / p.sum())).astype(np.int64)).cumsum()
    return ends


class _Span:
    """A part of the numbers from 0 to 1, narrowed token after token; its ends are multiples of 2^-scale."""

    def __init__(self, tokens: int) -> None:
        self.scale = PRECISION * tokens
        self.low, self.width = 0, 1 << self.scale

    def narrow(self, ends: Ends, token: int) -> None:
        """Keep the part of a token."""
        first, last = int(ends[token - 1]) if token else 0, int(ends[token])
        self.width >>= PRECISION
        self.low += self.width * first
        self.width *= last - first

    def aim(self, value: int) -> int:
        """Which frequency a number falls on."""
        return (value - self.low) // (self.width >> PRECISION)

    def shortest(self) -> Bits:
        """The fewest bits whose number, with zeros behind, is in it."""
        shift = self.width.bit_length() - 1
        while shift < self.scale and self._first(shift + 1) << (shift + 1) < self.low + self.width:
            shift += 1
        bits = self.scale - shift
        return format(self._first(shift), f"0{bits}b") if bits else ""

    def _first(self, shift: int) -> int:
        """The least multiple of 2^shift that is not below it, in these."""
        return -(-self.low >> shift)

    def value(self, bits: Bits) -> int:
        """The number that bits stand for."""
        kept = bits[: self.scale]
        return int(kept or "0", 2) << (self.scale - len(kept))
