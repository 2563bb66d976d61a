"""What training with every method keeps: its teacher to the bit, nothing done twice, gradients of one size at any T."""

import copy
from collections import Counter
from dataclasses import fields, replace

import pytest
import torch

from channels import Arrived, Chance, Link, PerSymbol, Rayleigh, draw
from semcom.distillation import distiller as module
from semcom.distillation.catalog import METHODS
from semcom.distillation.distiller import Distiller
from semcom.distillation.method import needs_teacher
from semcom.distillation.sight import fitting
from semcom.distillation.teaching import Teaching
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import symmetric
from semcom.models.trace import Heard, Sent, Trace
from semcom.sources.batches import TrainingBatches, make_batch
from semcom.training.fit import fit
from semcom.training.settings import TrainingSettings

VOCABULARY = 19
LINK = Link(snr_db=4.0, interferers=2, fading=Rayleigh(), coherence=PerSymbol())
ENCODED = [[4 + (5 * row + 3 * place) % 15 for place in range(3 + row % 3)] for row in range(12)]
BATCH = make_batch(ENCODED[:6])
SETTINGS = TrainingSettings(steps=4, batch=5, warmup=0, interferers=(0, 1))
PRIVILEGE = {"cleaner_db": 4.0, "teacher_interferers": "none"}
OF_TEXT = [method for make in METHODS if (method := fitting(make(), symmetric(8, 1, heads=2)))]
each_method = pytest.mark.parametrize("method", OF_TEXT, ids=lambda method: method.kind)
each_signal = pytest.mark.parametrize("hears", ["student", "own"])
each_privilege = pytest.mark.parametrize("privilege", [{}, PRIVILEGE], ids=["same air", "cleaner air"])


def codec(seed, *, width=8, layers=1, **changes) -> SemanticCodec:
    return initialize(replace(symmetric(width, layers, heads=2), symbols_per_token=2, **changes), VOCABULARY, seed=seed)


@torch.no_grad()
def make_identities(distiller):
    """Projections between equal widths that change nothing."""
    for layer in distiller.adapters.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.weight.copy_(torch.eye(*layer.weight.shape))
            if layer.bias is not None:
                layer.bias.zero_()


# One air, and a teacher that stays what it is


@each_method
@each_signal
def test_a_copy_has_nothing_to_learn_in_the_air_that_both_share(method, hears):
    teacher = codec(2)
    distiller = Distiller(
        copy.deepcopy(teacher), [teacher], Teaching(teacher="teacher", methods=(method,), label_weight=0, hears=hears)
    )
    make_identities(distiller)
    found = distiller(BATCH, [LINK], Chance(5))[method.kind].item()
    if method.kind == "sequence_level":
        # To agree is not enough, one must be sure: what is left is the surprise at one's own decisions.
        logits = module.rehearse(
            teacher, BATCH, [(LINK, draw(LINK, air_shape(teacher, BATCH), Chance(5)))]
        ).heard.logits
        own = -logits.log_softmax(dim=-1).amax(dim=-1)[BATCH.mask].mean().item()
        assert found == pytest.approx(own, rel=1e-5)
    else:
        assert found == pytest.approx(0, abs=1e-6)


@each_method
@each_signal
def test_a_copy_in_cleaner_air_says_something_else(method, hears):
    """Unless only what is sent is compared, or what arrives of it, which is compared in the student's air."""
    teacher = codec(2)
    distiller = Distiller(
        copy.deepcopy(teacher),
        [teacher],
        Teaching(teacher="teacher", methods=(method,), label_weight=0, hears=hears, **PRIVILEGE),
    )
    make_identities(distiller)
    found = distiller(BATCH, [LINK], Chance(5))[method.kind].item()
    if method.sees & {"heard", "logits"}:
        assert found > 1e-4
    else:
        assert found == pytest.approx(0, abs=1e-6)


@each_method
@each_signal
def test_no_training_changes_a_bit_of_the_teacher(method, hears):
    student, teacher = codec(1), codec(2, width=12, layers=2, dropout=0.3)
    before, ours = copy.deepcopy(teacher.state_dict()), copy.deepcopy(student.state_dict())
    fit(
        Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,), hears=hears)),
        TrainingBatches(ENCODED, 5, Chance(1)),
        SETTINGS,
        Chance(2),
    )
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
    assert all(each.grad is None for each in teacher.parameters())
    assert not any(torch.equal(value, ours[name]) for name, value in student.state_dict().items())


# Nothing is done twice


@pytest.fixture
def calls(monkeypatch):
    """A function that carries one batch through a distiller and counts who ran."""

    def count(distiller):
        found = Counter()
        members = {"student": distiller.student, "teacher": distiller.teachers[0]}
        for name, member in members.items():
            for side in ("transmitter", "receiver"):
                getattr(member, side).register_forward_hook(
                    lambda *_, key=f"{name}'s {side}": found.update([key])
                )  # fmt: skip
        for name in ("draw_parts", "in_company"):
            function = getattr(module, name)

            def counted(*given, name=name, function=function, **more):
                found.update([name])
                return function(*given, **more)

            monkeypatch.setattr(module, name, counted)
        distiller(BATCH, [LINK], Chance(5))
        return found

    return count


@each_method
@each_signal
@each_privilege
def test_every_side_runs_at_most_once_and_the_teachers_transmitter_when_somebody_looks(method, hears, privilege, calls):
    found = calls(
        Distiller(
            codec(1),
            [codec(2, width=12, layers=2)],
            Teaching(teacher="teacher", methods=(method,), hears=hears, **privilege),
        )
    )
    looked_at = hears == "own" or bool(method.sees & {"sent", "received"})
    again = "received" in method.sees and (hears == "student" or bool(privilege))
    assert found == Counter(
        {
            "student's transmitter": 1,
            "student's receiver": 1,
            "teacher's transmitter": int(looked_at),
            "teacher's receiver": 1,
            "draw_parts": 1 + bool(privilege),
            # Besides the trips themselves: for a privileged signal of the student's, and for what arrives.
            "in_company": int(hears == "student" and bool(privilege)) + again,
        }
    )


@pytest.mark.parametrize(
    "method",
    [replace(each, side="decoder") if hasattr(each, "side") else each for each in OF_TEXT],
    ids=lambda method: method.kind,
)
@each_signal
@each_privilege
def test_under_its_teachers_own_transmitter_a_student_hears_what_it_would(method, hears, privilege, calls):
    """Adopted and frozen it need not run again; the losses are those of a teacher that sends for itself, to the bit."""
    teacher = codec(2, width=12, layers=2, tied=False)
    student = codec(1, width=12, layers=2, tied=False)
    student.transmitter.load_state_dict(teacher.transmitter.state_dict())
    student.transmitter.requires_grad_(False)
    if method.sees & {"sent", "received"}:
        with pytest.raises(ValueError, match="adopted and frozen"):
            Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,)))
        return
    distiller = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,), hears=hears, **privilege))
    again = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,), hears=hears, **privilege))
    again._own = hears == "own"
    found = calls(distiller)
    assert (found["teacher's transmitter"], found["teacher's receiver"], found["student's transmitter"]) == (0, 1, 1)
    expected = again(BATCH, [LINK], Chance(5))
    assert all(torch.equal(loss, expected[name]) for name, loss in distiller(BATCH, [LINK], Chance(5)).items())


@pytest.mark.parametrize("difference", ["weights", "trained", "dropout", "heads"])
def test_a_transmitter_that_is_not_quite_the_teachers_is_another(difference, calls):
    teacher = codec(2, tied=False)
    student = codec(1, tied=False, dropout=0.2 if difference == "dropout" else 0.0)
    if difference == "heads":
        student = initialize(replace(student.spec, transmitter=replace(student.spec.transmitter, heads=1)), 19, seed=1)
    student.transmitter.load_state_dict(teacher.transmitter.state_dict())
    student.transmitter.requires_grad_(difference == "trained")
    if difference == "weights":
        student.transmitter.embedding.weight.data[3, 3] += 1e-6
    found = calls(Distiller(student, [teacher], Teaching(teacher="teacher", methods=(METHODS[0](),), hears="own")))
    assert found["teacher's transmitter"] == 1


# Temperature


@pytest.mark.parametrize(
    "make",
    [make for make in METHODS if "temperature" in {each.name for each in fields(make)} and needs_teacher(make())],
    ids=lambda make: make.kind,
)
def test_the_gradient_keeps_its_size_when_the_temperature_changes(make):
    """T^2 undoes the 1/T of the logits and the 1/T of their gap: what is left tends to a constant as 1/T.

    At T = 8 the gradient would be 64 times smaller without it.
    """
    generator = torch.Generator().manual_seed(4)
    ours, gap = torch.randn((2, 4, 5, 11), generator=generator, dtype=torch.float64)
    mask = torch.ones(4, 5, dtype=torch.bool)
    nothing = torch.full((4, 5, 1), torch.nan)

    def said(logits):
        return Trace(
            targets=torch.arange(20).view(4, 5) % 11,
            mask=mask,
            sent=Sent(nothing, ()),
            arrived=Arrived(nothing, ((LINK, None),)),
            heard=Heard(nothing, (), logits),
        )

    def size(temperature):
        student = (ours / 2).requires_grad_()
        teacher = said((ours + 0.1 * gap) / 2)
        make(temperature=temperature).loss(said(student), teacher, torch.nn.Identity()).backward()
        return student.grad.norm().item()

    limit = size(1e4)
    away = [abs(size(temperature) / limit - 1) for temperature in (1.0, 2.0, 4.0, 8.0)]
    assert max(away) < 0.25
    for hotter, colder in zip(away[1:], away, strict=False):
        assert hotter < 0.7 * colder
