"""Classifiers of a codec's stages, trained beside it and thrown away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from semcom.distillation.features import turn
from semcom.distillation.stages import axes_of, brought_to
from semcom.models.recognizer_units import CONVOLUTIONS, NORMS
from semcom.models.spec import Shape


def ends_of(shapes: Sequence[Shape]) -> tuple[int, ...]:
    """The numbers of the feature maps after which the shape changes, and of the last: where stages of a network end."""
    changes = [index for index, (one, following) in enumerate(pairwise(shapes)) if one != following]
    return (*changes, len(shapes) - 1)


class StageClassifiers(nn.Module):
    """One classifier for the end of every stage, and regressors from all but the last to the last one's features.

    Args:
        shapes: of all feature maps.
        answers: of every classifier; 0 makes none.
        regress: whether there are regressors.
    """

    def __init__(self, shapes: Sequence[Shape], answers: int, *, regress: bool) -> None:
        super().__init__()
        self.ends = ends_of(shapes)
        self.shapes = [shapes[end] for end in self.ends]
        last = self.shapes[-1]
        # Classifiers first, so that their first weights are the same with and without regressors.
        self.classifiers = nn.ModuleList(
            StageClassifier(shape, last, answers) for shape in (self.shapes if answers else ())
        )
        self.regressors = nn.ModuleList(nn.Linear(shape[0], last[0]) for shape in (self.shapes[:-1] if regress else ()))

    def logits(self, stages: Sequence[Tensor]) -> list[Tensor]:
        """What each classifier says [batch, answers] of all feature maps of a trip."""
        return [each(stages[end]) for each, end in zip(self.classifiers, self.ends, strict=True)]

    def gaps(self, stages: Sequence[Tensor]) -> list[Tensor]:
        """How far each earlier stage points away from the last [batch], averaged to its places; that one stays put."""
        target, wanted = stages[self.ends[-1]].detach(), axes_of(self.shapes[-1])
        found = []
        for regress, end, shape in zip(self.regressors, self.ends, self.shapes, strict=False):
            found.append(turn(regress(brought_to(stages[end], axes_of(shape), wanted)), target).mean(dim=1))
        return found


class StageClassifier(nn.Module):
    """Convolutions down to the places and channels of the last stage, a mean over places, and an output layer."""

    def __init__(self, shape: Shape, last: Shape, answers: int) -> None:
        super().__init__()
        self.places, planes = shape[1:], len(shape) - 1
        halvings = max(
            0, *(math.ceil(math.log2(ours / least)) for ours, least in zip(shape[1:], last[1:], strict=True))
        )
        layers: list[nn.Module] = []
        channels = shape[0]
        for stride in (*[2] * halvings, 1):
            layers += [CONVOLUTIONS[planes](channels, last[0], 3, stride=stride, padding=1, bias=False)]
            layers += [NORMS[planes](last[0]), nn.ReLU()]
            channels = last[0]
        self.layers = nn.Sequential(*layers)
        self.output = nn.Linear(last[0], answers)

    def forward(self, stage: Tensor) -> Tensor:
        """Logits [batch, answers] of a feature map [batch, places, channels]."""
        logits: Tensor = self.output(self.layers(stage.mT.unflatten(2, self.places)).flatten(2).mean(dim=2))
        return logits
