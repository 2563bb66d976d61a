"""Similarity's arithmetic under made-up embeddings: no sentence encoder is loaded here."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.metrics.similarity import Similarity, cosine, cosine_statistics, random_partners

TEXTS = st.lists(st.text("abc ", max_size=6), min_size=1, max_size=12)
PLANE = {"east": (1, 0), "north": (0, 2), "northeast": (3, 3), "west": (-1, 0), "": (0, 0)}


def plane(texts):
    return np.array([PLANE[text] for text in texts], dtype=np.float32)


def scattered(texts):
    """A vector for any text, from its letters; the same letters in another order give another vector."""
    spread = [
        [math.sin(1 + k * ord(letter) + i) for k in range(6)] for text in texts for i, letter in enumerate("^" + text)
    ]
    ends = np.cumsum([len(text) + 1 for text in texts])
    return np.array([part.sum(axis=0) for part in np.split(np.array(spread), ends[:-1])], dtype=np.float32)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [("east", "north", 0.0), ("east", "northeast", math.sqrt(0.5)), ("east", "west", -1.0), ("east", "", 0.0)],
)
def test_cosine_of_known_angles(a, b, expected):
    assert cosine(*plane([a, b])) == pytest.approx(expected, abs=1e-15)


@given(st.integers(0, 2**32 - 1))
def test_cosine_agrees_with_numpy(seed):
    a, b = np.random.default_rng(seed).standard_normal((2, 50)).astype(np.float32)
    double = a.astype(float), b.astype(float)
    expected = double[0] @ double[1] / (np.linalg.norm(double[0]) * np.linalg.norm(double[1]))
    assert cosine(a, b) == pytest.approx(expected, abs=1e-14)


def test_hand_worked_corpus():
    """Cosines 1, sqrt(1/2) and 0; of the three pairs of references, each is some neighbor's in a ring of three."""
    references, hypotheses = ["east", "north", "northeast"], ["east", "northeast", ""]
    totals = cosine_statistics(plane, references, hypotheses).sum(axis=0)
    assert totals.tolist() == pytest.approx([3, 1 + math.sqrt(0.5), 0 + 2 * math.sqrt(0.5)])
    mean, floor = (1 + math.sqrt(0.5)) / 3, 2 * math.sqrt(0.5) / 3
    assert Similarity().combine(totals) == pytest.approx(mean)
    assert Similarity(rescaled=True).combine(totals) == pytest.approx((mean - floor) / (1 - floor))


@given(TEXTS)
def test_partners_are_a_derangement_of_the_different_references(references):
    partners = random_partners(references)
    if len(set(references)) == 1:
        assert partners == {}
        return
    assert set(partners) == set(partners.values()) == set(references)
    assert all(own != other for own, other in partners.items())


@given(TEXTS, st.randoms())
def test_partners_know_neither_order_nor_repetition(references, random):
    assert random_partners(random.choices(references, k=3) + references) == random_partners(references)


def test_partners_are_not_neighbors_in_the_corpus():
    """By chance one in about n - 1 looks at the sentence that follows it: one of 500 expected, five errors allowed."""
    references = [f"sentence number {k}" for k in range(500)]
    partners = random_partners(references)
    following = sum(partners[a] == b for a, b in pairwise(references))
    assert following <= 1 + 5


@given(st.lists(st.tuples(st.text("abc ", max_size=5), st.text("abc ", max_size=5)), min_size=1, max_size=8))
def test_a_pair_counts_the_same_in_any_company(pairs):
    references, hypotheses = zip(*pairs, strict=True)
    together = cosine_statistics(scattered, references, hypotheses)
    alone = np.concatenate([cosine_statistics(scattered, [r], [h]) for r, h in pairs])
    assert (together[:, :2] == alone[:, :2]).all()


@given(st.lists(st.tuples(st.text("abc", max_size=5), st.text("abc", max_size=5)), min_size=1, max_size=8))
def test_values_lie_in_bounds(pairs):
    statistics = cosine_statistics(scattered, *zip(*pairs, strict=True))
    assert (statistics[:, 0] == 1).all()
    assert np.abs(np.nan_to_num(statistics[:, 1:])).max() <= 1


def test_identical_text_needs_no_hypothesis_embedded():
    asked = []

    def listen(texts):
        asked.extend(texts)
        return scattered(texts)

    statistics = cosine_statistics(listen, ["ab", "b", "ab"], ["ab", "c", "c"])
    assert sorted(asked) == ["ab", "b", "c"]
    assert statistics[0, 1] == 1.0


def test_one_sentence_has_no_random_pair():
    totals = cosine_statistics(scattered, ["ab", "ab"], ["ab", "b"]).sum(axis=0)
    assert math.isfinite(Similarity().combine(totals))
    assert math.isnan(Similarity(rescaled=True).combine(totals))


def test_unrelated_text_rescales_to_zero():
    """Every hypothesis being the random partner itself scores exactly what the floor is."""
    references = ["ab", "b", "cc", "ca"]
    hypotheses = [random_partners(references)[r] for r in references]
    totals = cosine_statistics(scattered, references, hypotheses).sum(axis=0)
    assert Similarity(rescaled=True).combine(totals) == pytest.approx(0, abs=1e-15)
