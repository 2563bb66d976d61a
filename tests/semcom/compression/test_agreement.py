"""Agreement of choices, by hand and against what chance does."""

import itertools

import pytest

from semcom.compression.agreement import agreement


def test_by_hand() -> None:
    found = agreement([((0, 1), (3,)), ((0, 2), (3,)), ((0, 1), (0,))], (4, 4))
    assert found.chosen == ((1.0, 2 / 3, 1 / 3, 0.0), (1 / 3, 0.0, 0.0, 2 / 3))
    assert found.overlap == pytest.approx((2 + 2 + 1) / 3 / 3)
    assert found.by_chance == pytest.approx((4 / 4 + 1 / 4) / 3)
    assert found.commonest == ((0, 1), (3,))
    assert found.unanimity == pytest.approx(1 / 3)


def test_unanimous_choices_agree_wholly() -> None:
    found = agreement([((1, 4),)] * 5, (6,))
    assert (found.overlap, found.unanimity, found.commonest) == (1.0, 1.0, ((1, 4),))


def test_by_chance_is_the_mean_over_all_pairs() -> None:
    every = [(pair,) for pair in itertools.combinations(range(5), 2)]
    overlaps = [agreement([one, other], (5,)).overlap for one in every for other in every]
    assert sum(overlaps) / len(overlaps) == pytest.approx(agreement(every, (5,)).by_chance)


@pytest.mark.parametrize(
    ("choices", "depths", "said"),
    [
        ([((0,),)], (2,), "two choices or more"),
        ([((0,),), ((0, 1),)], (2,), "equal numbers of layers"),
        ([((0,),), ((2,),)], (2,), r"from stacks of \[2\] layers"),
        ([((0,),), ((1,),)], (2, 2), r"from stacks of \[2, 2\] layers"),
    ],
)
def test_what_cannot_be_compared_is_refused(choices: list, depths: tuple, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        agreement(choices, depths)
