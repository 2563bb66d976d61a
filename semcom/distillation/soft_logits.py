"""Soft logits: the teacher's distribution over tokens as the student's target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.method import LOGITS, no_adapters
from semcom.distillation.targets import Trust, check_temperature, divergence, softened, trusted_mean

if TYPE_CHECKING:
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class SoftLogits:
    """Kullback-Leibler divergence between softened distributions, per real token.

    loss = T^2 mean over tokens of KL( softmax(z_t / T) || softmax(z_s / T) )

    T^2 keeps the size of the gradient when T changes. The softmax runs over the vocabulary, the last axis:
    on [batch, length, vocabulary] the axis 1 of the image-era losses is the length, and nothing would warn.

    Args:
        weight: factor of this loss in the sum of all losses.
        temperature: T, above 0; 1 compares the distributions as they are, more softens both.
        trust: which tokens count: `all`, each by the teacher's confidence (`confident`), or those where the teacher
            is right (`right`).

    Source: Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, on distillation at a
    temperature and its T^2.
    """

    weight: float = 1.0
    temperature: float = 1.0
    trust: Trust = "all"
    kind: Literal["soft_logits"] = "soft_logits"

    sees = LOGITS
    adapters = no_adapters

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        guess, target = softened(student, teacher, self.temperature)
        return self.temperature**2 * trusted_mean(divergence(target, guess), teacher, self.trust)
