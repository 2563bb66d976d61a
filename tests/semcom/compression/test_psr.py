"""PSR: its three steps put together by hand, its two oddities as options, and what it refuses."""

from dataclasses import replace
from itertools import combinations

import pytest
import torch
from torch import nn

from semcom.compression.evidence import Evidence, Seen, stacks_of
from semcom.compression.psr import Psr
from semcom.compression.saliency import synflow
from semcom.compression.segmentation import segment, shares
from semcom.compression.similarity import column_sums, similarities


def scored(evidence, tries, *, carried):
    """The score of every combination of layers of the first stack, in the order of trying."""
    network, scores = evidence.fresh(), {}
    for numbers in tries:
        network = network if carried else evidence.fresh()
        for number in numbers:
            stacks_of(network)[0][number].load_state_dict(stacks_of(evidence.network)[0][number].state_dict())
        scores[numbers] = synflow(network, evidence.flow)
    return scores


@pytest.mark.parametrize("carried", [False, True], ids=["fresh", "carried"])
@pytest.mark.parametrize("prefer", ["smallest", "largest"])
@pytest.mark.parametrize("keep", [1, 2, 3, 4, 5])
def test_it_is_its_three_steps(recognizer_evidence: Evidence, keep: int, prefer: str, carried: bool) -> None:
    psr = Psr(prefer=prefer, carried=carried)
    (found,) = psr.partitions(recognizer_evidence, (keep,))
    (matrix,) = similarities(recognizer_evidence.observe())
    segments = segment(column_sums(matrix), keep)
    tries = [list(combinations(each, count)) for each, count in zip(segments, shares(segments, keep), strict=True)]
    scores = scored(recognizer_evidence, [numbers for each in tries for numbers in each], carried=carried)
    best = min if prefer == "smallest" else max
    assert torch.equal(found.similarity, matrix)
    assert found.sums == column_sums(matrix)
    assert found.segments == segments
    assert found.kept == sum((best(each, key=scores.__getitem__) for each in tries), ())
    assert psr.choose(recognizer_evidence, (keep,)) == (found.kept,)


class Chain(nn.Module):
    """Layers of one number each, whose SynFlow can be done in one's head: as many times their product as there are."""

    def __init__(self, *weights):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(1, 1, bias=False) for _ in weights)
        for layer, weight in zip(self.layers, weights, strict=True):
            nn.init.constant_(layer.weight, weight)

    def stacks(self):
        return (self.layers,)

    def forward(self, features):
        for layer in self.layers:
            features = layer(features)
        return features


def chain_evidence(evidence, *weights, fresh=2.0):
    features = torch.randn(6, 1, generator=torch.Generator().manual_seed(1))
    return replace(
        evidence,
        network=Chain(*weights),
        fresh=lambda: Chain(*[fresh] * len(weights)),
        flow=lambda network: network(torch.ones(1, 1, dtype=torch.float64)),
        observe=lambda: [Seen((tuple(features for _ in weights),), torch.zeros(6))],
    )


def test_smallest_and_largest(recognizer_evidence: Evidence) -> None:
    evidence = chain_evidence(recognizer_evidence, 3.0, 1.0, -5.0, 4.0)
    assert Psr().choose(evidence, (1,)) == ((1,),)
    assert Psr(prefer="largest").choose(evidence, (1,)) == ((2,),)
    assert Psr(prefer="largest").choose(evidence, (2,)) == ((2, 3),)


def test_the_order_of_trying_counts_only_in_the_published_form(recognizer_evidence: Evidence) -> None:
    """Layers tried before stay in: the scores are 3, 3 x 2.5, 3 x 2.5 x 1.5, and so on, instead of 3, 2.5, 1.5."""
    evidence = chain_evidence(recognizer_evidence, 3.0, 2.5, 1.5, fresh=1.0)
    assert Psr().choose(evidence, (1,)) == ((2,),)
    assert Psr(carried=True).choose(evidence, (1,)) == ((0,),)


def test_of_equal_scores_the_first_combination_stays(recognizer_evidence: Evidence) -> None:
    evidence = chain_evidence(recognizer_evidence, 3.0, 3.0, 3.0)
    for prefer in ("smallest", "largest"):
        assert Psr(prefer=prefer).choose(evidence, (2,)) == ((0, 1),)


def test_each_segment_keeps_a_layer(recognizer_evidence: Evidence) -> None:
    """Two groups of layers, alike within and strangers between: one of each stays, though the best two are in one."""
    evidence = chain_evidence(recognizer_evidence, 9.0, 8.0, 7.0, 1.0, 1.5)
    a, b = torch.randn(2, 60, 3, generator=torch.Generator().manual_seed(1))
    evidence = replace(evidence, observe=lambda: [Seen(((a, a, a, b, b),), torch.zeros(60))])
    (found,) = Psr().partitions(evidence, (2,))
    assert found.segments == (range(3), range(3, 5))
    assert found.kept == (2, 3)
    assert Psr(segments=1).choose(evidence, (2,)) == ((3, 4),)


def test_statistics_of_the_input_of_ones(recognizer_evidence: Evidence) -> None:
    """As in the official code, batch normalization is scored in training mode: how large weights are counts nothing."""

    class Normalized(Chain):
        def __init__(self, *weights):
            super().__init__(*weights)
            self.norm = nn.BatchNorm1d(1)

        def forward(self, features):
            return self.norm(super().forward(features)).relu()

    evidence = chain_evidence(recognizer_evidence, 3.0, 1.0, 4.0)
    inputs = torch.tensor([[1.0], [2.0], [5.0]], dtype=torch.float64)
    evidence = replace(
        evidence,
        network=Normalized(3.0, 1.0, 4.0),
        fresh=lambda: Normalized(100.0, 100.0, 100.0),
        flow=lambda network: network(inputs),
    )
    assert Psr().choose(evidence, (1,)) == ((1,),)
    scores = [
        synflow(Normalized(weight, 100.0, 100.0), evidence.flow, batch_statistics=True) for weight in (3.0, 1.0, 4.0)
    ]
    assert scores == pytest.approx([scores[0]] * 3, rel=1e-6)
    assert len(Psr(batch_statistics=True).choose(evidence, (1,))[0]) == 1


def test_too_many_combinations_are_refused_before_any_is_tried(recognizer_evidence: Evidence) -> None:
    evidence = chain_evidence(recognizer_evidence, *[1.0] * 30)
    with pytest.raises(ValueError, match="at most 20000 combinations, got 155117520 in stack 0; allow more segments"):
        Psr().choose(evidence, (15,))


@pytest.mark.parametrize(("field", "value"), [("segments", 0), ("gain", 1.0), ("gain", -0.1), ("gain", float("nan"))])
def test_settings_without_sense_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field} must be"):
        Psr(**{field: value})
