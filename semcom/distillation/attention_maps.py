"""Attention maps: the student looks where its teacher looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.features import Side, stacks
from semcom.distillation.method import no_adapters
from semcom.distillation.targets import divergence

if TYPE_CHECKING:
    from semcom.models.spec import Part, Stack
    from semcom.models.trace import Attention, Trace


@dataclass(frozen=True)
class AttentionMaps:
    """Divergence of what the last layers' self-attention weighs, per head and real token.

    loss = mean over heads and tokens of KL( A_t || A_s ) + KL( V_t || V_s )
    A = softmax(Q K' / sqrt(d)),  V = softmax(V V' / sqrt(d)),  over the last axis and real tokens alone

    MiniLM's form rather than TinyBERT's squared distance of maps (Jiao et al., Findings of EMNLP 2020), which needs
    equally many heads in every layer. Here only the last layers are compared, and each side's heads are
    joined to as many as both numbers share (their greatest common divisor): so any width, depth and number of heads
    may teach any other, without a projection. Where one decoder is autoregressive and the other is not, both are
    compared on what either may look at: the tokens up to its own.

    Args:
        weight: factor of this loss in the sum of all losses.
        side: whose attention is compared: the semantic encoder's, the semantic decoder's, or both.

    Source: Wang et al., MiniLM, NeurIPS 2020, on self-attention distribution and value-relation transfer; heads joined
    as in MiniLMv2 (Wang et al., Findings of ACL 2021), on multi-head self-attention relations.
    """

    weight: float = 1.0
    side: Side = "both"
    kind: Literal["attention_maps"] = "attention_maps"

    adapters = no_adapters

    @property
    def sees(self) -> frozenset[Part]:
        """What attention compares, at its side."""
        return frozenset({*stacks(self.side), "attention"})

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        from semcom.models.trace import masked_mean

        gaps = []
        for stack in stacks(self.side):
            ours, theirs = attention_of(student, stack), attention_of(teacher, stack)
            heads = math.gcd(ours.queries.shape[1], theirs.queries.shape[1])
            seen = student.mask[:, None, None, :]
            if ours.causal or theirs.causal:
                seen = seen & torch.ones_like(seen[0, 0, 0].expand(seen.shape[-1], -1)).tril()
            for target, guess in zip(relations(theirs, heads, seen), relations(ours, heads, seen), strict=True):
                gaps.append(divergence(target, guess).mean(dim=1))
        return masked_mean(torch.stack(gaps).sum(dim=0) / len(stacks(self.side)), student.mask)


def attention_of(trace: Trace, stack: Stack) -> Attention:
    """What the last layer of a side compared; a codec adds it to its trace when asked."""
    found = (trace.sent if stack == "sent" else trace.heard).attention
    assert found is not None, "a trace without attention; see SemanticCodec.with_attention"
    return found


def relations(attention: Attention, heads: int, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-weights of queries on keys and of values on values, [batch, heads, length, length]; 0 where none is seen."""
    queries, keys, values = (
        each.transpose(1, 2).flatten(2).unflatten(-1, (heads, -1)).transpose(1, 2)
        for each in (attention.queries, attention.keys, attention.values)
    )

    def weigh(these: torch.Tensor, those: torch.Tensor) -> torch.Tensor:
        scores = these @ those.mT / math.sqrt(these.shape[-1])
        return scores.masked_fill(~seen, -math.inf).log_softmax(dim=-1).masked_fill(~seen, 0.0)

    return weigh(queries, keys), weigh(values, values)
