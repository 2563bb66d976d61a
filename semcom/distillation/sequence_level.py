"""Sequence level: the teacher's own sentence in place of the true one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.method import LOGITS, no_adapters
from semcom.distillation.targets import Trust, trusted_mean

if TYPE_CHECKING:
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class SequenceLevel:
    """Cross-entropy to the tokens that the teacher decides for, per real token.

    loss = mean over tokens of - log p_s( argmax_v z_t,v )

    The paper trains on the sentence that a teacher finds likeliest by beam search. A parallel teacher decides every
    position apart, so these arg-maxes *are* its likeliest sentence, and between two parallel codecs this is the
    paper's loss. An autoregressive teacher is asked under the true prefix, at the cost of no search at all: its
    decision at each position, had all before it been right. That is cheaper and milder than the paper's.

    It does not vanish when student and teacher agree, only when the student is also sure.

    Args:
        weight: factor of this loss in the sum of all losses.
        trust: which tokens count: `all`, each by the teacher's confidence (`confident`), or those where the teacher
            is right (`right`).

    Source: Kim and Rush, Sequence-Level Knowledge Distillation, EMNLP 2016, on training on the
    teacher's beam search.
    """

    weight: float = 1.0
    trust: Trust = "all"
    kind: Literal["sequence_level"] = "sequence_level"

    sees = LOGITS
    vanishes = False
    adapters = no_adapters

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        decided = teacher.heard.logits.argmax(dim=-1)
        # torch wants the classes in axis 1; .mT puts the vocabulary there.
        surprise = torch.nn.functional.cross_entropy(student.heard.logits.mT, decided, reduction="none")
        return trusted_mean(surprise, teacher, self.trust)
