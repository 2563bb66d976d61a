"""FrameClusters: means of the frames of many words, found by k-means in the first batch and moved by some more."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from channels import Chance

ROUNDS = 10


class FrameClusters(nn.Module):
    """The cluster of every frame.

    Args:
        clusters: how many.
        width: features of a frame.
        settle: batches in training after which the means stay.

    Source: Lloyd, Least Squares Quantization in PCM, IEEE TIT 28, 1982, for the first batch, begun as by Arthur and
    Vassilvitskii, k-means++, SODA 2007; Sculley, Web-Scale K-Means Clustering, WWW 2010, algorithm 1, for those after.
    """

    means: Tensor
    counts: Tensor
    met: Tensor

    def __init__(self, clusters: int, width: int, *, settle: int) -> None:
        super().__init__()
        self.settle = settle
        self.register_buffer("means", torch.zeros(clusters, width))
        self.register_buffer("counts", torch.zeros(clusters))
        self.register_buffer("met", torch.zeros((), dtype=torch.long))

    def forward(self, frames: Tensor, real: Tensor) -> Tensor:
        """The numbers of the nearest means [batch, length], of frames [batch, length, width]; in training they move.

        Args:
            real: which frames count [batch, length].
        """
        if self.training and self.met < self.settle:
            self._follow(frames[real].detach())
        return self._nearest(frames)

    def _nearest(self, frames: Tensor) -> Tensor:
        # A mean that no frame ever belonged to stands nowhere; before the first batch all do.
        away = torch.where(self.counts > 0, 0.0, torch.inf) if self.counts.any() else torch.zeros_like(self.counts)
        squared = self.means.square().sum(dim=1) - 2 * frames @ self.means.mT
        return (squared + away).argmin(dim=-1)

    @torch.no_grad()
    def _follow(self, frames: Tensor) -> None:
        clusters = len(self.means)
        if not self.met:
            first = _begun(frames, min(clusters, len(frames)))
            self.means[: len(first)] = first
            self.counts[: len(first)] = 1
            for _ in range(ROUNDS):
                sums, counts = self._gathered(frames)
                self.means.copy_(torch.where(counts[:, None] > 0, sums / counts.clamp(min=1)[:, None], self.means))
                self.counts.copy_(torch.where(self.counts > 0, counts.clamp(min=1), self.counts))
        else:
            sums, counts = self._gathered(frames)
            self.counts += counts
            # What a frame after another would do, each going 1 / count of the way, ends at the mean of all so far.
            self.means += (sums - counts[:, None] * self.means) / self.counts.clamp(min=1)[:, None]
        self.met += 1

    def _gathered(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Sum and number of the frames of every cluster."""
        nearest = self._nearest(frames)
        sums = torch.zeros_like(self.means).index_add_(0, nearest, frames)
        return sums, torch.zeros_like(self.counts).index_add_(0, nearest, torch.ones_like(frames[:, 0]))


def _begun(frames: Tensor, count: int) -> Tensor:
    """Frames to begin with, each chosen with a chance that goes by its squared distance to those before it."""
    generator = Chance(0).of("clusters").generator()
    chosen = [int(torch.randint(len(frames), (), generator=generator))]
    away = torch.full((len(frames),), torch.inf)
    for _ in range(1, count):
        away = torch.minimum(away, (frames - frames[chosen[-1]]).square().sum(dim=1).cpu())
        # Frames may be alike, as those of silence are; then any will do.
        odds = away if away.any() else torch.ones_like(away)
        chosen.append(int(torch.multinomial(odds, 1, generator=generator)))
    return frames[chosen]
