"""Hints on hidden layers and components, worked out by hand with numpy; which layer learns from which."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from semcom.distillation.components import Components
from semcom.distillation.features import evenly, turn
from semcom.distillation.hidden_hints import HiddenHints
from semcom.models.semantic_spec import symmetric

CHANCE = np.random.default_rng(6)
REAL = np.array([[True, True, True, True], [True, True, False, False]])
# Two sentences of four tokens: a student of two layers of width 3, a teacher of four of width 5.
OURS, THEIRS = CHANCE.normal(size=(2, 2, 4, 3)), CHANCE.normal(size=(4, 2, 4, 5))
MATRIX, OFFSET = CHANCE.normal(size=(5, 3)), CHANCE.normal(size=5)


def turned(ours, theirs):
    ours, theirs = (each / np.sqrt((each**2).sum(axis=-1, keepdims=True)) for each in (ours, theirs))
    return ((ours - theirs) ** 2).sum(axis=-1)


def linear(dtype=torch.float64):
    layer = torch.nn.Linear(3, 5, dtype=dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(MATRIX))
        layer.bias.copy_(torch.as_tensor(OFFSET))
    return layer


def traces(make_trace, ours=OURS, theirs=THEIRS, mask=REAL, **parts):
    return [
        make_trace(layers=torch.as_tensor(layers), mask=torch.as_tensor(mask), **each)
        for layers, each in ((ours, parts.get("student", {})), (theirs, parts.get("teacher", {})))
    ]


def hints(sides):
    return torch.nn.ModuleDict({side: torch.nn.ModuleList(linear() for _ in range(2)) for side in sides})


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (1, 1, [0]), (1, 4, [3]), (2, 4, [1, 3]), (3, 4, [1, 2, 3]), (4, 4, [0, 1, 2, 3]), (2, 3, [1, 2]),
        (4, 2, [0, 0, 1, 1]), (3, 1, [0, 0, 0]),
    ],
)  # fmt: skip
def test_layers_are_paired_evenly_and_the_last_with_the_last(ours, theirs, expected):
    assert evenly(ours, theirs) == expected


def test_a_turn_is_a_matter_of_direction_alone():
    ours, theirs = torch.as_tensor(OURS[0]), torch.as_tensor(OURS[1])
    assert turn(ours, theirs).numpy() == pytest.approx(turned(OURS[0], OURS[1]), rel=1e-12)
    assert turn(ours, 7 * ours).numpy() == pytest.approx(0, abs=1e-14)
    assert turn(ours, -ours).numpy() == pytest.approx(4, rel=1e-12)
    many = torch.randn((2, 20_000, 16), generator=torch.Generator().manual_seed(1))
    assert turn(many[0], many[1]).mean().item() == pytest.approx(2, abs=5 * 0.5 / 20_000**0.5)  # cos has sd 1/4


@pytest.mark.parametrize(
    ("side", "sides"), [("encoder", ["sent"]), ("decoder", ["heard"]), ("both", ["sent", "heard"])]
)
def test_hints_by_hand(make_trace, side, sides):
    student, teacher = traces(make_trace)
    value = HiddenHints(side=side).loss(student, teacher, hints(sides))
    projected = OURS @ MATRIX.T + OFFSET
    expected = np.mean([turned(projected[i], THEIRS[j])[REAL].mean() for i, j in ((0, 1), (1, 3))])
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_a_louder_teacher_is_the_same_teacher(make_trace):
    plain, loud = (
        HiddenHints().loss(*traces(make_trace, theirs=scale * THEIRS), hints(["sent", "heard"])) for scale in (1, 100)
    )
    assert loud.item() == pytest.approx(plain.item(), rel=1e-12)


def test_projections_are_as_many_and_as_wide_as_the_layers():
    student, teacher = symmetric(8, 2, heads=2), symmetric(12, 3, heads=2)
    made = HiddenHints().adapters(student, replace(teacher, receiver=replace(teacher.receiver, width=20)))
    shapes = {name: tuple(each.shape) for name, each in made.named_parameters() if name.endswith("weight")}
    assert shapes == {
        "sent.0.weight": (12, 8), "sent.1.weight": (12, 8), "heard.0.weight": (20, 8), "heard.1.weight": (20, 8),
    }  # fmt: skip


def test_a_step_of_the_projections_alone_lowers_the_loss(make_trace):
    student, teacher = traces(make_trace)
    method, made = HiddenHints(), hints(["sent", "heard"])
    before = method.loss(student, teacher, made)
    before.backward()
    with torch.no_grad():
        for each in made.parameters():
            each -= 0.05 * each.grad
    assert method.loss(student, teacher, made) < before


def components(make_trace, method, mask=REAL):
    symbols = CHANCE_SYMBOLS[:, :, : 2 * mask.shape[1]]
    parts = {
        name: {"features": torch.as_tensor(features), "symbols": torch.as_tensor(sent)}
        for name, features, sent in zip(("student", "teacher"), (OURS[0], THEIRS[0]), symbols, strict=True)
    }
    student, teacher = traces(make_trace, mask=mask, **parts)
    adapters = torch.nn.ModuleDict(
        {
            part: linear()
            for part in ("semantic_encoder", "channel_decoder", "semantic_decoder")
            if getattr(method, part)
        }
    )
    return method.loss(student, teacher, adapters).item()


CHANCE_SYMBOLS = CHANCE.normal(size=(2, 2, 8)) + 1j * CHANCE.normal(size=(2, 2, 8))


def test_components_by_hand(make_trace):
    projected = OURS @ MATRIX.T + OFFSET
    last = turned(projected[1], THEIRS[3])[REAL].mean()
    heard = turned(projected[0], THEIRS[0])[REAL].mean()
    sent = (np.abs(CHANCE_SYMBOLS[0] - CHANCE_SYMBOLS[1]) ** 2).reshape(2, 4, 2).mean(axis=-1)[REAL].mean()
    weights = (0.5, 2.0, 3.0, 0.25)
    value = components(make_trace, Components(1.0, *weights))
    assert value == pytest.approx(np.dot(weights, (last, sent, heard, last)), rel=1e-12)
    for index, alone in enumerate((last, sent, heard, last)):
        only = [float(index == other) for other in range(4)]
        assert components(make_trace, Components(1.0, *only)) == pytest.approx(alone, rel=1e-12)


def test_a_component_without_weight_is_not_seen_nor_projected():
    student, teacher = symmetric(8, 2, heads=2), symmetric(12, 2, heads=2)
    receiver = Components(semantic_encoder=0, channel_encoder=0)
    assert receiver.sees == {"heard"}
    assert set(receiver.adapters(student, teacher)) == {"channel_decoder", "semantic_decoder"}
    assert Components(channel_decoder=0, semantic_decoder=0).sees == {"sent"}
    assert Components().sees == {"sent", "heard"}


def test_components_of_one_width_take_over_the_very_coordinates():
    student, teacher = symmetric(8, 2, heads=2), symmetric(8, 3, heads=2)
    assert not list(Components().adapters(student, teacher).parameters())


def test_components_that_cannot_be_matched_are_refused():
    student = symmetric(8, 1, heads=2)
    with pytest.raises(ValueError, match="components needs a student with the teacher's 5 symbols a token, got 8"):
        Components().adapters(student, replace(student, symbols_per_token=5))
    with pytest.raises(ValueError, match="weights must be at least 0, one of them more"):
        Components(1.0, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="weights must be at least 0"):
        Components(channel_encoder=-1)
