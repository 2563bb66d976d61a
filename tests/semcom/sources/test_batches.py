"""Batches: every sentence once, little padding, and the same batch for the same step."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels.chance import Chance
from semcom.sources.batches import TrainingBatches, bucket, evaluation_batches, make_batch

lengths_of = st.lists(st.integers(1, 8), min_size=1, max_size=120)
sizes = st.integers(1, 16)


def sentences(lengths: list[int]) -> list[list[int]]:
    """One made-up sentence a length, each told apart by its ids."""
    return [[3 + row] * length for row, length in enumerate(lengths)]


def test_a_batch_says_what_is_real() -> None:
    batch = make_batch([[5, 6, 7], [8], [9, 10]], rows=[2, 0])
    assert batch.tokens.tolist() == [[9, 10, 0], [5, 6, 7]]
    assert batch.mask.tolist() == [[True, True, False], [True, True, True]]
    assert batch.lengths.tolist() == [2, 3] and batch.rows == (2, 0) and batch.ragged and len(batch) == 2
    assert (batch.tokens.dtype, batch.lengths.dtype, batch.mask.dtype) == (torch.long, torch.long, torch.bool)
    even = make_batch([[5, 6], [7, 8]])
    assert even.rows == (0, 1) and not even.ragged and bool(even.mask.all())
    moved = batch.to("meta")
    assert moved.tokens.device.type == moved.mask.device.type == moved.lengths.device.type == "meta"
    assert moved.rows == batch.rows and moved.ragged


def test_nothing_to_say_is_refused() -> None:
    with pytest.raises(ValueError, match="got no sentence"):
        make_batch([])
    with pytest.raises(ValueError, match="got none in sentence 1"):
        make_batch([[3], []])


@given(lengths_of, sizes, st.randoms(use_true_random=False))
def test_buckets_hold_their_promises(lengths: list[int], size: int, random) -> None:
    order = list(range(len(lengths)))
    random.shuffle(order)
    batches = bucket(lengths, size, order)
    assert Counter(row for rows in batches for row in rows) == Counter(order)
    assert all(len(rows) <= size for rows in batches)
    if len(lengths) >= size:
        assert all(2 * len(rows) >= size for rows in batches)
    assert len(batches) == len(bucket(lengths, size, range(len(lengths))))
    # Padded batches come last, in order of length, and are as equal in size as they can be.
    full = [rows for rows in batches if len(rows) == size and len({lengths[row] for row in rows}) == 1]
    padded = batches[len(full) :] if batches[: len(full)] == full else None
    if padded:
        assert [lengths[row] for rows in padded for row in rows] == sorted(
            lengths[row] for rows in padded for row in rows
        )
        assert max(map(len, padded)) - min(map(len, padded)) <= 1


def test_few_leftovers_share_with_the_full_batch_nearest_in_length() -> None:
    lengths = [4] * 10 + [9] * 10 + [8]
    batches = bucket(lengths, 10, range(21))
    assert [len(rows) for rows in batches] == [10, 5, 6]
    assert set(batches[0]) == set(range(10))


@given(lengths_of, sizes, st.integers(0, 2**40))
def test_an_epoch_meets_every_sentence_once_and_any_step_can_be_asked_for(
    lengths: list[int], size: int, seed: int
) -> None:
    encoded = sentences(lengths)
    forward = TrainingBatches(encoded, size, Chance(seed))
    steps = range(2 * forward.per_epoch)
    seen = [forward.at(step) for step in steps]
    for epoch in (seen[: forward.per_epoch], seen[forward.per_epoch :]):
        assert sorted(row for batch in epoch for row in batch.rows) == list(range(len(lengths)))
    resumed = TrainingBatches(encoded, size, Chance(seed))
    for step in reversed(steps):
        batch = resumed.at(step)
        assert batch.rows == seen[step].rows and torch.equal(batch.tokens, seen[step].tokens)
    for batch in seen:
        assert [row[: int(n)].tolist() for row, n in zip(batch.tokens, batch.lengths, strict=True)] == [
            encoded[row] for row in batch.rows
        ]


def test_epochs_and_seeds_differ() -> None:
    encoded = sentences([4] * 64)
    batches = TrainingBatches(encoded, 8, Chance(1))
    assert batches.at(0).rows != batches.at(batches.per_epoch).rows
    assert batches.at(0).rows != TrainingBatches(encoded, 8, Chance(2)).at(0).rows


def test_an_epoch_reads_no_other_epoch() -> None:
    encoded = sentences([1 + row % 7 for row in range(50)])
    steps = TrainingBatches(encoded, 8, Chance(3)).per_epoch * 5
    assert (
        TrainingBatches(encoded, 8, Chance(3)).at(steps).rows == TrainingBatches(encoded, 8, Chance(3)).at(steps).rows
    )


def test_evaluation_is_always_the_same() -> None:
    encoded = sentences([1 + row % 7 for row in range(50)])
    first, second = evaluation_batches(encoded, 8), evaluation_batches(encoded, 8)
    assert [batch.rows for batch in first] == [batch.rows for batch in second]
    assert sorted(row for batch in first for row in batch.rows) == list(range(50))


def test_no_sentences_and_no_size_are_refused() -> None:
    assert evaluation_batches([], 8) == []
    with pytest.raises(ValueError, match="at least one sentence"):
        TrainingBatches([], 8, Chance(1))
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        bucket([1], 0, [0])


@given(st.lists(st.lists(st.integers(0, 70_000), min_size=1, max_size=9), min_size=1, max_size=60), sizes)
def test_batches_from_one_array_are_those_from_lists(encoded: list[list[int]], size: int) -> None:
    batches = TrainingBatches(encoded, size, Chance(1))
    for step in range(2 * batches.per_epoch):
        found = batches.at(step)
        expected = make_batch(encoded, found.rows)
        for name in ("tokens", "mask", "lengths"):
            ours, theirs = getattr(found, name), getattr(expected, name)
            assert torch.equal(ours, theirs) and ours.dtype == theirs.dtype and ours.is_contiguous(), name
        assert found.ragged == expected.ragged


def test_an_empty_training_sentence_is_refused_as_in_any_batch() -> None:
    with pytest.raises(ValueError, match="got none in sentence 1"):
        TrainingBatches([[3], []], 2, Chance(1)).at(0)
