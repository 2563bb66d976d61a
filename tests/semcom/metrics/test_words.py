"""Word errors against jiwer's corpus value, hand-worked cases, and whole sentences."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.metrics.score import score
from semcom.metrics.words import ExactMatch, WordErrorRate

WORDS = st.lists(st.sampled_from(["red", "kite", "over", "the", "hill"]), max_size=10)
PAIRS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6)


def error_rate(references, hypotheses):
    return score([WordErrorRate()], references, hypotheses)[0]


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors"),
    [
        ("a b c d", "a b c d", 0),
        ("a b c d", "a x c d", 1),
        ("a b c d", "a c d", 1),
        ("a b c d", "a b b c d", 1),
        ("a b c d", "", 4),
        ("a b c d", "w x y z", 4),
        ("a b c d", "d a b c", 2),
        ("a", "x y z", 3),
    ],
)
def test_errors_are_the_fewest_edits(reference, hypothesis, errors):
    words = len(reference.split())
    assert WordErrorRate().statistics([reference], [hypothesis]).tolist() == [[errors, words]]
    assert error_rate([reference], [hypothesis]) == errors / words


@given(PAIRS)
def test_equals_jiwer(pairs):
    references, hypotheses = ([" ".join(words) for words in side] for side in zip(*pairs, strict=True))
    assert error_rate(references, hypotheses) == pytest.approx(jiwer.wer(references, hypotheses), abs=1e-12)


def test_a_long_sentence_weighs_more_than_a_short_one():
    assert error_rate(["a b c d e f g h i", "a"], ["a b c d e f g h i", "x"]) == 0.1


def test_empty_references_count_as_one_word():
    assert error_rate([""], [""]) == 0
    assert error_rate([""], ["two words"]) == 2


def test_white_space_is_no_error():
    references, hypotheses = ["a b c", " a\tb ", "a  b"], [" a  b\tc ", "a b", "a\nb"]
    assert score([WordErrorRate(), ExactMatch()], references, hypotheses) == (0.0, 1.0)


def test_exact_match_counts_whole_sentences():
    references = ["a b", "a b", "a b", "", "A b"]
    hypotheses = ["a b", "b a", "a b c", "", "a b"]
    assert score([ExactMatch()], references, hypotheses) == (0.4,)


@given(PAIRS)
def test_without_errors_everything_matches(pairs):
    references, hypotheses = ([" ".join(words) for words in side] for side in zip(*pairs, strict=True))
    errors, share = score([WordErrorRate(), ExactMatch()], references, hypotheses)
    assert (errors == 0) == (share == 1)
