"""How many neighbors find something to send: as many as the air can really take, in the smallest of all batches."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels import Chance, Crowd, Link, draw, everyone
from semcom.mistakes import UserMistake
from semcom.tasks.neighbors import check_batches, neighbors_in


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 6), st.integers(1, 3))
def test_supply_is_what_the_air_can_really_take(lengths: list[int], most: int, per_token: int) -> None:
    """Against the air itself: it must take as many neighbors as were counted and refuse one more."""
    longest, shape = max(lengths), (len(lengths), max(lengths) * per_token)
    crowd = Crowd(
        torch.zeros(sum(lengths) * per_token, dtype=torch.complex64), torch.tensor(lengths).cumsum(0) * per_token
    )
    link = Link(interferers=most)
    air = draw(link, shape, Chance(1))
    symbols = torch.zeros(shape, dtype=torch.complex64)
    if most <= neighbors_in(lengths, longest):
        assert everyone(symbols, link, air, crowd).shape[1] == most + 1
    else:
        with pytest.raises(ValueError, match="interferers need"):
            everyone(symbols, link, air, crowd)


def test_the_fewest_neighbors_decide() -> None:
    check_batches([[4, 4, 4], [3, 2, 2, 2]], 2, messages="sentences")
    with pytest.raises(UserMistake, match=r"training\.interferers: 3 interferers must find .* has them for 2; use"):
        check_batches([[4, 4, 4, 4], [3, 3, 2, 1]], 3, messages="sentences")


def test_messages_are_called_what_they_are() -> None:
    with pytest.raises(UserMistake, match=r"must find other frames in every batch .* or more frames$"):
        check_batches([[1, 1]], 2, messages="frames")
