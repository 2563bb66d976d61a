"""Sentences: a count of what was dropped, and splits that share nothing and never move."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.mistakes import UserMistake
from semcom.sources.cleaning import fold
from semcom.sources.sentences import Name, Selection, account, digest, split, split_of

texts = st.text(max_size=60)
# Words over a tiny alphabet, so that folded duplicates do come up.
words = st.text("aA\u00e9 ", min_size=1, max_size=3)
numbered = [f"the river carries boat number{n} slowly down to the sea ." for n in range(4000)]


@given(texts)
def test_the_split_does_not_see_case_and_space(text: str) -> None:
    assert split_of(text) == split_of(f"  {fold(text)}\t")


@given(st.lists(words, max_size=30), st.sampled_from(["letters", "light"]))
def test_no_sentence_is_kept_twice(lines: list[str], cleaning: str) -> None:
    kept = Selection(1, 30, cleaning).apply(lines)
    assert len({fold(sentence) for sentence in kept}) == len(kept)


@given(st.lists(st.sampled_from(numbered), max_size=50))
def test_text_added_later_moves_nothing(more: list[str]) -> None:
    first, second = (split(lines, Name("file", "", 2, "text")) for lines in (numbered, [*numbered, *more]))
    for place in ("train", "validation", "test"):
        assert getattr(second, place)[: len(getattr(first, place))] == getattr(first, place)


def test_splits_share_nothing_and_have_their_shares() -> None:
    corpus = split(numbered, Name("file", "f", 2, "text"))
    assert Counter([*corpus.train, *corpus.validation, *corpus.test]) == Counter(numbered)
    for found, share in ((corpus.train, 0.9), (corpus.validation, 0.05), (corpus.test, 0.05)):
        error = math.sqrt(share * (1 - share) * len(numbered))
        assert abs(len(found) - share * len(numbered)) <= 5 * error


def test_a_larger_cap_keeps_what_a_smaller_one_kept() -> None:
    smaller, larger = (set(Selection(1, 30, "letters", cap).apply(numbered)) for cap in (300, 1000))
    # Digits go in cleaning, so this text would fold to one sentence; the light form keeps them apart.
    assert len(smaller) == len(larger) == 1
    smaller, larger = (set(Selection(1, 30, "light", cap).apply(numbered)) for cap in (300, 1000))
    assert len(smaller) == 300 and len(larger) == 1000 and smaller < larger


def test_a_cap_leaves_the_shares_of_the_splits_alone() -> None:
    kept = Selection(1, 30, "light", 1000).apply(numbered)
    held_out = sum(split_of(sentence) != "train" for sentence in kept)
    assert abs(held_out - 100) <= 5 * math.sqrt(1000 * 0.1 * 0.9)


def test_length_is_counted_after_cleaning_and_marks_alone_are_no_sentence() -> None:
    lines = ["One two three.", "One two.", "one, two; three!", ". . . .", "1 2 3 4 5 it"]
    assert Selection(4, 4, "letters").apply(lines) == ("one two three .", "one two three !")
    assert Selection(3, 4, "light").apply(lines) == ("One two three.", "one, two; three!")


def test_too_little_text_says_how_much_there_is() -> None:
    with pytest.raises(UserMistake, match=r"boats must have .* got 1 distinct sentences .* about 100"):
        split(numbered[:1], Name("file", "", 2, "boats"))


LINES = [
    *numbered[:300],
    "Short.",
    "2 + 2",
    "a " * 31,
    "\u041e\u043d\u0438 \u0431\u044b\u043b\u0438 \u0442\u0443\u0442",
]


@pytest.mark.parametrize(
    ("lines", "cleaning", "cap", "told"),
    [
        (
            LINES,
            "light",
            100,
            "304 lines read, 100 kept; dropped: 1 too short, 1 too long, 1 without letters, 201 over",
        ),
        (LINES, "letters", None, "1 too short, 1 too long, 1 without letters, 1 in another script, 299 repeated"),
        (numbered[:1], "light", None, "1 line read, 1 kept"),
        ([], "light", None, "0 lines read, 0 kept"),
    ],
)
def test_every_line_is_accounted_for(lines: list[str], cleaning: str, cap: int | None, told: str) -> None:
    counts: Counter[str] = Counter()
    kept = Selection(3, 30, cleaning, cap).apply(lines, counts=counts)
    assert told in account(counts)
    assert counts.total() == len(lines) and counts["kept"] == len(kept)


@pytest.mark.parametrize(
    ("shortest", "longest", "cleaning", "sentences", "name"),
    [(0, 5, "light", None, "shortest"), (5, 4, "light", None, "longest"), (1, 5, "none", None, "cleaning"),
     (1, 5, "light", 0, "sentences")],
)  # fmt: skip
def test_impossible_selections_are_refused(shortest, longest, cleaning, sentences, name) -> None:
    with pytest.raises(UserMistake, match=f"^{name} must be"):
        Selection(shortest, longest, cleaning, sentences)


def test_the_fingerprint_sees_every_fact() -> None:
    facts = [
        ("a", "content", Selection(1, 5, "light")),
        ("b", "content", Selection(1, 5, "light")),
        ("a", "other", Selection(1, 5, "light")),
        ("a", "content", Selection(2, 5, "light")),
        ("a", "content", Selection(1, 6, "light")),
        ("a", "content", Selection(1, 5, "letters")),
        ("a", "content", Selection(1, 5, "light", 7)),
    ]
    assert len({digest(*each, rules) for rules in (1, 2) for each in facts}) == 2 * len(facts)
    # Pinned, so that nobody changes the identity of every corpus by accident.
    assert digest(*facts[0], 1) == "022e513deb46084ffc24f5aba038993a"
