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
        ["It is in Poland.", "\u0141\xf3d\u017a is large.", "\u0160ef\u010dovi\u010d spoke.", "\u0130zmir too."],
        ["\u0141. Low met \xc9. High.", "\u201eWe go.\u201c", "\xabIs it so?\xbb", "\u201cMr. Low!\u201d"],
        ["And then\u2026", "The boat left\uff01", "\uff34he end."],
    ],
)
def test_paragraphs_are_cut_behind_real_stops(expected: list[str]) -> None:
    assert list(sentences_of("  ".join(expected))) == expected


@given(st.text("Ab .!?\"'\n", max_size=60))
def test_cutting_loses_no_word(paragraph: str) -> None:
    assert " ".join(sentences_of(paragraph)).split() == paragraph.split()


@pytest.mark.parametrize(
    "text",
    [
        "The boat left.", '"Is it here?"', "2 of them are new.", "Yes, we can!", "\u0141\xf3d\u017a is large.",
        "\u0160ef\u010dovi\u010d and \u0110\u0111\u0111 \xe9\xe9\xe9 \u0153\u0153.", "\u201eIt is so.\u201c",
        "\xabIs it so\u2026\xbb",
    ],
)  # fmt: skip
def test_sentences_are_told(text: str) -> None:
    assert is_sentence(text)


@pytest.mark.parametrize(
    "text", ["the boat left.", "The boat left", "Boats Barges Ferries.", "A * B + C - D / E.", "- It left.", ""]
)
def test_scraps_are_told(text: str) -> None:
    assert not is_sentence(text)


def test_nothing_invisible_stays_in_a_sentence() -> None:
    assert list(sentences_of("The inter\xadnational\u200b one.  \u200bIt is cafe\u0301.")) == [
        "The international one.", "It is caf\xe9.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("It is so. \u0141\xf3d\u017a is large.", ["It is so. \u0141\xf3d\u017a is large."]),
        ("It is in\xadside. \xc9. Low is.", ["It is in\xadside.", "\xc9.", "Low is."]),
        ("Mr. Low met No. 5. \xc9mile too!", ["Mr. Low met No. 5.", "\xc9mile too!"]),
    ],
)
def test_the_first_rules_stay_as_they_were(paragraph: str, expected: list[str]) -> None:
    assert list(sentences_of(paragraph, 1)) == expected
    assert not is_sentence("\u0141\xf3d\u017a is large.", 1) and is_sentence("\xc9mile is here.", 1)
