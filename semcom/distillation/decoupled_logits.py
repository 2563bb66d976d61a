"""Decoupled logits: how sure the teacher is of the true token, and how it ranks the rest, each with its weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.method import LOGITS, check_shares, no_adapters
from semcom.distillation.targets import Trust, check_temperature, divergence, trusted_mean

if TYPE_CHECKING:
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class DecoupledLogits:
    """Soft logits taken apart at the true token y.

    loss = T^2 mean over tokens of alpha KL( b_t || b_s ) + beta KL( r_t || r_s )

    b = (p_y, 1 - p_y) and r = p without y, summing to one; p = softmax(z / T). Plain soft logits are
    alpha = 1, beta = 1 - p_t,y: what a sure teacher knows of the other tokens is all but drowned there.

    Args:
        weight: factor of this loss in the sum of all losses.
        alpha: weight of the true token's part.
        beta: weight of the part about all other tokens.
        temperature: T, above 0; 1 compares the distributions as they are, more softens both.
        trust: which tokens count: `all`, each by the teacher's confidence (`confident`), or those where the teacher
            is right (`right`).

    Source: Zhao, Cui, Song, Qiu and Liang, Decoupled Knowledge Distillation, CVPR 2022, where soft
    logits are taken apart into target and non-target classes, alpha TCKD + beta NCKD.
    """

    weight: float = 1.0
    alpha: float = 1.0
    beta: float = 1.0
    temperature: float = 1.0
    trust: Trust = "all"
    kind: Literal["decoupled_logits"] = "decoupled_logits"

    sees = LOGITS
    adapters = no_adapters

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_shares("alpha and beta", self.alpha, self.beta)

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        (guess, guessed_rest), (target, target_rest) = (
            take_apart(each.heard.logits / self.temperature, student.targets) for each in (student, teacher)
        )
        both = self.alpha * divergence(target, guess) + self.beta * divergence(target_rest, guessed_rest)
        return self.temperature**2 * trusted_mean(both, teacher, self.trust)


def take_apart(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of (true, not true) [..., 2], and of the rest among themselves with 0 at the true token."""
    true = targets.unsqueeze(-1)
    rest = logits.scatter(-1, true, -math.inf)
    # From logits, not from 1 - p: of a sure codec that difference is 0, and its logarithm no number.
    pair = torch.cat((logits.gather(-1, true), rest.logsumexp(dim=-1, keepdim=True)), dim=-1)
    return pair.log_softmax(dim=-1), rest.log_softmax(dim=-1).scatter(-1, true, 0.0)
