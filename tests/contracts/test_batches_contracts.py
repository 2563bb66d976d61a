"""Every kind of batch keeps the promises of Batch, on which the trip, the crowd and the losses rely."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from semcom.sources.batch import Batch
from semcom.sources.batches import make_batch
from semcom.sources.frames import FrameBatch
from semcom.sources.pictures import PictureBatch
from semcom.sources.speech import FramedBatch, SpeechBatch

BATCHES: dict[str, Callable[[], Batch]] = {
    "sentences": lambda: make_batch([[5, 6, 7], [8], [9, 10], [11, 12, 13, 14]], rows=(2, 0, 3, 1)),
    "sentences of one length": lambda: make_batch([[5, 6, 7], [8, 9, 10], [11, 12, 13]]),
    "one sentence": lambda: make_batch([[5, 6]]),
    "pictures": lambda: PictureBatch(
        torch.arange(48, dtype=torch.uint8).view(3, 1, 4, 4), torch.tensor([2, 0, 1]), (4, 0, 7)
    ),
    "speech": lambda: SpeechBatch(
        torch.arange(24, dtype=torch.int16).view(3, 8), torch.tensor([8, 3, 5]), torch.tensor([2, 0, 1]), (4, 0, 7), 8
    ),
    "speech in frames": lambda: FramedBatch(
        torch.arange(24, dtype=torch.int16).view(3, 8),
        torch.tensor([7, 3, 4]),
        torch.tensor([2, 0, 1]),
        (4, 0, 7),
        7,
        hop=3,
    ),
    "frames": lambda: FrameBatch(torch.arange(12).view(3, 4) * (1 + 1j), torch.tensor([2, 0, 1]), (4, 0, 7)),
}

each_batch = pytest.mark.parametrize("make", BATCHES.values(), ids=BATCHES)


def tensors_of(batch: Batch) -> dict[str, Tensor]:
    return {name: value for name, value in vars(batch).items() if isinstance(value, Tensor)}


@each_batch
def test_it_says_what_it_holds(make: Callable[[], Batch]) -> None:
    batch = make()
    promised = {name for name in vars(Batch) if not name.startswith("_")}
    assert promised >= {"rows", "lengths", "mask", "ragged", "targets", "turned", "to"}
    assert all(hasattr(batch, name) for name in promised)
    size, longest = batch.mask.shape
    assert size == len(batch) == len(batch.rows) == len(set(batch.rows))
    assert (batch.mask.dtype, batch.lengths.dtype, batch.targets.dtype) == (torch.bool, torch.long, torch.long)
    assert batch.lengths.shape == (size,) and batch.targets.shape == (size, longest)
    assert batch.lengths.min() >= 1 and batch.lengths.max() == longest
    # Real units come first: what is padding is nothing but what is behind the last of them.
    assert torch.equal(batch.mask, torch.arange(longest) < batch.lengths[:, None])
    assert batch.ragged == (not batch.mask.all())


@each_batch
def test_turned_it_is_the_same_messages_further_up(make: Callable[[], Batch]) -> None:
    batch, again = make(), make()
    for shift in range(len(batch)):
        turned = batch.turned(shift)
        assert type(turned) is type(batch) and turned.ragged == batch.ragged
        assert set(tensors_of(turned)) == set(tensors_of(batch))
        for row in range(len(batch)):
            origin = (row + shift) % len(batch)
            assert turned.rows[row] == batch.rows[origin]
            assert torch.equal(turned.targets[row], batch.targets[origin])
            # Whatever else a message consists of goes with it.
            for name, held in tensors_of(batch).items():
                assert torch.equal(tensors_of(turned)[name][row], held[origin]), name
    for name, held in tensors_of(again).items():
        assert torch.equal(tensors_of(batch)[name], held), "a batch is never changed"


@each_batch
def test_it_moves_as_a_whole(make: Callable[[], Batch]) -> None:
    moved = make().to("meta")
    assert {each.device.type for each in tensors_of(moved).values()} == {"meta"}
    assert moved.targets.device.type == moved.turned(0).mask.device.type == "meta"
    assert moved.rows == make().rows and len(moved) == len(make()) and moved.ragged == make().ragged
