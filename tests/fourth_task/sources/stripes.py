"""Stripes: tiny noisy pictures of stripes in four directions, made from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from channels import Chance
from semcom.identity import identity

if TYPE_CHECKING:
    from torch import Tensor

DIRECTIONS = ("flat", "upright", "rising", "falling")
SIDE = 8  # pixels


@dataclass(frozen=True)
class StripePictures:
    """Pictures of 8 x 8 pixels with stripes across them, as many of each direction as can be.

    Args:
        noise: standard deviation of what is added to each pixel, which is -1 to 1 without it.
        train: pictures to train on.
        test: pictures to test on; a quarter as many validate.
    """

    noise: float = 0.3
    train: int = 400
    test: int = 80

    def __post_init__(self) -> None:
        if self.noise < 0 or min(self.train, self.test) < 4:
            raise ValueError(f"noise must be at least 0, train and test at least 4, got {self}")

    def fingerprint(self) -> str:
        """Of all that decides the pictures."""
        return identity(what="stripes", version=1, pictures=self)

    def counts(self) -> dict[str, int]:
        """Pictures of each split."""
        return {"train": self.train, "validation": max(4, self.test // 4), "test": self.test}

    def draw(self, split: str) -> PictureBatch:
        """All pictures of a split, classes taking turns."""
        count = self.counts()[split]
        labels = torch.arange(count) % len(DIRECTIONS)
        generator = Chance(0).of("stripes", split).generator()
        phase = 2 * torch.pi * torch.rand(count, 1, 1, generator=generator)
        across, down = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="xy")
        places = torch.stack((down, across, across + down, across - down))[labels]
        clean = torch.sin(2 * torch.pi * places / 4 + phase)
        noise = self.noise * torch.randn(count, SIDE, SIDE, generator=generator)
        return PictureBatch(clean + noise, labels, tuple(range(count)))


@dataclass(frozen=True, eq=False)
class PictureBatch:
    """Several pictures and their classes; a picture is one unit.

    Args:
        pixels: [batch, side, side].
        labels: places in `DIRECTIONS` [batch], long.
        rows: where each picture stands in its split.
    """

    pixels: Tensor
    labels: Tensor
    rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> Tensor:
        """One unit each [batch], long."""
        return torch.ones_like(self.labels)

    @property
    def mask(self) -> Tensor:
        """All is real [batch, 1]."""
        return torch.ones_like(self.targets, dtype=torch.bool)

    @property
    def ragged(self) -> bool:
        """Never."""
        return False

    @property
    def targets(self) -> Tensor:
        """The classes [batch, 1], long."""
        return self.labels[:, None]

    def turned(self, shift: int) -> PictureBatch:
        """See `Batch.turned`."""
        rows = self.rows[shift:] + self.rows[:shift]
        return PictureBatch(self.pixels.roll(-shift, dims=0), self.labels.roll(-shift), rows)

    def to(self, device: torch.device | str) -> PictureBatch:
        """See `Batch.to`."""
        return PictureBatch(self.pixels.to(device), self.labels.to(device), self.rows)

    def part(self, rows: tuple[int, ...]) -> PictureBatch:
        """Those pictures of a split."""
        index = torch.tensor(rows)
        return PictureBatch(self.pixels[index], self.labels[index], rows)

    def cut(self, size: int) -> list[PictureBatch]:
        """All of them once, in batches of this size."""
        return [self.part(tuple(rows.tolist())) for rows in torch.arange(len(self)).tensor_split(-(-len(self) // size))]


@dataclass(frozen=True, eq=False)
class PictureBatches:
    """Training batches by step; every epoch has an order of its own."""

    pictures: PictureBatch
    size: int
    chance: Chance

    def at(self, step: int) -> PictureBatch:
        """See `Batches.at`."""
        count = len(self.pictures)
        batches = -(-count // self.size)
        epoch, index = divmod(step, batches)
        order = torch.randperm(count, generator=self.chance.of("epoch", epoch).generator())
        return self.pictures.part(tuple(order.tensor_split(batches)[index].tolist()))
