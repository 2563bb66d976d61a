"""Fisher's optimal segmentation: a sequence of numbers cut into runs of like ones."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Literal

GAIN = 0.05  # what one more segment must take off the loss, in the official code of layer pruning

Segments = tuple[range, ...]
Cuts = Literal["best", "published"]


def segment(values: Sequence[float], most: int, *, gain: float = GAIN, cuts: Cuts = "best") -> Segments:
    """Cut a sequence into the runs with the least sum of squared deviations from their means.

        D(i, j) = sum of (x - mean)^2 over x_i ... x_j,   L(n, k) = min over j of L(j, k - 1) + D(j + 1, n)

    The number of segments is the largest k, at most `most`, whose step from k - 1 still took more than `gain` of the
    loss away; 1 if none did. Beyond a loss of 0 there is nothing to take.

    All is computed in exact fractions, so equal losses are equal. Among equally good segmentations the one whose last
    cut comes first is taken, then whose cut before that comes first, and so on.

    Args:
        cuts: `best` are those of the least loss. `published` are those of the official code of layer pruning, which
            takes for each cut, from the last one on, the latest place before which the loss is smaller than before the
            cut after it. These are mostly not the best, and none are found where the loss is 0.

    Source: Fisher, On Grouping for Maximum Homogeneity, JASA 53, 1958; the stopping rule from the official code of Lu
    et al., arXiv 2406.07929.
    """
    if not values:
        raise ValueError("a segmentation needs at least one value, got none")
    if most < 1:
        raise ValueError(f"the most segments must be at least 1, got {most}")
    losses, starts = _table(values, min(most, len(values)))
    k = _segments_worth_it([row[-1] for row in losses], gain)
    return _way_back(starts, k) if cuts == "best" else _published_way_back(losses, k)


def deviation(values: Sequence[float], segments: Segments) -> Fraction:
    """The loss of a segmentation: squared deviations from the mean of each segment, summed up exactly."""
    spread = _Spread(values)
    return sum((spread(each.start, each.stop) for each in segments), Fraction(0))


def shares(segments: Segments, keep: int) -> tuple[int, ...]:
    """How many layers each segment keeps: at least one, and of the others as many as suit its length.

    Each further layer goes to the segment with the most layers for one kept, this one counted; of equals to the first.
    The published lists of kept layers were set by hand, so this rule is ours; with one layer a segment there is
    nothing to decide.
    """
    sizes = [len(each) for each in segments]
    if not len(sizes) <= keep <= sum(sizes):
        raise ValueError(f"{len(sizes)} segments of {sum(sizes)} layers cannot keep {keep}; keep one or more of each")
    kept = [1] * len(sizes)
    for _ in range(keep - len(sizes)):
        open_ones = [index for index, size in enumerate(sizes) if kept[index] < size]
        kept[max(open_ones, key=lambda index: (Fraction(sizes[index], kept[index] + 1), -index))] += 1
    return tuple(kept)


class _Spread:
    """Sums of squared deviations of any run of a sequence, exactly, from running sums."""

    def __init__(self, values: Sequence[float]) -> None:
        exact = [Fraction(value) for value in values]
        self.sums = [Fraction(0), *accumulate(exact)]
        self.squares = [Fraction(0), *accumulate(value * value for value in exact)]

    def __call__(self, start: int, stop: int) -> Fraction:
        total = self.sums[stop] - self.sums[start]
        return self.squares[stop] - self.squares[start] - total * total / (stop - start)


def _table(values: Sequence[float], most: int) -> tuple[list[list[Fraction]], list[list[int]]]:
    """The least losses, and where the last segment starts: row k - 1, place n - k is for n values in k segments."""
    spread, count = _Spread(values), len(values)
    runs = {(start, stop): spread(start, stop) for stop in range(1, count + 1) for start in range(stop)}
    losses, starts = [[runs[0, stop] for stop in range(1, count + 1)]], [[0] * count]
    for k in range(2, most + 1):
        row = []
        for stop in range(k, count + 1):
            row.append(min((losses[-1][start - k + 1] + runs[start, stop], start) for start in range(k - 1, stop)))
        losses.append([loss for loss, _ in row])
        starts.append([start for _, start in row])
    return losses, starts


def _segments_worth_it(losses: Sequence[Fraction], gain: float) -> int:
    best = 1
    for k, (before, after) in enumerate(pairwise(losses), 2):
        if before > 0 and before - after > Fraction(gain) * before:
            best = k
    return best


def _way_back(starts: list[list[int]], k: int) -> Segments:
    stop, segments = len(starts[0]), []
    for segments_left in range(k, 0, -1):
        start = starts[segments_left - 1][stop - segments_left]
        segments.append(range(start, stop))
        stop = start
    return tuple(reversed(segments))


def _published_way_back(losses: list[list[Fraction]], k: int) -> Segments:
    stops, loss = [len(losses[0])], losses[k - 1][-1]
    for fewer in range(k - 1, 0, -1):
        smaller = [stop for stop in range(fewer, stops[-1] + 1) if losses[fewer - 1][stop - fewer] < loss]
        if smaller:
            stops.append(smaller[-1])
            loss = losses[fewer - 1][smaller[-1] - fewer]
    return tuple(range(start, stop) for start, stop in pairwise([0, *reversed(stops)]))
