"""Counted languages: Kneser-Ney by hand and by the textbook, beginnings and ends, and what is counted."""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semcom.languages import counting, lookup
from semcom.languages.counting import count_ngrams
from semcom.languages.language import BOUNDARY
from semcom.languages.ngram import NGram, count
from semcom.languages.ngram_spec import NGramSpec
from semcom.mistakes import UserMistake
from semcom.sources.batches import make_batch

OUTPUTS = 12
Gram = tuple[int, ...]


def corpus(sentences: int, seed: int = 0) -> list[list[int]]:
    """Sentences in which few tokens are frequent, so that counts of one to four occur."""
    chance = np.random.default_rng(seed)
    share = 1 / np.arange(1, OUTPUTS - 1)
    lengths = chance.integers(1, 7, size=sentences)
    return [(2 + chance.choice(OUTPUTS - 2, size=length, p=share / share.sum())).tolist() for length in lengths]


def counted(order: int = 3, sentences: int = 60) -> NGram:
    return count(corpus(sentences), OUTPUTS, NGramSpec(order))


COUNTED = counted(order=4)


def reached(language: NGram, *beginning: int) -> Any:
    """The state of one beginning."""
    state = language.begin(1)
    for token in beginning:
        state = language.extend(state, torch.tensor([0]), torch.tensor([token]))
    return state


def after(language: NGram, *beginning: int) -> torch.Tensor:
    """Log-probabilities of all tokens after one beginning."""
    return language.scores(reached(language, *beginning))[0]


# The textbook: dictionaries, fractions and recursion, with nothing in common with the product.


def raw_counts(sentences: Sequence[Sequence[int]], length: int) -> Counter[Gram]:
    found: Counter[Gram] = Counter()
    for sentence in sentences:
        whole = (BOUNDARY, *sentence, BOUNDARY)
        # The first BOUNDARY is given, never said.
        first = 1 if length == 1 else 0
        found.update(whole[place : place + length] for place in range(first, len(whole) - length + 1))
    return found


def adjusted_counts(sentences: Sequence[Sequence[int]], length: int, order: int) -> Counter[Gram]:
    """Raw at the top; below, how many different tokens stand before, unless an n-gram begins its sentence."""
    raw = raw_counts(sentences, length)
    if length == order:
        return raw
    longer = raw_counts(sentences, length + 1)
    before = {gram: sum(1 for each in longer if each[1:] == gram) for gram in raw}
    return Counter({gram: before[gram] or raw[gram] for gram in raw})


def discount(counts: Counter[Gram], count: int) -> Fraction:
    n1, n2, n3, n4 = (sum(1 for each in counts.values() if each == size) for size in (1, 2, 3, 4))
    y = Fraction(n1, n1 + 2 * n2) if n1 and n2 else Fraction(1, 2)
    if n1 and n2 and n3 and n4:
        three = [1 - 2 * y * Fraction(n2, n1), 2 - 3 * y * Fraction(n3, n2), 3 - 4 * y * Fraction(n4, n3)]
        if all(0 < d < size for size, d in enumerate(three, 1)):
            return three[min(count, 3) - 1]
    return y


class Textbook:
    """p(w | h) by recursion on the context."""

    def __init__(self, sentences: Sequence[Sequence[int]], outputs: int, order: int) -> None:
        self.outputs = outputs
        self.order = order
        self.counts = {length: adjusted_counts(sentences, length, order) for length in range(1, order + 1)}
        self.behind: dict[Gram, dict[int, int]] = {}

    def p(self, token: int, context: Gram) -> Fraction:
        context = context[-(self.order - 1) :] if self.order > 1 else ()
        counts = self.counts[len(context) + 1]
        if context not in self.behind:
            self.behind[context] = {gram[-1]: count for gram, count in counts.items() if gram[:-1] == context}
        behind = self.behind[context]
        below = self.p(token, context[1:]) if context else Fraction(1, self.outputs)
        if not behind:
            return below
        total = sum(behind.values())
        left = sum(discount(counts, count) for count in behind.values()) / total
        own = (behind[token] - discount(counts, behind[token])) / total if token in behind else Fraction(0)
        return own + left * below


# Values


def test_three_sentences_by_hand() -> None:
    # Bigrams: (B 3) three times, (3 4) and (4 B) twice, (3 5) and (5 B) once. So n1 = 2, n2 = 2, n4 = 0, D = 2/6.
    # Different tokens before 3, 4 and 5: one; before B: 4 and 5. So n1 = 3, n2 = 1, D = 3/5, and of 5 in all
    # p(3) = p(4) = p(5) = (2/5 + 4 * 3/5 / 6) / 5 = 4/25, p(B) = (7/5 + 2/5) / 5 = 9/25, p(0) = p(2) = 2/25.
    language = count([[3, 4], [3, 4], [3, 5]], 6, NGramSpec(order=2))
    # Behind 3 stand 4 twice and 5 once, which leaves two discounts of 1/3 among 3, or 2/9, to the line above.
    expected = [
        Fraction(2, 9) * Fraction(2, 25),
        Fraction(2, 9) * Fraction(9, 25),
        Fraction(2, 9) * Fraction(2, 25),
        Fraction(2, 9) * Fraction(4, 25),
        (2 - Fraction(1, 3)) / 3 + Fraction(2, 9) * Fraction(4, 25),
        (1 - Fraction(1, 3)) / 3 + Fraction(2, 9) * Fraction(4, 25),
    ]
    assert sum(expected) == 1
    assert after(language, 3).exp().tolist() == pytest.approx([float(p) for p in expected], rel=1e-6)
    assert after(language)[3].exp() == pytest.approx(8 / 9 + 1 / 9 * 4 / 25, rel=1e-6)


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("sentences", [3, 60])
def test_equals_the_textbook(order: int, sentences: int, table: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not table:
        monkeypatch.setattr(lookup, "LARGEST_TABLE", 0)
    text = corpus(sentences)
    language, book = count(text, OUTPUTS, NGramSpec(order)), Textbook(text, OUTPUTS, order)
    # Beginnings that were seen, and such as never were.
    for beginning in [*text[:3], [], [2, 2, 2, 2, 2], [11, 11, 2], [9, 10, 11, 8, 7, 2]]:
        expected = [math.log(book.p(token, (BOUNDARY, *beginning))) for token in range(OUTPUTS)]
        state = reached(language, *beginning)
        assert language.scores(state)[0].tolist() == pytest.approx(expected, rel=1e-5)
        # All tokens at once and candidates are looked up in different ways.
        backwards = torch.arange(OUTPUTS).flip(0)[None]
        assert language.scores(state, backwards)[0].tolist() == pytest.approx(expected[::-1], rel=1e-5)


def test_the_text_above_asks_for_three_discounts_and_the_short_one_for_one() -> None:
    for sentences, several in ((60, 3), (3, 1)):
        book = Textbook(corpus(sentences), OUTPUTS, 3)
        assert len({discount(book.counts[3], size) for size in (1, 2, 3)}) == several


@pytest.mark.parametrize("order", [1, 2, 4, 6])
def test_probabilities_sum_to_one_behind_every_context(order: int) -> None:
    language = counted(order)
    for beginning in ([], [2], [2, 3], [11, 11, 11, 11, 11], [2, 2, 3, 2, 4]):
        assert after(language, *beginning).double().exp().sum() == pytest.approx(1, abs=1e-5)


def test_telling_is_scoring_word_by_word() -> None:
    language, text = counted(order=4), [[2, 3, 2], [9, 2, 11, 4, 3, 2, 2], [5]]
    told = language.tell(make_batch(text))
    assert told.shape == (3, 8)
    for row, sentence in enumerate(text):
        places = [after(language, *sentence[:place])[token] for place, token in enumerate([*sentence, BOUNDARY])]
        assert told[row].tolist() == pytest.approx([*map(float, places), *[0.0] * (7 - len(sentence))], abs=1e-6)


def test_candidates_are_columns_and_parents_are_rows() -> None:
    language = counted(order=4)
    state = language.extend(language.begin(2), torch.tensor([0, 1]), torch.tensor([2, 3]))
    state = language.extend(state, torch.tensor([1, 0, 1]), torch.tensor([4, 5, 2]))
    expected = torch.stack([after(language, 3, 4), after(language, 2, 5), after(language, 3, 2)])
    assert torch.equal(language.scores(state), expected)
    candidates = torch.tensor([[2, 11, 1], [0, 2, 7], [3, 3, 4]])
    assert torch.equal(language.scores(state, candidates), expected.gather(1, candidates))


def test_only_the_last_tokens_matter() -> None:
    language = counted(order=3)
    assert language.memory == 2
    assert torch.equal(after(language, 2, 3, 4, 5), after(language, 9, 8, 4, 5))
    assert not torch.equal(after(language, 2, 5), after(language, 3, 5))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(2, OUTPUTS - 1), min_size=1, max_size=9), min_size=1, max_size=4))
def test_padding_changes_nothing(sentences: list[list[int]]) -> None:
    language = COUNTED
    together = language.tell(make_batch(sentences))
    for row, sentence in enumerate(sentences):
        alone = language.tell(make_batch([sentence]))[0]
        assert torch.equal(together[row, : len(sentence) + 1], alone)
        assert not together[row, len(sentence) + 1 :].any()


def test_sentences_shorter_than_the_order() -> None:
    language = count([[2], [3], [2]], OUTPUTS, NGramSpec(order=6))
    assert after(language)[2] > after(language)[3] > after(language)[4]
    assert after(language, 2, 2, 2, 2).double().exp().sum() == pytest.approx(1, abs=1e-5)


# Counting


def test_shares_of_a_text_nest() -> None:
    text = corpus(60)
    part, whole = count_ngrams(text[:20], OUTPUTS, 3), count_ngrams(text, OUTPUTS, 3)
    assert (part.sentences, part.tokens) == (20, sum(map(len, text[:20])))
    for few, many in zip(part.levels, whole.levels, strict=True):
        counts = dict(zip(many.keys.tolist(), many.counts.tolist(), strict=True))
        assert all(counts[key] >= count for key, count in zip(few.keys.tolist(), few.counts.tolist(), strict=True))
    assert len(part.levels[2].keys) < len(whole.levels[2].keys)


def test_a_stream_in_small_parts_counts_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text, steps = corpus(200), []
    whole = count_ngrams(text, OUTPUTS, 4)
    monkeypatch.setattr(counting, "_SENTENCES_AT_ONCE", 7)
    monkeypatch.setattr(counting, "_WINDOWS_AT_ONCE", 50)
    parts = count_ngrams(chain(text, [[]]), OUTPUTS, 4, lambda *step: steps.append(step))
    for one, other in zip(whole.levels, parts.levels, strict=True):
        assert np.array_equal(one.keys, other.keys)
        assert np.array_equal(one.counts, other.counts)
    assert parts.sentences == 200
    assert steps[0] == ("reading sentences", 7, 0)
    assert steps[-1][0] == "counting n-grams"
    assert steps[-1][1] == steps[-1][2] > 10


@pytest.mark.parametrize("strange", [0, 1, OUTPUTS, 70_000, -1])
def test_tokens_that_no_sentence_holds_are_refused(strange: int) -> None:
    with pytest.raises(ValueError, match="token of a sentence must be at least 2 and less than 12"):
        count_ngrams([[2, 3], [4, strange]], OUTPUTS, 2)


def test_no_sentence_is_refused() -> None:
    with pytest.raises(UserMistake, match="at least one sentence"):
        count_ngrams([[]], OUTPUTS, 2)


def test_what_fits_into_no_key_is_refused_and_says_so() -> None:
    assert len(count_ngrams([[2, 32_767]], 1 << 15, 4).levels[3].keys) == 1
    with pytest.raises(UserMistake, match=r"at most 4 with a vocabulary of 32,768 tokens .*15 of 63 bits.*got 5"):
        count_ngrams([[2]], 1 << 15, 5)


def test_the_largest_key_there_is() -> None:
    largest = (1 << 21) - 1
    language = count([[largest] * 4, [2]], 1 << 21, NGramSpec(order=3))
    behind = after(language, largest, largest)
    assert language.levels[2].keys[-1] == (1 << 63) - 1
    assert behind.argmax() == largest
    assert behind.double().exp().sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("order", [0, 7])
def test_orders_have_bounds(order: int) -> None:
    with pytest.raises(UserMistake, match=f"at least 1 and at most 6, got {order}"):
        NGramSpec(order)
