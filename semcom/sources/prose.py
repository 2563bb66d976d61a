"""Prose: paragraphs cut into sentences by rule, and the difference between a sentence and a scrap."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A stop, whatever closes behind it, white space, and something that can open a sentence.
_BREAK = re.compile(r"(?<=[.!?])[\"')\]\u201d\u2019]*(\s+)(?=[\"'(\[\u201c\u2018]*[A-Z0-9\u00c0-\u00de])")
# Stops that end no sentence: behind a title or an initial whatever follows, behind these others before a number.
_TITLE = re.compile(
    r"(?:^|[\s(\[\"'])(?:(?i:mr|mrs|ms|dr|prof|messrs|st|e\.g|i\.e|eg|ie|al|cf|vs|rev|gen)|[A-HJ-Z])\.$"
)
_NUMBERED = re.compile(r"(?:^|[\s(\[\"'])(?i:nos?|arts?|pp?|figs?|eqs?|vols?|secs?|refs?|ch|approx|chap|rule)\.$")
_WORD = re.compile(r"[A-Za-z0-9]+")
# Few English sentences do without all of these; headings, names and code often do.
_COMMON = re.compile(
    r"\b(?:a|an|the|of|to|in|on|at|by|for|from|with|as|is|are|was|were|be|been|will|would|can|could|may|must|should"
    r"|not|no|this|that|these|those|it|its|they|we|you|i|he|she|my|our|your|their|there|and|or|but|if|when|which|who"
    r"|what|has|have|had|do|does|did|all|any|each|more|than|into|over|under|between|only|also|so|how|why)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(r"[\"'(\u201c\u2018]*[A-Z0-9\u00c0-\u00de]")
_CLOSING = re.compile(r"[.!?][\"')\u201d\u2019]*$")


def sentences_of(paragraph: str) -> Iterator[str]:
    """Cut a paragraph after each stop that ends a sentence.

    A stop behind a title ("Mr. Low") or an initial ends none, nor does one between a word such as "No." and
    its number. White space comes out even.
    """
    start = 0
    for stop in _BREAK.finditer(paragraph):
        before = paragraph[start : stop.start()]
        numbered = paragraph[stop.end()].isdigit() and _NUMBERED.search(before)
        if not numbered and not _TITLE.search(before):
            yield " ".join(paragraph[start : stop.start(1)].split())
            start = stop.end()
    if rest := " ".join(paragraph[start:].split()):
        yield rest


def is_sentence(text: str) -> bool:
    """Whether a text opens and closes like a sentence and reads as English.

    It must begin with a capital, a digit or a quote, end with . ! or ?, have two signs and one more in ten
    characters at most, and hold at least one of the words that English cannot do without.
    """
    if not _OPENING.match(text) or not _CLOSING.search(text):
        return False
    plain = sum(map(len, _WORD.findall(text))) + text.count(" ")
    return len(text) - plain <= 2 + len(text) / 10 and _COMMON.search(text) is not None
