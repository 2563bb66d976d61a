"""Metric: what every score promises, so that values, intervals and differences are one sum over sentences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Statistics: TypeAlias = NDArray[np.float64]


class Metric(Protocol):
    """A score of a whole corpus, computed from numbers that add up over its sentences.

        value = combine(sum over sentences of statistics(reference, hypothesis))

    A bootstrap interval is then one product of resampling weights with the statistics, for BLEU (which is no mean of
    sentence scores) as for any mean. Metrics of one `family` have the very same statistics and differ only in
    `combine`; `semcom.metrics.score` computes them once.

    A word is what `str.split` leaves between white space; no metric here changes case or punctuation.
    """

    @property
    def name(self) -> str:
        """What a scenario and the results table call it."""

    @property
    def label(self) -> str:
        """What the axis of a figure says."""

    @property
    def higher_is_better(self) -> bool:
        """False for an error rate."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value it can take; the better of them is met by identical text."""

    @property
    def family(self) -> Hashable:
        """Equal for metrics whose `statistics` are equal."""

    def statistics(self, references: Sequence[str], hypotheses: Sequence[str]) -> Statistics:
        """What each sentence contributes, [sentences, S]; row order is sentence order."""

    def combine(self, totals: Statistics) -> Statistics:
        """The metric's value from statistics summed over sentences: [..., S] -> [...]."""

    def provenance(self) -> str:
        """What computed it (library, version, settings, weights), to be kept beside the score.

        Also the check that it can be computed here at all, cheap enough to make before any training.

        Raises:
            UserMistake: something it needs is missing.
        """


def check_pairs(references: Sequence[str], hypotheses: Sequence[str]) -> None:
    """Refuse sentences that do not pair up, and a corpus of none, which has no score."""
    if len(references) != len(hypotheses):
        raise ValueError(
            f"references and hypotheses must pair up one to one, got {len(references)} references and "
            f"{len(hypotheses)} hypotheses; an empty hypothesis is the empty string"
        )
    if not references:
        raise ValueError("a score must have at least one sentence, got none; leave its value empty instead")
