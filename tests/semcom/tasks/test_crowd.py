"""The crowd: every sent symbol once, every sentence's end where it is, and nobody his own interferer."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import Chance, Crowd, Link, draw, everyone
from semcom.models.make import initialize
from semcom.models.semantic_spec import symmetric
from semcom.sources.batches import SentenceBatch, make_batch
from semcom.tasks.trip import crowd_from, crowd_of, encode_once, really_sent, transmit

# Lengths of the sentences of each of several batches.
crowds = st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=6), min_size=1, max_size=4)
SYMBOLS = 2


def numbered(lengths: list[list[int]]) -> tuple[list[torch.Tensor], list[SentenceBatch], list[int]]:
    """Symbols that carry a number of their own, -1 on padding; and the sentence that each number belongs to."""
    batches, symbols, owner, count = [], [], [], 0
    for each in lengths:
        batch = make_batch([[3] * length for length in each])
        marks = torch.full((len(each), batch.tokens.shape[1] * SYMBOLS), -1.0)
        for row, length in enumerate(each):
            size = length * SYMBOLS
            marks[row, :size] = torch.arange(count, count + size)
            owner += [(owner[-1] + 1) if owner else 0] * size
            count += size
        batches.append(batch)
        symbols.append(torch.complex(marks, torch.zeros_like(marks)))
    return symbols, batches, owner


@given(crowds)
def test_the_ring_holds_every_real_symbol_once(lengths: list[list[int]]) -> None:
    symbols, batches, owner = numbered(lengths)
    rings = crowd_from(symbols, batches, SYMBOLS)
    assert len(rings) == len(batches)
    for ring in rings:
        assert ring.stream.real.tolist() == list(range(len(owner)))


@given(crowds)
def test_sentences_end_where_their_last_symbol_stands(lengths: list[list[int]]) -> None:
    symbols, batches, _ = numbered(lengths)
    for ring, each, batch in zip(crowd_from(symbols, batches, SYMBOLS), symbols, batches, strict=True):
        assert ring.ends.shape == batch.lengths.shape
        last = each.real[torch.arange(len(batch)), batch.lengths * SYMBOLS - 1]
        assert torch.equal(ring.stream.real[ring.ends - 1], last)


@given(crowds, st.integers(1, 4), st.integers(0, 2**31))
@settings(deadline=None)
def test_nobody_is_his_own_interferer(lengths: list[list[int]], interferers: int, seed: int) -> None:
    symbols, batches, owner = numbered(lengths)
    sentence, total = torch.tensor(owner), len(owner)
    for ring, each in zip(crowd_from(symbols, batches, SYMBOLS), symbols, strict=True):
        room = total // each.shape[1] - 1  # as many neighbors as a batch's longest sentence leaves room for
        link = Link(interferers=min(interferers, room))
        signals = everyone(each, link, draw(link, tuple(each.shape), Chance(seed)), ring)
        assert torch.equal(signals[:, 0], each)
        heard = signals[:, 1:].real.long()
        assert (heard >= 0).all()  # no neighbor ever sends padding
        assert ((heard[..., 1:] - heard[..., :-1]) % total == 1).all()  # each goes on with what comes next
        own = sentence[each[:, :1].real.long()].unsqueeze(-1)
        assert (sentence[heard] != own).all()
        for row in heard:  # and no two neighbors say the same at any time
            assert len(row.flatten().unique()) == row.numel()


def test_a_batch_alone_is_a_ring_of_itself() -> None:
    codec = initialize(symmetric(8, 1, heads=2), 20, seed=1).eval()
    batch = make_batch([[5, 6, 7], [8, 9], [10, 11, 12, 13]])
    symbols = codec.send(batch).symbols
    ring: Crowd = crowd_of(symbols, batch, codec)
    assert ring.ends.tolist() == [3 * 8, 5 * 8, 9 * 8]
    assert torch.equal(ring.stream, symbols[really_sent(batch, 8)])
    # Unit power over every sentence is unit power over all of them, and weather has no gradient.
    assert ring.stream.abs().square().mean().item() == pytest.approx(1, abs=1e-5)
    assert symbols.requires_grad and not ring.stream.requires_grad


def test_all_batches_share_one_ring() -> None:
    codec = initialize(symmetric(8, 1, heads=2), 20, seed=1).eval()
    batches = [make_batch([[5, 6, 7], [8, 9]]), make_batch([[10, 11]])]
    encoded = encode_once(codec, batches)
    assert encoded.codec is codec and encoded.batches is batches
    assert all(ring.stream is encoded.crowds[0].stream for ring in encoded.crowds)
    assert [ring.ends.tolist() for ring in encoded.crowds] == [[24, 40], [56]]


def test_really_sent_is_a_mask_over_symbols() -> None:
    sent = really_sent(make_batch([[5, 6], [7]]), 3)
    assert sent.tolist() == [[True] * 6, [True] * 3 + [False] * 3]


def test_too_small_a_crowd_is_refused() -> None:
    codec = initialize(symmetric(8, 1, heads=2), 20, seed=1).eval()
    with pytest.raises(ValueError, match=r"4 interferers need a crowd of at least \d+ symbols, got"):
        transmit(codec, make_batch([[5, 6], [7, 8], [9, 10], [11, 12]]), Link(interferers=4), Chance(1))
