"""Cleaning: a text as the models will see it, by the present rules or by those that older texts are named by."""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Literal

Cleaning = Literal["letters", "light"]
# 1 read letters without a canonical decomposition as spaces; 2 reads them as the letters they stand for.
Rules = Literal[1, 2]
PRESENT: Rules = 2
# With "letters", a sentence that loses a larger share of its letters than this is in another script: crumbs are left.
MOST_LOST = 0.25

_OTHER = re.compile(r"[^a-z.!?]+")
_MARK = re.compile(r"([.!?])")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff]")
# Soft hyphens, zero width spaces, direction marks and the like. Joiners stay: they shape emoji and Persian words.
_INVISIBLE = re.compile(
    "[\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ASCII = bytes(range(128))
# Stands for a letter of another script while its sentence is cleaned; the text's own becomes a space.
_LOST = "\ufffd"
# Latin letters without a decomposition say in their name what they are made of: LATIN SMALL LETTER O WITH STROKE.
_NAMED = re.compile(r"LATIN (?:SMALL )?(?:LETTER|LIGATURE) (?:SMALL CAPITAL )?([A-Z]{1,2})(?: BAR| WITH .+)?")
# These have names of their own, and are written as in passports (ICAO Doc 9303).
_SPELLED = {
    "\u00f0": "d", "\u00fe": "th", "\u0131": "i", "\u0138": "q", "\u014b": "n", "\u0237": "j", "\u0259": "e",
    "\u01dd": "e", "\u025b": "e", "\u0254": "o", "\u0275": "o", "\u0269": "i", "\u0261": "g", "\u01bf": "w",
    "\u021d": "y",
}  # fmt: skip


def clean(text: str, cleaning: Cleaning, rules: Rules = PRESENT) -> str:
    """One sentence as the models will see it; cleaning twice changes nothing more.

    "letters" does as the field does: accents go, case goes, a-z and . ! ? stay, each mark a word of its own, and all
    else becomes space. Letters that are a-z in another shape are written in a-z: sharp s, ligatures, full width.
    "light" keeps what was written, in composed form: only control characters and invisible ones go, and white space
    comes out even.
    """
    if cleaning == "letters":
        return _lettered(_plain(text) if rules > 1 else _unaccented(text))
    return _light(text, rules)


def clean_or_drop(text: str, cleaning: Cleaning, rules: Rules = PRESENT) -> str | None:
    """The same, or None where the sentence loses more of its letters than it can."""
    if cleaning != "letters" or rules == 1 or text.isascii():
        return clean(text, cleaning, rules)
    plain = _plain(text)
    cleaned = _lettered(plain)
    lost = plain.count(_LOST)
    return None if lost and lost > MOST_LOST * (lost + sum(map(str.isalpha, cleaned))) else cleaned


def fold(sentence: str, rules: Rules = PRESENT) -> str:
    """The form in which two sentences count as the same: no case, even white space, one spelling of each letter.

    Source: Unicode Standard, section 3.13, toNFKC_Casefold.
    """
    if rules > 1 and not sentence.isascii():
        # Once more, because the folding of case brings forth what can be composed, and composing what has case.
        for _ in range(2):
            sentence = unicodedata.normalize("NFKC", _INVISIBLE.sub("", sentence)).casefold()
        sentence = unicodedata.normalize("NFKC", sentence)
    return " ".join(sentence.casefold().split())


def rules_for(data: bytes, cleaning: Cleaning) -> Rules:
    """The first rules for a UTF-8 text that the present ones would clean, fold and choose alike, else the present.

    A text is named by its rules, so one that gains nothing by the present ones keeps its name.
    """
    if data.isascii():
        return 1
    # No byte of a character beyond ASCII is an ASCII byte, so whole characters remain.
    found = set(data.removeprefix(codecs.BOM_UTF8).translate(None, _ASCII).decode("utf-8", "replace"))
    if any(_is_affected(letter, cleaning) for letter in found):
        return 2
    # What light cleaning does to characters that join others shows only in their company.
    return 2 if cleaning == "light" and any(map(_joins, found)) and _differs(data) else 1


def _is_affected(letter: str, cleaning: Cleaning) -> bool:
    """Whether the two rules differ over one character between two letters."""
    text = f"a{letter}b"
    if clean(text, cleaning, 2) != clean(text, cleaning, 1):
        return True
    return _LOST in _plain(letter) if cleaning == "letters" else fold(text, 2) != fold(text, 1)


def _joins(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M") or "\u1160" <= letter <= "\u11ff"


def _differs(data: bytes) -> bool:
    text = data.decode("utf-8-sig", "replace")
    light = clean(text, "light", 1)
    return light != clean(text, "light", 2) or fold(light, 1) != fold(light, 2)


def _light(text: str, rules: Rules) -> str:
    if not text.isprintable():
        text = _CONTROLS.sub("", text)
        if rules > 1:
            text = _INVISIBLE.sub("", text)
    if rules > 1 and not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def _lettered(plain: str) -> str:
    return " ".join(_MARK.sub(r" \1 ", _OTHER.sub(" ", plain)).split())


def _unaccented(text: str) -> str:
    """Lower case without accents, as the first rules had it."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFD", lowered)
    return "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")


def _plain(text: str) -> str:
    """Lower case in which every letter that has a plain form is plain, and every other one is marked as lost."""
    return text.lower() if text.isascii() else text.translate(_PLAIN)


class _Plain(dict[int, str]):
    """The plain form of each character, worked out when it is first met."""

    def __missing__(self, number: int) -> str:
        letter = chr(number)
        if unicodedata.category(letter) == "So" and unicodedata.decomposition(letter).startswith("<super>"):
            plain = " "  # a trade mark sign is no letters of the word before it
        else:
            plain = "".join(map(_spelled, unicodedata.normalize("NFKD", letter).casefold()))
        self[number] = plain
        return plain


def _spelled(letter: str) -> str:
    """One character of a decomposed and folded text in a-z, as nothing where it only shapes others, or as lost."""
    if letter.isascii():
        return letter
    category = unicodedata.category(letter)
    if category[0] == "M" or category == "Cf":
        return ""
    named = _NAMED.fullmatch(unicodedata.name(letter, ""))
    spelled = _SPELLED.get(letter) or (named[1].lower() if named else "")
    # An apostrophe that counts as a letter (Lm) is no more of a loss than the one on the keyboard.
    return spelled or (_LOST if category in ("Ll", "Lu", "Lt", "Lo") else " ")


_PLAIN = _Plain()
