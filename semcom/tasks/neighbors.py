"""How many interferers find messages to send among those of a batch."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from semcom.mistakes import UserMistake

K = TypeVar("K", bound=Hashable)


def neighbors_in(lengths: Sequence[int], longest: int, *, rates: tuple[int, int] = (1, 1)) -> int:
    """How many neighbors messages of these lengths, sent back to back, can be to one of the longest length.

    Every neighbor needs a stretch of its own as long as the wanted signal, beside the wanted message itself.

    Args:
        lengths: units of each message.
        rates: symbols a unit of the wanted codec, and of the neighbors'.
    """
    ours, theirs = rates
    return (sum(lengths) - longest) * theirs // (longest * ours)


def strangers_in(lengths: Sequence[int], longest: int, *, rates: tuple[int, int]) -> int:
    """How many neighbors messages can be beside others: none of these is the wanted one.

    Args:
        lengths: units of each message that neighbors send.
        longest: units of the longest wanted message.
        rates: symbols a unit of the wanted codec, and of the neighbors'.
    """
    ours, theirs = rates
    return sum(lengths) * theirs // (longest * ours)


def in_turn(rooms: Mapping[K, int], turns: Sequence[K], *, wanted: int) -> int:
    """How many neighbors find a place who take turns, each in a room that holds so many and no more.

    Args:
        wanted: no more than so many are looked for.
    """
    left = dict(rooms)
    for most in range(wanted):
        left[turns[most % len(turns)]] -= 1
        if min(left.values()) < 0:
            return most
    return wanted


def neighbors_in_turn(lengths: Sequence[int], longest: int, *, ours: int, theirs: Sequence[int], wanted: int) -> int:
    """As `neighbors_in`, but through codecs in turn: those of different rates share no messages.

    Args:
        ours: symbols a unit of the wanted codec.
        theirs: of each codec that neighbors send through.
        wanted: no more than so many are looked for.
    """
    rooms = {rate: neighbors_in(lengths, longest, rates=(ours, rate)) for rate in theirs}
    return in_turn(rooms, theirs, wanted=wanted)


def check_batches(batches: Iterable[Sequence[int]], most: int, *, messages: str) -> None:
    """See that every training batch can supply the crowd, however its messages differ in length.

    Args:
        batches: the lengths of each batch's messages, in units.
        most: neighbors in training.
        messages: what they are called, in the plural.

    Raises:
        UserMistake: some batch is too small, which otherwise would end a training in its middle.
    """
    fewest = min((neighbors_in(lengths, max(lengths)) for lengths in batches), default=0)
    if most > fewest:
        raise UserMistake(
            f"training.interferers: {most} interferers must find other {messages} in every batch to take their turns "
            f"from, got a batch that has them for {fewest}; use fewer interferers, a larger training.batch or more "
            f"{'text' if messages == 'sentences' else messages}"
        )
