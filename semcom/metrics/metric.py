"""Metric: what every score promises, so that values, intervals and differences are one sum over messages."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from semcom.metrics.axis import Axis

    Statistics: TypeAlias = NDArray[np.float64]

# What a receiver says: text, the number of a class, a picture, or a spectrum of speech. A task tells which, and metrics
# of that kind measure it.
Scored: TypeAlias = Literal["sentences", "classes", "pictures", "spectra"]


class Metric(Protocol):
    """A score of a whole test set, computed from numbers that add up over its messages.

        value = combine(sum over messages of statistics(reference, hypothesis))

    A bootstrap interval is then one product of resampling weights with the statistics, for BLEU (which is no mean of
    sentence scores) as for any mean. Metrics of one `family` have the very same statistics and differ only in
    `combine`; `semcom.metrics.score` computes them once.

    References and hypotheses are of the kind that `scores` names: sentences are strings, the empty one where nothing
    arrived; classes are their numbers, None where nothing was recognized; pictures are arrays [planes, rows, columns]
    of uint8, spectra arrays [frames, bands] of decibels, None where nothing was rebuilt. A word is what `str.split`
    leaves between white space; no metric here changes case or punctuation.
    """

    @property
    def name(self) -> str:
        """What a scenario and the results table call it."""

    @property
    def scores(self) -> Scored:
        """What it compares."""

    @property
    def axis(self) -> Axis:
        """How it is shown, where it can lie and which way is better; identical messages meet `axis.best`."""

    @property
    def options(self) -> Mapping[str, str]:
        """The keys of `measure` that it listens to, each with the field that takes what is written there."""

    @property
    def family(self) -> Hashable:
        """Equal for metrics whose `statistics` are equal."""

    def statistics(self, references: Sequence[Any], hypotheses: Sequence[Any]) -> Statistics:
        """What each message contributes, [messages, S]; row order is message order."""

    def combine(self, totals: Statistics) -> Statistics:
        """The metric's value from statistics summed over messages, nan without one: [..., S] -> [...]."""

    def provenance(self) -> str:
        """What computed it (library, version, settings, weights), to be kept beside the score.

        Also the check that it can be computed here at all, cheap enough to make before any training.

        Raises:
            UserMistake: something it needs is missing.
        """


def check_pairs(references: Sequence[Any], hypotheses: Sequence[Any]) -> None:
    """Refuse messages that do not pair up, and a test set of none, which has no score."""
    if len(references) != len(hypotheses):
        raise ValueError(
            f"references and hypotheses must pair up one to one, got {len(references)} references and "
            f"{len(hypotheses)} hypotheses; where nothing arrived stands an empty sentence, or None for a class"
        )
    if not references:
        raise ValueError("a score must have at least one message, got none; leave its value empty instead")
