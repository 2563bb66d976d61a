"""Objective: from one batch in one air to named losses; HardLabels, the plain one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from channels import Chance, Link
from semcom.models.codec import Codec
from semcom.sources.batch import Batch
from semcom.tasks.trip import draw_parts, rehearse

Losses = dict[str, Tensor]  # each under the name it is logged by, already weighted; their sum is minimized


class Objective(Protocol):
    """What `fit` minimizes: an nn.Module whose parameters that need gradients are trained.

    The links are those of one step, one for each part of the batch; none where nothing is sent.
    """

    def __call__(self, batch: Batch, links: Sequence[Link], chance: Chance) -> Losses: ...


@runtime_checkable
class Scheduled(Protocol):
    """An objective that changes in the course of a training."""

    def reach(self, progress: float) -> None:
        """Told before every step how much of the training is done, from 0 to below 1."""


class HardLabels(nn.Module):
    """Learn from the messages alone."""

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self.codec = codec

    def forward(self, batch: Batch, links: Sequence[Link], chance: Chance) -> Losses:
        airs = draw_parts(links, self.codec, batch, chance)
        return {self.codec.goal: self.codec.loss(rehearse(self.codec, batch, airs), batch)}
