"""The metrics a scenario may name."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from semcom.metrics.bleu import Bleu, BleuTokenizer
from semcom.metrics.embedding_model import EmbeddingModel
from semcom.metrics.metric import Metric
from semcom.metrics.similarity import Similarity
from semcom.metrics.words import ExactMatch, WordErrorRate
from semcom.mistakes import UserMistake

METRICS: tuple[Metric, ...] = (
    Bleu(order=1),
    Bleu(order=2),
    Bleu(order=3),
    Bleu(order=4),
    Similarity(),
    Similarity(rescaled=True),
    WordErrorRate(),
    ExactMatch(),
)


def metric_named(
    name: str, *, embedding: EmbeddingModel | None = None, bleu_tokenize: BleuTokenizer | None = None
) -> Metric:
    """The metric of that name, with another sentence encoder or another tokenizer of BLEU if one is given.

    Args:
        name: as in the results table, `bleu_4`.
        embedding: the encoder of the similarity metrics; of no concern to the others.
        bleu_tokenize: what cuts text into words for BLEU.

    Raises:
        UserMistake: there is no such metric.
    """
    named = {metric.name: metric for metric in METRICS}
    if name not in named:
        close = get_close_matches(name, named, n=1)
        hint = f"did you mean {close[0]}?" if close else "choose one of them"
        raise UserMistake(f"a metric must be one of {', '.join(named)}, got {name}; {hint}")
    metric = named[name]
    if embedding is not None and isinstance(metric, Similarity):
        return replace(metric, model=embedding)
    if bleu_tokenize is not None and isinstance(metric, Bleu):
        return replace(metric, tokenize=bleu_tokenize)
    return metric
