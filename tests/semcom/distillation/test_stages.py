"""Hints and attention between feature maps of unequal size, worked out by hand with numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from channels import Arrived, Link
from semcom.distillation.stage_attention import StageAttention
from semcom.distillation.stage_hints import StageHints
from semcom.distillation.stages import Meeting, shape_pairs
from semcom.models.make import make
from semcom.models.recognizer_spec import RECOGNIZER_SIZES, RecognizerSpec
from semcom.models.semantic_spec import SemanticSpec
from semcom.models.trace import Heard, Sent, Trace

CHANCE = np.random.default_rng(4)
# Two messages. A student of one unit with 3 channels and 4 places, a teacher of two with 5 channels and 8, 2 places.
OURS = CHANCE.normal(size=(2, 4, 3))
THEIRS = [CHANCE.normal(size=(2, 8, 5)), CHANCE.normal(size=(2, 2, 5))]
MATRIX, OFFSET = CHANCE.normal(size=(5, 3)), CHANCE.normal(size=5)


class Shaped:
    """Of a spec the shapes of its stages."""

    def __init__(self, *shapes):
        self.stage_shapes = shapes


STUDENT, TEACHER = Shaped((3, 4)), Shaped((5, 8), (5, 2))


def trace(*stages, real=(True, True)):
    nothing = torch.full((len(real), 1, 1), torch.nan)
    return Trace(
        targets=torch.zeros(len(real), 1, dtype=torch.long),
        mask=torch.tensor(real)[:, None],
        sent=Sent(nothing, ()),
        arrived=Arrived(nothing, ((Link(), None),)),
        heard=Heard(nothing, (), nothing, stages=tuple(torch.as_tensor(each) for each in stages)),
    )


def turned(ours, theirs):
    ours, theirs = (each / np.sqrt((each**2).sum(axis=-1, keepdims=True)) for each in (ours, theirs))
    return ((ours - theirs) ** 2).sum(axis=-1)


def hints(student, teacher):
    made = StageHints().adapters(student, teacher).double()
    with torch.no_grad():
        for each in made["projections"]:
            if isinstance(each, torch.nn.Linear):
                each.weight.copy_(torch.as_tensor(MATRIX))
                each.bias.copy_(torch.as_tensor(OFFSET))
    return made


def test_hints_by_hand():
    """The student's only unit learns from the teacher's last, in the two places that this one has."""
    value = StageHints().loss(trace(OURS), trace(*THEIRS), hints(STUDENT, TEACHER)).item()
    averaged = OURS.reshape(2, 2, 2, 3).mean(axis=2)
    assert value == pytest.approx(turned(averaged @ MATRIX.T + OFFSET, THEIRS[1]).mean(), rel=1e-12)


def test_attention_by_hand():
    """A student of two units: both teach what they are paired with, the first in the teacher's places."""
    mine = [THEIRS[0], OURS]
    made = StageAttention().adapters(Shaped((5, 8), (3, 4)), Shaped((5, 2)))
    value = StageAttention().loss(trace(*mine), trace(THEIRS[1]), made).item()
    there = (THEIRS[1] ** 2).mean(axis=-1)
    active = [(each**2).mean(axis=-1).reshape(2, 2, -1).mean(axis=-1) for each in mine]
    assert value == pytest.approx(np.mean([turned(each, there).mean() for each in active]), rel=1e-12)


@pytest.mark.parametrize("method", [StageHints(), StageAttention()], ids=lambda method: method.kind)
def test_a_message_of_padding_does_not_count(method):
    made = method.adapters(STUDENT, TEACHER).double()
    alone = method.loss(trace(OURS[:1], real=(True,)), trace(*(each[:1] for each in THEIRS), real=(True,)), made)
    both = method.loss(trace(OURS, real=(True, False)), trace(*THEIRS, real=(True, False)), made)
    assert both.item() == pytest.approx(alone.item(), rel=1e-12)


def test_channels_of_one_number_are_taken_over_as_they_are():
    made = StageHints().adapters(Shaped((5, 4), (3, 4)), TEACHER)
    assert {name: tuple(each.shape) for name, each in made.named_parameters()} == {
        "projections.1.weight": (5, 3), "projections.1.bias": (5,),
    }  # fmt: skip


def test_a_place_is_the_same_time_in_networks_of_one_row_and_of_two():
    """Rows stand one behind the other in a trace: averaging neighbours alone would mix early and late."""
    rows = torch.arange(24.0).view(1, 3, 2, 4)  # channels, rows, places
    one_row = rows.mean(dim=2)
    flat = rows.flatten(2).mT
    ours, theirs = Meeting((3, 4), (3, 2, 4))(one_row.mT, flat)
    torch.testing.assert_close(ours, theirs)
    ours, theirs = Meeting((3, 2, 4), (3, 2))(flat, one_row.view(1, 3, 2, 2).mean(dim=3).mT)
    torch.testing.assert_close(ours, theirs)
    ours, theirs = Meeting((3, 2, 4), (3, 2, 4))(flat, flat)
    assert torch.equal(ours, flat) and torch.equal(theirs, flat)


@pytest.mark.parametrize(
    "spec",
    [
        *RECOGNIZER_SIZES.values(),
        replace(RECOGNIZER_SIZES["iq_resnet56"], kept=(0, 9, 18), hidden=(3, 4, 5)),
        RecognizerSpec("cnn", length=32, widths=(4,), units=(3,), kept=(1,)),
    ],
    ids=lambda spec: spec.told,
)
def test_a_spec_tells_the_stages_that_its_network_shows(spec):
    codec = make(spec, 3).eval()
    frames = codec.example()
    with torch.no_grad():
        stages = codec.hear(Arrived(codec.send(frames).symbols, ((Link(), None),)), frames).stages
    told = [(channels, int(np.prod(places))) for channels, *places in spec.stage_shapes]
    assert [(each.shape[2], each.shape[1]) for each in stages] == told


def test_a_pruned_student_learns_from_the_whole():
    whole = RECOGNIZER_SIZES["iq_resnet20"]
    pairs = shape_pairs(replace(whole, kept=(0, 4, 8)), whole)
    assert pairs == [((16, 128), (16, 128)), ((32, 64), (32, 64)), ((64, 32), (64, 32))]
    assert SemanticSpec().stage_shapes == ()
