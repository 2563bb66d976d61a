"""Layered: classifiers on every stage tell class and transformation, and deeper ones teach shallower ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import torch

from semcom.distillation.method import check_shares
from semcom.distillation.targets import check_temperature, divergence
from semcom.models.spec import FRAME_BY_FRAME, SINGLE_UNIT
from semcom.sources.transformations import USUAL, Transformation, unsuited

if TYPE_CHECKING:
    from semcom.models.spec import Part, Spec
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class Layered:
    """No teacher: a codec learns from classifiers on its own stages, which are thrown away afterwards.

    loss = labels      sum_l CE( aux_l(F_l), (class, transformation) )
         + classifiers T^2 sum_{l < L} KL( sg[p_l+1] || p_l )
         + final       T'^2 KL( sg[sum over transformations of p_L] || softmax(z / T') )       of messages as they are
         + features    sum_{l < L} turn( reg(F_l), sg[F_L] )

    F_l are the feature maps at the end of every stage, aux_l classifiers on them with an answer for every pair of a
    class and a transformation, p_l = softmax(aux_l / T), z the codec's own logits, sg stops the gradient. turn(a, b) =
    | a/|a| - b/|b| |^2 per place. Every message goes through the air as it is and transformed in every way; these trips
    leave the running statistics of batch normalization alone, which are of plain messages.

    Without transformations, `learn_from: final` and `final: 0` it is plain self-distillation (Zhang et al., Be Your Own
    Teacher, ICCV 2019): the codec's own classifier teaches those of all stages.

    Args:
        weight: factor of this loss in the sum of all losses.
        transformations: by which classifiers know a message: of frames frequency_shift, segment_permutation,
            time_reversal and conjugation, of pictures quarter_turn, half_turn and three_quarter_turn; `usual` are the
            first two, or the turns; `none` leaves the class alone.
        labels: weight of the true class and transformation; without it no classifier learns from anything but others.
        classifiers: weight of what deeper classifiers teach shallower ones.
        final: weight of what the deepest classifier teaches the codec's own.
        features: weight of the distance to the last stage's features.
        temperature: T, between classifiers.
        final_temperature: T', between the deepest and the codec's own.
        learn_from: which classifier teaches one: the `next` deeper, the `last`, or the codec's own (`final`), which
            knows no transformations.

    Source: our reconstruction of Dahri et al., LSSKD, arXiv 2506.07055, of which we read the abstract; joint answers,
    temperatures and weights from the official code of its predecessor, Yang et al., Hierarchical Self-supervised
    Augmented Knowledge Distillation (HSAKD), IJCAI 2021, whose transformations are quarter turns of pictures. Which
    stage teaches which, the shape of the classifiers, features compared by direction, their weight, and the
    transformations of frames are ours.
    """

    weight: float = 1.0
    transformations: tuple[Transformation, ...] | Literal["usual", "none"] = "usual"
    labels: float = 1.0
    classifiers: float = 1.0
    final: float = 1.0
    features: float = 0.1
    temperature: float = 3.0
    final_temperature: float = 3.0
    learn_from: Literal["next", "last", "final"] = "next"
    kind: Literal["layered"] = "layered"

    needs_teacher: ClassVar[bool] = False
    vanishes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_shares("the layered terms' weights", self.labels, self.classifiers, self.final, self.features)
        check_temperature(self.temperature)
        check_temperature(self.final_temperature)
        if self.learn_from == "final" and self.transformations not in ("none", ()):
            raise ValueError(
                "learn_from must be next or last where there are transformations, got final; the codec's own "
                "classifier knows none of them: set transformations: none"
            )
        if len(set(self.transformations)) < len(self.transformations) and not isinstance(self.transformations, str):
            raise ValueError(f"each transformation may be named once, got {', '.join(self.transformations)}")

    @property
    def sees(self) -> frozenset[Part]:
        """The stages, and the logits where they teach or are taught."""
        teaches = self.learn_from == "final" and self.classifiers
        return frozenset({"stages", "logits"} if self.final or teaches else {"stages"})

    @property
    def ways(self) -> tuple[Transformation, ...]:
        """The transformations, once they are settled."""
        assert self.transformations != "usual", "settled for a kind of codec first"
        return () if isinstance(self.transformations, str) else self.transformations

    def settled(self, spec: Spec) -> Self:
        """The same with the usual transformations of what this kind of codec carries, where nobody named any."""
        usual = self.transformations == "usual"
        return replace(self, transformations=USUAL.get(spec.carries, ())) if usual else self

    def unsuited(self, spec: Spec) -> str:
        """Why a kind of codec cannot learn so, beside what it shows; empty where it can."""
        if spec.says in FRAME_BY_FRAME:
            return f"{spec.says} are rebuilt, and classifiers of stages tell a class"
        if spec.carries not in SINGLE_UNIT:
            return f"{spec.carries} have a class for every unit, and classifiers of stages tell one for a message"
        return unsuited(self.ways, spec.carries)

    def adapters(self, student: Spec, teacher: int) -> torch.nn.Module:
        """Classifiers and regressors.

        Args:
            teacher: there is none; in its place the number of classes.
        """
        from semcom.distillation.stage_classifiers import StageClassifiers

        answers = teacher * (1 + len(self.ways)) if self.labels or self.classifiers or self.final else 0
        return StageClassifiers(student.stage_shapes, answers, regress=self.features > 0)

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class; the student's trip is one of all views, and there is no teacher's to look at."""
        from semcom.distillation.stage_classifiers import StageClassifiers

        assert isinstance(adapters, StageClassifiers)
        stages, ways = student.stages, 1 + len(self.ways)
        total = stages[0].new_zeros(())
        said = adapters.logits(stages) if adapters.classifiers else []
        plain = len(student.targets) // ways  # the first of all views are messages as they are
        if self.labels:
            way = torch.arange(ways, device=total.device).repeat_interleave(plain)
            joint = student.targets[:, 0] * ways + way
            cross_entropy = torch.nn.functional.cross_entropy
            total = total + self.labels * sum(cross_entropy(each, joint) for each in said)
        if self.classifiers:
            softened = [(each / self.temperature).log_softmax(dim=1) for each in said]
            own = (student.heard.logits[:, 0] / self.temperature).log_softmax(dim=1)
            teaching = {"next": softened[1:], "last": softened[-1:] * (len(said) - 1), "final": [own] * len(said)}
            for target, guess in zip(teaching[self.learn_from], softened, strict=False):
                gap = divergence(target.detach(), guess).mean()
                total = total + self.classifiers * self.temperature**2 * gap
        if self.final:
            heat = self.final_temperature
            deepest = (said[-1][:plain] / heat).log_softmax(dim=1).unflatten(1, (-1, ways)).logsumexp(dim=2)
            own = (student.heard.logits[:plain, 0] / heat).log_softmax(dim=1)
            total = total + self.final * heat**2 * divergence(deepest.detach(), own).mean()
        if self.features:
            total = total + self.features * sum(each.mean() for each in adapters.gaps(stages))
        return total
