"""Frames: IQ samples and what they are modulated with, in splits and in batches whose order one seed fixes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from channels.chance import Chance
from semcom.sources.batches import EpochBatches, bucket
from semcom.sources.transformations import Transformation, views_of


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Several frames and their classes; a frame is one unit, as a word is one of a sentence.

    Args:
        samples: what each transmitter sends, or what was recorded [batch, samples], complex64.
        labels: places in the list of classes [batch], long.
        rows: where each frame stands in its split.
    """

    samples: Tensor
    labels: Tensor
    rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> Tensor:
        """Units of each frame [batch], long: one."""
        return torch.ones_like(self.labels)

    @property
    def mask(self) -> Tensor:
        """True where a unit is real [batch, 1]: everywhere."""
        return torch.ones_like(self.targets, dtype=torch.bool)

    @property
    def ragged(self) -> bool:
        """Whether some frames have fewer units than others: never."""
        return False

    @property
    def targets(self) -> Tensor:
        """What a receiver should find [batch, 1], long."""
        return self.labels[:, None]

    def turned(self, shift: int) -> FrameBatch:
        """The batch with every frame so many rows further up, those at the top coming in at the bottom."""
        rows = self.rows[shift:] + self.rows[:shift]
        return FrameBatch(self.samples.roll(-shift, dims=0), self.labels.roll(-shift), rows)

    def views(self, transformations: Sequence[Transformation]) -> FrameBatch:
        """The frames as they are, and below them all of them transformed in each way in turn."""
        ways = 1 + len(transformations)
        return FrameBatch(views_of(self.samples, transformations), self.labels.repeat(ways), self.rows * ways)

    def to(self, device: torch.device | str) -> FrameBatch:
        """The same batch on another device."""
        return FrameBatch(self.samples.to(device), self.labels.to(device), self.rows)


@dataclass(frozen=True, eq=False)
class FrameSet:
    """The frames of one split, in an order of which any beginning holds the classes as evenly as can be.

    Args:
        samples: [frames, samples] complex64.
        labels: [frames], long.
        snr_db: [frames], as the recording labels them; None where no noise was added.
    """

    samples: Tensor
    labels: Tensor
    snr_db: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, rows: tuple[int, ...]) -> FrameBatch:
        """Those frames."""
        index = torch.tensor(rows)
        return FrameBatch(self.samples[index], self.labels[index], rows)


@dataclass(frozen=True, eq=False)
class FrameCorpus:
    """Labelled frames in three splits that share none.

    Args:
        classes: names of the classes; labels are places in it.
        fingerprint: hash of everything the frames depend on, as their source gives it.
        account: what was read or made, as one line for people.
    """

    train: FrameSet
    validation: FrameSet
    test: FrameSet
    classes: tuple[str, ...]
    fingerprint: str
    account: str = ""


class FrameBatches(EpochBatches[FrameBatch]):
    """Training batches of frames.

    No batch is smaller than half of the
    size asked for unless there are fewer frames than that.

    Args:
        share: train on the first frames only, this part of all; a set's order keeps the classes even.

    Raises:
        ValueError: there are no frames, or the share leaves none.
    """

    def __init__(self, frames: FrameSet, batch_size: int, chance: Chance, *, share: float = 1.0) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share must be more than 0 and at most 1, got {share}; 0.1 is a tenth of the frames")
        if not len(frames):
            raise ValueError("training must have at least one frame, got none; check the source")
        self._frames = frames
        # Rounded up, so that no share leaves nothing; a hair less, because 0.07 * 100 is a hair more than 7.
        self._count = math.ceil(share * len(frames) * (1 - 1e-12))
        self._batch_size = batch_size
        super().__init__(chance)

    def _made(self, rows: tuple[int, ...]) -> FrameBatch:
        return self._frames.batch(rows)

    def epoch(self) -> list[tuple[int, ...]]:
        """The rows of each batch of the epoch that was asked for last."""
        return self._batches

    def _order(self, epoch: int) -> list[tuple[int, ...]]:
        generator = self._chance.of("epoch", epoch).generator()
        order = torch.randperm(self._count, generator=generator).tolist()
        return bucket([1] * self._count, self._batch_size, order)


def evaluation_frames(frames: FrameSet, size: int) -> list[FrameBatch]:
    """Every frame once, in batches that are always the same; `rows` tells which frame is which.

    Not in the order of the set: there, the frame before one is always of the same other class, and a crowd made of
    neighbors in the batch would always be the same pair of classes.
    """
    mixed = torch.randperm(len(frames), generator=Chance(0).of("evaluation").generator()).tolist()
    return [frames.batch(rows) for rows in bucket([1] * len(frames), size, mixed)]
