"""Sentences: how they are chosen, told apart, counted, and split for good into training, validation and test."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

from semcom.mistakes import UserMistake
from semcom.sources import cache
from semcom.sources.cleaning import PRESENT, Cleaning, Rules, clean_or_drop, fold
from semcom.words import counted as several

Split = Literal["train", "validation", "test"]
# Called as progress(what, done, total); a total of 0 means that it is not known.
Progress = Callable[[str, int, int], None]
# Why a line is dropped, in the order in which it is told.
_REASONS = ("too short", "too long", "without letters", "in another script", "repeated", "over the cap")


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
        account: how many lines were kept and why not the others, as one line for people; empty if not known.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    fingerprint: str
    account: str = ""


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

    def apply(
        self, lines: Iterable[str], rules: Rules = PRESENT, counts: Counter[str] | None = None
    ) -> tuple[str, ...]:
        """The cleaned sentences of fitting length, the first of each folded form, in their order of appearance.

        Args:
            counts: is told how many lines there were, and what became of each; the keys are those of `account`.
        """
        kept: dict[str, str] = {}
        fitting = 0
        counts = Counter() if counts is None else counts
        for line in lines:
            sentence = clean_or_drop(line, self.cleaning, rules)
            if sentence is None or (reason := self._unfit(sentence)):
                counts["in another script" if sentence is None else reason] += 1
                continue
            fitting += 1
            folded = fold(sentence, rules)
            # Most sentences are their own folded form; one object for both halves the memory.
            kept.setdefault(sentence if folded == sentence else folded, sentence)
        counts["repeated"] += fitting - len(kept)
        if self.sentences is not None and len(kept) > self.sentences:
            counts["over the cap"] += len(kept) - self.sentences
            drawn = heapq.nsmallest(self.sentences, kept, key=lambda folded: (_number(folded, b"share"), folded))
            chosen = set(drawn)
            kept = {folded: sentence for folded, sentence in kept.items() if folded in chosen}
        counts["kept"] += len(kept)
        return tuple(kept.values())

    def _unfit(self, sentence: str) -> str:
        """Why a cleaned sentence cannot count, or nothing where it can."""
        words = sentence.count(" ") + 1
        if words > self.longest:
            return "too long"
        if not any(map(str.isalpha, sentence)):
            return "without letters"
        return "too short" if words < self.shortest else ""


def account(counts: Mapping[str, int]) -> str:
    """What became of the lines of a text, as one line for people."""
    told = f"{several(sum(counts.values()), 'line')} read, {counts.get('kept', 0):,} kept"
    return f"{told}; dropped: {dropped}" if (dropped := _dropped(counts)) else told


def _dropped(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[reason]:,} {reason}" for reason in _REASONS if counts.get(reason))


def remedy(counts: Mapping[str, int]) -> str:
    """What to change where a text gave too little, after the reason that cost it the most lines."""
    worst = max(_REASONS, key=lambda reason: counts.get(reason, 0))
    if not counts.get(worst):
        return "write one sentence a line"
    if worst == "in another script":
        return (
            "cleaning: letters keeps a-z alone; choose corpus.cleaning=light (semcom prepare: --cleaning light), which "
            "keeps the text as written"
        )
    if worst == "without letters":
        return "write sentences of words, one a line"
    if worst in ("too short", "too long"):
        return "write one sentence a line, with spaces between its words, or change shortest and longest"
    return "give more sentences, or raise the cap"


def split_of(sentence: str, rules: Rules = PRESENT) -> Split:
    """Where a sentence belongs, in every corpus and forever: 90 % train, 5 % validation, 5 % test.

    Decided by a hash of the folded sentence alone, so that text added later moves nothing that was there.
    """
    place = _number(fold(sentence, rules), b"split") % 20
    return "test" if place == 0 else "validation" if place == 1 else "train"


@dataclass(frozen=True)
class Name:
    """What a chosen text is kept and called by.

    Args:
        source: the kind of corpus.
        rules: those that its fingerprint stands for.
        called: what errors call it.
    """

    source: str
    fingerprint: str
    rules: Rules
    called: str


def selected(selection: Selection, name: Name, lines: Callable[[], Iterable[str]]) -> Corpus:
    """The sentences that a selection leaves of a text, split; from the cache where it has them.

    Args:
        lines: the raw text, asked for only if needed.

    Raises:
        UserMistake: when nothing is left, or not enough for three splits.
    """
    counts: Counter[str] = Counter()

    def make() -> tuple[str, ...]:
        kept = selection.apply(lines(), name.rules, counts)
        if not kept:
            dropped = f" ({told})" if (told := _dropped(counts)) else ""
            raise UserMistake(
                f"{name.called} must hold sentences of {selection.shortest} to {selection.longest} words, got "
                f"{several(sum(counts.values()), 'line')} and none that fits{dropped}; {remedy(counts)}"
            )
        return kept

    kept = cache.remember(name.source, name.fingerprint, make, origin=lambda: json.dumps(counts))
    return split(kept, name, counts or _counted(name))


def _counted(name: Name) -> dict[str, int]:
    """What became of the lines when a text was cleaned; nothing where an older version of this tool did it."""
    header = cache.read_header(cache.place(name.source, name.fingerprint), name.fingerprint)
    try:
        found = json.loads(header.origin) if header else {}
    except ValueError:
        return {}
    known = ("kept", *_REASONS)
    return {key: found[key] for key in known if isinstance(found.get(key), int)} if isinstance(found, dict) else {}


def split(sentences: Iterable[str], name: Name, counts: Mapping[str, int] | None = None) -> Corpus:
    """Deal sentences out to their splits.

    Args:
        counts: what became of the lines they were among, where that is known.

    Raises:
        UserMistake: when one of the splits would be empty.
    """
    dealt: dict[Split, list[str]] = {"train": [], "validation": [], "test": []}
    for sentence in sentences:
        dealt[split_of(sentence, name.rules)].append(sentence)
    counts = counts or {}
    kept = sum(map(len, dealt.values()))
    if not all(dealt.values()):
        shares = ", ".join(f"{len(found)} {place}" for place, found in dealt.items())
        told = f"{kept} distinct sentences of fitting length ({shares})"
        # Where most lines were dropped, more of the same is no help.
        if sum(counts.values()) > 2 * kept:
            told += f", and lines that were dropped ({_dropped(counts)}); {remedy(counts)}"
        raise UserMistake(
            f"{name.called} must have at least one sentence for training, validation and test, got {told}; "
            "one in twenty goes to each of the last two, so give about 100 or more"
        )
    told = account(counts) if counts else ""
    return Corpus(tuple(dealt["train"]), tuple(dealt["validation"]), tuple(dealt["test"]), name.fingerprint, told)


def digest(source: str, content: object, selection: Selection, rules: Rules) -> str:
    """The fingerprint of a corpus: where the text comes from, what it holds, and the rules it went through."""
    facts = [source, content, asdict(selection), rules]
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).hexdigest()


def _number(folded: str, purpose: bytes) -> int:
    # A purpose each, so that which sentences a cap keeps says nothing of where they go.
    drawn = hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8, person=purpose).digest()
    return int.from_bytes(drawn, "big")
