"""Hidden hints: what the teacher's layers hold, as targets for the student's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.features import Side, evenly, layers_of, over_places, stacks, turn

if TYPE_CHECKING:
    from semcom.models.spec import Part, Spec, Stack
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class HiddenHints:
    """How far paired layers point in different directions, per real token.

    loss = mean over pairs (i, j) and tokens of | P_i h_i / |P_i h_i| - g_j / |g_j| |^2

    h are the student's layers, g the teacher's; layer i of S learns from layer ceil(i T / S) of T. P_i is a linear
    layer, learned with the student and thrown away afterwards, from one width to the other. Directions, not
    vectors: 0 is alike and 2 unrelated at any width.

    Args:
        weight: factor of this loss in the sum of all losses.
        side: whose layers are compared: the semantic encoder's, the semantic decoder's, or both. Of a recognizer, take
            `decoder`: its embedding is the only layer; for its units see `stage_hints`.

    Source: the hint and its projection, Romero et al., FitNets, ICLR 2015, on hint-based training; every layer,
    normalized, Sun et al., Patient Knowledge Distillation for BERT Model Compression, EMNLP 2019, the patient teacher.
    """

    weight: float = 1.0
    side: Side = "both"
    kind: Literal["hidden_hints"] = "hidden_hints"

    by_place = True

    @property
    def sees(self) -> frozenset[Part]:
        """The layers of its side."""
        return frozenset(stacks(self.side))

    def adapters(self, student: Spec, teacher: Spec) -> torch.nn.Module:
        """A projection for every layer of the student."""
        projections: dict[str, torch.nn.Module] = {}
        for stack in stacks(self.side):
            ours, theirs = student.widths_of(stack), teacher.widths_of(stack)
            pairs = zip(ours, evenly(len(ours), len(theirs)), strict=True)
            projections[stack] = torch.nn.ModuleList(torch.nn.Linear(width, theirs[index]) for width, index in pairs)
        return torch.nn.ModuleDict(projections)

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        assert isinstance(adapters, torch.nn.ModuleDict)
        gaps: dict[Stack, list[torch.Tensor]] = {}
        for stack in stacks(self.side):
            ours, theirs = layers_of(student, stack), layers_of(teacher, stack)
            projections = adapters[stack]
            assert isinstance(projections, torch.nn.ModuleList)
            for project, layer, index in zip(projections, ours, evenly(len(ours), len(theirs)), strict=True):
                gaps.setdefault(stack, []).append(turn(project(layer), theirs[index]))
        return over_places(gaps, student)
