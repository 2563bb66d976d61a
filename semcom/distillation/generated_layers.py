"""Generated layers: a student makes its teacher's hidden layers themselves, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.features import Side, evenly, layers_of, over_places, stacks
from semcom.distillation.method import check_shares
from semcom.models.plugged_spec import PluggedSpec

if TYPE_CHECKING:
    from channels import Chance
    from semcom.distillation.method import Method
    from semcom.models.spec import Part, Spec, Stack
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class GeneratedLayers:
    """How far the layers that a student makes are from its teacher's, per real token.

    loss = mean over pairs (i, j) and tokens of  l1 (1/D) |g_i - h_j|_1 + cosine (log s(1) - log s(cos(g_i, h_j)))

    g are the student's layers, h the teacher's, D their width and s the logistic function; the constant makes the loss
    0 where layers agree. A student that is plugged in learns each layer that it makes from the teacher's of that
    number, in the teacher's own coordinates. Any other learns layer i of S from layer ceil(i T / S) of T, through a
    linear layer where widths differ, which is learned with it and thrown away afterwards.

    A student that generates is led at first: in a share of the steps it makes each layer from the teacher's true ones
    below (teacher forcing), in the others from its own (running free), as it will when it is measured. The share goes
    from `forced` to `forced_at_end` in equal steps over the training. Nobody else has layers to be led by.

    Args:
        weight: factor of this loss in the sum of all losses.
        l1: weight of the mean absolute difference over channels; 0 leaves it out.
        cosine: weight of the term of directions; 0 leaves it out.
        side: whose layers are compared: the semantic encoder's, the semantic decoder's, or both.
        forced: share of the first steps that are forced, from 0 to 1.
        forced_at_end: share of the last steps that are forced, from 0 to 1.

    Source: our reconstruction of GenDistiller, Gao et al., arXiv 2310.13418, 2023, and arXiv 2406.09444, 2024: layers
    one after another from those before them are theirs; the loss is that of Chang, Yang and Lee, DistilHuBERT, ICASSP
    2022. Whether they train forced or free, and their weights, we did not find. The schedule follows Bengio, Vinyals,
    Jaitly and Shazeer, Scheduled Sampling, NeurIPS 2015.
    """

    weight: float = 1.0
    l1: float = 1.0
    cosine: float = 1.0
    side: Side = "both"
    forced: float = 1.0
    forced_at_end: float = 0.0
    kind: Literal["generated_layers"] = "generated_layers"

    by_place = True

    def __post_init__(self) -> None:
        check_shares("l1 and cosine of generated_layers", self.l1, self.cosine)
        for name in ("forced", "forced_at_end"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} of generated_layers must be from 0 to 1, got {getattr(self, name)}")

    @property
    def sees(self) -> frozenset[Part]:
        """The layers of its side."""
        return frozenset(stacks(self.side))

    def forced_share(self, progress: float) -> float:
        """The share of steps that are forced at this point of the training, from 0 at its beginning to 1 at its end."""
        return self.forced + (self.forced_at_end - self.forced) * progress

    def adapters(self, student: Spec, teacher: Spec) -> torch.nn.Module:
        """A projection for each layer of the student, which changes nothing where the widths agree.

        They are called after the two layers, from 0 on: 1_3 learns layer 3 of the teacher in layer 1 of the student.

        Raises:
            ValueError: the student makes layers that are no layers of this teacher.
        """
        projections: dict[str, torch.nn.Module] = {}
        for stack in stacks(self.side):
            ours, theirs = student.widths_of(stack), teacher.widths_of(stack)
            projections[stack] = torch.nn.ModuleDict(
                {
                    f"{one}_{other}": torch.nn.Identity()
                    if width == theirs[other]
                    else torch.nn.Linear(width, theirs[other])
                    for one, (width, other) in enumerate(zip(ours, _pairs(student, teacher, stack), strict=True))
                }
            )
        return torch.nn.ModuleDict(projections)

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        assert isinstance(adapters, torch.nn.ModuleDict)
        gaps: dict[Stack, list[torch.Tensor]] = {}
        for stack in stacks(self.side):
            ours, theirs = layers_of(student, stack), layers_of(teacher, stack)
            projections = adapters[stack]
            assert isinstance(projections, torch.nn.ModuleDict)
            for layer, (pair, project) in zip(ours, projections.items(), strict=True):
                gap = self._gap(project(layer), theirs[int(pair.partition("_")[2])])
                gaps.setdefault(stack, []).append(gap)
        return over_places(gaps, student)

    def _gap(self, made: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
        """Of every token, [batch, length]."""
        log_sigmoid, alike = torch.nn.functional.logsigmoid, torch.nn.functional.cosine_similarity(made, true, dim=-1)
        turned = log_sigmoid(torch.ones_like(alike)) - log_sigmoid(alike)
        return self.l1 * (made - true).abs().mean(dim=-1) + self.cosine * turned


def is_forced(methods: Sequence[Method], progress: float, chance: Chance) -> bool:
    """Whether a student that generates layers is led by its teacher's in this step.

    Args:
        progress: how much of the training is done.
        chance: of the step.
    """
    shares = [each.forced_share(progress) for each in methods if isinstance(each, GeneratedLayers)]
    if not shares:
        return False
    return bool(torch.rand((), generator=chance.of("forced").generator()) < max(shares))


def _pairs(student: Spec, teacher: Spec, stack: Stack) -> list[int]:
    """For each layer of the student the one of the teacher that it learns from, from 0 on."""
    ours, theirs = student.widths_of(stack), teacher.widths_of(stack)
    if not isinstance(student, PluggedSpec):
        return evenly(len(ours), len(theirs))
    wanted = student.wanted(stack)
    if wanted[-1] != len(theirs) or set(ours) != set(theirs):
        raise ValueError(
            f"a student that generates must learn from a codec of the shape it is plugged into, {wanted[-1]} layers of "
            f"{ours[0]} features, got {len(theirs)} of {theirs[0]}; name one codec as teacher and in adopt.around"
        )
    return [number - 1 for number in wanted]
