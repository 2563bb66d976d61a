"""Text codes: sentences to bits and back, by characters, words or a general compressor, learned from training text."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from semcom.baselines.huffman import Bits, Huffman
from semcom.baselines.separate_spec import SourceKind

# Symbols of the codes of characters, behind the 256 values of a byte.
END, ESCAPE = 256, 257
COUNTS = "<256Q"
BYTES_OF_COUNTS = struct.calcsize(COUNTS)
DEFLATE_WINDOW = -15  # the largest, without zlib's header and checksum


class TextCode(Protocol):
    """Bits that say where they end: whatever stands behind them is not looked at."""

    def pack(self, text: str) -> Bits:
        """The bits of any text."""

    def unpack(self, bits: Bits) -> str:
        """The text of bits; of wrong ones whatever they say, never an error."""


class FixedCharacters:
    """Equally many bits for every character that the training text has; for others an escape and eight bits a byte.

    Characters are bytes of UTF-8.
    """

    def __init__(self, table: bytes) -> None:
        known = [value for value, count in enumerate(_counts(table)) if count]
        symbols = [*known, END, ESCAPE]
        self._width = (len(symbols) - 1).bit_length()
        self._words = {symbol: format(place, f"0{self._width}b") for place, symbol in enumerate(symbols)}
        self._symbols = dict(enumerate(symbols))

    def pack(self, text: str) -> Bits:
        """See `TextCode.pack`."""
        words, escape = self._words, self._words[ESCAPE]
        packed = [words.get(value, f"{escape}{value:08b}") for value in text.encode()]
        return "".join([*packed, words[END]])

    def unpack(self, bits: Bits) -> str:
        """See `TextCode.unpack`."""
        found, place = bytearray(), 0
        while place + self._width <= len(bits):
            symbol = self._symbols.get(int(bits[place : place + self._width], 2), END)
            place += self._width
            if symbol == END:
                break
            if symbol == ESCAPE:
                symbol = int(bits[place : place + 8] or "0", 2)
                place += 8
            found.append(symbol)
        return _text(found)


class HuffmanCharacters:
    """Fewer bits for the characters that the training text has more often. Characters are bytes of UTF-8."""

    def __init__(self, table: bytes) -> None:
        counts = _counts(table)
        # Sentences end once in a hundred characters or so.
        self._code = Huffman([*(1 + count for count in counts), 1 + sum(counts) // 100])

    def pack(self, text: str) -> Bits:
        """See `TextCode.pack`."""
        return "".join([*(self._code.words[value] for value in text.encode()), self._code.words[END]])

    def unpack(self, bits: Bits) -> str:
        """See `TextCode.unpack`."""
        return self.read(bits)[0]

    def read(self, bits: Bits) -> tuple[str, int]:
        """The text, and how many bits it takes."""
        found, place = bytearray(), 0
        for symbol, last in self._code.read(bits):
            place = last
            if symbol == END:
                break
            found.append(symbol)
        return _text(found), place


class HuffmanWords:
    """Fewer bits for the words that the training text has more often; other words by their characters.

    Words are what stands between single spaces, so that every text is words.
    """

    def __init__(self, table: bytes) -> None:
        self._characters = HuffmanCharacters(table[:BYTES_OF_COUNTS])
        lines = table[BYTES_OF_COUNTS:].rstrip(b"\0").decode().splitlines()
        parted = [line.split("\t") for line in lines]
        self._words = [word for word, _ in parted]
        counts = [int(count) for _, count in parted]
        self._end, self._other = len(self._words), len(self._words) + 1
        # A sentence has twenty words or so; one in fifty is new.
        ends, others = 1 + sum(counts) // 20, 1 + sum(counts) // 50
        self._code = Huffman([*counts, ends, others])
        self._places = {word: place for place, word in enumerate(self._words)}

    def pack(self, text: str) -> Bits:
        """See `TextCode.pack`."""
        words, places = self._code.words, self._places
        packed = [
            words[places[word]] if word in places else words[self._other] + self._characters.pack(word)
            for word in text.split(" ")
        ]
        return "".join([*packed, words[self._end]])

    def unpack(self, bits: Bits) -> str:
        """See `TextCode.unpack`."""
        found: list[str] = []
        while bits:
            for symbol, place in self._code.read(bits):
                if symbol == self._end:
                    return " ".join(found)
                if symbol == self._other:
                    word, more = self._characters.read(bits[place:])
                    found.append(word)
                    bits = bits[place + more :] if more else ""
                    break
                found.append(self._words[symbol])
            else:
                break
        return " ".join(found)


class Compressor:
    """Deflate with a dictionary that both sides hold: what a general compressor does with a short text.

    Source: Deutsch, DEFLATE compressed data format specification, RFC 1951, 1996.
    """

    def __init__(self, table: bytes) -> None:
        self._dictionary = table.rstrip(b"\0")

    def pack(self, text: str) -> Bits:
        """See `TextCode.pack`; with the fixed words of the format or with words of its own, whichever are shorter."""
        packed = min((self._packed(text.encode(), each) for each in (zlib.Z_FIXED, zlib.Z_DEFAULT_STRATEGY)), key=len)
        return "".join(f"{value:08b}" for value in packed)

    def _packed(self, text: bytes, strategy: int) -> bytes:
        how = (9, zlib.DEFLATED, DEFLATE_WINDOW, 9, strategy)
        engine = zlib.compressobj(*how, self._dictionary) if self._dictionary else zlib.compressobj(*how)
        return engine.compress(text) + engine.flush()

    def unpack(self, bits: Bits) -> str:
        """See `TextCode.unpack`; up to the first byte that makes no sense."""
        has = bool(self._dictionary)
        engine = zlib.decompressobj(DEFLATE_WINDOW, self._dictionary) if has else zlib.decompressobj(DEFLATE_WINDOW)
        found = bytearray()
        try:
            for place in range(0, len(bits) - 7, 8):
                found += engine.decompress(bytes([int(bits[place : place + 8], 2)]))
        except zlib.error:
            pass
        return _text(found)


CODES: Mapping[SourceKind, Callable[[bytes], TextCode]] = {
    "characters": FixedCharacters,
    "huffman_characters": HuffmanCharacters,
    "huffman_words": HuffmanWords,
    "compressor": Compressor,
}


def table_of(kind: SourceKind, sentences: Sequence[str], room: int) -> bytes:
    """What a text code takes from training text.

    Args:
        room: for it [bytes].
    """
    if kind == "compressor":
        return _dictionary(sentences, room)
    counts = Counter(value for sentence in sentences for value in sentence.encode())
    table = struct.pack(COUNTS, *(counts[value] for value in range(256)))
    return table + _lexicon(sentences, room - len(table)) if kind == "huffman_words" else table


def _lexicon(sentences: Sequence[str], room: int) -> bytes:
    """The most frequent words with their counts, as many as there is room for."""
    words = Counter(word for sentence in sentences for word in sentence.split(" "))
    lines = []
    for word, count in sorted(words.items(), key=lambda each: (-each[1], each[0])):
        line = f"{word}\t{count}\n".encode()
        if (room := room - len(line)) < 0:
            break
        # A word that holds the marks of this table goes by its characters.
        if len(word.splitlines()) == 1 and not set(word) & {"\t", "\0"}:
            lines.append(line)
    return b"".join(lines)


def _dictionary(sentences: Sequence[str], room: int) -> bytes:
    """The most frequent runs of words, the most frequent last, where they are cheapest to point at."""
    runs: Counter[str] = Counter()
    for sentence in sentences[:MOST_COUNTED]:
        words = sentence.split(" ")
        for length in range(1, LONGEST_RUN + 1):
            runs.update(" ".join(words[first : first + length]) for first in range(len(words) - length + 1))
    # What a run saves: its characters, less what pointing at it costs.
    worth = sorted(runs.items(), key=lambda each: (-each[1] * (len(each[0]) - POINTER), each[0]))
    kept: list[bytes] = []
    held = b""
    for run, count in worth:
        piece = run.encode() + b" "
        if count < 2 or len(held) + len(piece) > room:
            break
        if piece not in held:
            kept.append(piece)
            held += piece
    return b"".join(reversed(kept))


MOST_COUNTED = 20_000  # sentences, in order
LONGEST_RUN = 4  # words
POINTER = 2.5  # bytes


def _counts(table: bytes) -> tuple[int, ...]:
    return struct.unpack(COUNTS, table[:BYTES_OF_COUNTS].ljust(BYTES_OF_COUNTS, b"\0"))


def _text(found: bytearray) -> str:
    return found.decode(errors="replace")
