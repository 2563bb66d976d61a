"""WideUnit: the unit of a wide residual network, which normalizes before each of its convolutions."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from semcom.models.recognizer_spec import UnitShape
from semcom.models.recognizer_units import Convolution, Norm, Unit


class WideUnit(Unit):
    """Two convolutions, each behind batch normalization and a rectifier, and the features around them.

    Where the shape changes, the way around is a convolution of one tap over the normalized features.

    Source: Zagoruyko and Komodakis, Wide Residual Networks, BMVC 2016, figure 1 (a), basic.
    """

    def __init__(self, shape: UnitShape, kernel: int) -> None:
        super().__init__(shape)
        stride = 1 if shape.entering[1:] == shape.leaving[1:] else 2
        entering, leaving, hidden = shape.entering[0], shape.leaving[0], shape.hidden
        self.first_norm = nn.BatchNorm2d(entering)
        self.first = nn.Conv2d(entering, hidden, kernel, stride=stride, padding=shape.padding, bias=False)
        self.second_norm = nn.BatchNorm2d(hidden)
        self.second = nn.Conv2d(hidden, leaving, kernel, padding=shape.padding, bias=False)
        changes = shape.entering != shape.leaving
        self.around = nn.Conv2d(entering, leaving, 1, stride=stride, bias=False) if changes else None

    def work(self, features: Tensor) -> Tensor:
        """See the class."""
        ready = F.relu(self.first_norm(features))
        made = self.second(F.relu(self.second_norm(self.first(ready))))
        return made + (features if self.around is None else self.around(ready))

    def insides(self) -> tuple[tuple[Convolution, Convolution, Norm | None], ...]:
        """See `Unit`."""
        return ((self.first, self.second, self.second_norm),)
