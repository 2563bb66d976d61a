"""Scrambling: every user turns its symbols by a sequence of its own, which its receiver knows and undoes."""

from __future__ import annotations

import torch
from torch import Tensor

from channels import Chance

TURNS = torch.tensor([1, 1j, -1, -1j], dtype=torch.complex64)


def sequences(shape: tuple[int, int, int], chance: Chance, device: torch.device) -> Tensor:
    """Quarter turns [batch, users, symbols], independent from symbol to symbol and from user to user.

    Multiply by it to scramble, by its conjugate to undo it; both are exact. Users of one codec are as good as users of
    different ones then: equal tokens that meet no longer add up in step, and a gain that is wrong by a quarter turn
    makes no other token. Every user has a stream of its own, so one more moves nobody.
    """
    batch, users, symbols = shape
    streams = (chance.of("scrambling", user).generator() for user in range(users))
    picks = torch.stack([torch.randint(4, (batch, symbols), generator=one) for one in streams], dim=1)
    return TURNS[picks].to(device)
