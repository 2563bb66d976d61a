"""Stages of two networks brought to one size, so that feature maps of unequal places and channels can be compared."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from semcom.distillation.features import evenly
from semcom.models.recognizer_units import resized
from semcom.models.spec import Shape, Spec
from semcom.models.trace import Trace


class Meeting(nn.Module):
    """Where a stage of the student meets the teacher's: along each axis the fewer places of the two.

    The side with more of them is averaged over neighbouring places. Rows that one side does not have are averaged
    away on the other, so that a place is the same time on both.

    Args:
        ours: shape of the student's stage.
        theirs: shape of the teacher's.
    """

    def __init__(self, ours: Shape, theirs: Shape) -> None:
        super().__init__()
        self.ours, self.theirs = axes_of(ours), axes_of(theirs)
        self.places = tuple(map(min, self.ours, self.theirs))

    def forward(self, ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
        """Both [batch, places, channels], each with channels of its own and both with the places they meet in."""
        return brought_to(ours, self.ours, self.places), brought_to(theirs, self.theirs, self.places)


def meetings(student: Spec, teacher: Spec) -> nn.ModuleList:
    """One for every stage of the student, with the teacher's stage that it learns from."""
    return nn.ModuleList(Meeting(ours, theirs) for ours, theirs in shape_pairs(student, teacher))


def shape_pairs(student: Spec, teacher: Spec) -> list[tuple[Shape, Shape]]:
    """The shapes of stages that belong together: i of S learns from ceil(i T / S) of T."""
    ours, theirs = student.stage_shapes, teacher.stage_shapes
    return [(shape, theirs[index]) for shape, index in zip(ours, evenly(len(ours), len(theirs)), strict=True)]


def stage_pairs(student: Trace, teacher: Trace) -> Iterator[tuple[Tensor, Tensor]]:
    """The stages themselves, in the same pairs."""
    ours, theirs = student.stages, teacher.stages
    for stage, index in zip(ours, evenly(len(ours), len(theirs)), strict=True):
        yield stage, theirs[index]


def axes_of(shape: Shape) -> Shape:
    """(rows, places); what has no rows has one."""
    return (1, *shape[1:])[-2:]


def brought_to(features: Tensor, axes: Shape, wanted: Shape) -> Tensor:
    """Features [batch, places, channels] in other rows and places: means over neighbours, repeated where more."""
    if axes == wanted:
        return features
    return resized(features.mT.unflatten(2, axes), wanted).flatten(2).mT
