"""A gain lasts as long as it should, no symbol longer."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels import Chance, Coherence, Link, NoFading, PerBlock, PerSentence, PerSymbol, Rayleigh, draw
from channels.coherence import spread


def gains_per_symbol(coherence: Coherence, symbols: int, *, batch: int = 3) -> torch.Tensor:
    """[B, K]: the wanted user's gain at every symbol, as superpose applies it."""
    air = draw(Link(fading=Rayleigh(), coherence=coherence), (batch, symbols), Chance(6))
    gains = air.gains[:, 0, 0]
    assert symbols % gains.shape[1] == 0
    return gains.repeat_interleave(symbols // gains.shape[1], dim=1)


@given(length=st.integers(1, 12), symbols=st.integers(1, 40))
def test_blocks_share_a_gain_and_neighboring_blocks_do_not(length: int, symbols: int) -> None:
    gains = gains_per_symbol(PerBlock(length), symbols)
    for k in range(1, symbols):
        assert torch.equal(gains[:, k], gains[:, k - 1]) == (k % length != 0)


@given(symbols=st.integers(1, 40))
def test_sentence_and_symbol_are_the_ends_of_the_scale(symbols: int) -> None:
    assert torch.equal(gains_per_symbol(PerSentence(), symbols), gains_per_symbol(PerBlock(symbols), symbols))
    assert torch.equal(gains_per_symbol(PerSentence(), symbols), gains_per_symbol(PerBlock(10_000), symbols))
    assert torch.equal(gains_per_symbol(PerSymbol(), symbols), gains_per_symbol(PerBlock(1), symbols))


def test_sentences_do_not_share_gains() -> None:
    assert len(set(gains_per_symbol(PerSentence(), 4, batch=50)[:, 0].tolist())) == 50


@pytest.mark.parametrize(("coherence", "kept"), [(PerSentence(), 1), (PerBlock(10), 6), (PerSymbol(), 60)], ids=str)
def test_no_more_gains_are_stored_than_there_are(coherence: Coherence, kept: int) -> None:
    assert draw(Link(fading=Rayleigh(), coherence=coherence), (2, 60), Chance(1)).gains.shape == (2, 1, 1, kept)
    assert draw(Link(fading=NoFading(), coherence=coherence), (2, 60), Chance(1)).gains.shape == (2, 1, 1, 1)


def test_blocks_are_independent_and_of_unit_power(assert_mean) -> None:
    # One sample a block: counting symbols would claim ten times the evidence there is.
    blocks = gains_per_symbol(PerBlock(10), 2000, batch=100)[:, ::10]
    assert_mean(blocks.abs().square(), 1.0)
    assert_mean((blocks[:, 1::2] * blocks[:, ::2].conj()).real, 0.0)


def test_spreading_cuts_the_last_block_short() -> None:
    assert spread(torch.tensor([1, 2, 3]), span=4, symbols=9).tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 3]


@pytest.mark.parametrize("length", [0, -4])
def test_a_block_has_at_least_one_symbol(length: int) -> None:
    with pytest.raises(ValueError, match=f"length must be at least 1 symbol, got {length}"):
        PerBlock(length)
