"""RebuilderSpec: the shape of a codec that sends pictures by convolutions and rebuilds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import ClassVar

from semcom.metrics.metric import Scored
from semcom.models.classifier_spec import MOST_PLANES, MOST_SIDE
from semcom.models.spec import Adopted, Carries, Part, Shape, Side, Stack

MOST_CHANNELS = 1024
MOST_LAYERS = 16
MOST_HALVINGS = 6
KERNEL = 5


@dataclass(frozen=True)
class RebuilderSpec:
    """Strided convolutions whose last one gives the symbols, and transposed convolutions back to a picture.

    Each convolution has 5 x 5 taps and a rectifier with a learned slope behind it; the first `halvings` of them halve
    rows and columns. The last one gives `channels` numbers at each place that is left, which in pairs are the symbols,
    at mean power 1 over a picture. The receiver goes the same way back, and a logistic function ends it.

    The bandwidth follows from the shape: k = channels * places / 2 complex symbols for a picture of n = planes * rows *
    columns values. The paper's ratio k / n counts complex symbols over real values, and so does `bandwidth_ratio`;
    counted in real numbers on either side it would be twice that.

    Args:
        planes: of a picture, 1 for shades of grey and 3 for colors; a task sets it.
        rows: of a picture [pixels]; a task sets it.
        columns: of a picture [pixels]; a task sets it.
        widths: channels of the transmitter's convolutions but the last; the receiver has them in reverse.
        halvings: how many of them halve rows and columns.
        channels: numbers sent for each place that is left, which decides the bandwidth; even.
        structure: share of 1 - MS-SSIM in the loss, below 1, the rest being the mean squared error; 0 is that alone.

    Source: Bourtsoulatze, Kurka and Gunduz, Deep Joint Source-Channel Coding for Wireless Image Transmission, IEEE
    Transactions on Cognitive Communications and Networking, 2019, section III and figure 2. Its networks have widths
    (16, 32, 32, 32) and 2 halvings.
    """

    kind: ClassVar[str] = "rebuilder"
    network: ClassVar[str] = "semcom.models.rebuilder:Rebuilder"
    carries: ClassVar[Carries] = "pictures"
    says: ClassVar[Scored] = "pictures"
    may_differ: ClassVar[frozenset[str]] = frozenset({"widths", "halvings", "channels", "structure"})
    # Widths are either side's own only where both have as many; a pair is taken over whole.
    settled: ClassVar[Mapping[Adopted, tuple[str, ...]]] = dict.fromkeys(
        ("transmitter", "receiver"), ("planes", "rows", "columns", "widths", "halvings", "channels")
    )
    shows: ClassVar[frozenset[Part]] = frozenset({"sent", "received", "heard", "stages"})
    learns: ClassVar[bool] = True
    dropout: ClassVar[float] = 0.0

    planes: int = 1
    rows: int = 28
    columns: int = 28
    widths: tuple[int, ...] = (16, 32, 32, 32)
    halvings: int = 2
    channels: int = 4
    structure: float = 0.0

    def __post_init__(self) -> None:
        limits = {"planes": MOST_PLANES, "rows": MOST_SIDE, "columns": MOST_SIDE, "channels": MOST_CHANNELS}
        for name, most in limits.items():
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from 1 to {most}, got {getattr(self, name)}")
        if self.channels % 2:
            raise ValueError(f"channels must be even, two to a complex symbol, got {self.channels}")
        if not 1 <= len(self.widths) <= MOST_LAYERS or not all(1 <= each <= MOST_CHANNELS for each in self.widths):
            raise ValueError(f"widths must be 1 to {MOST_LAYERS} numbers from 1 to {MOST_CHANNELS}, got {self.widths}")
        most_halvings = min(len(self.widths), MOST_HALVINGS)
        if not 0 <= self.halvings <= most_halvings:
            raise ValueError(f"halvings must be from 0 to {most_halvings}, got {self.halvings}")
        if not 0 <= self.structure < 1:
            raise ValueError(f"structure must be in [0, 1), got {self.structure}; alone it teaches nothing at first")

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Rows and columns of the picture and behind each of the transmitter's convolutions but the last."""
        found = [(self.rows, self.columns)]
        for layer in range(len(self.widths)):
            rows, columns = found[-1]
            found.append(((rows + 1) // 2, (columns + 1) // 2) if layer < self.halvings else (rows, columns))
        return tuple(found)

    @property
    def symbols_per_unit(self) -> int:
        """Complex symbols of a picture, k."""
        return self.channels * prod(self.sizes[-1]) // 2

    @property
    def values(self) -> int:
        """Numbers that make up a picture, n."""
        return self.planes * self.rows * self.columns

    @property
    def bandwidth_ratio(self) -> float:
        """k / n, complex symbols over the values of a picture."""
        return self.symbols_per_unit / self.values

    @property
    def told(self) -> str:
        """The widths, and the bandwidth."""
        widths = "-".join(map(str, self.widths))
        return (
            f"{len(self.widths) + 1} convolutions each way, {widths} channels, {self.symbols_per_unit} symbols a "
            f"picture of {self.values} values, bandwidth ratio {self.bandwidth_ratio:.3g}"
        )

    @property
    def rough_multiply_adds(self) -> float:
        """Of one picture both ways."""
        ends = (self.planes, *self.widths, self.channels)
        places = [*(prod(each) for each in self.sizes[1:]), prod(self.sizes[-1])]
        return 2.0 * KERNEL**2 * sum(a * b * each for (a, b), each in zip(pairwise(ends), places, strict=True))

    def widths_of(self, stack: Stack) -> tuple[int, ...]:
        """Of the means over places of the feature maps next to the symbols."""
        return self.widths[-1:]

    @property
    def stage_shapes(self) -> tuple[Shape, ...]:
        """Of the feature maps behind each convolution but those that end a side, the transmitter's first."""
        there = tuple((width, *size) for width, size in zip(self.widths, self.sizes[1:], strict=True))
        return (*there, *reversed(there))

    def side(self, name: Side) -> object:
        """Both sides are mirrors of each other; the loss is neither's."""
        return (self.planes, self.rows, self.columns, self.widths, self.halvings, self.channels)


# The first has the widths of the paper; 4 numbers a place are 98 symbols for the 784 values of a picture of 28 x 28.
REBUILDER_SIZES: dict[str, RebuilderSpec] = {
    "deepjscc": RebuilderSpec(),
    "deepjscc_half": RebuilderSpec(widths=(8, 16, 16, 16)),
    "deepjscc_quarter": RebuilderSpec(widths=(4, 8, 8, 8)),
}
