"""Tokenizers: sentences to token ids and back, with byte pairs or with whole words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from semcom.files import replacing
from semcom.mistakes import UserMistake
from semcom.words import LOST_LETTER, LOST_WORD

if TYPE_CHECKING:
    import tokenizers

FORMAT = "semcom tokenizer 1"
PAD, START, UNKNOWN = 0, 1, 2
# A leading space can come out of no sentence: words are cut at white space, and bytes are spelled without it.
# Written like "<pad>" they would be found in a text that holds these very letters.
_SPECIALS = (" pad", " start", " unknown")
# A replacement character that is really in the text, as byte pairs spell its three bytes.
_TRUE_REPLACEMENT = "\u00ef\u00bf\u00bd"
_LARGEST_FILE = 100_000_000
_AT_ONCE = 10_000

Kind = Literal["byte_pairs", "words"]


class TokenizerSpec(Protocol):
    """What every kind of tokenizer promises before it has seen any text."""

    @property
    def kind(self) -> str: ...

    def train(self, sentences: Sequence[str]) -> Tokenizer:
        """Learn a vocabulary from the training sentences alone; the same sentences give the same one."""


@dataclass(frozen=True)
class BytePairs:
    """Byte-level byte-pair encoding: no text is unknown to it, and every text comes back as it was.

    Args:
        vocabulary: largest size of the vocabulary, at least 300, the three special tokens and the 256 bytes included
            [tokens]; 4,000 makes 1.17 tokens a word of parliament English.

    Source: Sennrich et al., Neural Machine Translation of Rare Words with Subword Units, ACL 2016, section 3.2.
    """

    vocabulary: int = 4000
    kind: Literal["byte_pairs"] = "byte_pairs"

    def __post_init__(self) -> None:
        if self.vocabulary < 300:
            raise UserMistake(
                f"vocabulary must be at least 300 (256 bytes, three special tokens, some pairs), got "
                f"{self.vocabulary}; 4000 is usual"
            )

    def train(self, sentences: Sequence[str]) -> Tokenizer:
        """Learn the byte pairs of the training sentences.

        Raises:
            UserMistake: when there is no sentence.
        """
        import tokenizers as hf

        _refuse_nothing(sentences)
        blank = _byte_pairs([], [])
        trainer = hf.trainers.BpeTrainer(
            vocab_size=self.vocabulary,
            show_progress=False,
            special_tokens=list(_SPECIALS),
            initial_alphabet=sorted(hf.pre_tokenizers.ByteLevel.alphabet()),
        )
        blank.train_from_iterator(sentences, trainer, length=len(sentences))
        model = json.loads(blank.to_str())["model"]
        pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
        return Tokenizer("byte_pairs", _by_id(model["vocab"]), tuple((left, right) for left, right in pairs))


@dataclass(frozen=True)
class Words:
    """One token a white-space word, as DeepSC has it; rarer words become the unknown token.

    Args:
        vocabulary: largest size of the vocabulary, the three special tokens included [tokens]; the most frequent words
            are kept, and without the key all.
        min_count: how often a word must occur in the training text to be kept.

    Source: Xie et al., Deep Learning Enabled Semantic Communication Systems, IEEE TSP 2021, section V.
    """

    vocabulary: int | None = None
    min_count: int = 1
    kind: Literal["words"] = "words"

    def __post_init__(self) -> None:
        if self.vocabulary is not None and self.vocabulary < 4:
            raise UserMistake(
                f"vocabulary must be at least 4 (three special tokens and a word), got {self.vocabulary}; "
                "leave it out to keep every word"
            )
        if self.min_count < 1:
            raise UserMistake(f"min_count must be at least 1, got {self.min_count}; 1 keeps every word")

    def train(self, sentences: Sequence[str]) -> Tokenizer:
        """Learn the words of the training sentences, the most frequent first.

        Raises:
            UserMistake: when there is no sentence.
        """
        import tokenizers as hf

        _refuse_nothing(sentences)
        blank = _words([*_SPECIALS])
        trainer = hf.trainers.WordLevelTrainer(
            vocab_size=self.vocabulary or 2**31,
            min_frequency=self.min_count,
            show_progress=False,
            special_tokens=list(_SPECIALS),
        )
        blank.train_from_iterator(sentences, trainer, length=len(sentences))
        return Tokenizer("words", _by_id(blank.get_vocab()), ())


@dataclass(frozen=True)
class Tokenizer:
    """A learned vocabulary: sentences to ids and ids to sentences.

    There is no end token: the receiver is told how long a frame is, as a header would tell it.

    Args:
        pieces: the text of every token, in the order of the ids.
        merges: byte pairs in the order in which they were learned; none for words.
    """

    kind: Kind
    pieces: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]
    _engine: tokenizers.Tokenizer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        engine = _byte_pairs(self.pieces, self.merges) if self.kind == "byte_pairs" else _words(self.pieces)
        object.__setattr__(self, "_engine", engine)

    @property
    def size(self) -> int:
        """How many ids there are, the special ones included."""
        return len(self.pieces)

    @property
    def pad(self) -> int:
        """The id behind the end of a sentence in a padded batch."""
        return PAD

    @property
    def start(self) -> int:
        """The id a decoder is given before the first token."""
        return START

    @property
    def unknown(self) -> int:
        """The id of a word that the vocabulary does not hold."""
        return UNKNOWN

    def encode(self, sentences: Sequence[str]) -> list[list[int]]:
        """The ids of each sentence, with nothing before or behind them."""
        # One int object an id rather than one a token: a large corpus takes a quarter of the memory.
        shared = list(range(self.size))
        encoded: list[list[int]] = []
        for first in range(0, len(sentences), _AT_ONCE):
            some = self._engine.encode_batch_fast(list(sentences[first : first + _AT_ONCE]), add_special_tokens=False)
            encoded.extend([shared[token] for token in each.ids] for each in some)
        return encoded

    def decode(self, batch: Iterable[Iterable[int]]) -> list[str]:
        """The sentence of each row of ids, to its end: nothing stops it but the frame.

        Pads and starts are passed over. An id that stands for no text becomes LOST_WORD, bytes that make no letter
        become LOST_LETTER: neither is in any cleaned sentence, so every metric counts it as an error; `visible` shows
        them. Rows of plain integers are meant: those of a tensor are had much faster by its tolist().
        """
        return [self._decode_one([int(token) for token in row]) for row in batch]

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON, in one move; the same vocabulary gives the same bytes."""
        facts = {"format": FORMAT, "kind": self.kind, "pieces": self.pieces, "merges": self.merges}
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(facts, indent=0) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> Tokenizer:
        """Read what `save` wrote, believing none of it.

        Raises:
            UserMistake: when the file is missing, is no tokenizer, or contradicts itself.
        """
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise ValueError(f"more than {_LARGEST_FILE:,} bytes")
            return _checked(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError) as error:
            raise UserMistake(
                f"{path} must be a tokenizer that semcom wrote, got {error}; delete it and run again to train it anew"
            ) from error

    def _decode_one(self, row: list[int]) -> str:
        # Byte pairs can only be joined within a run of real tokens, so an unknown one cuts the row.
        runs: list[list[int]] = [[]]
        for token in row:
            if UNKNOWN < token < self.size:
                runs[-1].append(token)
            elif token not in (PAD, START):
                runs.append([])
        texts = (self._joined(run) if run else "" for run in runs)
        return f" {LOST_WORD} ".join(text.strip(" ") for text in texts).strip(" ")

    def _joined(self, run: list[int]) -> str:
        """The text of real tokens."""
        text: str = self._engine.decode(run, skip_special_tokens=False)
        if self.kind == "words" or "\ufffd" not in text:
            return text
        # The first byte of a true one continues no other letter, so its neighbors can be decoded apart.
        parts = "".join(self.pieces[token] for token in run).split(_TRUE_REPLACEMENT)
        decoded = (self._engine.decoder.decode([part]) if part else "" for part in parts)
        return "\ufffd".join(part.replace("\ufffd", LOST_LETTER) for part in decoded)


def _checked(facts: object) -> Tokenizer:
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ValueError(f"no {FORMAT!r} mark")
    kind, pieces, merges = facts.get("kind"), facts.get("pieces"), facts.get("merges")
    if kind not in ("byte_pairs", "words"):
        raise ValueError(f"the unknown kind {kind!r}")
    if not isinstance(pieces, list) or not all(isinstance(piece, str) and piece for piece in pieces):
        raise ValueError("pieces that are not texts")
    if tuple(pieces[: len(_SPECIALS)]) != _SPECIALS or len(set(pieces)) != len(pieces):
        raise ValueError("pieces without the special tokens, or the same piece twice")
    if not isinstance(merges, list) or (kind == "words" and merges):
        raise ValueError("merges that are no list of pairs")
    known = set(pieces)
    for pair in merges:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise ValueError("merges that are no list of pairs")
        if not {*pair, "".join(pair)} <= known:
            raise ValueError(f"a merge of pieces that it does not list, {pair!r}")
    return Tokenizer(kind, tuple(pieces), tuple((left, right) for left, right in merges))


def _byte_pairs(pieces: Sequence[str], merges: Sequence[tuple[str, str]]) -> Any:
    import tokenizers as hf

    model = hf.models.BPE(vocab={piece: token for token, piece in enumerate(pieces)}, merges=list(merges))
    engine = hf.Tokenizer(model)
    # The leading space makes a word the same token at the beginning of a sentence as inside it.
    engine.pre_tokenizer = hf.pre_tokenizers.ByteLevel(add_prefix_space=True)
    engine.decoder = hf.decoders.ByteLevel()
    return engine


def _words(pieces: Sequence[str]) -> Any:
    import tokenizers as hf

    vocabulary = {piece: token for token, piece in enumerate(pieces)}
    engine = hf.Tokenizer(hf.models.WordLevel(vocab=vocabulary, unk_token=_SPECIALS[UNKNOWN]))
    engine.pre_tokenizer = hf.pre_tokenizers.WhitespaceSplit()
    return engine


def _by_id(vocabulary: dict[str, int]) -> tuple[str, ...]:
    return tuple(sorted(vocabulary, key=vocabulary.__getitem__))


def _refuse_nothing(sentences: Sequence[str]) -> None:
    if not sentences:
        raise UserMistake("a tokenizer must be trained on at least one sentence, got none; give it the training split")
