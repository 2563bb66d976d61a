"""Fisher's segmentation against all there are; ties, the stopping rule, and how many layers each segment keeps."""

from fractions import Fraction
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcom.compression.segmentation import deviation, segment, shares

# Small whole numbers tie all the time; floats almost never do.
sequences = st.lists(st.integers(0, 3).map(float), min_size=1, max_size=10) | st.lists(
    st.floats(-50, 50, allow_nan=False), min_size=1, max_size=10
)


def all_segmentations(count, k):
    for cuts in combinations(range(1, count), k - 1):
        yield tuple(range(a, b) for a, b in pairwise((0, *cuts, count)))


def loss_of(values, segments):
    """From the definition."""
    total = Fraction(0)
    for each in segments:
        inside = [Fraction(values[place]) for place in each]
        mean = sum(inside) / len(inside)
        total += sum((value - mean) ** 2 for value in inside)
    return total


def brute_force(values, most, gain):
    """Every segmentation tried; of the best the one with the earliest last cut, then the earliest before that."""
    best = [
        min(
            (loss_of(values, each), [part.start for part in reversed(each)], each)
            for each in all_segmentations(len(values), k)
        )
        for k in range(1, min(most, len(values)) + 1)
    ]
    k = 1
    for number, (before, after) in enumerate(pairwise(best), 2):
        if before[0] > 0 and (before[0] - after[0]) / before[0] > Fraction(gain):
            k = number
    return best[k - 1][2]


@given(sequences, st.integers(1, 12), st.sampled_from([0.0, 0.05, 0.5]))
def test_it_equals_brute_force(values: list[float], most: int, gain: float) -> None:
    found = segment(values, most, gain=gain)
    assert found == brute_force(values, most, gain)
    assert deviation(values, found) == loss_of(values, found)


@given(sequences, st.integers(1, 10))
def test_segments_are_runs_one_after_another(values: list[float], most: int) -> None:
    found = segment(values, most)
    assert [place for each in found for place in each] == list(range(len(values)))
    assert 1 <= len(found) <= most


def test_runs_of_like_numbers_are_found() -> None:
    values = [5.0, 5.1, 4.9, 1.0, 1.1, 0.9, 1.0, 8.0, 8.1]
    assert segment(values, 3) == (range(3), range(3, 7), range(7, 9))
    assert segment(values, 1) == (range(9),)


@pytest.mark.parametrize(
    ("values", "most", "gain", "sizes"),
    [
        ([2.0] * 5, 5, 0.05, [5]),  # nothing to take away
        ([0.1 + 0.2] * 3 + [0.3] * 3, 4, 0.05, [3, 3]),  # a last bit apart is apart; what is equal is never parted
        ([1.0, 1.0, 4.0, 4.0], 4, 0.05, [2, 2]),  # beyond a loss of 0 no step is taken
        ([0.0, 0.0, 10.0, 10.3], 4, 0.05, [2, 1, 1]),  # the last step takes all of what is left
        ([0.0, 1.0, 0.0], 3, 0.9, [1, 1, 1]),  # the step to two takes a quarter, too little; that to three takes all
        ([0.0, 1.0, 0.0], 2, 0.9, [3]),
        ([0.0, 1.0], 2, 0.05, [1, 1]),
        ([7.0], 3, 0.05, [1]),
    ],
)
def test_the_stopping_rule(values: list[float], most: int, gain: float, sizes: list[int]) -> None:
    assert [len(each) for each in segment(values, most, gain=gain)] == sizes


def test_of_equals_the_earliest_last_cut_wins() -> None:
    assert segment([0.0, 1.0, 2.0], 2) == (range(1), range(1, 3))  # as good as 0 1 | 2
    assert segment([0.0, 1.0, 2.0, 3.0, 4.0], 3) == (range(1), range(1, 3), range(3, 5))


def test_a_deep_network_is_quick() -> None:
    assert len(segment([float(place % 7) for place in range(55)], 7)) <= 7


def published(values, most):
    """The official code's way: each cut is looked for backwards, from the one after it, in a table with gaps of 0."""
    count = len(values)
    table = {(n, k): Fraction(0) for n in range(count + 1) for k in range(most + 1)}
    for k in range(1, most + 1):
        for n in range(k, count + 1):
            table[n, k] = min(loss_of(values[:n], each) for each in all_segmentations(n, k))
    best = 1
    for k in range(1, most):
        if table[count, k] == 0:
            best = k
            break
        if (table[count, k] - table[count, k + 1]) / table[count, k] > Fraction(0.05):
            best = k + 1
    cuts, loss, n = [], table[count, best], count
    for k in range(best - 1, 0, -1):
        while n > 0 and not table[n, k] < loss:
            n -= 1
        if n > 0:
            cuts.insert(0, n)
            loss = table[n, k]
    return tuple(range(a, b) for a, b in pairwise((0, *cuts, count)))


@settings(max_examples=25)
@given(sequences.filter(lambda values: len(values) < 7), st.integers(1, 4))
def test_the_published_cuts(values: list[float], most: int) -> None:
    most = min(most, len(values))
    assert segment(values, most, cuts="published") == published(values, most)


def test_the_published_cuts_may_be_worse() -> None:
    values = [0.0, 0.0, 1.0, 3.0]
    best, theirs = segment(values, 2), segment(values, 2, cuts="published")
    assert (best, deviation(values, best)) == ((range(3), range(3, 4)), Fraction(2, 3))
    assert (theirs, deviation(values, theirs)) == ((range(2), range(2, 4)), Fraction(2))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.data())
def test_each_segment_keeps_its_share(sizes: list[int], data: st.DataObject) -> None:
    keep = data.draw(st.integers(len(sizes), sum(sizes)))
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    segments = tuple(range(start, start + size) for start, size in zip(starts, sizes, strict=True))
    kept = shares(segments, keep)
    assert sum(kept) == keep
    assert all(1 <= number <= size for number, size in zip(kept, sizes, strict=True))
    longer = [
        (a, b) for a, one in zip(kept, sizes, strict=True) for b, other in zip(kept, sizes, strict=True) if one > other
    ]
    assert all(a >= b for a, b in longer)


def test_shares_by_hand() -> None:
    segments = (range(1), range(1, 12), range(12, 28))  # as published for ResNet56 with three segments
    assert shares(segments, 3) == (1, 1, 1)
    assert shares(segments, 4) == (1, 1, 2)
    assert shares(segments, 5) == (1, 2, 2)
    assert shares(segments, 28) == (1, 11, 16)
    assert shares((range(4), range(4, 8)), 3) == (2, 1)
    with pytest.raises(ValueError, match="2 segments of 8 layers cannot keep 1"):
        shares((range(4), range(4, 8)), 1)


@pytest.mark.parametrize(("values", "most"), [([], 1), ([1.0], 0)])
def test_nothing_to_cut_is_refused(values: list[float], most: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        segment(values, most)
