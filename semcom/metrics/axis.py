"""Axis: what a metric is called, where it can lie and which way is better: all that a figure or a table asks of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

# What bandwidth and arithmetic are told by, where it is not the message: what a message is counted in.
UNITS = {"sentences": "token", "words": "frame"}


@dataclass(frozen=True)
class Axis:
    """How a metric is shown.

    Args:
        name: in titles and sentences, without a unit.
        label: on an axis, with the unit or the range.
        least: smallest possible value.
        most: largest possible value.
        higher_is_better: False for an error rate.
        zoom_above: an axis begins at 0 unless all that is drawn on it lies above this.
        chance: what a receiver scores that guesses evenly and hears nothing; None where nobody can say.
        messages: what those messages are called that a value rests on.
        weight: what one message can take from a value, in n-ths of it where there are n messages; nan where that is
            not told by their number.
        is_share: whether it is the share of messages with which all is well, so that both its ends are alike.
    """

    name: str
    label: str
    least: float = 0.0
    most: float = 1.0
    higher_is_better: bool = True
    zoom_above: float = 0.5
    chance: float | None = None
    messages: str = "sentences"
    weight: float = 1.0
    is_share: bool = False

    @property
    def best(self) -> float:
        """What a receiver scores that makes no mistake."""
        return self.most if self.higher_is_better else self.least

    @property
    def unit(self) -> str:
        """What bandwidth and arithmetic are told by: token of a sentence, frame of a word, or the message itself."""
        return UNITS.get(self.messages, "message")


def foreign(name: str) -> Axis:
    """The axis of a metric that nobody here knows: its own name, and no limits."""
    plain = name.replace("_", " ")
    return Axis(plain, plain, least=-math.inf, most=math.inf)
