"""Pictures: labelled pictures in splits, and in batches whose order one seed fixes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from channels.chance import Chance
from semcom.sources.labelled import LabelledBatch, LabelledBatches
from semcom.sources.recorded import mixed
from semcom.sources.transformations import Transformation, views_of

if TYPE_CHECKING:
    from semcom.sources.augmentation import Augmentation

BRIGHTEST = 255


@dataclass(frozen=True)
class Scale:
    """What brings the values of each plane to mean 0 and variance 1 over all training pictures.

    Args:
        center: mean of each plane, of values from 0 to 1.
        spread: standard deviation of each.
    """

    center: tuple[float, ...] = (0.0,)
    spread: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, eq=False)
class PictureBatch(LabelledBatch):
    """Several pictures and their classes; a picture is one unit, as a word is one of a sentence.

    Args:
        pixels: [batch, planes, rows, columns], uint8.
        labels: places in the list of classes [batch], long.
        rows: where each picture stands in its split.
        scale: of the set that they belong to.
        names: of the classes, in the order of their numbers: what captions say.
    """

    pixels: Tensor
    labels: Tensor
    rows: tuple[int, ...]
    scale: Scale = Scale()
    names: tuple[str, ...] = ()

    @property
    def shades(self) -> Tensor:
        """The pictures from 0 to 1 [batch, planes, rows, columns], float."""
        return self.pixels.float() / BRIGHTEST

    @property
    def standard(self) -> Tensor:
        """The pictures at mean 0 and variance 1 [batch, planes, rows, columns], float."""
        center, spread = self._scale()
        return (self.shades - center) / spread

    def shades_of(self, standard: Tensor) -> Tensor:
        """Standard pictures [batch, planes, rows, columns] of this set, or what noise made of them, as shades."""
        center, spread = self._scale()
        return standard * spread + center

    def _scale(self) -> tuple[Tensor, Tensor]:
        told = (torch.tensor(each, device=self.pixels.device) for each in (self.scale.center, self.scale.spread))
        center, spread = (each.view(-1, 1, 1) for each in told)
        return center, spread

    @property
    def captions(self) -> Tensor:
        """The name of each picture's class as bytes [batch, longest], long, 0 behind its end.

        Raises:
            ValueError: nobody told the names.
        """
        if not self.names:
            raise ValueError("names must be those of the classes where captions are sent, got none")
        return spelled(self.names).to(self.labels.device)[self.labels]

    def turned(self, shift: int) -> PictureBatch:
        """The batch with every picture so many rows further up, those at the top coming in at the bottom."""
        rows = self.rows[shift:] + self.rows[:shift]
        return replace(self, pixels=self.pixels.roll(-shift, dims=0), labels=self.labels.roll(-shift), rows=rows)

    def views(self, transformations: Sequence[Transformation]) -> PictureBatch:
        """The pictures as they are, and below them all of them transformed in each way in turn, under their classes."""
        ways = 1 + len(transformations)
        pixels = views_of(self.pixels, transformations)
        return replace(self, pixels=pixels, labels=self.labels.repeat(ways), rows=self.rows * ways)

    def to(self, device: torch.device | str) -> PictureBatch:
        """The same batch on another device."""
        return replace(self, pixels=self.pixels.to(device), labels=self.labels.to(device))


@dataclass(frozen=True, eq=False)
class PictureSet:
    """The pictures of one split, in an order of which any beginning holds the classes as evenly as can be.

    Args:
        pixels: [pictures, planes, rows, columns], uint8.
        labels: [pictures], long.
        scale: of the training pictures of the set.
        names: of the classes.
    """

    pixels: Tensor
    labels: Tensor
    scale: Scale = Scale()
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, rows: Sequence[int]) -> PictureBatch:
        """Those pictures."""
        index = torch.tensor(rows)
        return PictureBatch(self.pixels[index], self.labels[index], tuple(rows), self.scale, self.names)

    def part(self, skip: int, count: int) -> PictureSet:
        """The first `count` behind those skipped, or fewer if there are fewer."""
        return replace(self, pixels=self.pixels[skip : skip + count], labels=self.labels[skip : skip + count])

    def reordered(self, salt: int) -> PictureSet:
        """The same pictures with those of each class in another order; classes still take turns."""
        rows = mixed(self.labels, salt)
        return replace(self, pixels=self.pixels[rows], labels=self.labels[rows])


@dataclass(frozen=True, eq=False)
class PictureCorpus:
    """Labelled pictures in three splits that share none.

    Args:
        classes: names of the classes; labels are places in it.
        fingerprint: hash of everything the pictures depend on, as their source gives it.
        account: what was read, as one line for people.
    """

    train: PictureSet
    validation: PictureSet
    test: PictureSet
    classes: tuple[str, ...]
    fingerprint: str
    account: str = ""


@lru_cache(maxsize=8)
def spelled(names: tuple[str, ...]) -> Tensor:
    """Words as bytes [words, longest], long, 0 behind their ends."""
    return nn.utils.rnn.pad_sequence([torch.tensor(list(each.encode())) for each in names], batch_first=True)


class PictureBatches(LabelledBatches[PictureBatch]):
    """Training batches of pictures, changed at random where that is asked for.

    No batch is smaller than half of the size asked for unless there are fewer pictures than that.

    Args:
        share: train on the first pictures only, this part of all; a set's order keeps the classes even.
        augmentation: what is done at random to every picture, by the number of the step alone.

    Raises:
        ValueError: there are no pictures, or the share leaves none.
    """

    def __init__(
        self,
        pictures: PictureSet,
        batch_size: int,
        chance: Chance,
        *,
        share: float = 1.0,
        augmentation: Augmentation | None = None,
    ) -> None:
        self._augmentation = augmentation
        super().__init__(pictures, batch_size, chance, share=share, called="picture")

    def at(self, step: int) -> PictureBatch:
        """The batch of a step, counted from 0 over all epochs."""
        batch = super().at(step)
        if self._augmentation is None:
            return batch
        return replace(batch, pixels=self._augmentation.changed(batch.pixels, self._chance.of("augmentation", step)))
