"""Units of a recognizer, each made for one shape of features, and bridges between those whose shapes do not meet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semcom.models.recognizer_spec import Family, UnitShape
from semcom.models.spec import Shape

CONVOLUTIONS: dict[int, type[nn.Conv1d] | type[nn.Conv2d]] = {1: nn.Conv1d, 2: nn.Conv2d}
NORMS: dict[int, type[nn.BatchNorm1d] | type[nn.BatchNorm2d]] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}
Convolution = nn.Conv1d | nn.Conv2d
Norm = nn.BatchNorm1d | nn.BatchNorm2d


def resized(features: Tensor, places: Shape) -> Tensor:
    """Means over neighbouring places, so that as many are left as wanted; repeated where more are wanted."""
    if tuple(features.shape[2:]) == places:
        return features
    if len(places) == 1:
        return F.adaptive_avg_pool1d(features, places)
    return F.adaptive_avg_pool2d(features, (places[0], places[1]))


def pooled(features: Tensor) -> Tensor:
    """The maximum of each pair of places; along rows too while there are two of them."""
    if features.ndim == 3:
        return F.max_pool1d(features, 2)
    return F.max_pool2d(features, (min(2, features.shape[2]), 2))


class Bridge(nn.Module):
    """Features of one shape to another: places averaged, then channels mapped.

    It begins as the way around a residual unit that changes shape: channels that were there go through, new ones are
    0, surplus ones are dropped. The map is trained with the rest.

    Source: the parameter-free shortcut of He et al., Deep Residual Learning for Image Recognition, CVPR 2016, as
    beginning.
    """

    def __init__(self, entering: Shape, wanted: Shape) -> None:
        super().__init__()
        self.ends = entering, wanted
        self.channels = nn.Parameter(torch.eye(wanted[0], entering[0])) if wanted[0] != entering[0] else None

    def forward(self, features: Tensor) -> Tensor:
        features = resized(features, self.ends[1][1:])
        if self.channels is None:
            return features
        return F.conv1d(features.flatten(2), self.channels.unsqueeze(2)).unflatten(2, features.shape[2:])


class Unit(nn.Module):
    """One prunable part: features [batch, *entering] to [batch, *leaving], with a bridge before it where one is needed.

    Args:
        shape: what it takes in and gives out.
    """

    before: Bridge | None

    def __init__(self, shape: UnitShape) -> None:
        super().__init__()
        self.entering, self.leaving = shape.entering, shape.leaving
        # Registered first, so that parameters have one order whenever it comes in.
        self.register_module("before", None)

    def forward(self, features: Tensor) -> Tensor:
        return self.work(features if self.before is None else self.before(features))

    def work(self, features: Tensor) -> Tensor:
        """What this unit does to features of the shape it was made for."""
        raise NotImplementedError

    def insides(self) -> tuple[tuple[Convolution, Convolution, Norm | None], ...]:
        """What makes, reads and normalizes its inner channels, which nothing outside it sees."""
        return ()


class ResidualUnit(Unit):
    """Two convolutions with batch normalization, and the features around them: places averaged, channels padded."""

    def __init__(self, shape: UnitShape, kernel: int) -> None:
        super().__init__(shape)
        planes = len(shape.entering) - 1
        convolution, norm = CONVOLUTIONS[planes], NORMS[planes]
        stride = 1 if shape.entering[1:] == shape.leaving[1:] else 2
        entering, leaving, hidden = shape.entering[0], shape.leaving[0], shape.hidden
        self.first = convolution(entering, hidden, kernel, stride=stride, padding=shape.padding, bias=False)
        self.first_norm = norm(hidden)
        self.second = convolution(hidden, leaving, kernel, padding=shape.padding, bias=False)
        self.second_norm = norm(leaving)

    def work(self, features: Tensor) -> Tensor:
        """See the class."""
        made = self.second_norm(self.second(F.relu(self.first_norm(self.first(features)))))
        return F.relu(made + self._around(features))

    def insides(self) -> tuple[tuple[Convolution, Convolution, Norm | None], ...]:
        """See `Unit`."""
        return ((self.first, self.second, self.first_norm),)

    def _around(self, features: Tensor) -> Tensor:
        features = resized(features, self.leaving[1:])
        missing = self.leaving[0] - features.shape[1]
        if missing <= 0:
            return features[:, : self.leaving[0]]
        return F.pad(features, (0, 0) * len(self.leaving[1:]) + (0, missing))


class ConvolutionUnit(Unit):
    """One convolution with batch normalization; the last of a stage takes the maximum of pairs of places."""

    def __init__(self, shape: UnitShape, kernel: int) -> None:
        super().__init__(shape)
        planes = len(shape.entering) - 1
        self.pools = shape.pools
        self.convolution = CONVOLUTIONS[planes](shape.entering[0], shape.leaving[0], kernel, padding=shape.padding)
        self.norm = NORMS[planes](shape.leaving[0])

    def work(self, features: Tensor) -> Tensor:
        """See the class."""
        made = F.relu(self.norm(self.convolution(features)))
        return pooled(made) if self.pools else made


class StackUnit(Unit):
    """A map of channels, two pairs of convolutions with a way around each pair, and the maximum of pairs of places.

    Where it is given two rows, the first of each pair makes three of them and the second two again.
    """

    def __init__(self, shape: UnitShape, kernel: int) -> None:
        super().__init__(shape)
        planes, padding = len(shape.entering) - 1, shape.padding
        rows = 2 if planes == 2 and shape.entering[1] == 2 else 1
        convolution, width, hidden = CONVOLUTIONS[planes], shape.leaving[0], shape.hidden
        taps: int | tuple[int, ...] = kernel if planes == 1 else (rows, kernel)
        wide: int | tuple[int, ...] = padding if planes == 1 else (rows - 1, padding)
        narrow: int | tuple[int, ...] = padding if planes == 1 else (0, padding)
        self.enter = convolution(shape.entering[0], width, 1, bias=False)
        self.first_in = convolution(width, hidden, taps, padding=wide, bias=False)  # type: ignore[arg-type]
        self.first_out = convolution(hidden, width, taps, padding=narrow, bias=False)  # type: ignore[arg-type]
        self.second_in = convolution(width, hidden, taps, padding=wide, bias=False)  # type: ignore[arg-type]
        self.second_out = convolution(hidden, width, taps, padding=narrow, bias=False)  # type: ignore[arg-type]

    def work(self, features: Tensor) -> Tensor:
        """See the class."""
        features = self.enter(features)
        features = F.relu(features + self.first_out(F.relu(self.first_in(features))))
        features = F.relu(features + self.second_out(F.relu(self.second_in(features))))
        return pooled(features)

    def insides(self) -> tuple[tuple[Convolution, Convolution, Norm | None], ...]:
        """See `Unit`."""
        return ((self.first_in, self.first_out, None), (self.second_in, self.second_out, None))


UNITS: dict[Family, type[ResidualUnit | ConvolutionUnit | StackUnit]] = {
    "residual": ResidualUnit,
    "vgg": ConvolutionUnit,
    "cnn": StackUnit,
}


def join(units: Sequence[Unit], entering: Shape, wanted: Shape, after: Bridge | None = None) -> Bridge | None:
    """Put a bridge before every unit that the one before it does not meet, and take away all others.

    A bridge that is there and fits stays, trained as it is; a new one has the type and place of its unit.

    Args:
        entering: what the first unit is given.
        wanted: what must come out behind the last.
        after: the bridge that stands behind the last one now.

    Returns:
        The bridge that belongs behind the last unit, if any does.
    """
    reached = entering
    for unit in units:
        unit.before = _bridge(unit.before, reached, unit.entering, unit)
        reached = unit.leaving
    return _bridge(after, reached, wanted, units[-1])


def _bridge(there: Bridge | None, entering: Shape, wanted: Shape, beside: Unit) -> Bridge | None:
    if entering == wanted:
        return None
    if there is not None and there.ends == (entering, wanted):
        return there
    weight = next(beside.parameters())
    return Bridge(entering, wanted).to(weight.device, weight.dtype)
