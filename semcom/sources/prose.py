"""Prose: paragraphs cut into sentences by rule, and the difference between a sentence and a scrap."""

from __future__ import annotations

import re
from collections.abc import Iterator

from semcom.sources.cleaning import PRESENT, Rules, clean

# Few English sentences do without all of these; headings, names and code often do.
_COMMON = re.compile(
    r"\b(?:a|an|the|of|to|in|on|at|by|for|from|with|as|is|are|was|were|be|been|will|would|can|could|may|must|should"
    r"|not|no|this|that|these|those|it|its|they|we|you|i|he|she|my|our|your|their|there|and|or|but|if|when|which|who"
    r"|what|has|have|had|do|does|did|all|any|each|more|than|into|over|under|between|only|also|so|how|why)\b",
    re.IGNORECASE,
)
# The insides of character classes. The first rules took a capital beyond U+00DE for none, and an accent for a sign.
_CAPITALS: dict[Rules, str] = {
    1: "A-Z\u00c0-\u00de",
    2: "A-Z\uff21-\uff3a" + "".join(filter(str.isupper, map(chr, range(0xC0, 0x2000)))),
}
_STOPS: dict[Rules, str] = {1: ".!?", 2: ".!?\u2026\uff01\uff0e\uff1f"}
_OPENERS: dict[Rules, str] = {1: "\"'(\u201c\u2018", 2: "\"'(\u201c\u2018\u201e\u201a\u00ab\u2039"}
_CLOSERS: dict[Rules, str] = {1: "\"')\u201d\u2019", 2: "\"')\u201d\u2019\u201c\u2018\u00bb\u203a"}
_LETTERS: dict[Rules, str] = {1: "A-Za-z0-9", 2: r"^\W_"}


class _Signs:
    """The patterns of one version of the rules."""

    def __init__(self, rules: Rules) -> None:
        capital, stop, opener, closer = _CAPITALS[rules], _STOPS[rules], _OPENERS[rules], _CLOSERS[rules]
        initial = "A-HJ-Z" + (capital.removeprefix("A-Z") if rules > 1 else "")
        before = rf"(?:^|[\s(\[{opener}])" if rules > 1 else r"(?:^|[\s(\[\"'])"
        # A stop, whatever closes behind it, white space, and something that can open a sentence.
        self.stop = re.compile(rf"(?<=[{stop}])[{closer}\]]*(\s+)(?=[{opener}\[]*[{capital}0-9])")
        # Stops that end no sentence: behind a title or an initial whatever follows, behind others before a number.
        self.title = re.compile(
            rf"{before}(?:(?i:mr|mrs|ms|dr|prof|messrs|st|e\.g|i\.e|eg|ie|al|cf|vs|rev|gen)|[{initial}])\.$"
        )
        self.numbered = re.compile(rf"{before}(?i:nos?|arts?|pp?|figs?|eqs?|vols?|secs?|refs?|ch|approx|chap|rule)\.$")
        self.word = re.compile(f"[{_LETTERS[rules]}]+")
        self.opening = re.compile(f"[{opener}]*[{capital}0-9]")
        self.closing = re.compile(f"[{stop}][{closer}]*$")


_SIGNS: dict[Rules, _Signs] = {1: _Signs(1), 2: _Signs(2)}


def sentences_of(paragraph: str, rules: Rules = PRESENT) -> Iterator[str]:
    """Cut a paragraph after each stop that ends a sentence.

    A stop behind a title ("Mr. Low") or an initial ends none, nor does one between a word such as "No." and
    its number. White space comes out even, and by the present rules nothing invisible stays.
    """
    signs, start = _SIGNS[rules], 0
    if rules > 1:
        paragraph = clean(paragraph, "light", rules)
    for stop in signs.stop.finditer(paragraph):
        before = paragraph[start : stop.start()]
        numbered = paragraph[stop.end()].isdigit() and signs.numbered.search(before)
        if not numbered and not signs.title.search(before):
            yield " ".join(paragraph[start : stop.start(1)].split())
            start = stop.end()
    if rest := " ".join(paragraph[start:].split()):
        yield rest


def is_sentence(text: str, rules: Rules = PRESENT) -> bool:
    """Whether a text opens and closes like a sentence and reads as English.

    It must begin with a capital, a digit or a quote, end with a stop, have two signs and one more in ten
    characters at most, and hold at least one of the words that English cannot do without.
    """
    signs = _SIGNS[rules]
    if not signs.opening.match(text) or not signs.closing.search(text):
        return False
    plain = sum(map(len, signs.word.findall(text))) + text.count(" ")
    return len(text) - plain <= 2 + len(text) / 10 and _COMMON.search(text) is not None
