"""Pieces: what a sentence encoder reads of a text, and which words of it are unknown to it or beyond its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any


@dataclass(frozen=True)
class Pieces:
    """One text as an encoder's tokenizer cuts it, without the marks that it puts at both ends.

    Args:
        ids: all pieces, those beyond the encoder's limit too.
        unknown: which of them are the unknown piece, by number.
        places: where in the text each unknown one stands; none of a tokenizer that does not tell.
    """

    text: str
    ids: tuple[int, ...]
    unknown: tuple[int, ...]
    places: tuple[tuple[int, int], ...]

    @property
    def is_unreadable(self) -> bool:
        """Whether there is something in the text, and the encoder knows none of it."""
        return bool(self.ids) and len(self.unknown) == len(self.ids)

    @property
    def unknown_words(self) -> list[str]:
        """What the unknown pieces stand for."""
        return [self.text[first:end] for first, end in self.places]


def cut(tokenizer: Any, texts: Sequence[str]) -> list[Pieces]:
    """The pieces of each text under a tokenizer of transformers."""
    tells = bool(tokenizer.is_fast)
    # Not verbose: longer than the encoder's limit is no fault here.
    found = tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=tells, verbose=False)
    pieces = []
    for number, text in enumerate(texts):
        ids = tuple(found["input_ids"][number])
        unknown = tuple(place for place, piece in enumerate(ids) if piece == tokenizer.unk_token_id)
        places = tuple(tuple(found["offset_mapping"][number][each]) for each in unknown) if tells else ()
        pieces.append(Pieces(text, ids, unknown, places))
    return pieces


def tell_apart(reference: Pieces, hypothesis: Pieces) -> str:
    """The hypothesis without those unknown words that are not the reference's, in its order.

    To the encoder all unknown words are one, so that another one in the place of the right one would count as right;
    taken out, it counts as not said. A hypothesis that is right but for one unknown word too many is left as it is:
    the encoder sees that there is one more.
    """
    meant, said = reference.unknown_words, hypothesis.unknown_words
    matches = SequenceMatcher(None, meant, said, autojunk=False).get_matching_blocks()
    right = {match.b + step for match in matches for step in range(match.size)}
    wrong = [number for number in range(len(said)) if number not in right]
    gone = {hypothesis.unknown[number] for number in wrong}
    if tuple(piece for place, piece in enumerate(hypothesis.ids) if place not in gone) == reference.ids:
        return hypothesis.text
    text = hypothesis.text
    for first, end in (hypothesis.places[number] for number in reversed(wrong)):
        text = f"{text[:first]} {text[end:]}"
    return text
