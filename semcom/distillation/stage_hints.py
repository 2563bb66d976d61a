"""Stage hints: what the teacher's feature maps hold, as targets for the student's, whatever their sizes."""

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
class StageHints:
    """How far paired feature maps point in different directions over their channels, per place.

    loss = mean over messages, pairs (i, j) and places of | P_i a_i / |P_i a_i| - b_j / |b_j| |^2

    a are the outputs of the student's units, b those of the teacher's; unit i of S learns from unit ceil(i T / S) of
    T. Where one of a pair has more places, they are averaged down to the other's. P_i is a linear layer, learned with
    the student and thrown away afterwards, where the channels differ in number, and nothing where they agree: then the
    student takes over the teacher's very channels. 0 is alike and 2 unrelated at any size.

    Args:
        weight: factor of this loss in the sum of all losses.

    Source: the hint and its regressor, Romero et al., FitNets, ICLR 2015, on hint-based training. Every unit instead
    of one, averaged places and the normalized distance are ours, as in `HiddenHints`.
    """

    weight: float = 1.0
    kind: Literal["stage_hints"] = "stage_hints"

    sees = STAGES

    def adapters(self, student: Spec, teacher: Spec) -> torch.nn.Module:
        """Where each pair meets, and a projection for those of unequal channels."""
        from semcom.distillation.stages import meetings, shape_pairs

        projections: list[torch.nn.Module] = []
        for (ours, *_), (theirs, *_) in shape_pairs(student, teacher):
            projections.append(torch.nn.Linear(ours, theirs) if ours != theirs else torch.nn.Identity())
        return torch.nn.ModuleDict(
            {"meetings": meetings(student, teacher), "projections": torch.nn.ModuleList(projections)}
        )

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        from semcom.distillation.stages import stage_pairs
        from semcom.models.trace import masked_mean

        assert isinstance(adapters, torch.nn.ModuleDict)
        meetings, projections = adapters["meetings"], adapters["projections"]
        assert isinstance(meetings, torch.nn.ModuleList) and isinstance(projections, torch.nn.ModuleList)
        gaps = []
        for pair, meet, project in zip(stage_pairs(student, teacher), meetings, projections, strict=True):
            ours, theirs = meet(*pair)
            gaps.append(turn(project(ours), theirs).mean(dim=1))
        return masked_mean(torch.stack(gaps).mean(dim=0), student.mask.any(dim=1))
