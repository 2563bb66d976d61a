"""How a teacher's distribution over tokens is read: how softly, and how far it is trusted.

A frame is a message of one token, its class.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from semcom.models.trace import Trace

Trust = Literal["all", "confident", "right"]


HOTTEST = 1e6  # hotter than this all distributions are one


def check_temperature(temperature: float) -> None:
    """Refuse what no distribution can be softened by."""
    if not 0 < temperature <= HOTTEST:  # so that NaN is refused too
        raise ValueError(f"temperature must be positive and at most {HOTTEST:g}, got {temperature:g}")


def softened(student: Trace, teacher: Trace, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Both sides' log-probabilities [batch, length, vocabulary] at a temperature, over the last axis."""
    ours, theirs = ((each.heard.logits / temperature).log_softmax(dim=-1) for each in (student, teacher))
    return ours, theirs


def divergence(of: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
    """KL(of || to) over the last axis of two log-probabilities [nats]; where both are 0 an entry adds nothing."""
    return torch.nn.functional.kl_div(to, of, reduction="none", log_target=True).sum(dim=-1)


def trusted_mean(values: torch.Tensor, teacher: Trace, trust: Trust) -> torch.Tensor:
    """Mean over real tokens of values [batch, length], each weighted by how far the teacher is trusted there.

    all: 1.  confident: 1 - H(teacher) / log V, 0 for a teacher that knows nothing and 1 for one that is sure.
    right: 1 where the teacher's likeliest token is the true one, else 0.

    Divided by the number of all real tokens, not by the sum of weights: where a teacher is not to be trusted, in bad
    air for one, its method falls silent instead of shouting the few words that are left.
    """
    from semcom.models.trace import masked_mean

    if trust == "confident":
        known = teacher.heard.logits.log_softmax(dim=-1)
        entropy = -(known.exp() * known).sum(dim=-1)
        values = values * (1 - entropy / math.log(known.shape[-1]))
    elif trust == "right":
        values = values * (teacher.heard.logits.argmax(dim=-1) == teacher.targets)
    return masked_mean(values, teacher.mask)
