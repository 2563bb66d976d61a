"""The distance between symbols sent, worked out by hand, and what it must not look at."""

import math
from dataclasses import replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.distillation.symbols import Symbols
from semcom.models.codec import air_shape
from semcom.models.semantic_spec import symmetric
from semcom.tasks.trip import rehearse

# Two sentences of three tokens, two symbols each; the last token of the second sentence is padding.
STUDENT = [[1 + 1j, 0.5, -1j, 2.0, 1.0, 0.0], [0.0, 1j, 1 - 1j, -1.0, 7.0, 7j]]
TEACHER = [[1 - 1j, 0.5, 1j, 1.0, 0.0, 1j], [1.0, 0.0, 2 - 1j, 1.0, -5.0, 3.0]]
REAL = [[True, True, True], [True, True, False]]


def double(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.complex128)


@pytest.fixture
def loss(make_trace):
    """A function from student and teacher symbols to the loss."""

    def compute(student, teacher, *, mask=REAL):
        mask = torch.tensor(mask)
        return Symbols().loss(
            make_trace(symbols=student, mask=mask), make_trace(symbols=teacher, mask=mask), torch.nn.Identity()
        )

    return compute


def test_by_hand(loss):
    tokens = [
        sum(abs(STUDENT[row][2 * place + i] - TEACHER[row][2 * place + i]) ** 2 for i in range(2)) / 2
        for row in range(2)
        for place in range(3)
        if REAL[row][place]
    ]
    # |2j|^2 / 2, (|2j|^2 + 1) / 2, (1 + 1) / 2 in the first sentence; (1 + 1) / 2, (1 + 4) / 2 in the second.
    assert tokens == pytest.approx([2.0, 2.5, 1.0, 1.0, 2.5])
    value = loss(double(STUDENT), double(TEACHER))
    assert value.shape == ()
    assert value.item() == pytest.approx(sum(tokens) / 5, rel=1e-14)


def test_equal_symbols_lose_nothing_and_have_a_finite_gradient(loss):
    """The slope of a modulus at zero is no number; its square's is zero."""
    student = double(TEACHER).requires_grad_()
    value = loss(student, double(TEACHER))
    value.backward()
    assert value.item() == 0
    assert not student.grad.any()


def test_the_gradient_by_hand(loss):
    """dL/dx = 2 (x_s - x_t) / (S N) for S symbols a token and N real tokens; padding has none."""
    student = double(STUDENT).requires_grad_()
    loss(student, double(TEACHER)).backward()
    expected = 2 * (double(STUDENT) - double(TEACHER)) / (2 * 5)
    expected[1, 4:] = 0
    assert torch.allclose(student.grad, expected)


def test_padding_does_not_count(loss):
    wider = torch.nn.functional.pad
    padded = loss(
        wider(double(STUDENT), (0, 4), value=9.0),
        wider(double(TEACHER), (0, 4), value=-9.0),
        mask=[[*row, False, False] for row in REAL],
    )
    assert padded.item() == pytest.approx(loss(double(STUDENT), double(TEACHER)).item(), rel=1e-14)


def test_unrelated_symbols_are_two_apart(loss):
    """E|x - y|^2 = E|x|^2 + E|y|^2 for independent symbols of zero mean and unit power."""
    generator = torch.Generator().manual_seed(5)
    axes = torch.randn((2, 1, 20_000, 2), generator=generator, dtype=torch.float64) / math.sqrt(2)
    ours, theirs = torch.view_as_complex(axes)
    value = loss(ours, theirs, mask=[[True] * 10_000])
    # |x - y|^2 is exponential with mean 2, so its standard deviation is 2.
    assert abs(value.item() - 2) <= 5 * 2 / math.sqrt(20_000)


def test_what_the_air_does_afterwards_is_none_of_its_business(make_codec, batch):
    link = Link(snr_db=3.0)
    codec, other = make_codec(1), make_codec(2)
    traces = [rehearse(codec, batch, [(link, draw(link, air_shape(codec, batch), Chance(seed)))]) for seed in (1, 2)]
    assert Symbols().loss(*traces, torch.nn.Identity()).item() == 0
    theirs = rehearse(other, batch, [(link, draw(link, air_shape(codec, batch), Chance(1)))])
    assert Symbols().loss(traces[0], theirs, torch.nn.Identity()).item() > 0.1


def test_unequal_numbers_of_symbols_are_refused():
    student = symmetric(8, 1, heads=2)
    teacher = replace(student, symbols_per_token=5)
    with pytest.raises(ValueError, match="symbols needs a student with the teacher's 5 symbols a token, got 8"):
        Symbols().adapters(student, teacher)
