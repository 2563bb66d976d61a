"""BLEU against hand-worked sentences and against sacreBLEU's own corpus score."""

import logging
import math

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU

from semcom.metrics.bleu import Bleu
from semcom.metrics.score import score
from semcom.mistakes import UserMistake
from semcom.words import LOST_LETTER, LOST_WORD

ORDERS = tuple(Bleu(order=n) for n in (1, 2, 3, 4))
# Few words make matches of every order likely; the white space is what a careless decoder leaves behind.
SENTENCES = st.lists(st.sampled_from(["red", "kite", "over", "the", "the", "."]), max_size=12).flatmap(
    lambda words: st.sampled_from([" ", "  ", " \t"]).map(lambda gap: gap.join(words))
)
CORPORA = st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=8)


def test_matches_are_clipped_by_the_reference():
    """The paper's own trap: seven times "the" matches twice, since the reference has it twice (section 2.1)."""
    values = score(ORDERS, ["the cat is on the mat"], ["the the the the the the the"])
    assert values == (pytest.approx(2 / 7, rel=1e-12), 0.0, 0.0, 0.0)


def test_saying_too_little_is_punished():
    """Every word of "a b c" is right, but half is missing: exp(1 - 6/3). There is no 4-gram, so BLEU-4 is 0."""
    values = score(ORDERS, ["a b c d e f"], ["a b c"])
    assert values == (*[pytest.approx(math.exp(-1), rel=1e-12)] * 3, 0.0)


def test_a_corpus_is_counted_as_one():
    """p1 = (4 + 1)/(4 + 2), p2 = (3 + 0)/(3 + 1); six words said, seven expected."""
    references = ["one two three four", "five six seven"]
    hypotheses = ["one two three four", "six nine"]
    brevity = math.exp(1 - 7 / 6)
    assert score(ORDERS[:2], references, hypotheses) == (
        pytest.approx(brevity * 5 / 6, rel=1e-12),
        pytest.approx(brevity * math.sqrt(5 / 6 * 3 / 4), rel=1e-12),
    )


def test_statistics_are_matches_then_ngrams_then_lengths():
    counted = Bleu().statistics(["one two three four", "five six seven"], ["one two three four", "six nine"])
    assert counted.tolist() == [[4, 3, 2, 1, 4, 3, 2, 1, 4, 4], [1, 0, 0, 0, 2, 1, 0, 0, 2, 3]]


@given(CORPORA)
def test_equals_sacrebleu(corpus):
    references, hypotheses = (list(side) for side in zip(*corpus, strict=True))
    for metric, value in zip(ORDERS, score(ORDERS, references, hypotheses), strict=True):
        theirs = BLEU(tokenize="none", smooth_method="none", max_ngram_order=metric.order, force=True)
        assert value == pytest.approx(theirs.corpus_score(hypotheses, [references]).score / 100, abs=1e-12)
    theirs = sacrebleu.corpus_bleu(hypotheses, [references], smooth_method="none", tokenize="none", force=True)
    assert value == pytest.approx(theirs.score / 100, abs=1e-12)


@given(CORPORA, st.randoms())
def test_order_of_sentences_changes_no_digit(corpus, random):
    """Counts are whole numbers, so not even the rounding differs."""
    shuffled = random.sample(corpus, len(corpus))
    assert score(ORDERS, *zip(*corpus, strict=True)) == score(ORDERS, *zip(*shuffled, strict=True))


@given(st.lists(SENTENCES.filter(lambda text: len(text.split()) >= 4), min_size=1, max_size=5))
def test_identical_text_of_enough_words_is_one(sentences):
    assert score(ORDERS, sentences, sentences) == (pytest.approx(1.0, abs=1e-15),) * 4


def test_short_sentences_alone_have_no_long_ngrams():
    assert score(ORDERS, ["yes", "well said"], ["yes", "well said"]) == (1.0, 1.0, 0.0, 0.0)


def test_silence_scores_zero():
    assert score(ORDERS, ["anything at all"], [""]) == (0.0,) * 4
    assert score(ORDERS, [""], ["anything at all"]) == (0.0,) * 4
    assert score(ORDERS, [""], [""]) == (0.0,) * 4


def test_nothing_is_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        Bleu().statistics(["one two ."] * 200, ["one ."] * 200)
        Bleu().provenance()
    assert not caplog.records


def test_provenance_is_the_signature_of_the_score():
    assert "nrefs:1|case:mixed|eff:no|tok:none|smooth:none|version:" in Bleu(order=2).provenance()


@pytest.mark.parametrize("order", [0, 5])
def test_other_orders_are_refused(order):
    with pytest.raises(UserMistake, match=f"order must be 1 to 4, got {order}"):
        Bleu(order=order)


# Text without spaces between words.
UNPARTED = {
    "chinese": "\u8fd9\u662f\u4e00\u672c\u65b0\u4e66\u3002",
    "japanese": "\u3053\u308c\u306f\u65b0\u3057\u3044\u672c\u3067\u3059",
    "thai": "\u0e19\u0e35\u0e48\u0e04\u0e37\u0e2d\u0e2b\u0e19\u0e31\u0e07\u0e2a\u0e37\u0e2d",
    "lao": "\u0e99\u0eb5\u0ec9\u0ec1\u0ea1\u0ec8\u0e99\u0e9b\u0eb6\u0ec9\u0ea1",
    "khmer": "\u1793\u17c1\u17c7\u1787\u17b6\u179f\u17c0\u179c\u1797\u17c5",
}


@pytest.mark.parametrize("language", UNPARTED)
def test_characters_are_words_where_it_is_asked_for(language):
    text = UNPARTED[language]
    assert score([Bleu(order=4)], [text], [text]) == (0.0,)
    assert score([Bleu(order=4, tokenize="char")], [text], [text]) == (pytest.approx(1.0),)
    assert 0 < score([Bleu(order=4, tokenize="char")], [text], [text[:-2]])[0] < 1


@pytest.mark.parametrize("tokenize", ["13a", "intl", "zh", "char"])
def test_other_tokenizers_equal_sacrebleu(tokenize):
    references = [*UNPARTED.values(), "Press <unknown> now, please!", "it's 3.5 dB (or 4)"]
    hypotheses = [*(text[1:] + text[0] for text in UNPARTED.values()), "Press it now , please.", "it's 3.5 dB or 4"]
    for order in (1, 2, 3, 4):
        theirs = BLEU(tokenize=tokenize, smooth_method="none", max_ngram_order=order, force=True)
        expected = theirs.corpus_score(hypotheses, [references]).score / 100
        metric = Bleu(order=order, tokenize=tokenize)
        assert score([metric], references, hypotheses) == (pytest.approx(expected, abs=1e-12),)
        assert metric.provenance() == f"sacrebleu {theirs.get_signature()}"
        assert f"tok:{tokenize}|" in metric.provenance()


@pytest.mark.parametrize("tokenize", [None, "13a", "intl", "zh", "char"])
@pytest.mark.parametrize("lost", [LOST_WORD, LOST_LETTER])
@pytest.mark.parametrize("word", ["<unknown>", "unknown", "\ufffd", "<"])
def test_no_tokenizer_finds_a_word_in_what_was_lost(tokenize, lost, word):
    """What was lost is one word that no sentence holds."""
    counted = Bleu(tokenize=tokenize).statistics([word, word], [lost, ""])
    assert counted[0, :4].tolist() == [0, 0, 0, 0]
    assert counted[0, 8] == 1


def test_tokenizers_share_no_statistics():
    assert len({Bleu(tokenize=each).family for each in (None, "13a", "intl", "zh", "char")}) == 5


@pytest.mark.parametrize("tokenize", ["", "spm", "ja-mecab", "none"])
def test_tokenizers_that_need_more_are_refused(tokenize):
    with pytest.raises(UserMistake, match="must be one of 13a, intl, zh, char"):
        Bleu(tokenize=tokenize)
