"""Reverse logits: Kullback-Leibler divergence from student to teacher, which punishes what the teacher rules out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.method import LOGITS, no_adapters
from semcom.distillation.targets import Trust, check_temperature, divergence, softened, trusted_mean

if TYPE_CHECKING:
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class ReverseLogits:
    """Kullback-Leibler divergence the other way round, per real token.

    loss = T^2 mean over tokens of KL( softmax(z_s / T) || softmax(z_t / T) )

    Forward divergence makes a small student spread over everything its teacher holds possible; this one lets it
    settle on a part of that, and punishes what the teacher rules out. MiniLLM takes it over whole sentences that
    the student wrote, by policy gradient; here it is taken token by token under the true prefix, in closed form.

    Args:
        weight: factor of this loss in the sum of all losses.
        temperature: T, above 0; 1 compares the distributions as they are, more softens both.
        trust: which tokens count: `all`, each by the teacher's confidence (`confident`), or those where the teacher
            is right (`right`).

    Source: Gu, Dong, Wei and Huang, MiniLLM: Knowledge Distillation of Large Language Models, ICLR 2024, on
    reverse divergence as the objective; token by token it is our reconstruction.
    """

    weight: float = 1.0
    temperature: float = 1.0
    trust: Trust = "all"
    kind: Literal["reverse_logits"] = "reverse_logits"

    sees = LOGITS
    adapters = no_adapters

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        guess, target = softened(student, teacher, self.temperature)
        return self.temperature**2 * trusted_mean(divergence(guess, target), teacher, self.trust)
