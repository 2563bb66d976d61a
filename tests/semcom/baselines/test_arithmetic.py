"""Arithmetic coding: sentences come back, in hardly more bits than the language is surprised by."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from semcom.baselines.arithmetic import PRECISION, Arithmetic, frequencies
from semcom.languages.bits import bits_per_token
from semcom.languages.mixture import Mixture
from semcom.languages.ngram import NGram, count
from semcom.languages.ngram_spec import NGramSpec
from semcom.languages.transformer import initialize_language
from semcom.languages.transformer_spec import TransformerSpec
from semcom.sources.batches import evaluation_batches
from semcom.sources.tokenizer import BytePairs, Tokenizer

SENTENCES = st.lists(st.lists(st.integers(0, 299), min_size=1, max_size=12), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def tokenizer(made_up) -> Tokenizer:
    return BytePairs(300).train(made_up(400))


@pytest.fixture(scope="module")
def counts(tokenizer: Tokenizer, made_up) -> NGram:
    return count(tokenizer.encode(made_up(400)), tokenizer.size, NGramSpec(order=3))


@given(sentences=SENTENCES, behind=st.integers(0, 20))
def test_every_sentence_comes_back_with_zeros_behind(counts: NGram, sentences, behind) -> None:
    code = Arithmetic(counts)
    packed = [bits + "0" * behind for bits in code.pack(sentences)]
    assert code.unpack(packed, [len(each) for each in sentences]) == sentences


@given(bits=st.lists(st.text("01", max_size=90), min_size=1, max_size=3))
def test_any_bits_are_read(counts: NGram, bits: list[str]) -> None:
    found = Arithmetic(counts).unpack(bits, [9] * len(bits))
    assert all(len(each) == 9 and all(0 <= token < counts.outputs for token in each) for each in found)


def test_it_takes_the_languages_bits_and_one_in_a_hundred_more_at_most(counts, tokenizer, made_up) -> None:
    new = tokenizer.encode(made_up(480)[400:])
    tokens = sum(map(len, new))
    told = bits_per_token(counts, evaluation_batches(new, 16))
    taken = sum(map(len, Arithmetic(counts).pack(new))) / tokens
    # Less is right too: the end of a sentence, which never stands in one, has its probability back.
    assert 0.9 * told < taken < 1.01 * told


def test_languages_that_add_up_floats_are_asked_one_sentence_at_a_time(counts, tokenizer, made_up) -> None:
    trained = initialize_language(TransformerSpec(layers=1, width=16, heads=2), tokenizer.size, seed=1).eval()
    sentences = tokenizer.encode(made_up(3))
    for language in (trained, Mixture(counts, trained, 0.5)):
        code = Arithmetic(language)
        with torch.inference_mode():
            packed = code.pack(sentences)
            assert packed == [code.pack([sentence])[0] for sentence in sentences]
            assert code.unpack(packed, [len(each) for each in sentences]) == sentences


def test_frequencies_fill_their_room_and_leave_out_nothing() -> None:
    log_p = torch.log_softmax(torch.tensor([5.0, 5.0, 0.0, -200.0, 3.0]), dim=0)
    ends = frequencies(log_p)
    each = [int(ends[0]), *(ends[1:] - ends[:-1]).tolist()]
    assert each[0] == each[1] == each[3] == 1 and min(each) > 0
    assert (1 << PRECISION) - 5 <= ends[-1] <= 1 << PRECISION
    assert each[4] / each[2] == pytest.approx(torch.tensor(3.0).exp().item(), rel=1e-6)
