"""Which of a teacher's features are kept: their influence, the choice by it, and an account of both."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LAST = 50  # steps over which the account is averaged, as the losses that `fit` tells are


def influence(weights: Tensor, k: int | None) -> Tensor:
    """Of weights [batch, asking, answering], for each answering one the mean of the k largest [batch, answering].

    Args:
        k: None, or more than there are, takes all.
    """
    asking = weights.shape[1]
    return weights.topk(min(k or asking, asking), dim=1).values.mean(dim=1)


def selected(influences: Tensor, threshold: float, *, together: bool) -> Tensor:
    """Which features are kept, bool [batch, features]; in every row one at least, that of the most influence.

    Args:
        threshold: in units of even attention, 1 / features.
        together: whether the mean over the batch decides for all rows.
    """
    if together:
        influences = influences.mean(dim=0, keepdim=True).expand_as(influences)
    kept = influences >= threshold / influences.shape[1]
    return kept.scatter(1, influences.argmax(dim=1, keepdim=True), True)


class KeptKeys(nn.Module):
    """Running means of influence and of how often each feature is kept, over training steps alone.

    They are buffers, so that a training that is killed and begun again tells what one never killed tells.
    """

    influence: Tensor
    kept: Tensor
    steps: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("influence", torch.zeros(features))
        self.register_buffer("kept", torch.zeros(features))
        self.register_buffer("steps", torch.zeros(()))

    @torch.no_grad()
    def note(self, influences: Tensor, kept: Tensor) -> None:
        """Take in one training batch, [batch, features] each."""
        if not self.training:
            return
        self.steps += 1
        share = 1 / self.steps.clamp(max=LAST)
        for mean, found in ((self.influence, influences), (self.kept, kept)):
            mean += share * (found.to(mean.dtype).mean(dim=0) - mean)

    def told(self) -> dict[str, list[float]]:
        """Both means, feature by feature."""
        return {"influence": self.influence.tolist(), "kept": self.kept.tolist()}
