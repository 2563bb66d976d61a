"""Soft logits worked out by hand, the size of their gradient, and what they must not look at."""

import math

import pytest
import torch

from channels import Chance, Link, draw
from semcom.distillation.soft_logits import SoftLogits
from semcom.models.codec import air_shape
from semcom.tasks.trip import rehearse

# Two sentences of three places over four tokens, so that a softmax over the wrong axis gives another number.
STUDENT = [
    [[0.3, -1.2, 0.8, 2.0], [1.0, 0.0, -0.5, 0.5], [0.1, 0.2, 0.3, -2.0]],
    [[-1.0, 0.5, 1.5, 0.0], [2.0, 0.0, 1.0, -1.0], [5.0, -4.0, 3.0, 7.0]],
]
TEACHER = [
    [[0.0, -2.0, 1.5, 3.0], [0.5, 0.5, -1.5, 1.0], [2.0, -0.3, 0.0, -1.0]],
    [[-0.5, 0.0, 2.5, 0.4], [1.0, 1.0, 1.0, -3.0], [-6.0, 8.0, 0.0, 1.0]],
]
REAL = [[True, True, True], [True, True, False]]


def softened(scores: list[float], temperature: float) -> list[float]:
    weights = [math.exp(score / temperature) for score in scores]
    return [weight / sum(weights) for weight in weights]


def by_hand(temperature: float) -> float:
    """T^2 mean over real tokens of sum_v p_v log(p_v / q_v), p of the teacher, q of the student."""
    divergences = [
        sum(
            p * math.log(p / q)
            for p, q in zip(
                softened(TEACHER[row][place], temperature), softened(STUDENT[row][place], temperature), strict=True
            )
        )
        for row in range(2)
        for place in range(3)
        if REAL[row][place]
    ]
    return temperature**2 * sum(divergences) / len(divergences)


def double(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.fixture
def loss(make_trace):
    """A function from student and teacher logits to the loss."""

    def compute(student, teacher, *, temperature: float = 1.0, mask=REAL):
        mask = torch.tensor(mask)
        return SoftLogits(temperature=temperature).loss(
            make_trace(logits=student, mask=mask), make_trace(logits=teacher, mask=mask), torch.nn.Identity()
        )

    return compute


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_by_hand(loss, temperature):
    value = loss(double(STUDENT), double(TEACHER), temperature=temperature)
    assert value.shape == ()
    assert value.item() == pytest.approx(by_hand(temperature), rel=1e-12)


def test_the_direction_is_from_the_teacher_to_the_student(loss):
    """The divergence is not symmetric, and a student may not choose which mistakes of the teacher to share."""
    there, back = loss(double(STUDENT), double(TEACHER)), loss(double(TEACHER), double(STUDENT))
    assert abs(there - back) > 0.05 * there


def test_equal_logits_lose_nothing_and_neither_does_a_constant_added_to_them(loss):
    logits = double(TEACHER)
    assert loss(logits, logits, temperature=3.0).item() == 0
    shifted = logits + torch.arange(6.0, dtype=torch.float64).view(2, 3, 1)
    assert loss(shifted, logits, temperature=3.0).item() == pytest.approx(0, abs=1e-14)


def test_padding_neither_counts_nor_learns(loss):
    student, teacher = double(STUDENT).requires_grad_(), double(TEACHER)
    value = loss(student, teacher)
    value.backward()
    assert not student.grad[1, 2].any()
    assert student.grad[0].all()
    changed_student, changed_teacher = student.detach().clone(), teacher.clone()
    changed_student[1, 2], changed_teacher[1, 2] = 30.0, torch.arange(4.0)
    assert torch.equal(loss(changed_student, changed_teacher), value.detach())
    wider = torch.nn.functional.pad
    padded = loss(
        wider(student.detach(), (0, 0, 0, 2), value=3.0),
        wider(teacher, (0, 0, 0, 2), value=-1.0),
        mask=[[*row, False, False] for row in REAL],
    )
    assert padded.item() == pytest.approx(value.item(), rel=1e-14)


def gradient(loss, student, teacher, temperature):
    student = student.clone().requires_grad_()
    loss(student, teacher, temperature=temperature, mask=[[True] * student.shape[1]] * student.shape[0]).backward()
    return student.grad


def test_the_temperature_hardly_changes_the_size_of_the_gradient(loss):
    """For logits of size one a factor of two is left between T = 1 and T = 8; without T^2 it would be over thirty."""
    generator = torch.Generator().manual_seed(3)
    student, teacher = torch.randn((2, 8, 5, 11), generator=generator, dtype=torch.float64)
    cold, hot = (gradient(loss, student, teacher, temperature).norm().item() for temperature in (1.0, 8.0))
    assert 0.5 < hot / cold < 2.0


def test_at_high_temperature_the_gradient_is_that_of_matching_logits(loss):
    """In the limit dL/dz_s = ((z_s - mean z_s) - (z_t - mean z_t)) / (V N), for V tokens to choose from and N places.

    Source: Hinton, Vinyals and Dean, 2015, on matching logits as a special case of distillation.
    """
    generator = torch.Generator().manual_seed(4)
    student, teacher = torch.randn((2, 3, 5, 7), generator=generator, dtype=torch.float64)
    expected = (student - teacher) - (student - teacher).mean(dim=-1, keepdim=True)
    found = gradient(loss, student, teacher, 1e5)
    assert torch.allclose(found, expected / (7 * 15), rtol=1e-3, atol=1e-6)


def test_extreme_logits_have_a_finite_loss_and_gradient(loss):
    student = torch.tensor([[[80.0, -80.0, 0.0]]], requires_grad=True)
    value = loss(student, torch.tensor([[[-80.0, 80.0, 0.0]]]), mask=[[True]])
    value.backward()
    assert value.item() == pytest.approx(160)
    assert torch.isfinite(student.grad).all()


def test_a_codec_in_other_air_is_another_guesser(make_codec, batch):
    """The same codec against itself: nothing to learn in one draw of the air, something between two."""
    codec, link = make_codec(), Link(snr_db=3.0)
    one, same, other = (
        rehearse(codec, batch, [(link, draw(link, air_shape(codec, batch), Chance(seed)))]) for seed in (1, 1, 2)
    )
    method = SoftLogits()
    assert method.loss(one, same, torch.nn.Identity()).item() == 0
    assert method.loss(one, other, torch.nn.Identity()).item() > 1e-4


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, 1e300])
def test_a_temperature_must_be_positive(temperature):
    with pytest.raises(ValueError, match="temperature must be positive and at most"):
        SoftLogits(temperature=temperature)
