"""Several metrics at once: values in order, and nothing counted twice."""

from dataclasses import dataclass, field

import numpy as np

from semcom.metrics.bleu import Bleu
from semcom.metrics.score import gather, score
from semcom.metrics.words import ExactMatch


@dataclass
class Counting:
    """A metric of sentence lengths that remembers how often it was asked."""

    family: str
    asked: list = field(default_factory=list)

    def statistics(self, references, hypotheses):
        self.asked.append(self.family)
        return np.array([[len(h), 1.0] for h in hypotheses])

    def combine(self, totals):
        return totals[..., 0] / totals[..., 1]


def test_a_family_is_counted_once():
    asked = []
    metrics = [Counting(family, asked) for family in ("words", "words", "letters", "words")]
    assert score(metrics, ["abc", "d"], ["ab", ""]) == (1.0,) * 4
    assert asked == ["words", "letters"]


def test_values_come_in_the_order_of_the_metrics():
    references, hypotheses = ["a b c", "d e"], ["a b c", "d x"]
    assert score([ExactMatch(), Bleu(order=1)], references, hypotheses) == (0.5, 0.8)
    assert score([Bleu(order=1), ExactMatch()], references, hypotheses) == (0.8, 0.5)


def test_gathered_statistics_belong_to_their_metric():
    gathered = gather([ExactMatch(), Bleu(order=1), Bleu(order=4)], ["a b"], ["a c"])
    assert [each.shape for each in gathered] == [(1, 2), (1, 10), (1, 10)]
    assert gathered[1] is gathered[2]
