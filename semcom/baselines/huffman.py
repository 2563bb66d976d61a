"""Huffman: prefix codes from counts, and bits back to symbols."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

Bits = str
"""Bits as text of 0 and 1, the first one first."""


class Huffman:
    """The canonical prefix code of least mean length for symbols 0, 1, 2, .. that occur so often.

    Source: Huffman, A method for the construction of minimum-redundancy codes, Proceedings of the IRE 40(9), 1952;
    canonical form: Schwartz and Kallick, Generating a canonical prefix encoding, Communications of the ACM 7(3), 1964.

    Args:
        counts: how often each symbol occurs, at least 1 each.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self.words = _canonical(_lengths(counts))
        self._symbols = {word: symbol for symbol, word in enumerate(self.words)}

    def read(self, bits: Bits) -> Iterator[tuple[int, int]]:
        """The symbols of bits one after another, each with where it ends; what is left at the end is no symbol."""
        first = 0
        for last in range(1, len(bits) + 1):
            symbol = self._symbols.get(bits[first:last])
            if symbol is not None:
                yield symbol, last
                first = last


def _lengths(counts: Sequence[int]) -> list[int]:
    """Bits of each symbol's word."""
    if min(counts) < 1:
        raise ValueError(f"counts must be at least 1, got {min(counts)}; a symbol without one has no word")
    if len(counts) == 1:
        return [1]
    parents = [0] * (2 * len(counts) - 1)
    heap = [(count, symbol) for symbol, count in enumerate(counts)]
    heapq.heapify(heap)
    for node in range(len(counts), len(parents)):
        (one, left), (other, right) = heapq.heappop(heap), heapq.heappop(heap)
        parents[left] = parents[right] = node
        heapq.heappush(heap, (one + other, node))
    depths = [0] * len(parents)
    for node in range(len(parents) - 2, -1, -1):
        depths[node] = depths[parents[node]] + 1
    return depths[: len(counts)]


def _canonical(lengths: Sequence[int]) -> list[Bits]:
    """Words in the order of their lengths, counted up."""
    words = [""] * len(lengths)
    number, before = 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths)):
        number <<= length - before
        words[symbol] = format(number, f"0{length}b")
        number, before = number + 1, length
    return words
