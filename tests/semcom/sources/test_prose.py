"""Prose: where sentences end, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.sources.prose import is_sentence, sentences_of


@pytest.mark.parametrize(
    "expected",
    [
        ["The boat left. Nobody waved."[:14], "Nobody waved."],
        ["Mr. Low met Dr. High.", "They spoke of J. Deep, i.e. of nothing."],
        ["See No. 5 and Fig. 3 for more.", "Is that all?", "It is!"],
        ["The answer was no.", "We left."],
        ['He said "go."', '"Where to?" she asked.', "(Nobody knew.)", "It rained 3.5 mm."],
        ["Plan B. was dropped at once."],
    ],
)
def test_paragraphs_are_cut_behind_real_stops(expected: list[str]) -> None:
    assert list(sentences_of("  ".join(expected))) == expected


@given(st.text("Ab .!?\"'\n", max_size=60))
def test_cutting_loses_no_word(paragraph: str) -> None:
    assert " ".join(sentences_of(paragraph)).split() == paragraph.split()


@pytest.mark.parametrize("text", ["The boat left.", '"Is it here?"', "2 of them are new.", "Yes, we can!"])
def test_sentences_are_told(text: str) -> None:
    assert is_sentence(text)


@pytest.mark.parametrize(
    "text", ["the boat left.", "The boat left", "Boats Barges Ferries.", "A * B + C - D / E.", "- It left.", ""]
)
def test_scraps_are_told(text: str) -> None:
    assert not is_sentence(text)
