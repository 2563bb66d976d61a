"""Scoring with several metrics at once, counting what they share only once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from semcom.metrics.metric import Metric

if TYPE_CHECKING:
    from semcom.metrics.metric import Statistics


def gather(metrics: Sequence[Metric], references: Sequence[Any], hypotheses: Sequence[Any]) -> tuple[Statistics, ...]:
    """Sufficient statistics of each metric, in the order of `metrics`.

    Metrics of one family get the very same array: bleu_1 to bleu_4 cost one count, both similarities one embedding.

    Args:
        references: what was sent, the whole test set.
        hypotheses: what arrived, one per reference; where nothing did, the empty string, or None for a class.

    Raises:
        UserMistake: something a metric needs is missing.
    """
    families: dict[Hashable, Statistics] = {}
    for metric in metrics:
        if metric.family not in families:
            families[metric.family] = metric.statistics(references, hypotheses)
    return tuple(families[metric.family] for metric in metrics)


def score(metrics: Sequence[Metric], references: Sequence[Any], hypotheses: Sequence[Any]) -> tuple[float, ...]:
    """Value of each metric over the whole corpus, in the order of `metrics`."""
    gathered = gather(metrics, references, hypotheses)
    return tuple(
        float(metric.combine(statistics.sum(axis=0))) for metric, statistics in zip(metrics, gathered, strict=True)
    )
