"""PSNR and MS-SSIM of rebuilt pictures, each a mean over pictures."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from semcom.metrics.axis import Axis
from semcom.metrics.metric import Scored, check_pairs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from semcom.metrics.metric import Statistics

    Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]

PEAK = 255
# Rounding to whole numbers alone leaves a mean squared error of 1 / 12, so that nothing rebuilt can be known better.
MOST_DB = 58.923
# Pictures that are compared at once; a million values as floats.
AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Psnr:
    """Peak signal-to-noise ratio, the mean over pictures of the ratio of each in decibels.

        10 log10( 255^2 / mean of (x - y)^2 ),   the mean over all values of a picture

    References and hypotheses are arrays [planes, rows, columns] of whole numbers from 0 to 255, None where nothing was
    rebuilt, which counts as 0 dB. Papers mean this: decibels first, then pictures. The ratio of the mean error, in
    which the worst pictures count for most, is lower. An error below that of rounding, 58.9 dB, counts as that.

    Source: Bourtsoulatze, Kurka and Gunduz, 2019, section II, equation (4).
    """

    scores: ClassVar[Scored] = "pictures"
    options: ClassVar[Mapping[str, str]] = {}

    @property
    def name(self) -> str:
        """`psnr`."""
        return "psnr"

    @property
    def axis(self) -> Axis:
        """From 0 dB, of a black picture for a white one."""
        return Axis("PSNR", "PSNR (dB, mean over pictures)", most=MOST_DB, zoom_above=0.0, messages="pictures")

    @property
    def family(self) -> Hashable:
        """Its own."""
        return self.name

    def statistics(self, references: Sequence[Any], hypotheses: Sequence[Any]) -> Statistics:
        """Decibels, and 1, of each picture [pictures, 2]."""
        import numpy as np

        found = _zeros(references, hypotheses)
        for places, ours, theirs in _stacks(references, hypotheses):
            error = (ours.astype(np.float64) - theirs).reshape(len(ours), -1)
            squared = np.maximum((error * error).mean(axis=1), PEAK**2 * 10 ** (-MOST_DB / 10))
            found[places, 0] = np.minimum(10 * np.log10(PEAK**2 / squared), MOST_DB)
        return found

    def combine(self, totals: Statistics) -> Statistics:
        """Mean of decibels."""
        return _mean(totals)

    def provenance(self) -> str:
        """Nothing but this file."""
        return "peak 255, decibels of each picture, then their mean"


@dataclass(frozen=True)
class MsSsim:
    """Structural similarity at several scales, the mean over pictures; see `semcom.metrics.structure`.

    References and hypotheses are as for PSNR; where nothing was rebuilt it is 0.

    Source: Wang, Simoncelli and Bovik, Multiscale Structural Similarity for Image Quality Assessment, Asilomar 2003.
    """

    scores: ClassVar[Scored] = "pictures"
    options: ClassVar[Mapping[str, str]] = {}

    @property
    def name(self) -> str:
        """`ms_ssim`."""
        return "ms_ssim"

    @property
    def axis(self) -> Axis:
        """From 0 to 1."""
        return Axis("MS-SSIM", "MS-SSIM (0 to 1, mean over pictures)", messages="pictures")

    @property
    def family(self) -> Hashable:
        """Its own."""
        return self.name

    def statistics(self, references: Sequence[Any], hypotheses: Sequence[Any]) -> Statistics:
        """Similarity, and 1, of each picture [pictures, 2]."""
        import torch

        from semcom.metrics.structure import structural_similarity

        found = _zeros(references, hypotheses)
        for places, ours, theirs in _stacks(references, hypotheses):
            one, other = (torch.from_numpy(each).double() / PEAK for each in (ours, theirs))
            found[places, 0] = structural_similarity(one, other).numpy()
        return found

    def combine(self, totals: Statistics) -> Statistics:
        """Mean of similarities."""
        return _mean(totals)

    def provenance(self) -> str:
        """What of the definition depends on the size of pictures."""
        return "up to 5 scales, as many as hold a window of 11 x 11 pixels; a smaller picture is one window"


def _zeros(references: Sequence[Any], hypotheses: Sequence[Any]) -> Statistics:
    """Statistics of pictures of which nothing was rebuilt."""
    import numpy as np

    check_pairs(references, hypotheses)
    found: Statistics = np.zeros((len(references), 2))
    found[:, 1] = 1.0
    return found


def _stacks(
    references: Sequence[Any], hypotheses: Sequence[Any]
) -> Iterator[tuple[list[int], NDArray[np.uint8], NDArray[np.uint8]]]:
    """Pairs of pictures of one size, as many at once as memory should hold, and where they stand in the list.

    Raises:
        ValueError: a pair of unequal sizes, or what is no picture.
    """
    import numpy as np

    by_shape: dict[tuple[int, ...], list[int]] = {}
    for place, (ours, theirs) in enumerate(zip(references, hypotheses, strict=True)):
        if theirs is None:
            continue
        shapes = {np.shape(each) for each in (ours, theirs)}
        shape = shapes.pop()
        if shapes or len(shape) != 3 or not all(np.asarray(each).dtype == np.uint8 for each in (ours, theirs)):
            raise ValueError(
                "pictures must be two arrays [planes, rows, columns] of uint8 of one size, got "
                f"{np.shape(ours)} and {np.shape(theirs)}"
            )
        by_shape.setdefault(shape, []).append(place)
    for shape, places in by_shape.items():
        step = max(1, AT_ONCE // int(np.prod(shape)))
        for first in range(0, len(places), step):
            some = places[first : first + step]
            ours, theirs = (np.stack([each[place] for place in some]) for each in (references, hypotheses))
            yield some, ours, theirs


def _mean(totals: Statistics) -> Statistics:
    import numpy as np

    sums, count = totals[..., 0], totals[..., 1]
    mean: Statistics = np.divide(sums, count, out=np.full(np.shape(sums), np.nan), where=np.asarray(count) > 0)
    return mean
