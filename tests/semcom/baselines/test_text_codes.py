"""Codes of texts: every text comes back, whatever stands behind its bits, and wrong bits are read without an error."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.baselines.huffman import Huffman
from semcom.baselines.separate_spec import TABLE_BYTES
from semcom.baselines.text_codes import CODES, TextCode, table_of

# What the Unicode standard calls a text: surrogates are halves of letters in another encoding.
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
BITS = st.text("01", max_size=200)


@pytest.fixture(scope="module")
def codes(made_up) -> dict[str, dict[str, TextCode]]:
    """Of each kind one that has learned, and one that has not."""
    sentences = made_up(300)
    return {
        kind: {"taught": code(table_of(kind, sentences, TABLE_BYTES[kind])), "untaught": code(b"")}
        for kind, code in CODES.items()
    }


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("state", ["taught", "untaught"])
@given(text=TEXTS, behind=BITS)
def test_every_text_comes_back_whatever_stands_behind_it(codes, kind, state, text, behind) -> None:
    code = codes[kind][state]
    assert code.unpack(code.pack(text) + behind) == text


@pytest.mark.parametrize("kind", CODES)
@given(bits=BITS)
def test_any_bits_are_read(codes, kind, bits) -> None:
    assert isinstance(codes[kind]["taught"].unpack(bits), str)


def test_what_was_learned_saves_bits(codes, made_up) -> None:
    new = made_up(330)[300:]

    def bits(kind: str, state: str) -> int:
        return sum(len(codes[kind][state].pack(text)) for text in new)

    assert all(bits(kind, "taught") < bits(kind, "untaught") for kind in CODES)
    taught = {kind: bits(kind, "taught") for kind in CODES}
    assert taught["huffman_words"] < taught["compressor"] < taught["huffman_characters"] < taught["characters"]


def test_a_table_has_room_for_the_most_frequent_words_alone() -> None:
    sentences = ["often often often rare", "often a\tb\nc"]
    whole, cut = (table_of("huffman_words", sentences, room) for room in (4096, 2048 + len("often\t4\n")))
    assert whole[2048:] == b"often\t4\nrare\t1\n" and cut[2048:] == b"often\t4\n"


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=60))
def test_words_are_as_short_as_can_be(counts: list[int]) -> None:
    words = Huffman(counts).words
    total = sum(counts)
    entropy = -sum(count / total * math.log2(count / total) for count in counts)
    mean = sum(count * len(word) for count, word in zip(counts, words, strict=True)) / total
    assert entropy - 1e-9 <= mean < entropy + 1
    assert sum(2.0 ** -len(word) for word in words) == 1.0
    assert not any(other.startswith(one) for one, other in pairwise(sorted(words)))


def test_symbols_are_read_one_after_another() -> None:
    code = Huffman([5, 1, 1, 3])
    said = [0, 3, 3, 1, 0, 2]
    bits = "".join(code.words[symbol] for symbol in said)
    found = list(code.read(bits))
    assert [symbol for symbol, _ in found] == said and found[-1][1] == len(bits)
    assert Counter(said)[0] == 2 and len(code.words[0]) == 1


def test_a_symbol_that_never_occurs_has_no_word() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Huffman([1, 0])
