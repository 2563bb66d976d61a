"""Frames: batches mean what batches of sentences mean, and any step of a training finds its own batch."""

import pytest
import torch

from channels.chance import Chance
from semcom.sources.batches import SentenceBatch, make_batch
from semcom.sources.frames import FrameBatch, FrameBatches, FrameSet
from semcom.sources.labelled import evaluation_labelled


def frames(count: int = 50, classes: int = 5) -> FrameSet:
    samples = torch.arange(count * 4, dtype=torch.float32).view(count, 4).to(torch.complex64)
    return FrameSet(samples, torch.arange(count) % classes)


def test_a_batch_means_what_one_of_sentences_of_one_word_means() -> None:
    batch = frames().batch((7, 3, 9))
    words = make_batch([[int(label)] for label in frames().labels], (7, 3, 9))
    assert isinstance(words, SentenceBatch)
    assert (len(batch), batch.rows, batch.ragged) == (len(words), words.rows, words.ragged)
    for name in ("lengths", "mask"):
        ours, theirs = getattr(batch, name), getattr(words, name)
        assert torch.equal(ours, theirs) and ours.dtype == theirs.dtype
    assert torch.equal(batch.targets, words.tokens) and batch.targets.dtype == words.tokens.dtype


def test_a_batch_moves_whole() -> None:
    batch = frames().batch((0, 1))
    moved = batch.to("meta")
    assert isinstance(moved, FrameBatch) and moved.rows == batch.rows
    assert all(
        getattr(moved, name).device.type == "meta" for name in ("samples", "labels", "lengths", "mask", "targets")
    )


def test_an_epoch_meets_every_frame_once_and_any_step_can_be_asked_for() -> None:
    forward = FrameBatches(frames(), 8, Chance(4))
    seen = [forward.at(step) for step in range(2 * forward.per_epoch)]
    for epoch in (seen[: forward.per_epoch], seen[forward.per_epoch :]):
        assert sorted(row for batch in epoch for row in batch.rows) == list(range(50))
    resumed = FrameBatches(frames(), 8, Chance(4))
    for step in reversed(range(len(seen))):
        batch = resumed.at(step)
        assert batch.rows == seen[step].rows and torch.equal(batch.samples, seen[step].samples)
        assert batch.samples[:, 0].real.int().tolist() == [4 * row for row in batch.rows]
    assert min(map(len, seen)) >= 4
    assert seen[0].rows != seen[forward.per_epoch].rows != FrameBatches(frames(), 8, Chance(5)).at(0).rows


@pytest.mark.parametrize(("share", "kept"), [(0.1, 5), (0.11, 6), (0.5, 25), (1.0, 50), (0.001, 1)])
def test_a_share_is_the_first_frames_and_its_classes_stay_even(share: float, kept: int) -> None:
    batches = FrameBatches(frames(), 8, Chance(4), share=share)
    epoch = [batches.at(step) for step in range(batches.per_epoch)]
    assert sorted(row for batch in epoch for row in batch.rows) == list(range(kept))
    counts = torch.cat([batch.labels for batch in epoch]).bincount(minlength=5)
    assert counts.max() - counts.min() <= 1


def test_evaluation_is_always_the_same_and_no_class_has_a_neighbor_of_its_own() -> None:
    first, second = evaluation_labelled(frames(), 10), evaluation_labelled(frames(), 10)
    assert [batch.rows for batch in first] == [batch.rows for batch in second]
    assert sorted(row for batch in first for row in batch.rows) == list(range(50))
    labels = torch.cat([batch.labels for batch in evaluation_labelled(frames(2000), 100)])
    pairs = (5 * labels[:-1] + labels[1:]).bincount(minlength=25)
    # 80 of each pair, with a deviation of 9.
    assert pairs.min() > 80 - 5 * 9 and pairs.max() < 80 + 5 * 9


def test_what_cannot_be_batches_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        FrameBatches(frames(0), 8, Chance(1))
    with pytest.raises(ValueError, match="share must be more than 0 and at most 1, got 0"):
        FrameBatches(frames(), 8, Chance(1), share=0)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        evaluation_labelled(frames(), 0)
    assert evaluation_labelled(frames(0), 8) == []
