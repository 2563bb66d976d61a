"""Transformations of messages that leave their class alone and that a receiver can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from torch import Tensor

Transformation = Literal[
    "frequency_shift",
    "segment_permutation",
    "time_reversal",
    "conjugation",
    "quarter_turn",
    "half_turn",
    "three_quarter_turn",
]

SHIFT = 1 / 8  # cycles per sample: far above any carrier offset, and narrow signals stay within what sampling can hold
SEGMENTS = (2, 0, 3, 1)  # quarters of a frame in their new order, in which none stands beside its old neighbour
TURNS: tuple[Transformation, ...] = ("quarter_turn", "half_turn", "three_quarter_turn")
OF_FRAMES: tuple[Transformation, ...] = ("frequency_shift", "segment_permutation", "time_reversal", "conjugation")

# By what messages are. Of frames time reversal and conjugation are left to who asks for them: pulses are symmetric and
# offsets have either sign, so that most modulations look the same afterwards, and only those of one sideband tell.
USUAL: dict[str, tuple[Transformation, ...]] = {"frames": OF_FRAMES[:2], "pictures": TURNS}


def unsuited(transformations: Sequence[Transformation], carries: str) -> str:
    """Why some of these are none that a receiver of such messages could tell; empty where all are.

    Args:
        carries: what the messages are, in the plural.
    """
    fitting = {"frames": OF_FRAMES, "pictures": TURNS}.get(carries, ())
    strange = [each for each in transformations if each not in fitting]
    if not strange:
        return ""
    if carries == "frames" and strange[0] in TURNS:
        return (
            f"{strange[0]} turns the constellation of a frame, which QPSK and square QAM look the same after "
            "and BPSK after half a turn, so that no receiver could tell it"
        )
    return f"{strange[0]} is no transformation of {carries}"


def transformed(messages: Tensor, name: Transformation) -> Tensor:
    """Frames [batch, samples] complex, or pictures [batch, channels, rows, columns], each transformed alike.

    A frequency shift is by an eighth of the sampling rate; a permutation of segments deals out quarters; turns are
    against the clock.

    Raises:
        ValueError: the messages are of another form, or a picture to turn is not square.
    """
    turns = TURNS.index(name) + 1 if name in TURNS else 0
    if messages.ndim != (4 if turns else 2):
        form = "pictures [batch, channels, rows, columns]" if turns else "frames [batch, samples]"
        raise ValueError(f"{name} must be of {form}, got a tensor of shape {tuple(messages.shape)}")
    if turns:
        if messages.shape[2] != messages.shape[3]:
            raise ValueError(f"{name} must be of square pictures, got {messages.shape[2]} x {messages.shape[3]}")
        return torch.rot90(messages, turns, dims=(2, 3))
    if name == "time_reversal":
        return messages.flip(1)
    if name == "conjugation":
        return torch.conj_physical(messages)
    if name == "segment_permutation":
        segments = messages.tensor_split(len(SEGMENTS), dim=1)
        return torch.cat([segments[each] for each in SEGMENTS], dim=1)
    times = torch.arange(messages.shape[1], device=messages.device)
    return messages * torch.polar(torch.ones_like(times, dtype=torch.float), 2 * math.pi * SHIFT * times)


def views_of(messages: Tensor, transformations: Sequence[Transformation]) -> Tensor:
    """Messages as they are, then all of them transformed in each way in turn, [(1 + ways) * batch, ...]."""
    return torch.cat([messages, *(transformed(messages, each) for each in transformations)])
