"""What every method keeps on codecs that show no transmitter: recognizers of frames, and whatever else is one receiver.

A new method is tested by being named in the catalog, if what it sees is what their spec shows. The others are refused.
"""

import copy
from dataclasses import replace
from typing import get_args

import pytest
import torch

from channels import Chance, Link, NoCsi, NoEqualizer, draw
from semcom.distillation.catalog import METHODS
from semcom.distillation.distiller import Distiller
from semcom.distillation.method import LOGITS, needs_teacher
from semcom.distillation.sight import check_sight, fitting
from semcom.distillation.teaching import Teaching
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.recognizer_spec import RecognizerSpec
from semcom.models.spec import Part
from semcom.sources.frames import FrameBatches, FrameSet
from semcom.sources.generated_frames import GeneratedFrames, make_splits, waveform_of
from semcom.tasks.trip import rehearse
from semcom.training.fit import fit
from semcom.training.settings import TrainingSettings

CLASSES = ("BPSK", "8PSK", "AM-DSB")
FRAMES: FrameSet = make_splits(waveform_of(GeneratedFrames(CLASSES, length=32)), {"train": 48}, seed=1)["train"]
BATCH = FRAMES.batch(tuple(range(8)))
LINK = Link(snr_db=9.0, interferers=1, csi=NoCsi(), equalizer=NoEqualizer())
SMALL = RecognizerSpec(length=32, widths=(4, 6), units=(1, 1))
LARGE = RecognizerSpec(length=32, widths=(6, 8, 10), units=(2, 1, 2), planes=2)
# A student of whatever family and pruning learns from a residual network whose frames are two rows.
STUDENTS = {
    "residual": SMALL,
    "pruned": replace(LARGE, kept=(1, 4), hidden=(3, 5)),
    "vgg": RecognizerSpec("vgg", length=32, widths=(4, 6), units=(1, 2), head=(7,)),
    "cnn": RecognizerSpec("cnn", length=32, widths=(4,), units=(3,), head=(7,)),
}
FITTING = [method for make in METHODS if (method := fitting(make(), SMALL))]
NEEDY = [method for method in FITTING if needs_teacher(method)]
BLIND = [make() for make in METHODS if not fitting(make(), SMALL)]
each_method = pytest.mark.parametrize("method", FITTING, ids=lambda method: method.kind)
each_needy = pytest.mark.parametrize("method", NEEDY, ids=lambda method: method.kind)


def codec(spec=SMALL, seed=1, classes=3):
    """A recognizer whose running statistics have seen some frames."""
    made = initialize(spec, classes, seed=seed)
    with torch.no_grad():
        for _ in range(3):
            trip(made.train())
    return made.eval()


def trip(made, batch=BATCH):
    return rehearse(made, batch, [(LINK, draw(LINK, air_shape(made, batch), Chance(1)))])


def taught(student, *teachers, methods, seed=3, **options):
    if not any(map(needs_teacher, methods)):
        return Distiller(student, (), Teaching(methods=methods, **options), seed=seed)
    return Distiller(student, teachers, Teaching(teacher="teacher", methods=methods, **options), seed=seed)


def nothing_of(heard, part):
    if part == "stages":
        return replace(heard, stages=tuple(torch.full_like(each, torch.nan) for each in heard.stages))
    if part == "logits":
        return replace(heard, logits=torch.full_like(heard.logits, torch.nan))
    nan = torch.full_like(heard.features, torch.nan)
    return replace(heard, features=nan, layers=(nan,)) if part == "heard" else heard


def test_what_a_recognizer_shows_is_learned_from() -> None:
    """All methods that compare logits, layers or stages fit; those on transmitters, attention and speech do not."""
    seen = set().union(*(method.sees for method in FITTING))
    assert seen == SMALL.shows
    blind = {"attention_maps", "components", "masked_prediction", "symbols", "received_symbols"}
    assert {method.kind for method in BLIND} == blind


@each_method
def test_who_does_as_the_teacher_does_loses_nothing(method) -> None:
    teacher = codec(LARGE)
    distiller = taught(copy.deepcopy(teacher), teacher, methods=(method,), label_weight=0)
    with torch.no_grad():
        for layer in distiller.adapters.modules():
            if isinstance(layer, torch.nn.Linear):
                layer.weight.copy_(torch.eye(*layer.weight.shape))
                if layer.bias is not None:
                    layer.bias.zero_()
    found = distiller(BATCH, [LINK], Chance(5))[method.kind].item()
    if getattr(method, "vanishes", True):
        assert found == pytest.approx(0, abs=1e-6)
    else:
        assert found > 0, "one must also be sure"


@each_method
@pytest.mark.parametrize("spec", STUDENTS.values(), ids=STUDENTS)
def test_gradients_reach_every_student_and_the_adapters_alone(method, spec) -> None:
    student, teacher = codec(spec), codec(LARGE, seed=2)
    distiller = taught(student.train(), teacher, methods=(method,), label_weight=0)
    loss = distiller(BATCH, [LINK], Chance(5))[method.kind]
    assert loss.shape == () and loss.isfinite() and loss > 0
    loss.backward()
    assert all(each.grad is None for each in teacher.parameters())
    slopes = {name: each.grad for name, each in student.named_parameters() if each.grad is not None}
    assert all(each.isfinite().all() for each in slopes.values())
    assert any(each.any() for name, each in slopes.items() if "units" in name)
    assert all(each.grad is not None and each.grad.any() for each in distiller.adapters.parameters())


@each_needy
def test_a_method_sees_what_it_says_and_nothing_else(method) -> None:
    student, teacher = codec(), codec(LARGE, seed=2)
    distiller = taught(student, teacher, methods=(method,))
    ours, theirs, adapters = trip(student), trip(teacher), distiller.adapters[0]
    expected = method.loss(ours, theirs, adapters).item()

    def without(trace, part):
        return replace(trace, heard=nothing_of(trace.heard, part))

    for part in get_args(Part):
        blind = [method.loss(without(ours, part), theirs, adapters), method.loss(ours, without(theirs, part), adapters)]
        assert [each.item() != expected for each in blind] == [part in method.sees] * 2


@each_needy
def test_the_order_of_frames_does_not_matter(method) -> None:
    student, teacher = codec(), codec(LARGE, seed=2)
    adapters, traces = taught(student, teacher, methods=(method,)).adapters[0], [trip(student), trip(teacher)]
    expected = method.loss(*traces, adapters).item()

    def turned(trace):
        heard = trace.heard
        layers, stages = (tuple(each.flip(0) for each in those) for those in (heard.layers, heard.stages))
        heard = replace(heard, logits=heard.logits.flip(0), features=layers[-1], layers=layers, stages=stages)
        return replace(trace, targets=trace.targets.flip(0), heard=heard)

    assert method.loss(*map(turned, traces), adapters).item() == pytest.approx(expected, rel=1e-5)


@each_method
def test_a_few_steps_lower_the_loss(method) -> None:
    student, teacher = codec(), codec(LARGE, seed=2)
    distiller = taught(student, teacher, methods=(method,), label_weight=0)
    air = {"csi": LINK.csi, "equalizer": LINK.equalizer, "snr_db": (6.0, 12.0)}
    settings = TrainingSettings(steps=25, batch=16, warmup=2, learning_rate=1e-2, **air)
    before = distiller.train()(BATCH, [LINK], Chance(5))[method.kind].item()
    kept = copy.deepcopy(teacher.state_dict())
    fit(distiller, FrameBatches(FRAMES, 16, Chance(1)), settings, Chance(2))
    assert distiller.train()(BATCH, [LINK], Chance(5))[method.kind].item() < 0.9 * before
    assert all(torch.equal(each, kept[name]) for name, each in teacher.state_dict().items())


@each_needy
def test_two_teachers_speak_as_one_to_methods_on_logits(method) -> None:
    student, teachers = codec(), [codec(LARGE, seed=2), codec(SMALL, seed=3)]
    if method.sees != LOGITS:
        with pytest.raises(ValueError, match=f"teacher must be a single one for method {method.kind}"):
            taught(student, *teachers, methods=(method,))
        return
    both = taught(student, *teachers, methods=(method,), label_weight=0)(BATCH, [LINK], Chance(5))[method.kind]
    one = taught(student, *teachers[:1], methods=(method,), label_weight=0)(BATCH, [LINK], Chance(5))[method.kind]
    assert both.isfinite() and both.item() != one.item()


@each_needy
def test_whose_signal_is_heard_makes_no_difference(method) -> None:
    """Every recognizer sends the frame itself, so the teacher's own signal is the student's, to the bit."""
    student, teacher = codec(), codec(replace(LARGE, dropout=0.2), seed=2)
    losses = [
        taught(student, teacher, methods=(method,), hears=hears)(BATCH, [LINK], Chance(5))[method.kind].item()
        for hears in ("student", "own")
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("method", BLIND, ids=lambda method: method.kind)
def test_what_a_recognizer_does_not_have_is_refused_with_the_methods_that_there_are(method) -> None:
    with pytest.raises(
        ValueError, match=rf"method {method.kind} must have .* to compare, got the student, a codec of"
    ) as told:
        taught(codec(), codec(LARGE), methods=(method,))
    assert "kind recognizer; take one of" in str(told.value)
    assert all(each.kind in str(told.value) for each in FITTING)


@pytest.mark.parametrize("make", [make for make in METHODS if hasattr(make(), "side") and fitting(make(), SMALL)])
@pytest.mark.parametrize("side", ["encoder", "both"])
def test_other_sides_are_refused_with_the_side_that_there_is(make, side) -> None:
    with pytest.raises(ValueError, match=r"must have what a transmitter makes to compare, got .*; set side: decoder$"):
        check_sight([make(side=side)], SMALL, whose="'small'")
    check_sight([make(side="decoder")], SMALL, whose="'small'")


@pytest.mark.parametrize("make", [make for make in METHODS if hasattr(make(), "between")])
def test_a_frame_has_no_units_to_relate(make) -> None:
    """The loss would be 0 whatever the student does."""
    with pytest.raises(
        ValueError, match=r"must have several units in a message to compare, .*; set between: sentences$"
    ):
        check_sight([make(side="decoder", between="tokens")], SMALL, whose="'small'")
    with pytest.raises(ValueError, match=r"; set side: decoder and between: sentences$"):
        check_sight([make(between="tokens")], SMALL, whose="'small'")


def test_answers_of_unequal_number_are_refused() -> None:
    with pytest.raises(ValueError, match="must choose from the same answers, got 3 and 4 of them"):
        taught(codec(), codec(classes=4), methods=(FITTING[0],))
