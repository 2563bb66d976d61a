"""How a codec was made, in a phrase: labels of committed tables as they are, and room for what is to come."""

from __future__ import annotations

import pytest

from semcom.making import Making

EVERYTHING = Making(
    methods="relations",
    teachers="big+wide",
    adopted="transmitter",
    donor="wide",
    start="small",
    pruned="psr 4 of 8 layers",
    bits=8,
)


@pytest.mark.parametrize(
    ("making", "phrase"),
    [
        (Making(), "trained"),
        (Making(start="big"), "trained, from weights"),
        (Making(methods="soft_logits+symbols", teachers="big"), "soft_logits+symbols"),
        (Making(adopted="receiver", donor="big"), "trained, receiver adopted"),
        (EVERYTHING, "relations, 2 teachers, transmitter adopted, from weights, pruned by psr, 8 bits"),
    ],
)
def test_a_making_in_a_phrase(making: Making, phrase: str) -> None:
    assert making.phrase == phrase


def test_how_much_was_pruned_parts_no_label() -> None:
    assert Making(pruned="psr 4 of 8 layers").phrase == Making(pruned="psr 2 of 8 layers").phrase
