"""Sentences: how they are cleaned, told apart, chosen, and split for good into training, validation and test."""

from __future__ import annotations

import hashlib
import heapq
import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

from semcom.mistakes import UserMistake

# Part of every fingerprint: raise it when a change below alters a single sentence.
RULES_VERSION = 1

Cleaning = Literal["letters", "light"]
Split = Literal["train", "validation", "test"]
# Called as progress(what, done, total); a total of 0 means that it is not known.
Progress = Callable[[str, int, int], None]

_OTHER = re.compile(r"[^a-z.!?]+")
_MARK = re.compile(r"([.!?])")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff]")


class TextSource(Protocol):
    """What every corpus of text promises."""

    @property
    def source(self) -> str: ...

    def fingerprint(self) -> str:
        """A short hash of everything that can change the text; cheap, and needs no torch."""

    def prepare(self, progress: Progress | None = None) -> str:
        """Obtain whatever `load` needs, once; the answer is one line for the person who asked."""

    def load(self, progress: Progress | None = None) -> Corpus:
        """The cleaned and split sentences, from the cache where it has them."""


@dataclass(frozen=True)
class Corpus:
    """Cleaned sentences in three splits that share none.

    Args:
        fingerprint: hash of everything the text depends on, as its source gives it.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class Selection:
    """Which sentences of a text count, and how they are cleaned first.

    Length is counted after cleaning, in white-space words; with "letters" a mark is a word.

    Args:
        sentences: keep this many at most, chosen by hash: a larger cap keeps all that a smaller one kept.
    """

    shortest: int
    longest: int
    cleaning: Cleaning
    sentences: int | None = None

    def __post_init__(self) -> None:
        if self.shortest < 1:
            raise UserMistake(f"shortest must be at least 1 word, got {self.shortest}; 4 is usual")
        if self.longest < self.shortest:
            raise UserMistake(
                f"longest must be at least shortest ({self.shortest} words), got {self.longest}; 30 is usual"
            )
        if self.cleaning not in ("letters", "light"):
            raise UserMistake(
                f"cleaning must be letters or light, got {self.cleaning!r}; letters is the field's custom"
            )
        if self.sentences is not None and self.sentences < 1:
            raise UserMistake(f"sentences must be at least 1, got {self.sentences}; leave it out to keep them all")

    def apply(self, lines: Iterable[str]) -> tuple[str, ...]:
        """The cleaned sentences of fitting length, the first of each folded form, in their order of appearance."""
        kept: dict[str, str] = {}
        for line in lines:
            sentence = clean(line, self.cleaning)
            if self.shortest <= sentence.count(" ") + 1 <= self.longest and any(map(str.isalpha, sentence)):
                folded = fold(sentence)
                # Most sentences are their own folded form; one object for both halves the memory.
                kept.setdefault(sentence if folded == sentence else folded, sentence)
        if self.sentences is None or len(kept) <= self.sentences:
            return tuple(kept.values())
        chosen = set(heapq.nsmallest(self.sentences, kept, key=lambda folded: (_number(folded, b"share"), folded)))
        return tuple(sentence for folded, sentence in kept.items() if folded in chosen)


def clean(text: str, cleaning: Cleaning) -> str:
    """One sentence as the models will see it; cleaning twice changes nothing more.

    "letters" does as the field does: accents go (NFD), case goes, a-z and . ! ? stay, each mark a word of
    its own, and all else becomes space. "light" only drops control characters and evens out white space.
    """
    if cleaning == "letters":
        lowered = text.lower()
        if not lowered.isascii():
            decomposed = unicodedata.normalize("NFD", lowered)
            lowered = "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")
        text = _MARK.sub(r" \1 ", _OTHER.sub(" ", lowered))
    elif not text.isprintable():
        text = _CONTROLS.sub("", text)
    return " ".join(text.split())


def fold(sentence: str) -> str:
    """The form in which two sentences count as the same: no case, even white space."""
    return " ".join(sentence.casefold().split())


def split_of(sentence: str) -> Split:
    """Where a sentence belongs, in every corpus and forever: 90 % train, 5 % validation, 5 % test.

    Decided by a hash of the folded sentence alone, so that text added later moves nothing that was there.
    """
    place = _number(fold(sentence), b"split") % 20
    return "test" if place == 0 else "validation" if place == 1 else "train"


def split(sentences: Iterable[str], *, fingerprint: str, name: str) -> Corpus:
    """Deal sentences out to their splits.

    Args:
        name: what the error calls the text.

    Raises:
        UserMistake: when one of the splits would be empty.
    """
    dealt: dict[Split, list[str]] = {"train": [], "validation": [], "test": []}
    for sentence in sentences:
        dealt[split_of(sentence)].append(sentence)
    if not all(dealt.values()):
        counts = ", ".join(f"{len(found)} {place}" for place, found in dealt.items())
        raise UserMistake(
            f"{name} must have at least one sentence for training, validation and test, got "
            f"{sum(map(len, dealt.values()))} distinct sentences of fitting length ({counts}); "
            "one in twenty goes to each of the last two, so give about 100 or more"
        )
    return Corpus(tuple(dealt["train"]), tuple(dealt["validation"]), tuple(dealt["test"]), fingerprint)


def digest(source: str, content: object, selection: Selection) -> str:
    """The fingerprint of a corpus: where the text comes from, what it holds, and the rules it went through."""
    facts = [source, content, asdict(selection), RULES_VERSION]
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).hexdigest()


def _number(folded: str, purpose: bytes) -> int:
    # A purpose each, so that which sentences a cap keeps says nothing of where they go.
    drawn = hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8, person=purpose).digest()
    return int.from_bytes(drawn, "big")
