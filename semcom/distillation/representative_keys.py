"""Representative keys: a student attends to its teacher's features, and learns from those with influence on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.features import On, OnFeatures, Value, check_width

if TYPE_CHECKING:
    from semcom.models.spec import Spec
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class RepresentativeKeys(OnFeatures):
    """Distance to the teacher's features, weighed by attention, those left out that have little influence.

    loss = mean over messages of sum_{t in R} sum_s A[s, t] | v_t / |v_t| - reg(v_s) / |reg(v_s)| |^2
    A[s, t] = softmax_t( ( <q_s, W_s k_t> + <p_s, r_t> ) / sqrt(d) ),   queries of the student, keys of the teacher
    I_t = mean of the k largest of A[:, t];   R = { t : I_t >= threshold / T }, and the largest I_t if there is none

    T is the number of the teacher's features, so that 1 / T is even attention and the threshold means the same at any
    depth. What the student does not attend to, such as a stage that holds noise, has little influence, falls out, and
    pulls no more. Descriptors are means over places; what is compared is where features are active. A copy of the
    teacher still loses something, since every feature of it looks at several. k, threshold, width, selection and how
    the loss is scaled are settings: no text of the paper that we read tells them.

    Args:
        weight: factor of this loss in the sum of all losses.
        on: whose features: `stages` (feature maps of any size), or layers of the `receiver`, the `transmitter` or
            `both`; without it a codec's stages, if it has such, or its receiver's layers; of speech its transmitter's.
        k: how many of the student's features, those that attend to it most, make the influence of a teacher's; null
            takes all of them.
        threshold: least influence of a feature that is kept, in units of even attention; 0 keeps all.
        select: whether each message chooses for itself (`sample`) or the mean influence chooses for all of a `batch`.
        renormalise: whether attention to what was left out is dealt to what is kept.
        value: what is compared: the `energy` of features at every place, the mean over channels of their squares, or
            the `features` themselves, through a learned regressor where their channels differ in number.
        width: d, of queries and keys, at most 4096.

    Source: our reconstruction of Yang, Kao and Huang, Representative Teacher Keys for Knowledge Distillation Model
    Compression Based on Attention Mechanism for Image Classification, arXiv 2206.12788, of which we read the abstract
    and a review; what these leave open is taken from `AttentionFeatures` with the roles swapped. The threshold relative
    to even attention and the feature that always stays are ours.
    """

    weight: float = 1.0
    on: On | None = None
    k: int | None = 2
    threshold: float = 0.5
    select: Literal["sample", "batch"] = "sample"
    renormalise: bool = False
    value: Value = "energy"
    width: int = 128
    kind: Literal["representative_keys"] = "representative_keys"

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise ValueError(f"k must be at least 1, got {self.k}; null takes all of the student's features")
        if not 0 <= self.threshold < math.inf:
            raise ValueError(f"threshold must be at least 0 and finite, got {self.threshold}; 1 is even attention")
        check_width(self.width)

    def adapters(self, student: Spec, teacher: Spec) -> torch.nn.Module:
        """The attention, regressors where there are any, and an account of which keys were kept."""
        from semcom.distillation.attended import Values, shapes_of, weighing
        from semcom.distillation.kept_keys import KeptKeys

        assert self.on is not None, "settled for a kind of codec first"
        ours, theirs = shapes_of(student, self.on), shapes_of(teacher, self.on)
        return torch.nn.ModuleDict(
            {
                "weigh": weighing(ours, theirs, self.width),
                "compare": Values(ours, theirs, self.value),
                "account": KeptKeys(len(theirs)),
            }
        )

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        from semcom.distillation.attended import features_of, real_of, weights_of
        from semcom.distillation.kept_keys import KeptKeys, influence, selected

        assert self.on is not None and isinstance(adapters, torch.nn.ModuleDict)
        messages, real = real_of(student, self.on)
        ours, theirs = ([each[messages] for each in features_of(trace, self.on)] for trace in (student, teacher))
        weights = weights_of(adapters["weigh"], ours, theirs, real)
        influences = influence(weights.detach(), self.k)
        kept = selected(influences, self.threshold, together=self.select == "batch")
        account = adapters["account"]
        assert isinstance(account, KeptKeys)
        account.note(influences, kept)
        weights = weights * kept[:, None, :]
        if self.renormalise:
            weights = weights / weights.sum(dim=2, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)
        distances = adapters["compare"](ours, theirs, real)
        return (weights * distances).sum(dim=(1, 2)).mean()

    def told(self, adapters: torch.nn.Module) -> dict[str, list[float]]:
        """Of every feature of the teacher its mean influence and how often it is kept, over the last steps."""
        from semcom.distillation.kept_keys import KeptKeys

        assert isinstance(adapters, torch.nn.ModuleDict) and isinstance(adapters["account"], KeptKeys)
        return adapters["account"].told()
