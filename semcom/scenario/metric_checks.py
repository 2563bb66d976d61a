"""Check that the metrics suit the test sentences, before hours of training."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from semcom.metrics.bleu import Bleu
from semcom.metrics.catalog import listening, metric_named
from semcom.metrics.pieces import Pieces
from semcom.metrics.similarity import Similarity, check_readable
from semcom.metrics.words import WordErrorRate
from semcom.mistakes import UserMistake
from semcom.scenario.plans import MeasurePlan
from semcom.words import counted

# Shares of the encoder's pieces: above the first little is compared, above the second it shows in the third digit.
MOST_UNKNOWN, MUCH_UNKNOWN = 0.5, 0.02
# Pieces a word of the bundled encoder: 1.1 to 1.5 in English, with numbers and names of programs; French has 1.75,
# Spanish 2.1, German 2.5, Russian 8.
MOST_PIECES = 1.7
# Characters a word, marks and digits with it: 5 in English, 8 in Finnish. Where a script has no spaces between words,
# words that were parted beforehand have 2 (Chinese) to 5 (Khmer).
LONGEST_WORDS, LONGEST_UNPARTED = 12, 6
_UNPARTED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def check_metrics(measure: MeasurePlan, sentences: Sequence[str]) -> tuple[str, ...]:
    """One remark for everything that makes a metric say less of these test sentences than it seems to.

    Raises:
        UserMistake: a metric has nothing to say of them.
    """
    remarks = list(_on_words(measure, sentences))
    if listening(measure.metrics, "similarity"):
        remarks += _on_similarity(measure, sentences)
    return tuple(remarks)


def _on_words(measure: MeasurePlan, sentences: Sequence[str]) -> Iterator[str]:
    """Of metrics that count words, where there are hardly any."""
    metrics = [metric_named(name) for name in measure.metrics]
    orders = [metric.order for metric in metrics if isinstance(metric, Bleu)]
    words = [word for sentence in sentences for word in sentence.split()]
    characters = sum(map(len, words)) / len(words)
    unparted = sum(map(_is_unparted, "".join(words))) / sum(map(len, words)) > 0.5
    long = characters > (LONGEST_UNPARTED if unparted else LONGEST_WORDS)
    if orders and not measure.bleu_tokenize:
        short = sum(len(sentence.split()) < max(orders) for sentence in sentences)
        if long or 2 * short >= len(sentences):
            yield (
                f"measure.metrics: bleu_{max(orders)} takes for a word what white space parts, {characters:.1f} "
                f"characters on average here; {short} of {counted(len(sentences), 'test sentence')} have fewer than "
                f"{max(orders)} words and so no {max(orders)}-gram; for text without spaces between words set "
                "measure.bleu_tokenize to char (or to zh, for Chinese)"
            )
    if long and any(isinstance(metric, WordErrorRate) for metric in metrics):
        yield (
            f"measure.metrics: word_error_rate takes for a word what white space parts, {characters:.1f} characters "
            "on average here; one wrong character makes all of it wrong"
        )


@lru_cache(maxsize=10_000)
def _is_unparted(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_UNPARTED)


def _on_similarity(measure: MeasurePlan, sentences: Sequence[str]) -> list[str]:
    """Of a sentence encoder that cannot read all of the text."""
    from semcom.metrics.embedder import load_embedder

    different = list(dict.fromkeys(sentences))
    if Similarity(rescaled=True).name in measure.metrics and len(different) < 2:
        raise UserMistake(
            "measure.metrics: similarity_rescaled must have two different test sentences for a random pair, got one; "
            "measure more sentences, or take similarity"
        )
    embedder = load_embedder(measure.similarity)
    pieces = embedder.pieces(different)
    english = measure.similarity.model == "bundled"
    _check_known(pieces, english=english)
    check_readable(pieces)
    return list(_remarks(pieces, embedder.longest, english=english))


def _check_known(pieces: Sequence[Pieces], *, english: bool) -> None:
    share, who = _unknown(pieces), " (an English model)" if english else ""
    if share > MOST_UNKNOWN:
        raise UserMistake(
            f"measure.metrics: similarity must be asked of text that its encoder can read, got {share:.0%} of the text "
            f"of {counted(len(pieces), 'test sentence')} unknown to it{who}, which makes "
            "different sentences one; name an encoder of their language in measure.similarity, or leave similarity out"
        )


def _unknown(pieces: Sequence[Pieces]) -> float:
    return sum(len(each.unknown) for each in pieces) / max(1, sum(len(each.ids) for each in pieces))


def _remarks(pieces: Sequence[Pieces], longest: int, *, english: bool) -> Iterator[str]:
    share, long = _unknown(pieces), sum(len(each.ids) > longest for each in pieces)
    known = sum(len(each.ids) - len(each.unknown) for each in pieces)
    each_word = known / max(1, sum(len(each.text.split()) for each in pieces))
    other = "name an encoder of this language in measure.similarity, or leave similarity out"
    if share > MUCH_UNKNOWN:
        yield (
            f"measure.metrics: similarity cannot read {share:.1%} of the test sentences: these words are unknown to "
            f"its encoder, which tells only whether the very same arrived; {other}"
        )
    if english and each_word > MOST_PIECES:
        yield (
            f"measure.metrics: similarity has little meaning here: the bundled encoder is an English model and cuts a "
            f"word of this text into {each_word:.1f} pieces (1.1 to 1.5 in English); {other}"
        )
    if long:
        yield (
            f"measure.metrics: similarity compares only the beginning of {counted(long, 'test sentence')} of "
            f"{len(pieces)}, those of more than the {longest} pieces that its encoder reads; set a smaller "
            "corpus.longest, or name another encoder in measure.similarity"
        )
