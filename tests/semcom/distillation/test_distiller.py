"""The Distiller: a teacher that is never touched, one shared air, and every loss under its name and weight."""

import copy
from dataclasses import dataclass
from typing import Literal

import pytest
import torch

from channels import Chance, InterferenceRejecting, Link, PerSymbol, Rayleigh, draw
from semcom.distillation.distiller import Distiller
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.symbols import Symbols
from semcom.distillation.teaching import Teaching
from semcom.models.codec import air_shape
from semcom.models.trace import hard_labels, masked_mean
from semcom.sources.batches import TrainingBatches
from semcom.tasks.trip import rehearse
from semcom.training.fit import fit
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

CHANCE = Chance(7).of("step", 3)
LINK = Link(snr_db=5.0, interferers=2, fading=Rayleigh(), coherence=PerSymbol(), equalizer=InterferenceRejecting())
BOTH = [SoftLogits(temperature=2.0), Symbols()]


@dataclass(frozen=True)
class Hint:
    """A method with layers of its own to train, that also keeps the traces it was shown."""

    shown: list
    weight: float = 1.0
    kind: Literal["hint"] = "hint"
    sees = frozenset({"sent", "heard"})

    def adapters(self, student, teacher):
        return torch.nn.Linear(student.receiver.width, teacher.receiver.width)

    def loss(self, student, teacher, adapters):
        self.shown.append((student, teacher))
        gap = adapters(student.heard.features) - teacher.heard.features
        return masked_mean(gap.square().mean(dim=-1), student.mask)


@pytest.fixture
def student(make_codec):
    return make_codec(1)


@pytest.fixture
def teacher(make_codec):
    """Wider and deeper than the student, and with dropout that must never act."""
    return make_codec(2, width=12, layers=2, dropout=0.5)


def snapshot(module):
    return {name: each.detach().clone() for name, each in module.state_dict().items()}


def tensors_of(trace):
    return [
        trace.sent.symbols,
        *trace.sent.layers,
        trace.arrived.symbols,
        trace.heard.features,
        *trace.heard.layers,
        trace.heard.logits,
    ]


# The teacher


@pytest.mark.parametrize("hears", ["student", "own"])
def test_training_never_touches_the_teacher(hears, student, teacher):
    before, ours = snapshot(teacher), snapshot(student)
    distiller = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(*BOTH, Hint([])), hears=hears))
    encoded = [[4 + (5 * row + place) % 15 for place in range(3 + row % 3)] for row in range(20)]
    settings = TrainingSettings(steps=5, batch=5, warmup=0, interferers=(0, 1))
    fit(distiller, TrainingBatches(encoded, 5, Chance(1)), settings, Chance(2))
    after = snapshot(teacher)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(each.grad is None and not each.requires_grad for each in teacher.parameters())
    changed = snapshot(student)
    assert not any(torch.equal(ours[name], changed[name]) for name in ours if name.endswith("weight"))


def test_a_teacher_without_gradients_is_no_part_of_what_is_trained_or_saved(student, teacher):
    distiller = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(*BOTH, Hint([]))))
    theirs = {id(each) for each in teacher.parameters()}
    assert not theirs & {id(each) for each in distiller.parameters()}
    assert not {id(each) for each in teacher.modules()} & {id(each) for each in distiller.modules()}
    assert {name.split(".")[0] for name in distiller.state_dict()} == {"student", "adapters"}
    assert distiller.teachers == (teacher,)


def test_adapters_are_trained_beside_the_student(student, teacher):
    distiller = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(SoftLogits(), Hint([]))))
    trained = dict(distiller.named_parameters())
    assert {name for name in trained if not name.startswith("student.")} == {"adapters.1.weight", "adapters.1.bias"}
    assert all(each.requires_grad for each in trained.values())


def test_the_adapters_depend_on_the_seed_alone(student, teacher):
    def made(seed):
        torch.rand(3)  # somebody else draws from torch's own generator
        return snapshot(
            Distiller(student, [teacher], Teaching(teacher="teacher", methods=(Hint([]),)), seed=seed).adapters
        )["0.weight"]

    state = torch.get_rng_state()
    first = made(5)
    torch.set_rng_state(state)
    torch.rand(7)
    assert torch.equal(first, made(5))
    assert not torch.equal(first, made(6))
    torch.set_rng_state(state)
    Distiller(student, [teacher], Teaching(teacher="teacher", methods=(Hint([]),)))
    assert torch.equal(state, torch.get_rng_state()), "and nobody else's chance depends on them"


def test_training_mode_never_reaches_the_teacher(student, teacher, batch):
    shown = []
    distiller = Distiller(student, [teacher.train()], Teaching(teacher="teacher", methods=(Hint(shown),)))
    for mode in (True, False, True):
        distiller.train(mode)
        assert student.training is mode
        assert not any(each.training for each in teacher.modules())
    # The student has no dropout, so all that could differ between two rehearsals is the teacher's.
    distiller(batch, [LINK], CHANCE)
    distiller(batch, [LINK], CHANCE)
    assert all(torch.equal(one, two) for one, two in zip(tensors_of(shown[0][1]), tensors_of(shown[1][1]), strict=True))


@pytest.mark.parametrize("hears", ["student", "own"])
def test_what_the_teacher_says_is_a_constant(hears, student, teacher, batch):
    shown = []
    Distiller(student, [teacher], Teaching(teacher="teacher", methods=(Hint(shown),), hears=hears))(
        batch, [LINK], CHANCE
    )
    ours, theirs = shown[0]
    assert not any(each.requires_grad for each in tensors_of(theirs))
    assert all(each.requires_grad for each in tensors_of(ours))


# Whose signal the teacher reads


def test_by_default_the_teachers_receiver_reads_exactly_the_students_signal(student, teacher, batch):
    shown = []
    Distiller(student, [teacher], Teaching(teacher="teacher", methods=(Hint(shown),)))(batch, [LINK], CHANCE)
    ours, theirs = shown[0]
    expected = rehearse(student, batch, [(LINK, draw(LINK, air_shape(student, batch), CHANCE))])
    assert torch.equal(ours.arrived.symbols, expected.arrived.symbols)
    assert torch.equal(theirs.arrived.symbols, expected.arrived.symbols)
    assert torch.equal(theirs.heard.logits, teacher.hear(expected.arrived, batch).logits)
    assert torch.equal(theirs.sent.symbols, teacher.send(batch).symbols), "its transmitter still speaks for itself"
    assert torch.equal(theirs.targets, batch.tokens)
    assert torch.equal(theirs.mask, batch.mask)


def test_with_its_own_signal_the_teacher_meets_the_very_same_air(student, teacher, batch):
    shown = []
    Distiller(student, [teacher], Teaching(teacher="teacher", methods=(Hint(shown),), hears="own"))(
        batch, [LINK], CHANCE
    )
    ours, theirs = shown[0]
    air = draw(LINK, air_shape(student, batch), CHANCE)
    for trace, codec in ((ours, student), (theirs, teacher)):
        expected = rehearse(codec, batch, [(LINK, air)])
        assert all(torch.equal(one, two) for one, two in zip(tensors_of(trace), tensors_of(expected), strict=True))
    assert not torch.equal(ours.arrived.symbols, theirs.arrived.symbols)


@pytest.mark.parametrize("hears", ["student", "own"])
def test_a_copy_of_the_teacher_has_nothing_to_learn_from_it(hears, make_codec, batch):
    teacher = make_codec(2)
    losses = Distiller(
        copy.deepcopy(teacher), [teacher], Teaching(teacher="teacher", methods=tuple(BOTH), label_weight=0, hears=hears)
    )(batch, [LINK], CHANCE)
    assert {name: loss.item() for name, loss in losses.items()} == {"soft_logits": 0, "symbols": 0}


# Losses, their names and weights


def test_every_method_adds_its_weighted_loss_under_its_kind(student, teacher, batch):
    shown = []
    hint = Hint(shown, weight=0.25)
    methods = [SoftLogits(weight=3.0, temperature=2.0), Symbols(weight=0.5), hint]
    distiller = Distiller(student, [teacher], Teaching(teacher="teacher", methods=tuple(methods), label_weight=0.7))
    losses = distiller(batch, [LINK], CHANCE)
    traces = shown[0]
    assert list(losses) == ["hard_labels", "soft_logits", "symbols", "hint"]
    assert all(loss.shape == () for loss in losses.values())
    bare = {each.kind: each.loss(*traces, layer) for each, layer in zip(methods, distiller.adapters, strict=True)}
    assert torch.equal(losses["hard_labels"], 0.7 * hard_labels(traces[0]))
    for method in methods:
        assert torch.equal(losses[method.kind], method.weight * bare[method.kind])


def test_the_plain_loss_is_that_of_the_plain_objective(student, teacher, batch):
    """So the control of a distillation is the same training without the method, and nothing else."""
    plain = HardLabels(student)(batch, [LINK], CHANCE)["hard_labels"]
    assert torch.equal(
        Distiller(student, [teacher], Teaching(teacher="teacher", methods=tuple(BOTH)))(batch, [LINK], CHANCE)[
            "hard_labels"
        ],
        plain,
    )


@pytest.mark.parametrize("weight", [0, 0.0])
def test_a_label_weight_of_zero_leaves_the_labels_out(weight, student, teacher, batch):
    losses = Distiller(student, [teacher], Teaching(teacher="teacher", methods=tuple(BOTH), label_weight=weight))(
        batch, [LINK], CHANCE
    )
    assert list(losses) == ["soft_logits", "symbols"]


def test_the_student_learns_from_every_term(student, teacher, batch):
    distiller = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(*BOTH, Hint([]))))
    for name, loss in distiller(batch, [LINK], CHANCE).items():
        gradients = torch.autograd.grad(
            loss, list(student.transmitter.parameters()), retain_graph=True, allow_unused=True
        )
        assert any(each is not None and each.any() for each in gradients), name
        assert all(each is None or each.isfinite().all() for each in gradients), name


def test_two_methods_of_one_kind_are_refused_or_both_count(student, teacher, batch):
    """Losses are named by kind: the second must not quietly take the place of the first."""
    cold, warm = SoftLogits(temperature=1.0), SoftLogits(temperature=4.0)

    def total(methods):
        return sum(
            Distiller(student, [teacher], Teaching(teacher="teacher", methods=tuple(methods), label_weight=0))(
                batch, [LINK], CHANCE
            ).values()
        ).item()

    try:
        together = total([cold, warm])
    except ValueError as refused:
        assert "soft_logits" in str(refused)
    else:
        assert together == pytest.approx(total([cold]) + total([warm]), rel=1e-5)


def test_the_same_chance_gives_the_same_losses_and_another_gives_others(student, teacher, batch):
    distiller = Distiller(student, [teacher], Teaching(teacher="teacher", methods=tuple(BOTH)))
    first, again, other = (
        {name: loss.item() for name, loss in distiller(batch, [LINK], chance).items()}
        for chance in (CHANCE, CHANCE, Chance(8))
    )
    assert first == again
    assert first["soft_logits"] != other["soft_logits"]
    assert first["symbols"] == other["symbols"], "what is sent knows nothing of the air"


# What goes together


@pytest.mark.parametrize("hears", ["student", "own"])
@pytest.mark.parametrize("teaching", ["parallel", "autoregressive"])
@pytest.mark.parametrize("learning", ["parallel", "autoregressive"])
def test_either_decoding_may_teach_either(learning, teaching, hears, make_codec, batch):
    student, teacher = make_codec(1, decoding=learning), make_codec(2, width=12, layers=2, decoding=teaching)
    losses = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(*BOTH, Hint([])), hears=hears))(
        batch, [LINK], CHANCE
    )
    total = sum(losses.values())
    total.backward()
    assert total.isfinite()
    unreached = [
        name for name, each in student.named_parameters() if each.grad is None or not each.grad.isfinite().all()
    ]
    assert unreached == []


@pytest.mark.parametrize("hears", ["student", "own"])
def test_codecs_with_unequal_bandwidth_are_refused(hears, make_codec):
    with pytest.raises(ValueError, match="equally many symbols a unit to share the air, got 2 and 3"):
        Distiller(
            make_codec(1),
            [make_codec(2, symbols_per_token=3)],
            Teaching(teacher="teacher", methods=(SoftLogits(),), hears=hears),
        )


def test_codecs_with_unequal_vocabularies_are_refused(make_codec):
    with pytest.raises(ValueError, match="must choose from the same answers, got 19 and 21 of them"):
        Distiller(make_codec(1), [make_codec(2, vocabulary=21)], Teaching(teacher="teacher", methods=(SoftLogits(),)))


def test_a_refused_teacher_is_left_as_it_was(make_codec):
    teacher = make_codec(2, symbols_per_token=3).train()
    with pytest.raises(ValueError, match="symbols a unit"):
        Distiller(make_codec(1), [teacher], Teaching(teacher="teacher", methods=tuple(BOTH)))
    assert teacher.training
    assert all(each.requires_grad for each in teacher.parameters())


def test_a_student_comes_closer_to_its_teacher(make_codec):
    """A few dozen steps without any label: the student must agree more with the teacher than it did."""
    encoded = [[4 + (5 * row + 3 * place) % 15 for place in range(4)] for row in range(24)]
    distiller = Distiller(
        make_codec(1), [make_codec(2, width=12)], Teaching(teacher="teacher", methods=tuple(BOTH), label_weight=0)
    )
    settings = TrainingSettings(steps=40, batch=8, warmup=4, learning_rate=1e-2, snr_db=10.0)
    said = []
    batches = TrainingBatches(encoded, 8, Chance(1))

    def validate() -> float:
        with torch.no_grad():
            said.append({name: loss.item() for name, loss in distiller(batches.at(0), [Link()], CHANCE).items()})
        return 0.0

    validate()
    fit(distiller, batches, settings, Chance(2), validate=validate)
    assert said[-1]["soft_logits"] < 0.5 * said[0]["soft_logits"]
    assert said[-1]["symbols"] < 0.9 * said[0]["symbols"]


@pytest.mark.parametrize("more", [{"hears": "own"}, {"cleaner_db": 3.0}, {"teacher_interferers": "none"}], ids=str)
def test_the_teachers_own_receiver_learns_from_one_that_hears_more(more, make_codec, batch):
    student, teacher = make_codec(1, tied=False), make_codec(2, tied=False)
    student.receiver.load_state_dict(teacher.receiver.state_dict())
    student.receiver.requires_grad_(False)
    with pytest.raises(ValueError, match="and hears the same"):
        Distiller(student, [teacher], Teaching(teacher="teacher", methods=(SoftLogits(),)))
    losses = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(SoftLogits(),), **more))(
        batch, [LINK], CHANCE
    )
    assert losses["soft_logits"].item() > 1e-4
