"""Similarity preserving: messages that are alike for the teacher should be alike for the student."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.features import Between, Side, layers_of, places_of, stacks
from semcom.distillation.method import no_adapters

if TYPE_CHECKING:
    from semcom.models.spec import Part
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class SimilarityPreserving:
    """Squared distance between rows of similarity matrices of the last layers' features.

    loss = mean over i of | s_i / |s_i| - t_i / |t_i| |^2,   s_ij = <a_i, a_j>,  t_ij = <b_i, b_j>

    a is the student's and b the teacher's. A row is normalized, so neither width nor scale counts. The paper
    divides by the square of the number of rows; divided by the number, the loss does not shrink in larger batches.

    Args:
        weight: factor of this loss in the sum of all losses.
        between: what is compared: `sentences` of a batch, each with the features of all its places in a row, padding
            0, or `tokens` of one sentence. Frames are compared as sentences are.
        side: whose last layer is compared: the semantic encoder's, the semantic decoder's, or both. Of a recognizer,
            take `decoder`, which is its embedding.

    Source: Tung and Mori, Similarity-Preserving Knowledge Distillation, ICCV 2019, the similarity-preserving loss.
    """

    weight: float = 1.0
    between: Between = "sentences"
    side: Side = "both"
    kind: Literal["similarity_preserving"] = "similarity_preserving"

    adapters = no_adapters

    @property
    def sees(self) -> frozenset[Part]:
        """The layers of its side."""
        return frozenset(stacks(self.side))

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        from semcom.models.trace import masked_mean

        total = torch.zeros((), device=student.mask.device)
        for stack in stacks(self.side):
            ours, theirs = (
                self._similarities(layers_of(each, stack)[-1], places_of(each, stack)) for each in (student, teacher)
            )
            gap = (ours - theirs).square().sum(dim=-1)
            real = student.mask.any(dim=1).unsqueeze(0) if self.between == "sentences" else student.mask
            total = total + masked_mean(gap, real)
        return total / len(stacks(self.side))

    def _similarities(self, features: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Normalized rows [groups, i, j]; a group is the batch, or one sentence."""
        features = torch.where(mask.unsqueeze(-1), features, torch.zeros_like(features))
        if self.between == "sentences":
            features = features.flatten(1).unsqueeze(0)
        return torch.nn.functional.normalize(features @ features.mT, dim=-1)
