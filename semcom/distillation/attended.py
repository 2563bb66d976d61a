"""Features that attend to each other: the weights of one network's on the other's, and how far they are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semcom.distillation.features import STACKS, On, Value, layers_of, places_of
from semcom.distillation.stages import axes_of, brought_to
from semcom.models.spec import Shape, Spec
from semcom.models.trace import Trace


def shapes_of(spec: Spec, on: On) -> list[Shape]:
    """The shape of every feature, first to last; of layers the width alone, as their places are those of a message."""
    if on == "stages":
        return list(spec.stage_shapes)
    return [(width,) for stack in STACKS[on] for width in spec.widths_of(stack)]


def features_of(trace: Trace, on: On) -> tuple[Tensor, ...]:
    """Those features themselves, [batch, places, channels] each."""
    if on == "stages":
        return trace.stages
    return tuple(layer for stack in STACKS[on] for layer in layers_of(trace, stack))


class Normed(nn.Module):
    """Batch normalization over rows, by running statistics where a batch is a single row.

    Args:
        offset: whether a number is added to each feature; a softmax over what it adds alike would not feel it.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, width: int, *, offset: bool = True) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.offset = nn.Parameter(torch.zeros(width)) if offset else None
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))

    def forward(self, rows: Tensor) -> Tensor:
        learning = self.training and len(rows) > 1
        return F.batch_norm(rows, self.mean, self.variance, self.scale, self.offset, training=learning)


class Weighing(nn.Module):
    """How much each asking feature weighs each answering one, by what both are in this message and where they stand.

    a[i, j] = softmax_j( ( <W_i k_j, q_i> + <p_i, r_j> ) / sqrt(d) )

    q_i = BN(Linear(descriptor of the asking i)), k_j = ReLU(BN(Linear(descriptor of the answering j))), W_i one map of
    d x d for each asking feature, normalized over the batch too, p and r learned vectors for their positions.

    Args:
        asking: channels of each asking feature.
        answering: channels of each answering one; at least two, or there is nothing to weigh.
        width: d.
    """

    def __init__(self, asking: Sequence[int], answering: Sequence[int], width: int) -> None:
        super().__init__()
        self.queries, self.keys = (
            nn.ModuleList(nn.Sequential(nn.Linear(each, width, bias=False), Normed(width)) for each in those)
            for those in (asking, answering)
        )
        self.bilinear = nn.Linear(width, width * len(asking), bias=False)
        self.bilinear_norm = Normed(width * len(asking), offset=False)
        self.query_places, self.key_places = (
            nn.Parameter(nn.init.xavier_normal_(torch.empty(len(those), width))) for those in (asking, answering)
        )

    def forward(self, asking: Sequence[Tensor], answering: Sequence[Tensor]) -> Tensor:
        """Weights [batch, asking, answering] of descriptors [batch, channels]; every row of them sums up to 1."""
        queries = torch.stack([ask(each) for ask, each in zip(self.queries, asking, strict=True)], dim=1)
        keys = torch.stack([F.relu(key(each)) for key, each in zip(self.keys, answering, strict=True)], dim=1)
        mapped = self.bilinear_norm(self.bilinear(keys.flatten(0, 1)))
        mapped = mapped.view(*keys.shape[:2], len(self.queries), -1)
        alike = torch.einsum("bqd,bkqd->bqk", queries, mapped) + self.query_places @ self.key_places.mT
        return (alike / math.sqrt(queries.shape[-1])).softmax(dim=-1)


def weighing(asking: Sequence[Shape], answering: Sequence[Shape], width: int) -> nn.Module:
    """A weighing of features of these shapes; nothing is learned where there is a single one to weigh."""
    if len(answering) == 1:
        return nn.Identity()
    return Weighing([each[0] for each in asking], [each[0] for each in answering], width)


def weights_of(weigh: nn.Module, asking: Sequence[Tensor], answering: Sequence[Tensor], real: Tensor | None) -> Tensor:
    """Weights [batch, asking, answering] of features; their descriptors are means over (real) places."""
    if not isinstance(weigh, Weighing):
        return asking[0].new_ones(len(asking[0]), len(asking), 1)
    weights: Tensor = weigh([_described(each, real) for each in asking], [_described(each, real) for each in answering])
    return weights


class Values(nn.Module):
    """What of the features is compared, and how far each of the student's is from each of the teacher's.

    energy: the mean over channels of squares at every place, the student's averaged to the teacher's places.
    features: all of them, the student's averaged to the teacher's places and mapped to its channels by a regressor,
    learned beside the student for every pair of unequal channels.

    Both are cut to length 1 over all places (real tokens), so that 0 is alike and 2 unrelated.
    """

    def __init__(self, ours: Sequence[Shape], theirs: Sequence[Shape], value: Value) -> None:
        super().__init__()
        self.ours, self.theirs, self.value = tuple(ours), tuple(theirs), value
        pairs = [(s, t) for s in range(len(ours)) for t in range(len(theirs))] if value == "features" else []
        self.regressors = nn.ModuleDict(
            {f"{s}-{t}": nn.Linear(ours[s][0], theirs[t][0]) for s, t in pairs if ours[s][0] != theirs[t][0]}
        )

    def forward(self, ours: Sequence[Tensor], theirs: Sequence[Tensor], real: Tensor | None) -> Tensor:
        """Squared distances [batch, ours, theirs]."""
        if self.value == "energy":
            ours, theirs = ([each.square().mean(dim=2, keepdim=True) for each in those] for those in (ours, theirs))
        targets = [_unit(each, real) for each in theirs]
        columns = []
        for t, (target, wanted) in enumerate(zip(targets, self.theirs, strict=True)):
            rows = []
            for s, (feature, shape) in enumerate(zip(ours, self.ours, strict=True)):
                there = feature if real is not None else brought_to(feature, axes_of(shape), axes_of(wanted))
                if f"{s}-{t}" in self.regressors:
                    there = self.regressors[f"{s}-{t}"](there)
                rows.append((_unit(there, real) - target).square().sum(dim=1))
            columns.append(torch.stack(rows, dim=1))
        return torch.stack(columns, dim=2)


def _described(feature: Tensor, real: Tensor | None) -> Tensor:
    """Mean over places [batch, channels]."""
    if real is None:
        return feature.mean(dim=1)
    return torch.where(real[:, :, None], feature, 0.0).sum(dim=1) / real.sum(dim=1, keepdim=True)


def _unit(feature: Tensor, real: Tensor | None) -> Tensor:
    """[batch, places * channels] of length 1, padding 0."""
    if real is not None:
        feature = torch.where(real[:, :, None], feature, 0.0)
    return F.normalize(feature.flatten(1), dim=1)


def real_of(student: Trace, on: On) -> tuple[Tensor, Tensor | None]:
    """Which messages are no mere padding [batch], and of those the real places; None for stages, all of whose are."""
    messages = student.mask.any(dim=1)
    return messages, None if on == "stages" else places_of(student, STACKS[on][0])[messages]
