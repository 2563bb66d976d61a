"""Labelled: what batches of messages of one unit share, whose targets are their classes, and how they are dealt."""

from __future__ import annotations

import math
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from channels.chance import Chance
from semcom.sources.batches import EpochBatches, bucket

B = TypeVar("B")
Made = TypeVar("Made", covariant=True)


class LabelledSet(Protocol[Made]):
    """The messages of one split."""

    def __len__(self) -> int: ...

    def batch(self, rows: tuple[int, ...]) -> Made: ...


class LabelledBatch:
    """Several messages and their classes; each is one unit, as a word is one of a sentence.

    Whoever is one has `labels`, places in the list of classes [batch], long, and `rows`.
    """

    labels: Tensor
    rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> Tensor:
        """Units of each message [batch], long: one."""
        return torch.ones_like(self.labels)

    @property
    def mask(self) -> Tensor:
        """True where a unit is real [batch, 1]: everywhere."""
        return torch.ones_like(self.targets, dtype=torch.bool)

    @property
    def ragged(self) -> bool:
        """Whether some messages have fewer units than others: never."""
        return False

    @property
    def targets(self) -> Tensor:
        """The class of each, which a receiver should find [batch, 1], long."""
        return self.labels[:, None]


def share_of(share: float, there: int, *, called: str) -> int:
    """How many of a split's messages a share of it comes to, never none.

    Args:
        there: messages of the split.
        called: what one is called.

    Raises:
        ValueError: there are none, or the share is none.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be more than 0 and at most 1, got {share}; 0.1 is a tenth of the {called}s")
    if not there:
        raise ValueError(f"training must have at least one {called}, got none; check the source")
    # Rounded up, so that no share leaves nothing; a hair less, because 0.07 * 100 is a hair more than 7.
    return math.ceil(share * there * (1 - 1e-12))


def shuffled(count: int, size: int, chance: Chance) -> list[tuple[int, ...]]:
    """The rows of batches of so many messages, in an order that chance fixes."""
    return bucket([1] * count, size, torch.randperm(count, generator=chance.generator()).tolist())


def evaluation_labelled(messages: LabelledSet[B], size: int) -> list[B]:
    """Every message once, in batches that are always the same; `rows` tells which message is which.

    Not in the order of the set: there, the message before one is always of the same other class, and a crowd made of
    neighbors in the batch would always be the same pair of classes.
    """
    return [messages.batch(rows) for rows in shuffled(len(messages), size, Chance(0).of("evaluation"))]


class LabelledBatches(EpochBatches[B]):
    """Training batches of messages of one unit.

    No batch is smaller than half of the size asked for unless there are fewer messages than that.

    Args:
        share: train on the first messages only, this part of all; a set's order keeps the classes even.
        called: what one message is called.

    Raises:
        ValueError: there are no messages, or the share leaves none.
    """

    def __init__(
        self, messages: LabelledSet[B], batch_size: int, chance: Chance, *, share: float = 1.0, called: str
    ) -> None:
        self._messages = messages
        self._count = share_of(share, len(messages), called=called)
        self._batch_size = batch_size
        super().__init__(chance)

    def _made(self, rows: tuple[int, ...]) -> B:
        return self._messages.batch(rows)

    def epoch(self) -> list[tuple[int, ...]]:
        """The rows of each batch of the epoch that was asked for last."""
        return self._batches

    def _order(self, epoch: int) -> list[tuple[int, ...]]:
        return shuffled(self._count, self._batch_size, self._chance.of("epoch", epoch))
