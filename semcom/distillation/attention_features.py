"""Attention features: every feature of the teacher attends to the student's, and pulls at those that it attends to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.features import On, OnFeatures, check_width

if TYPE_CHECKING:
    from semcom.models.spec import Spec
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class AttentionFeatures(OnFeatures):
    """Distance between maps of where features are active, weighed by the teacher's attention to the student's features.

    loss = mean over messages of sum_t sum_s a[t, s] mean over places of ( v_t / |v_t| - v_s / |v_s| )^2
    a[t, s] = softmax_s( ( <q_t, W_t k_s> + <p_t, r_s> ) / sqrt(d) ),   queries of the teacher, keys of the student

    v is the mean over channels of squares at every place, the student's averaged to the teacher's places. All of the
    teacher's features count alike, one that holds noise too: the weights of each sum up to 1. `RepresentativeKeys` is
    this with the roles swapped, and with a choice. A copy of the teacher still loses something, since every feature
    looks at several.

    Args:
        weight: factor of this loss in the sum of all losses; the official code has 200.
        on: whose features: `stages` (feature maps of any size), or layers of the `receiver`, the `transmitter` or
            `both`; without it a codec's stages, if it has such, or its receiver's layers; of speech its transmitter's.
        width: d, of queries and keys, at most 4096.

    Source: Ji, Heo and Park, Show, Attend and Distill: Knowledge Distillation via Attention-based Feature Matching,
    AAAI 2021, and its official code for the normalizations; for layers of a Transformer ours. Without the offset of the
    last normalization before the softmax, which does not feel it.
    """

    weight: float = 1.0
    on: On | None = None
    width: int = 128
    kind: Literal["attention_features"] = "attention_features"

    def __post_init__(self) -> None:
        check_width(self.width)

    def adapters(self, student: Spec, teacher: Spec) -> torch.nn.Module:
        """The attention."""
        from semcom.distillation.attended import Values, shapes_of, weighing

        assert self.on is not None, "settled for a kind of codec first"
        ours, theirs = shapes_of(student, self.on), shapes_of(teacher, self.on)
        return torch.nn.ModuleDict(
            {"weigh": weighing(theirs, ours, self.width), "compare": Values(ours, theirs, "energy")}
        )

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        from semcom.distillation.attended import features_of, real_of, weights_of

        assert self.on is not None and isinstance(adapters, torch.nn.ModuleDict)
        messages, real = real_of(student, self.on)
        ours, theirs = ([each[messages] for each in features_of(trace, self.on)] for trace in (student, teacher))
        weights = weights_of(adapters["weigh"], theirs, ours, real).mT
        if real is None:
            places = weights.new_tensor([each.shape[1] for each in theirs])
        else:
            places = real.sum(dim=1)[:, None, None]
        return (weights * adapters["compare"](ours, theirs, real) / places).sum(dim=(1, 2)).mean()
