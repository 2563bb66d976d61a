"""Layered self-supervision: every term counts, views are told apart, and nothing of it is deployed."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from channels import Chance, Link, NoCsi, NoEqualizer
from semcom.compression.cost import count
from semcom.distillation.distiller import Distiller
from semcom.distillation.layered import Layered
from semcom.distillation.sight import check_sight, fitting, settled
from semcom.distillation.stage_classifiers import StageClassifiers, ends_of
from semcom.distillation.teaching import Teaching
from semcom.models.make import initialize
from semcom.models.recognizer_spec import RECOGNIZER_SIZES, RecognizerSpec
from semcom.models.semantic_spec import symmetric
from semcom.sources.frames import FrameBatches
from semcom.sources.generated_frames import GeneratedFrames, make_splits, waveform_of
from semcom.training.checkpoint import load_weights, save_weights
from semcom.training.fit import fit
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

CLASSES = ("BPSK", "8PSK", "AM-DSB")
FRAMES = make_splits(waveform_of(GeneratedFrames(CLASSES, length=32)), {"train": 48}, seed=1)["train"]
BATCH = FRAMES.batch(tuple(range(8)))
LINK = Link(snr_db=9.0, interferers=1, csi=NoCsi(), equalizer=NoEqualizer())
SPEC = RecognizerSpec(length=32, widths=(4, 6, 8), units=(2, 1, 1))
TWO_ROWS = replace(SPEC, planes=2)
TERMS = ("labels", "classifiers", "final", "features")


def learner(method=Layered(), spec=SPEC, **options):  # noqa: B008
    return Distiller(initialize(spec, 3, seed=1), (), Teaching(methods=(method,), **options), seed=2)


def loss(method, spec=SPEC, links=(LINK,)):
    return learner(method, spec)(BATCH, links, Chance(5))["layered"]


def only(**weights):
    return Layered(**{**dict.fromkeys(TERMS, 0.0), **weights})


@pytest.mark.parametrize("spec", [SPEC, TWO_ROWS], ids=["one row", "two rows"])
def test_every_term_counts_and_vanishes_at_weight_0(spec):
    """What all terms lose is the sum of what each loses alone, each as often as its weight says."""
    # Beside labels, because regressors of a codec without classifiers begin with other weights.
    labels = loss(only(labels=1.0), spec).item()
    alone = {term: loss(replace(only(labels=1.0), **{term: 1.0}), spec).item() - labels for term in TERMS[1:]}
    alone["labels"] = labels
    assert all(value > 1e-3 for value in alone.values()), alone
    weights = dict(zip(TERMS, (0.5, 2.0, 3.0, 4.0), strict=True))
    whole = sum(weight * alone[term] for term, weight in weights.items())
    # Classifiers that are trained beside others begin with the same weights as without them.
    for term in TERMS:
        value = loss(replace(only(**weights), **{term: 0.0}), spec).item()
        assert value == pytest.approx(whole - weights[term] * alone[term], rel=1e-5)


def test_a_temperature_is_that_of_its_own_term():
    for key, term in (("temperature", "classifiers"), ("final_temperature", "final")):
        for each in TERMS:
            hot, cold = (loss(replace(only(**{each: 1.0}), **{key: value})).item() for value in (8.0, 1.0))
            assert (hot != cold) == (each == term)


def test_what_teaches_is_not_moved():
    """A deeper classifier, and the last stage's features, learn from labels alone."""
    made = learner(only(classifiers=1.0))
    made(BATCH, [LINK], Chance(5))["layered"].backward()
    first, _, last = made.adapters[0].classifiers
    assert any(each.grad.any() for each in first.parameters())
    assert all(each.grad is None or not each.grad.any() for each in last.parameters())
    made = learner(only(features=1.0))
    made(BATCH, [LINK], Chance(5))["layered"].backward()
    *_, before, unit = made.student.receiver.units
    assert any(each.grad is not None and each.grad.any() for each in before.parameters())
    assert all(each.grad is None or not each.grad.any() for each in unit.parameters())
    made = learner(only(final=1.0))
    made(BATCH, [LINK], Chance(5))["layered"].backward()
    assert made.student.receiver.output.weight.grad.any()
    assert all(each.grad is None for each in made.adapters.parameters())


@pytest.mark.parametrize("learn_from", ["next", "last"])
def test_each_stage_has_its_teacher(learn_from):
    """With three stages the two rules differ in what the first learns from."""
    method = only(classifiers=1.0)
    found = loss(replace(method, learn_from=learn_from)).item()
    assert (found == loss(method).item()) == (learn_from == "next")


def test_without_transformations_it_is_plain_self_distillation():
    """The codec's own classifier teaches all stages the class alone, on the very trip that the plain loss is of."""
    method = Layered(transformations="none", learn_from="final", final=0.0)
    made = learner(method)
    assert [each.output.out_features for each in made.adapters[0].classifiers] == [3, 3, 3]
    seen = []
    for side in (made.student.transmitter, made.student.receiver):
        side.register_forward_hook(lambda *_: seen.append(1))
    assert made(BATCH, [LINK], Chance(5))["layered"] > 0
    assert len(seen) == 2, "nothing is sent twice"
    with pytest.raises(ValueError, match="learn_from must be next or last where there are transformations, got final"):
        Layered(learn_from="final")


# Views


def test_views_are_below_each_other_in_the_order_of_their_names():
    views = BATCH.views(("time_reversal", "conjugation"))
    assert len(views) == 24 and views.rows == BATCH.rows * 3
    assert torch.equal(views.samples[:8], BATCH.samples)
    assert torch.equal(views.samples[8:16], BATCH.samples.flip(1))
    assert torch.equal(views.samples[16:], BATCH.samples.conj())
    assert torch.equal(views.targets, BATCH.targets.repeat(3, 1))


def test_a_classifier_is_asked_for_class_and_transformation():
    """Told the truth of every view, classifiers lose nothing; told that of a neighbor, all."""
    (method,) = settled((only(labels=1.0),), SPEC)

    class Told(nn.Module):
        def __init__(self, answers):
            super().__init__()
            self.answers = answers

        def forward(self, stage):
            return 50.0 * nn.functional.one_hot(self.answers, 9)

    ways = torch.arange(3).repeat_interleave(8)
    for right, answers in ((True, BATCH.labels.repeat(3) * 3 + ways), (False, BATCH.labels.repeat(3) + 3 * ways)):
        made = learner(method)
        made.adapters[0].classifiers = nn.ModuleList([Told(answers)] * 3)
        assert (made(BATCH, [LINK], Chance(5))["layered"].item() < 1e-6) == right


def test_other_views_leave_the_plain_training_alone():
    """To the bit: where the method has no weight, the codec is as if it had been trained plainly."""
    settings = TrainingSettings(steps=4, batch=16, warmup=0, csi=LINK.csi, equalizer=LINK.equalizer, airs=4, clip=1e9)
    plain, alone = initialize(SPEC, 3, seed=1), initialize(SPEC, 3, seed=1)
    fit(HardLabels(plain), FrameBatches(FRAMES, 16, Chance(1)), settings, Chance(2))
    made = Distiller(alone, (), Teaching(methods=(replace(Layered(), weight=0.0),)), seed=2)
    fit(made, FrameBatches(FRAMES, 16, Chance(1)), settings, Chance(2))
    expected = plain.state_dict()
    assert all(torch.equal(each, expected[name]) for name, each in alone.state_dict().items())


def test_views_are_normalized_by_their_own_batch_and_running_statistics_are_of_plain_messages():
    made = learner()
    plain = HardLabels(copy.deepcopy(made.student))
    made.train()(BATCH, [LINK], Chance(5))
    plain.train()(BATCH, [LINK], Chance(5))
    expected = plain.codec.state_dict()
    assert all(torch.equal(each, expected[name]) for name, each in made.student.state_dict().items())
    assert all(each.track_running_stats for each in made.student.modules() if isinstance(each, nn.BatchNorm1d))
    learning = made.train()(BATCH, [LINK], Chance(5))["layered"].item()
    assert made.eval()(BATCH, [LINK], Chance(5))["layered"].item() != learning


@pytest.mark.parametrize("parts", [1, 3])
def test_every_way_meets_as_many_airs(parts, monkeypatch):
    made, seen = learner(), []
    from semcom.distillation import distiller as module

    drawing = module.draw_parts
    monkeypatch.setattr(module, "draw_parts", lambda links, *rest: seen.append(len(links)) or drawing(links, *rest))
    made(BATCH, [replace(LINK, snr_db=float(each)) for each in range(parts)], Chance(5))
    assert seen == [parts, 3 * parts]


# What is refused


@pytest.mark.parametrize("turn", ["quarter_turn", "half_turn", "three_quarter_turn"])
def test_a_turn_of_the_constellation_is_refused_with_the_reason(turn):
    with pytest.raises(ValueError, match=rf"{turn} turns the constellation of a frame, which QPSK and square QAM look"):
        check_sight([Layered(transformations=("frequency_shift", turn))], SPEC, whose="'small'")


def test_text_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="sentences have a class for every unit, and classifiers of stages tell one"):
        check_sight([Layered()], symmetric(8, 1, heads=2), whose="'small'")
    assert fitting(Layered(), symmetric(8, 1, heads=2)) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": -1.0}, "the layered terms' weights must be at least 0"),
        (dict.fromkeys(TERMS, 0.0), "the layered terms' weights must be at least 0, one of them more"),
        ({"temperature": 0.0}, "temperature must be positive"),
        ({"final_temperature": -1.0}, "temperature must be positive"),
        ({"transformations": ("conjugation", "conjugation")}, "each transformation may be named once"),
    ],
)
def test_settings_that_mean_nothing_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Layered(**change)


def test_a_teacher_is_needed_or_left_out():
    with pytest.raises(ValueError, match="teacher must be left out where no method needs one, got big"):
        Teaching(teacher="big", methods=(Layered(),))
    from semcom.distillation.soft_logits import SoftLogits

    with pytest.raises(ValueError, match="teacher must name a codec for method soft_logits to learn from, got none"):
        Teaching(methods=(Layered(), SoftLogits()))
    assert Teaching(teacher="big", methods=(Layered(), SoftLogits())).teachers == ("big",)
    with pytest.raises(ValueError, match="must be left out without a teacher"):
        Teaching(methods=(Layered(),), cleaner_db=3.0)


# Deployment


def test_nothing_of_it_is_deployed(tmp_path):
    """What is saved after training beside classifiers is a plain codec: same weights' names, same cost, same logits."""
    made = learner()
    settings = TrainingSettings(steps=3, batch=16, warmup=0, csi=LINK.csi, equalizer=LINK.equalizer)
    fit(made, FrameBatches(FRAMES, 16, Chance(1)), settings, Chance(2))
    assert sum(each.numel() for each in made.adapters.parameters()) > 0
    save_weights(made.student, tmp_path / "weights.safetensors", about={})
    plain = initialize(SPEC, 3, seed=9)
    load_weights(plain, tmp_path / "weights.safetensors")
    assert {*plain.state_dict()} == {*made.student.state_dict()}
    assert vars(count(plain.eval())) == vars(count(made.student.eval()))

    def trip(codec):
        from channels import draw
        from semcom.models.codec import air_shape
        from semcom.tasks.trip import rehearse

        return rehearse(codec, BATCH, [(LINK, draw(LINK, air_shape(codec, BATCH), Chance(4)))])

    unstripped, stripped = trip(made.student), trip(plain)
    assert torch.equal(unstripped.heard.logits, stripped.heard.logits)
    # And classifiers were there all along: they answer beside, and touch nothing.
    made.eval().adapters[0].logits(unstripped.stages)
    assert torch.equal(trip(made.student).heard.logits, stripped.heard.logits)


# Classifiers


def test_a_stage_ends_where_the_shape_changes():
    assert ends_of(RECOGNIZER_SIZES["iq_resnet20"].stage_shapes) == (2, 5, 8)
    assert ends_of(((4, 8),)) == (0,)


@pytest.mark.parametrize("size", ["iq_resnet8", "iq_resnet56", "iq_vgg", "iq_cnn1d"])
def test_classifiers_reach_the_places_of_the_last_stage(size):
    spec = RECOGNIZER_SIZES[size]
    made = StageClassifiers(spec.stage_shapes, 5, regress=True)
    last = made.shapes[-1]
    for classifier, shape in zip(made.classifiers, made.shapes, strict=True):
        features = classifier.layers(torch.zeros(2, *shape))
        assert features.shape[1] == last[0]
        assert all(found <= wanted for found, wanted in zip(features.shape[2:], last[1:], strict=True))
