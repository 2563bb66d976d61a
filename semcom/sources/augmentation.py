"""Augmentation: what is done at random to training pictures, so that a network meets each of them in many forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from channels.chance import Chance

MOST_PADDING = 64


@dataclass(frozen=True)
class Augmentation:
    """Random crops and flips of training pictures; test pictures stay as they are.

    Args:
        crop: zeros put around a picture, of which a piece of the old size is then cut at random [pixels].
        flip: whether every second picture is mirrored, left for right; digits and letters must not be.

    Source: the crops of 4 pixels and the flips that are usual for CIFAR, He et al., Deep Residual Learning for Image
    Recognition, CVPR 2016, section 4.2.
    """

    crop: int = 4
    flip: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.crop <= MOST_PADDING:
            raise ValueError(f"crop must be from 0 to {MOST_PADDING} pixels, got {self.crop}")

    def changed(self, pixels: Tensor, chance: Chance) -> Tensor:
        """Each of the pictures [batch, planes, rows, columns] moved and perhaps mirrored, by chance alone."""
        import torch

        count, _, rows, columns = pixels.shape
        if self.crop:
            widest = 2 * self.crop + 1
            down, right = torch.randint(widest, (2, count, 1), generator=chance.of("crop").generator())
            padded = torch.nn.functional.pad(pixels, (self.crop,) * 4)
            lines, places = down + torch.arange(rows), right + torch.arange(columns)
            every = torch.arange(count)[:, None, None]
            # Indices around the planes bring those to the end.
            pixels = padded[every, :, lines[:, :, None], places[:, None, :]].movedim(3, 1)
        if self.flip:
            mirrored = torch.rand(count, generator=chance.of("flip").generator()) < 0.5
            pixels = torch.where(mirrored[:, None, None, None], pixels.flip(3), pixels)
        return pixels.contiguous()
