"""What the bundled encoder cannot read: unknown words never pass for other ones, and known text scores as ever."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.metrics.embedder import load_embedder
from semcom.metrics.embedding_model import EmbeddingModel
from semcom.metrics.pieces import Pieces, tell_apart
from semcom.metrics.similarity import Similarity, cosine, cosine_statistics
from semcom.mistakes import UserMistake
from semcom.words import LOST_WORD

# Each as two sentences of words of one script that the English vocabulary does not hold.
UNREADABLE = {
    "amharic": ("\u1230\u120b\u121d \u1208\u12d3\u1208\u121d", "\u12cd\u123b\u12cd \u1260\u134d\u1325\u1290\u1275"),
    "khmer": ("\u1793\u17c1\u17c7\u1787\u17b6 \u179f\u17c0\u179c\u1797\u17c5", "\u1781\u17d2\u1789\u17bb\u17c6"),
    "georgian": ("\u10d0\u10ee\u10d0\u10da\u10d8 \u10ec\u10d8\u10d2\u10dc\u10d8", "\u10ea\u10e3\u10d3\u10d8"),
    "lao": ("\u0e99\u0eb5\u0ec9\u0ec1\u0ea1\u0ec8\u0e99", "\u0e9b\u0eb6\u0ec9\u0ea1\u0ec3\u0edd\u0ec8"),
    "emoji": ("\U0001f680 \U0001f355", "\U0001f431 \U0001f600"),
}
ONE, TWO, THREE = "\u1230\u120b\u121d", "\u12db\u122c", "\u12a5\u12da\u1205"


def cosines(references: list[str], hypotheses: list[str]) -> list[float]:
    return Similarity().statistics(references, hypotheses)[:, 1].tolist()


@pytest.mark.parametrize("script", UNREADABLE)
def test_sentences_without_a_known_word_have_no_similarity(script: str) -> None:
    first, second = UNREADABLE[script]
    with pytest.raises(
        UserMistake, match=r"got 1 of 2 without a word it knows, the first .*measure\.similarity"
    ) as told:
        Similarity().statistics(["the report is here", first], ["the report is here", second])
    assert first in str(told.value)


@pytest.mark.parametrize("script", UNREADABLE)
def test_another_unknown_word_is_not_the_right_one(script: str) -> None:
    first, second = (each.split()[0] for each in UNREADABLE[script])
    right, wrong, silent = (f"the old {word} boat leaves today" for word in (first, second, ""))
    assert cosines([right] * 3, [right, wrong, silent])[0] == 1.0
    assert cosines([right], [wrong])[0] < 0.99
    assert cosines([right], [wrong]) == cosines([right], [silent]), "what is wrong counts as not said"


@pytest.mark.parametrize(
    "said",
    [
        f"the {TWO} boat sees {ONE}",
        f"the {TWO} boat sees {TWO}",
        f"the {ONE} boat sees {THREE}",
        f"the {ONE} {THREE} boat sees {TWO}",
        f"{THREE} the {ONE} boat sees {TWO}",
        f"the {ONE} boat sees {TWO} {TWO}",
        "the boat sees",
    ],
)
def test_only_the_same_unknown_words_in_order_are_right(said: str) -> None:
    meant = f"the {ONE} boat sees {TWO}"
    found = cosines([meant, meant], [meant, said])
    assert found[0] == 1.0
    assert found[1] < 0.995


WORDS = st.lists(st.sampled_from(["the", "boat", "sees", "today", ONE, TWO, THREE]), min_size=1, max_size=6)


@given(WORDS.filter(lambda words: any(word.isascii() for word in words)), WORDS)
def test_no_two_different_texts_are_read_alike(meant: list[str], said: list[str]) -> None:
    embedder = load_embedder(EmbeddingModel())
    reference, hypothesis = embedder.pieces([" ".join(meant), " ".join(said)])
    read = embedder.pieces([tell_apart(reference, hypothesis)])[0]
    assert (read.ids == reference.ids) == (meant == said)


def test_known_text_is_read_as_it_is() -> None:
    """Bit for bit what the encoder's vectors give, whatever it is that arrived."""
    references = ["the committee votes tomorrow", "nobody counted the lanterns", "", ". . !", "unknown error"]
    hypotheses = ["the <unknown> votes tomorrow", f"nobody {ONE} the \ufffd", "the", "? !", "unknown \x07error"]
    plain = cosine_statistics(load_embedder(EmbeddingModel()).vectors, references, hypotheses)
    assert (Similarity().statistics(references, hypotheses) == plain).all()


@pytest.mark.parametrize("meant", ["press <unknown> to go on", "an unknown error", "the UNKNOWN soldier", "unknown."])
def test_a_lost_word_is_no_unknown_one(meant: str) -> None:
    lost = meant.replace("<unknown>", "unknown").replace("UNKNOWN", "unknown").replace("unknown", LOST_WORD)
    assert cosines([meant], [meant]) == [1.0]
    assert cosines([meant], [lost])[0] < 0.95
    assert cosines([meant], [f"{meant} {LOST_WORD}"])[0] < 1


def test_a_lost_word_elsewhere_is_read_as_it_was() -> None:
    plain, lost = "the <unknown> boat leaves", f"the {LOST_WORD} boat leaves"
    assert cosines(["the red boat leaves"], [plain]) == cosines(["the red boat leaves"], [lost])


def test_pieces_tell_what_is_unknown_and_where() -> None:
    found = load_embedder(EmbeddingModel()).pieces([f"the {ONE} boat", "the boat", ONE, "", "boat " * 400])
    assert [each.unknown for each in found] == [(1,), (), (0,), (), ()]
    assert [each.unknown_words for each in found] == [[ONE], [], [ONE], [], []]
    assert [each.is_unreadable for each in found] == [False, False, True, False, False]
    assert len(found[4].ids) == 400 > load_embedder(EmbeddingModel()).longest == 254


def test_without_places_a_text_stays_as_it_is() -> None:
    """As of a tokenizer that does not say where its pieces stand."""
    meant, said = Pieces("a b", (5, 1), (1,), ()), Pieces("a c", (5, 1), (1,), ())
    assert tell_apart(meant, said) == "a c"


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_vectors_without_numbers_are_refused(broken: float) -> None:
    """A cosine with nan would be clipped to 1, the best there is."""

    def embed(texts):
        return np.array([[1.0, broken if text == "b" else 2.0] for text in texts], dtype=np.float32)

    assert cosine(*embed(["a", "c"])) == pytest.approx(1)
    with pytest.raises(UserMistake, match="must hold finite numbers, got others for 'b'"):
        cosine_statistics(embed, ["a"], ["b"])


@pytest.mark.parametrize("references", [["east", "west"], ["East", "east"], ["x", "y"]])
def test_references_that_are_one_to_the_encoder_have_no_rescaled_value(references: list[str]) -> None:
    statistics = cosine_statistics(lambda texts: np.ones((len(texts), 2), dtype=np.float32), references, references)
    assert Similarity().combine(statistics.sum(axis=0)) == 1
    assert math.isnan(Similarity(rescaled=True).combine(statistics.sum(axis=0)))
