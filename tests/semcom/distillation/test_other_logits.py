"""Reverse, decoupled and decided logits worked out by hand with numpy, and how far a teacher is trusted."""

import numpy as np
import pytest
import torch

from semcom.distillation.decoupled_logits import DecoupledLogits
from semcom.distillation.reverse_logits import ReverseLogits
from semcom.distillation.sequence_level import SequenceLevel
from semcom.distillation.soft_logits import SoftLogits

# Two sentences of three places over five tokens: a softmax over the wrong axis gives another number.
CHANCE = np.random.default_rng(5)
STUDENT, TEACHER = CHANCE.normal(size=(2, 2, 3, 5)) * 2
TRUE = np.array([[1, 4, 0], [2, 2, 3]])
REAL = np.array([[True, True, True], [True, True, False]])
ALL = [SoftLogits, ReverseLogits, DecoupledLogits, SequenceLevel]


def softmax(scores, temperature=1.0):
    weights = np.exp(scores / temperature)
    return weights / weights.sum(axis=-1, keepdims=True)


def divergence(p, q):
    return (p * np.log(p / q)).sum(axis=-1)


def forward(t):
    return t**2 * divergence(softmax(TEACHER, t), softmax(STUDENT, t))


def reverse(t):
    return t**2 * divergence(softmax(STUDENT, t), softmax(TEACHER, t))


def decoupled(t, alpha, beta):
    values = np.zeros((2, 3))
    for place in np.ndindex(2, 3):
        true = TRUE[place]
        p, q = softmax(TEACHER[place], t), softmax(STUDENT[place], t)
        binary = [np.array([each[true], 1 - each[true]]) for each in (p, q)]
        rest = [np.delete(each, true) / (1 - each[true]) for each in (p, q)]
        values[place] = alpha * divergence(*binary) + beta * divergence(*rest)
    return t**2 * values


def decided():
    best = TEACHER.argmax(axis=-1)
    return -np.log(np.take_along_axis(softmax(STUDENT), best[..., None], axis=-1)[..., 0])


@pytest.fixture
def loss(make_trace):
    """A function from a method, and changes to the made-up numbers, to the loss."""

    def compute(method, student=STUDENT, teacher=TEACHER, *, mask=REAL, targets=TRUE):
        mask, targets = torch.as_tensor(mask), torch.as_tensor(targets)
        ours, theirs = (
            make_trace(logits=torch.as_tensor(logits), mask=mask, targets=targets) for logits in (student, teacher)
        )
        return method.loss(ours, theirs, torch.nn.Identity())

    return compute


@pytest.mark.parametrize("t", [0.5, 1.0, 4.0])
def test_reverse_by_hand(loss, t):
    value = loss(ReverseLogits(temperature=t)).item()
    assert value == pytest.approx(reverse(t)[REAL].mean(), rel=1e-12)
    assert abs(value - forward(t)[REAL].mean()) > 1e-3 * value, "and not the other way round"


@pytest.mark.parametrize("t", [0.5, 1.0, 4.0])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.0, 1.0), (0.7, 3.0)])
def test_decoupled_by_hand(loss, t, alpha, beta):
    value = loss(DecoupledLogits(temperature=t, alpha=alpha, beta=beta)).item()
    assert value == pytest.approx(decoupled(t, alpha, beta)[REAL].mean(), rel=1e-10)


def test_decoupled_losses_put_together_again_are_soft_logits():
    """KL = KL(b_t || b_s) + (1 - p_t,y) KL(r_t || r_s), where the paper begins."""
    unsure = 1 - np.take_along_axis(softmax(TEACHER), TRUE[..., None], axis=-1)[..., 0]
    together = decoupled(1.0, 1.0, 0.0) + unsure * decoupled(1.0, 0.0, 1.0)
    assert together == pytest.approx(forward(1.0), rel=1e-10)


def test_decided_by_hand(loss):
    assert loss(SequenceLevel()).item() == pytest.approx(decided()[REAL].mean(), rel=1e-12)


def test_decided_is_the_cold_limit_of_soft_targets(loss):
    """A teacher sure of its decisions is one whose distribution is these decisions."""
    sure = TEACHER * 1e3
    assert loss(SequenceLevel()).item() == pytest.approx(loss(SoftLogits(), teacher=sure).item(), rel=1e-9)


@pytest.mark.parametrize("trust", ["all", "confident", "right"])
@pytest.mark.parametrize("make", ALL)
def test_trust_by_hand(loss, make, trust):
    p = softmax(TEACHER)
    weights = {
        "all": np.ones((2, 3)),
        "confident": 1 + (p * np.log(p)).sum(axis=-1) / np.log(5),
        "right": (TEACHER.argmax(axis=-1) == TRUE).astype(float),
    }[trust]
    values = {
        SoftLogits: forward(1.0),
        ReverseLogits: reverse(1.0),
        DecoupledLogits: decoupled(1.0, 1.0, 1.0),
        SequenceLevel: decided(),
    }[make]
    assert loss(make(trust=trust)).item() == pytest.approx((weights * values)[REAL].sum() / 5, rel=1e-10)


def test_a_teacher_that_knows_nothing_or_is_wrong_falls_silent(loss):
    flat, wrong = np.zeros_like(TEACHER), np.full_like(TEACHER, -3.0)
    np.put_along_axis(wrong, ((TRUE + 1) % 5)[..., None], 3.0, axis=-1)
    for make in ALL:
        assert loss(make(trust="confident"), teacher=flat).item() == pytest.approx(0, abs=1e-12)
        assert loss(make(trust="right"), teacher=wrong).item() == 0
        assert loss(make(trust="all"), teacher=wrong).item() > 0.5


@pytest.mark.parametrize("make", ALL)
def test_padding_neither_counts_nor_learns(loss, make):
    student = torch.as_tensor(STUDENT).clone().requires_grad_()
    value = loss(make(trust="confident"), student=student)
    value.backward()
    assert not student.grad[1, 2].any()
    assert student.grad[0].all()
    longer = [np.pad(each, ((0, 0), (0, 2), (0, 0)), constant_values=fill) for each, fill in
              ((STUDENT, 3.0), (TEACHER, -50.0))]  # fmt: skip
    ends = {"mask": np.pad(REAL, ((0, 0), (0, 2))), "targets": np.pad(TRUE, ((0, 0), (0, 2)))}
    assert loss(make(trust="confident"), *longer, **ends).item() == pytest.approx(value.item(), rel=1e-14)


@pytest.mark.parametrize("make", [ReverseLogits, DecoupledLogits])
def test_the_temperature_hardly_changes_the_size_of_the_gradient(loss, make):
    sizes = []
    for temperature in (1.0, 8.0):
        student = (torch.as_tensor(STUDENT) / 2).requires_grad_()
        loss(make(temperature=temperature), student=student, teacher=TEACHER / 2).backward()
        sizes.append(student.grad.norm().item())
    assert 0.4 < sizes[1] / sizes[0] < 2.5


def near(logits, gap, true, t):
    """Slopes of T^2 KL at one place for logits that nearly agree: forward and backward, and decoupled.

    KL is half a square there, of the gap measured by Fisher's matrix: F gap / T^2, F = diag(p) - p p', either way
    round. Decoupled, z_y stands against logsumexp of the rest, whose slope is r: p_y (1 - p_y) u (e_y - r) with
    u = gap_y - r gap, and diag(r) - r r' among the rest.
    """
    p = softmax(logits, t)
    fisher = np.diag(p) - np.outer(p, p)
    r = np.where(np.arange(len(p)) == true, 0.0, p) / (1 - p[true])
    against = np.eye(len(p))[true] - r
    apart = p[true] * (1 - p[true]) * (against @ gap) * against
    return fisher @ gap, 2 * apart + 3 * (np.diag(r) - np.outer(r, r)) @ gap


@pytest.mark.parametrize("t", [1.0, 2.0, 4.0, 8.0, 1e4])
def test_for_logits_that_nearly_agree_the_gradient_is_known(loss, t):
    """At high T it no longer depends on T: F tends to (1 - 1 1' / V) / V."""
    gap = 1e-5 * CHANCE.normal(size=STUDENT.shape)
    expected = [np.zeros_like(STUDENT) for _ in range(2)]
    for place in zip(*np.nonzero(REAL), strict=True):
        for each, slope in zip(expected, near(STUDENT[place], gap[place], TRUE[place], t), strict=True):
            each[place] = slope / REAL.sum()
    methods = (SoftLogits, ReverseLogits, lambda **heat: DecoupledLogits(alpha=2.0, beta=3.0, **heat))
    for make, slope in zip(methods, (expected[0], expected[0], expected[1]), strict=True):
        student = torch.as_tensor(STUDENT).clone().requires_grad_()
        loss(make(temperature=t), student=student, teacher=STUDENT - gap).backward()
        assert student.grad.numpy() == pytest.approx(slope, rel=1e-3, abs=1e-9)
    if t > 1e3:
        limit = (gap - gap.mean(axis=-1, keepdims=True)) / gap.shape[-1] / REAL.sum()
        assert expected[0][REAL] == pytest.approx(limit[REAL], rel=1e-2, abs=1e-9)


@pytest.mark.parametrize("make", ALL)
def test_extreme_logits_have_a_finite_loss_and_gradient(loss, make):
    student = torch.tensor([[[80.0, -80.0, 0.0]]], requires_grad=True)
    theirs, true = torch.tensor([[[-80.0, 80.0, 0.0]]]), torch.tensor([[1]])
    value = loss(make(), student=student, teacher=theirs, mask=[[True]], targets=true)
    value.backward()
    assert value.isfinite()
    assert value > 70
    assert student.grad.isfinite().all()
    sure = torch.tensor([[[-300.0, 300.0, 0.0]]])
    assert loss(make(), student=sure, teacher=sure, mask=[[True]], targets=true).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("make", [ReverseLogits, DecoupledLogits])
@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_must_be_positive(make, temperature):
    with pytest.raises(ValueError, match="temperature must be positive"):
        make(temperature=temperature)


@pytest.mark.parametrize("weights", [(0, 0), (-1, 1), (1, float("nan"))])
def test_weights_that_weigh_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="alpha and beta must be at least 0"):
        DecoupledLogits(alpha=weights[0], beta=weights[1])
