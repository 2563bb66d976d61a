"""Counting: how often each n-gram of a text occurs, and after how many different tokens, as sorted packed numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semcom.languages.language import BOUNDARY
from semcom.mistakes import UserMistake
from semcom.sources.sentences import Progress
from semcom.sources.tokenizer import PAD

Keys = NDArray[np.int64]
# Sentences in a row, BOUNDARY before and behind each.
Piece = NDArray[np.uint16] | NDArray[np.uint32]

# A key and its sign must fit into 64 bits.
KEY_BITS = 63
_SENTENCES_AT_ONCE = 20_000
# Windows that are sorted together: they take eight bytes each, and about as much again while they are counted.
_WINDOWS_AT_ONCE = 1 << 24


@dataclass(frozen=True, eq=False)
class Level:
    """The n-grams of one length.

    Args:
        keys: the n-grams as numbers, the last token lowest, rising [n-grams].
        counts: at the highest order how often each occurs; below, after how many different tokens it occurs. In front
            of an n-gram that begins with BOUNDARY nothing ever stands, so it keeps its plain count [n-grams].
    """

    keys: Keys
    counts: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Counts:
    """All n-grams of a text up to one length; none reaches from a sentence into the next.

    Args:
        levels: those of one token, of two, and so on.
        outputs: the vocabulary [tokens].
        sentences: how many were counted.
        tokens: how many these held, without BOUNDARY.
    """

    levels: tuple[Level, ...]
    outputs: int
    sentences: int
    tokens: int


def bits_of(outputs: int, order: int) -> int:
    """Bits that a token takes in a key.

    Raises:
        UserMistake: n-grams of this order do not fit into a key.
    """
    bits = max(outputs - 1, BOUNDARY).bit_length()
    if order * bits > KEY_BITS:
        raise UserMistake(
            f"order must be at most {KEY_BITS // bits} with a vocabulary of {outputs:,} tokens (each takes {bits} of "
            f"{KEY_BITS} bits), got {order}; take a lower order or a smaller vocabulary"
        )
    return bits


def lowest(tokens: int, bits: int) -> int:
    """The part of a key that holds its last tokens, as a mask."""
    return (1 << tokens * bits) - 1


def count_ngrams(
    sentences: Iterable[Sequence[int]], outputs: int, order: int, progress: Progress | None = None
) -> Counts:
    """Count the n-grams of encoded sentences, with one BOUNDARY before and one behind each.

    The sentences may stream: of each, two bytes a token stay until all are counted (four where the vocabulary has more
    than 65,536 tokens). Empty sentences are passed over.

    Args:
        sentences: token numbers, without PAD and BOUNDARY.
        outputs: the vocabulary [tokens].
        order: length of the longest n-grams [tokens].

    Raises:
        UserMistake: n-grams of this order do not fit into 63 bits, or there is no sentence.
        ValueError: a token number that cannot be in a sentence.
    """
    bits = bits_of(outputs, order)
    text = list(_pieces(sentences, outputs, progress))
    ends = sum(int(np.count_nonzero(piece == BOUNDARY)) for piece in text) // 2
    if not ends:
        raise UserMistake("a language must be counted from at least one sentence, got none; give it the training split")
    level = _highest(text, order, bits, progress)
    levels = [_whole(level, order, bits)]
    for length in range(order, 1, -1):
        level = _shortened(level, length, bits)
        levels.append(_whole(level, length - 1, bits))
    return Counts(tuple(reversed(levels)), outputs, ends, sum(map(len, text)) - 2 * ends)


def _pieces(sentences: Iterable[Sequence[int]], outputs: int, progress: Progress | None) -> Iterator[Piece]:
    """The text, some thousand sentences at a time."""
    total = len(sentences) if isinstance(sentences, Sized) else 0
    kind = "H" if outputs <= 1 << 16 else "I"
    row, held, done = array(kind), 0, 0
    for done, sentence in enumerate(sentences, 1):
        if len(sentence):
            held += 1
            row.append(BOUNDARY)
            try:
                row.extend(sentence)
            except OverflowError:
                raise _strange(f"{min(sentence)} to {max(sentence)}", outputs) from None
            row.append(BOUNDARY)
        if held == _SENTENCES_AT_ONCE:
            yield _checked(row, held, outputs)
            row, held = array(kind), 0
            if progress:
                progress("reading sentences", done, total)
    yield _checked(row, held, outputs)
    if progress:
        progress("reading sentences", done, total)


def _checked(row: array[int], held: int, outputs: int) -> Piece:
    tokens: Piece = np.frombuffer(row, dtype=row.typecode)
    strange = tokens[(tokens == PAD) | (tokens >= outputs)]
    if len(strange):
        raise _strange(str(strange[0]), outputs)
    if np.count_nonzero(tokens == BOUNDARY) != 2 * held:
        raise _strange(str(BOUNDARY), outputs)
    return tokens


def _strange(got: str, outputs: int) -> ValueError:
    return ValueError(
        f"a token of a sentence must be at least {BOUNDARY + 1} and less than {outputs}, got {got}; sentences hold "
        "neither PAD nor BOUNDARY"
    )


def _windows(piece: Piece, order: int, bits: int) -> Keys:
    """The last `order` tokens at every place behind the first BOUNDARY of a sentence, PADs before short ones."""
    tokens = piece.astype(np.int64)
    starts = np.flatnonzero(piece == BOUNDARY)[::2]
    keys = tokens.copy()
    for _ in range(order - 1):
        keys[1:] = keys[:-1] << bits | tokens[1:]
        # Nothing reaches back across the beginning of a sentence.
        keys[starts] = BOUNDARY
    return np.delete(keys, starts)


def _highest(text: Sequence[Piece], order: int, bits: int, progress: Progress | None) -> Level:
    """How often each window occurs: a range of keys at a time, so that memory is bounded."""
    parts = -(-sum(map(len, text)) // _WINDOWS_AT_ONCE)
    # Equal keys always meet in one part. How equal the parts are is a matter of memory alone, so a sample tells.
    sample = np.sort(np.concatenate([_windows(piece, order, bits)[::101] for piece in text])) if parts > 1 else ()
    cuts = [-1, *(int(sample[len(sample) * part // parts]) for part in range(1, parts)), (1 << KEY_BITS) - 1]
    levels = []
    for part, (above, last) in enumerate(pairwise(cuts)):
        if progress:
            progress("counting n-grams", part, parts)
        windows = (_windows(piece, order, bits) for piece in text)
        levels.append(_counted(np.concatenate([keys[(keys > above) & (keys <= last)] for keys in windows])))
    if progress:
        progress("counting n-grams", parts, parts)
    return _joined(levels)


def _counted(keys: Keys) -> Level:
    """Each of the keys once, and how often it was there; sorts them where they are."""
    keys.sort()
    firsts = np.flatnonzero(np.diff(keys, prepend=-1))
    return Level(keys[firsts], np.diff(firsts, append=len(keys)).astype(np.int32))


def _joined(levels: Sequence[Level]) -> Level:
    return Level(np.concatenate([each.keys for each in levels]), np.concatenate([each.counts for each in levels]))


def _shortened(level: Level, length: int, bits: int) -> Level:
    """All windows one token shorter: counted are the different tokens that stood before them."""
    padded = np.searchsorted(level.keys, 1 << bits * (length - 1))
    # A window with a PAD in front stands at the beginning of a sentence, and loses no more than the PAD. Those that are
    # left begin with BOUNDARY or a PAD, so they stay in front of all others.
    beginnings = Level(level.keys[:padded], level.counts[:padded])
    return _joined([beginnings, _counted(level.keys[padded:] & lowest(length - 1, bits))])


def _whole(level: Level, length: int, bits: int) -> Level:
    """Those without PADs."""
    padded = np.searchsorted(level.keys, 1 << bits * (length - 1))
    return Level(level.keys[padded:], level.counts[padded:])
