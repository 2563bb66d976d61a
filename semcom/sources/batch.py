"""Batch: what every batch of messages promises, whatever the messages are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Batch(Protocol):
    """Several messages that travel together.

    A message is one or more units: a sentence is as many as it has tokens, a signal frame or a picture is one. Every
    unit takes equally many symbols on the air and has one target, so a class is a message of one token.
    """

    @property
    def rows(self) -> tuple[int, ...]:
        """Where each message stands in the list that the batch was made from."""

    @property
    def lengths(self) -> Tensor:
        """Real units of each message [batch], long; at least 1."""

    @property
    def mask(self) -> Tensor:
        """True where a unit is real, False where it is padding [batch, longest]."""

    @property
    def ragged(self) -> bool:
        """False when all messages are equally long, so that a model may skip its masks."""

    @property
    def targets(self) -> Tensor:
        """What should arrive: token numbers, or the class [batch, longest], long."""

    def __len__(self) -> int: ...

    def turned(self, shift: int) -> Self:
        """The batch with every message so many rows further up, those at the top coming in at the bottom."""

    def to(self, device: torch.device | str) -> Self:
        """The same batch on another device."""
