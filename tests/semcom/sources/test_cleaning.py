"""Cleaning: every letter that has a plain form keeps it, and older texts keep the rules that name them."""

import hashlib
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.sources.cleaning import clean, clean_or_drop, fold, rules_for
from semcom.sources.sentences import Selection, split_of

texts = st.text(max_size=60)
# What the two rules may read differently, next to what they must not.
european = st.text(
    "aB .!?\xdf\xe6\xf8\u0141\xe9e\u0301\ufb03\uff21\xad\u200b\u200d\u0130\u2019\u2026\u0416\u4e2d\xa0\x00", max_size=20
)
AGREED = "\u0421\u043e\u0433\u043b\u0430\u0441\u043d\u043e"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("O\u00f9 est l'h\u00f4tel, s'il vous pla\u00eet?", "ou est l hotel s il vous plait ?"),
        ("No.5 costs 3.50 (roughly)!!", "no . costs . roughly ! !"),
        ("  Tabs\tand\nlines ", "tabs and lines"),
        ("\u65e5\u672c\u8a9e", ""),
        # Typographic signs read as those on the keyboard do.
        ("don\u2019t \u201cgo\u201d l\u2018a Hawai\u02bbi", "don t go l a hawai i"),
        ("well\u2013known\u2014so\u2011called\u2212x", "well known so called x"),
        ("a\xa0b\u202fc\u3000d", "a b c d"),
        ("\u0130stanbul I\u0307zmir", "istanbul izmir"),
        ("nai\u0308ve cafe\u0301 Vi\u1ec7t", "naive cafe viet"),
    ],
)
@pytest.mark.parametrize("rules", [1, 2])
def test_letters_keep_letters_and_marks(raw: str, expected: str, rules: int) -> None:
    assert clean(raw, "letters", rules) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # Letters without a canonical decomposition.
        ("Stra\xdfe STRA\u1e9eE", "strasse strasse"),
        ("\u0141\xf3d\u017a", "lodz"),
        ("C\xe6sar \u0152uvre", "caesar oeuvre"),
        ("K\xf8benhavn \u0110uro \xdeing Gu\xf0r\xfan", "kobenhavn duro thing gudrun"),
        ("\u0131\u015f\u0131k \u0126al \u0166ru \u014aga", "isik hal tru nga"),
        ("\u018fliyev \u0199ofa \u0268\u0289", "eliyev kofa iu"),
        # Compatibility forms.
        ("\ufb01nal of\ufb01ce o\ufb03ce", "final office office"),
        ("\uff26ull \uff37idth\uff01", "full width !"),
        ("\U0001d400\U0001d41b \u210b \u2167 \u017fo", "ab h viii so"),
        ("1\u02e2\u1d57 n\xba wait\u2026 Windows\u2122 m\xb2", "st no wait . . . windows m"),
        # Characters that nobody sees.
        ("inter\xadnational", "international"),
        ("inter\u200bnational", "international"),
        ("Auf\u200clage co\u2060op \u200ethe\u200f re\ufeffad", "auflage coop the read"),
        ("a\u20dd", "a"),
    ],
)
def test_letters_in_another_shape_are_not_eaten(raw: str, expected: str) -> None:
    assert clean(raw, "letters") == expected
    assert rules_for(raw.encode(), "letters") == 2


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  O\xf9\xa0est\tl'h\xf4tel,\x00 s'il  vous\u200d? ", "O\xf9 est l'h\xf4tel, s'il vous\u200d?"),
        ("inter\xadna\u200btional\u2060", "international"),
        ("cafe\u0301 \u212b", "caf\xe9 \xc5"),
        ("\ufb01nal \uff26ull Stra\xdfe x\xb2\u2026", "\ufb01nal \uff26ull Stra\xdfe x\xb2\u2026"),
        ("\u202bright\u202c \u0645\u06cc\u200c\u062e\u0648", "right \u0645\u06cc\u200c\u062e\u0648"),
    ],
)
def test_light_keeps_what_was_written(raw: str, expected: str) -> None:
    assert clean(raw, "light") == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The \ufb01nal of\ufb01ce.", "the final office."),
        ("\uff26ull width!", "full WIDTH!"),
        ("Cafe\u0301 time.", "caf\xe9 Time."),
        ("inter\xadnational", "international"),
        ("STRASSE", "stra\xdfe"),
    ],
)
def test_one_sentence_in_two_spellings_is_one(one: str, other: str) -> None:
    assert fold(one) == fold(other) and split_of(one) == split_of(other)
    assert len(Selection(1, 30, "light").apply([one, other])) == 1


@given(texts | european, st.sampled_from(["letters", "light"]), st.sampled_from([1, 2]))
def test_cleaning_twice_changes_nothing(text: str, cleaning: str, rules: int) -> None:
    once = clean(text, cleaning, rules)
    assert clean(once, cleaning, rules) == once
    assert "\n" not in once and once == once.strip()
    assert fold(fold(once, rules), rules) == fold(once, rules)


@given(st.lists(texts | european, max_size=4), st.sampled_from(["letters", "light"]))
def test_a_text_under_the_first_rules_is_the_same_under_both(lines: list[str], cleaning: str) -> None:
    data = "\n".join(lines).encode("utf-8", "replace")
    if rules_for(data, cleaning) == 1:
        for line in data.decode().split("\n"):
            one, two = clean(line, cleaning, 1), clean_or_drop(line, cleaning, 2)
            assert one == two and fold(one, 1) == fold(one, 2)


def test_every_single_character_goes_by_the_rules_that_its_text_is_named_by() -> None:
    for number in (*range(0x3000), *range(0xF900, 0x10000)):
        if 0xD800 <= number < 0xE000:
            continue
        for cleaning in ("letters", "light"):
            text = f"We a{chr(number)}b"
            if clean(text, cleaning, 1) != clean(text, cleaning, 2):
                assert rules_for(text.encode(), cleaning) == 2


@pytest.mark.parametrize(("lost", "is_kept"), [(2, True), (3, False)])
def test_a_quarter_of_all_letters_may_be_lost(lost: int, is_kept: bool) -> None:
    """Of all: the seven that are kept, and those that are lost."""
    assert clean_or_drop("abc defg " + "\u0436" * lost, "letters") == ("abc defg" if is_kept else None)


@pytest.mark.parametrize("cleaning", ["letters", "light"])
@pytest.mark.parametrize(
    "text",
    [
        "Plain words \x00 and\ttabs.",
        "\ufeffO\xf9 est l\u2019h\xf4tel \u2013 na\xefve, \u0130stanbul\xa0\xa35, 8\xb0, H\xe4user.",
        "\u201cGo!\u201d \u2014 \u20ac 5 \xa7 7 \u0160ef\u010dovi\u010d \u1ec7",
        b"broken \xff\xfe bytes",
    ],
)
def test_a_text_that_gains_nothing_keeps_the_first_rules(text: str | bytes, cleaning: str) -> None:
    assert rules_for(text if isinstance(text, bytes) else text.encode(), cleaning) == 1


@pytest.mark.parametrize(
    ("text", "letters", "light"),
    [
        (f"{AGREED} IEEE.", 2, 1),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", 2, 1),
        ("Stra\xdfe", 2, 1),
        ("cafe\u0301", 1, 2),
        ("soft\xadhyphen", 2, 2),
        ("H\u0331", 1, 1),
        ("e\x00\u0301", 1, 2),
    ],
)
def test_each_cleaning_has_texts_of_its_own(text: str, letters: int, light: int) -> None:
    assert (rules_for(text.encode(), "letters"), rules_for(text.encode(), "light")) == (letters, light)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"{AGREED} IEEE \u0438 \u0418\u0422\u0423.", None),
        ("\u65e0\u7ebf Wi-Fi \u8def\u7531\u5668\u8bbe\u7f6e\u9875\u9762", None),
        ("\u039f \u03a0\u03b1\u03c0\u03b1\u03bd\u03b4\u03c1\u03ad\u03bf\u03c5 said no", None),
        ("The noise \u03c3 of the receiver is small.", "the noise of the receiver is small ."),
        ("\u0141\xf3d\u017a is \xfcber\u017eeug\xfcng \u2019\u02bc.", "lodz is uberzeugung ."),
        ("123 \u20ac 456!", "!"),
    ],
)
def test_no_crumbs_are_kept_of_a_sentence_in_another_script(text: str, kept: str | None) -> None:
    assert clean_or_drop(text, "letters") == kept
    assert clean_or_drop(text, "light") == unicodedata.normalize("NFC", text)


def test_plain_text_is_cleaned_as_fast_as_before() -> None:
    """The ratio of the two rules over one text, the best of several turns each."""
    lines = [f"The lock keeper opens gate {hashlib.md5(b'%d' % n).hexdigest()}, for boats." for n in range(2000)]

    def took(rules: int) -> float:
        began = time.process_time()
        for line in lines:
            clean_or_drop(line, "letters", rules)
        return time.process_time() - began

    assert min(took(2) for _ in range(7)) < 1.5 * min(took(1) for _ in range(7))
