"""Accuracy: how many messages were recognized for what they are, in all, by class, and which was taken for which."""

from __future__ import annotations

import math
import operator
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semcom.metrics.axis import Axis
from semcom.metrics.metric import Scored, check_pairs
from semcom.mistakes import UserMistake

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from semcom.metrics.metric import Statistics

# The name under which the statistics of all metrics here are kept; from them comes the confusion matrix too.
FAMILY = "classes"
# What the name of one class's accuracy begins with.
OF_CLASS = "accuracy_of_"


@dataclass(frozen=True)
class Accuracy:
    """Share of messages whose class was recognized.

        accuracy = sum over classes of hits_c / sum over classes of sent_c

    References and hypotheses are class numbers, 0 to C - 1; where nothing was recognized (a frame that was lost, say)
    the hypothesis is None, which counts as wrong. Each message leaves three numbers per class, [messages, 3 C]:

        hits_c      1 if it was of class c and recognized
        sent_c      1 if it was of class c
        answered_c  1 if it was taken for class c

    Their sums give accuracy, accuracy by class, balanced accuracy and F1, all with bootstrap intervals; their rows give
    the confusion matrix (`confusion`), since a message has one class however often it is sent. That is 3 C numbers a
    message, nearly all zero, where a matrix a message would be C^2.

    Chance is 1 / C: a receiver that guesses evenly. Where classes are not sent equally often, one that always says the
    most frequent scores more; see `BalancedAccuracy`.

    Args:
        classes: names in the order of their numbers; `metric_named` hands over the task's. Without them nothing can
            be scored, but everything can be shown.

    Raises:
        ValueError: a class is named twice.
    """

    classes: tuple[str, ...] = ()

    scores: ClassVar[Scored] = "classes"
    options: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"every class must have a name of its own, got {', '.join(self.classes)}")

    @property
    def name(self) -> str:
        """`accuracy`."""
        return "accuracy"

    @property
    def axis(self) -> Axis:
        """From 0 to 1."""
        return self._axis("accuracy", "Accuracy (share of messages, 0 to 1)")

    @property
    def family(self) -> Hashable:
        """One per set of classes."""
        return (FAMILY, self.classes)

    def statistics(self, references: Sequence[int], hypotheses: Sequence[int | None]) -> Statistics:
        """Hits, sent and answered of every class, [messages, 3 C].

        Raises:
            ValueError: the classes are not known, or a number is none of theirs.
        """
        import numpy as np

        check_pairs(references, hypotheses)
        if not self.classes:
            raise ValueError(f"{self.name} must know the task's classes, got none; hand them over to metric_named")
        sent = [self._number(each) for each in references]
        told = [None if each is None else self._number(each) for each in hypotheses]
        rows = np.zeros((len(sent), 3, len(self.classes)))
        for row, true, answer in zip(rows, sent, told, strict=True):
            row[1, true] = 1.0
            if answer is not None:
                row[2, answer] = 1.0
            if answer == true:
                row[0, true] = 1.0
        flat: Statistics = rows.reshape(len(sent), -1)
        return flat

    def combine(self, totals: Statistics) -> Statistics:
        """Hits per message."""
        hits, sent, _ = by_class(totals)
        return _ratio(hits.sum(axis=-1), sent.sum(axis=-1))

    def provenance(self) -> str:
        """Nothing but this file."""
        return "class by class"

    def _number(self, value: object) -> int:
        try:
            number = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            number = -1
        if not 0 <= number < len(self.classes):
            raise ValueError(f"a class must be a whole number from 0 to {len(self.classes) - 1}, got {value!r}")
        return number

    def _axis(self, name: str, label: str, *, guessing: bool = True) -> Axis:
        """Of all messages alike; where classes count alike, or one alone, a message's weight is that of its class."""
        chance = 1 / len(self.classes) if guessing and self.classes else None
        plain = type(self) is Accuracy
        weight = 1.0 if plain else math.nan
        return Axis(name, label, chance=chance, messages="messages", weight=weight, is_share=plain)


@dataclass(frozen=True)
class ClassAccuracy(Accuracy):
    """Share of one class's messages that were recognized, which is also called its recall: hits_c / sent_c.

    It has no value where no message of the class was sent. With fewer than four of them it has no interval, for a
    resample then often holds none; with all of them right the interval is that one value, as every bootstrap has it.

    Args:
        of: the name of the class.

    Raises:
        UserMistake: the task has no such class.
    """

    of: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.of or (self.classes and self.of not in self.classes):
            known = ", ".join(self.classes) or "those of the task"
            raise UserMistake(f"{OF_CLASS} must be followed by one of the classes: {known}, got {self.of or 'nothing'}")

    @property
    def name(self) -> str:
        """`accuracy_of_` and the class."""
        return f"{OF_CLASS}{self.of}"

    @property
    def axis(self) -> Axis:
        """From 0 to 1."""
        return self._axis(f"accuracy of {self.of}", f"Accuracy of {self.of} (share of its messages, 0 to 1)")

    def combine(self, totals: Statistics) -> Statistics:
        """Hits per message of the class."""
        hits, sent, _ = by_class(totals)
        own = self.classes.index(self.of)
        return _ratio(hits[..., own], sent[..., own])


@dataclass(frozen=True)
class BalancedAccuracy(Accuracy):
    """Mean over classes of the share recognized: a class counts the same however often it is sent.

    Classes of which no message was sent are left out. Whoever guesses without hearing scores 1 / C whatever he says.

    Source: Brodersen et al., The Balanced Accuracy and Its Posterior Distribution, ICPR 2010.
    """

    @property
    def name(self) -> str:
        """`balanced_accuracy`."""
        return "balanced_accuracy"

    @property
    def axis(self) -> Axis:
        """From 0 to 1."""
        return self._axis("balanced accuracy", "Balanced accuracy (mean over classes, 0 to 1)")

    def combine(self, totals: Statistics) -> Statistics:
        """Mean of the classes' accuracies."""
        hits, sent, _ = by_class(totals)
        return _mean_of_known(_ratio(hits, sent))


@dataclass(frozen=True)
class MacroF1(Accuracy):
    """Mean over classes of F1, which punishes a class that others are taken for as well as one that is missed.

        F1_c = 2 hits_c / (sent_c + answered_c)

    Classes that were neither sent nor answered are left out.

    Source: van Rijsbergen, Information Retrieval, 1979, chapter 7; the mean of F1, not F1 of the means, after Opitz and
    Burst, Macro F1 and Macro F1, arXiv:1911.03347.
    """

    @property
    def name(self) -> str:
        """`macro_f1`."""
        return "macro_f1"

    @property
    def axis(self) -> Axis:
        """From 0 to 1."""
        return self._axis("macro F1", "Macro F1 (mean over classes, 0 to 1)", guessing=False)

    def combine(self, totals: Statistics) -> Statistics:
        """Mean of the classes' F1."""
        hits, sent, answered = by_class(totals)
        return _mean_of_known(_ratio(2 * hits, sent + answered))


def by_class(statistics: Statistics) -> tuple[Statistics, Statistics, Statistics]:
    """Hits, sent and answered, each [..., C], of statistics [..., 3 C]."""
    width = statistics.shape[-1] // 3
    return statistics[..., :width], statistics[..., width : 2 * width], statistics[..., 2 * width :]


def confusion(statistics: Statistics) -> NDArray[np.int64]:
    """How often each class was taken for each, [C, C + 1]: a row per class sent, in the last column what was taken for
    none.

    Args:
        statistics: of any metric here, [messages, 3 C]; a row may sum up several passes of one message.
    """
    import numpy as np

    _, sent, answered = by_class(statistics)
    passes = sent.sum(axis=1)
    taken = (sent / passes[:, None]).T @ np.column_stack([answered, passes - answered.sum(axis=1)])
    counts: NDArray[np.int64] = np.rint(taken).astype(np.int64)
    return counts


def _ratio(part: Statistics, whole: Statistics) -> Statistics:
    """The share, nan of nothing."""
    import numpy as np

    share: Statistics = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)
    return share


def _mean_of_known(values: Statistics) -> Statistics:
    """Mean over the last axis of what is a number."""
    import numpy as np

    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))
