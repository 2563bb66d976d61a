"""Relations: distances and angles between the features of a batch should be as the teacher has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.features import Between, Side, layers_of, places_of, stacks
from semcom.distillation.method import check_shares, no_adapters

if TYPE_CHECKING:
    from semcom.models.spec import Part, Stack
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class Relations:
    """Distances between pairs, and angles within triples, of the last layers' features.

    loss = distance * mean over pairs of huber( |a_i - a_j| / mu_a, |b_i - b_j| / mu_b )
         + angle * mean over triples of huber( cos(a_i, a_j, a_k), cos(b_i, b_j, b_k) )

    a is the student's, b the teacher's, mu the mean distance over all pairs, the angle is the one at j, all three
    different. Only relations are compared, so any width may teach any other without a projection.

    Args:
        weight: factor of this loss in the sum of all losses.
        distance: weight of the distances.
        angle: weight of the angles.
        between: what is compared: `sentences` of a batch, each the mean of its real tokens, or `tokens` of one
            sentence. Frames are compared as sentences are.
        side: whose last layer is compared: the semantic encoder's, the semantic decoder's, or both. Of a recognizer,
            take `decoder`, which is its embedding.

    Source: Park, Kim, Lu and Cho, Relational Knowledge Distillation, CVPR 2019, the distance-wise
    and the angle-wise loss.
    """

    weight: float = 1.0
    distance: float = 1.0
    angle: float = 2.0
    between: Between = "sentences"
    side: Side = "both"
    kind: Literal["relations"] = "relations"

    adapters = no_adapters

    def __post_init__(self) -> None:
        check_shares("distance and angle", self.distance, self.angle)

    @property
    def sees(self) -> frozenset[Part]:
        """The layers of its side."""
        return frozenset(stacks(self.side))

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        total = torch.zeros((), device=student.mask.device)
        for stack in stacks(self.side):
            (ours, real), (theirs, _) = (points(each, stack, self.between) for each in (student, teacher))
            itself = torch.eye(real.shape[1], dtype=torch.bool, device=real.device)
            pairs = real[:, :, None] & real[:, None, :] & ~itself
            (near, toward), (near_there, toward_there) = geometry(ours, pairs), geometry(theirs, pairs)
            if self.distance:
                total = total + self.distance * huber(near, near_there, pairs)
            if self.angle:
                triples = pairs[..., :, None] & pairs[..., None, :] & ~itself
                total = total + self.angle * huber(toward @ toward.mT, toward_there @ toward_there.mT, triples)
        return total / len(stacks(self.side))


def points(trace: Trace, stack: Stack, between: Between) -> tuple[torch.Tensor, torch.Tensor]:
    """What is compared, [groups, points, width], and which of the points are real: all sentences, or each's tokens."""
    features = layers_of(trace, stack)[-1]
    if between == "tokens":
        return features, trace.mask
    real = places_of(trace, stack).unsqueeze(-1)
    sentences = torch.where(real, features, torch.zeros_like(features)).sum(dim=1) / real.sum(dim=1).clamp(min=1)
    return sentences.unsqueeze(0), trace.mask.any(dim=1).unsqueeze(0)


def geometry(features: torch.Tensor, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Distances between points in units of their mean, [groups, j, i], and unit vectors from j to i behind them."""
    offset = features[:, None, :, :] - features[:, :, None, :]
    squared = offset.square().sum(dim=-1)
    # The same sentence may stand twice in a batch: no distance has no direction, and its root no slope.
    apart = pairs & (squared > 0)
    length = torch.where(apart, squared, torch.ones_like(squared)).sqrt()
    distance = torch.where(apart, length, torch.zeros_like(length))
    mean = distance.sum() / pairs.sum().clamp(min=1)
    return distance / torch.where(mean > 0, mean, torch.ones_like(mean)), offset / length.unsqueeze(-1)


def huber(ours: torch.Tensor, theirs: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Mean Huber loss over what is counted; 0 if nothing is, as in a batch of one sentence."""
    losses = torch.nn.functional.smooth_l1_loss(ours, theirs, reduction="none")
    return torch.where(counted, losses, torch.zeros_like(losses)).sum() / counted.sum().clamp(min=1)
