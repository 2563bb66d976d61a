"""Relations and similarities worked out by hand, loop by loop; points that coincide; batches too small to relate."""

import itertools

import numpy as np
import pytest
import torch

from semcom.distillation.relations import Relations
from semcom.distillation.similarity_preserving import SimilarityPreserving

CHANCE = np.random.default_rng(8)
REAL = np.array([[True, True, True, True], [True, True, True, False], [True, True, False, False]])
# Three sentences of up to four tokens; the student's layer has width 3, the teacher's 5.
OURS, THEIRS = CHANCE.normal(size=(3, 4, 3)), CHANCE.normal(size=(3, 4, 5))
METHODS = [Relations, SimilarityPreserving]


@pytest.fixture
def loss(make_trace):
    """A function from a method and both last layers to the loss; the layer before must not matter."""

    def compute(method, ours=OURS, theirs=THEIRS, mask=REAL):
        traces = [
            make_trace(
                layers=[torch.full_like(torch.as_tensor(last), 9.0), torch.as_tensor(last)],
                mask=torch.as_tensor(mask),
                logits=torch.zeros(1, dtype=torch.float64),
            )
            for last in (ours, theirs)
        ]
        return method.loss(*traces, torch.nn.Identity())

    return compute


def groups(features, between):
    """Lists of points: all sentences' means, or every sentence's tokens."""
    tokens = [features[row][REAL[row]] for row in range(len(REAL))]
    return [np.array([each.mean(axis=0) for each in tokens])] if between == "sentences" else tokens


def huber(gap):
    return gap**2 / 2 if abs(gap) < 1 else abs(gap) - 0.5


def distances(between):
    def of(features):
        found = [
            np.linalg.norm(points[i] - points[j])
            for points in groups(features, between)
            for i, j in itertools.permutations(range(len(points)), 2)
        ]
        return np.array(found) / np.mean(found)

    return np.mean([huber(gap) for gap in of(OURS) - of(THEIRS)])


def angles(between):
    def of(features):
        found = []
        for points in groups(features, between):
            for i, j, k in itertools.permutations(range(len(points)), 3):
                one, other = points[i] - points[j], points[k] - points[j]
                found.append(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
        return np.array(found)

    return np.mean([huber(gap) for gap in of(OURS) - of(THEIRS)])


@pytest.mark.parametrize("between", ["sentences", "tokens"])
def test_relations_by_hand(loss, between):
    near, aligned = distances(between), angles(between)
    for distance, angle in ((1.0, 0.0), (0.0, 1.0), (0.5, 3.0)):
        value = loss(Relations(distance=distance, angle=angle, between=between)).item()
        assert value == pytest.approx(distance * near + angle * aligned, rel=1e-10)


@pytest.mark.parametrize("between", ["sentences", "tokens"])
def test_similarities_by_hand(loss, between):
    def rows(features):
        if between == "sentences":
            flat = (features * REAL[..., None]).reshape(3, -1)
            similar = [flat @ flat.T]
        else:
            similar = [each @ each.T for each in groups(features, "tokens")]
        return [row / np.linalg.norm(row) for each in similar for row in each]

    gaps = [((ours - theirs) ** 2).sum() for ours, theirs in zip(rows(OURS), rows(THEIRS), strict=True)]
    assert loss(SimilarityPreserving(between=between)).item() == pytest.approx(np.mean(gaps), rel=1e-10)


@pytest.mark.parametrize("between", ["sentences", "tokens"])
@pytest.mark.parametrize("make", METHODS)
def test_a_turned_and_scaled_copy_relates_alike(loss, make, between):
    """What counts is how things stand to each other, not where: the point of these methods."""
    turned, _ = np.linalg.qr(CHANCE.normal(size=(3, 3)))
    shift = 2.0 if make is Relations else 0.0
    assert loss(make(between=between), OURS, 7 * OURS @ turned + shift).item() == pytest.approx(0, abs=1e-12)
    assert loss(make(between=between)).item() > 0.01


@pytest.mark.parametrize("between", ["sentences", "tokens"])
@pytest.mark.parametrize("make", METHODS)
def test_padding_neither_counts_nor_learns(loss, make, between):
    student = torch.as_tensor(OURS).clone().requires_grad_()
    value = loss(make(between=between), student)
    value.backward()
    assert student.grad.isfinite().all()
    assert not student.grad[~torch.as_tensor(REAL)].any()
    changed = [np.where(REAL[..., None], each, 40.0) for each in (OURS, THEIRS)]
    assert loss(make(between=between), *changed).item() == pytest.approx(value.item(), rel=1e-12)


@pytest.mark.parametrize("make", METHODS)
def test_the_same_sentence_twice_has_a_finite_gradient(loss, make):
    twice = OURS.copy()
    twice[1] = twice[0]
    student = torch.as_tensor(twice).clone().requires_grad_()
    value = loss(make(), student, mask=np.ones_like(REAL))
    value.backward()
    assert value.isfinite()
    assert student.grad.isfinite().all()
    assert student.grad.abs().max() < 10


@pytest.mark.parametrize("between", ["sentences", "tokens"])
def test_a_lone_point_stands_in_no_relation(loss, between):
    alone = np.array([[True, False, False, False]])
    student = torch.as_tensor(OURS[:1]).clone().requires_grad_()
    value = loss(Relations(between=between), student, THEIRS[:1], mask=alone)
    value.backward()
    assert value.item() == 0
    assert student.grad.isfinite().all()


@pytest.mark.parametrize("weights", [(0, 0), (-1, 1)])
def test_weights_that_weigh_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="distance and angle must be at least 0"):
        Relations(distance=weights[0], angle=weights[1])


def test_a_pair_of_one_place_counts_in_the_mean_distance(loss):
    """At 0, 0, 1 distances are 0, 1, 1 of mean 2/3; at 0, 3, 6 they are 3, 6, 3 of mean 4."""
    ours, theirs = (np.array(places, dtype=float).reshape(3, 1, 1) for places in ((0, 0, 1), (0, 3, 6)))
    gaps = [0 - 3 / 4, 3 / 2 - 6 / 4, 3 / 2 - 3 / 4]
    value = loss(Relations(angle=0), ours, theirs, mask=np.ones((3, 1), dtype=bool)).item()
    assert value == pytest.approx(np.mean([huber(gap) for gap in gaps]), rel=1e-10)
