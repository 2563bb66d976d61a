"""Frames: IQ samples and what they are modulated with, in splits and in batches whose order one seed fixes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from channels.chance import Chance
from semcom.sources.labelled import LabelledBatch, LabelledBatches
from semcom.sources.transformations import Transformation, views_of


@dataclass(frozen=True, eq=False)
class FrameBatch(LabelledBatch):
    """Several frames and their classes; a frame is one unit, as a word is one of a sentence.

    Args:
        samples: what each transmitter sends, or what was recorded [batch, samples], complex64.
        labels: places in the list of classes [batch], long.
        rows: where each frame stands in its split.
    """

    samples: Tensor
    labels: Tensor
    rows: tuple[int, ...]

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


class FrameBatches(LabelledBatches[FrameBatch]):
    """Training batches of frames.

    No batch is smaller than half of the size asked for unless there are fewer frames than that.

    Args:
        share: train on the first frames only, this part of all; a set's order keeps the classes even.

    Raises:
        ValueError: there are no frames, or the share leaves none.
    """

    def __init__(self, frames: FrameSet, batch_size: int, chance: Chance, *, share: float = 1.0) -> None:
        super().__init__(frames, batch_size, chance, share=share, called="frame")
