"""Stage attention: the student is active where its teacher is active."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.features import turn
from semcom.distillation.method import STAGES

if TYPE_CHECKING:
    from semcom.models.spec import Spec
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class StageAttention:
    """Squared distance between normalized maps of where feature maps are active.

    loss = mean over messages and pairs (i, j) of | q_i / |q_i| - p_j / |p_j| |^2

    q, p = mean over channels of squared features, one number a place, of the outputs of the student's units and of
    the teacher's; unit i of S learns from unit ceil(i T / S) of T. Where one map has more places, they are averaged
    down to the other's. Which channels are active is left to the student, so that no layer need be learned for it.

    Args:
        weight: factor of this loss in the sum of all losses.

    Source: Zagoruyko and Komodakis, Paying More Attention to Attention, ICLR 2017, activation-based attention
    transfer, with the mean of squares over channels. The square of their distance, every unit and averaged places
    are ours.
    """

    weight: float = 1.0
    kind: Literal["stage_attention"] = "stage_attention"

    sees = STAGES

    def adapters(self, student: Spec, teacher: Spec) -> torch.nn.Module:
        """Where each pair meets; nothing of it is learned."""
        from semcom.distillation.stages import meetings

        return meetings(student, teacher)

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        from semcom.distillation.stages import stage_pairs
        from semcom.models.trace import masked_mean

        assert isinstance(adapters, torch.nn.ModuleList)
        gaps = []
        for pair, meet in zip(stage_pairs(student, teacher), adapters, strict=True):
            ours, theirs = meet(*(stage.square().mean(dim=2, keepdim=True) for stage in pair))
            gaps.append(turn(ours.squeeze(2), theirs.squeeze(2)))
        return masked_mean(torch.stack(gaps).mean(dim=0), student.mask.any(dim=1))
