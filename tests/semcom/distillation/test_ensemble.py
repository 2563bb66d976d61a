"""Several teachers: the mean of what each holds likely, for those who look at nothing else."""

import math

import numpy as np
import pytest
import torch

from channels import Chance, Link, PerSymbol, Rayleigh, draw
from semcom.distillation.catalog import METHODS
from semcom.distillation.distiller import Distiller
from semcom.distillation.ensemble import pooled
from semcom.distillation.method import LOGITS
from semcom.distillation.sight import fitting
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.teaching import Teaching
from semcom.models.codec import air_shape
from semcom.models.semantic_spec import SemanticSpec
from semcom.sources.batches import TrainingBatches
from semcom.tasks.trip import rehearse
from semcom.training.fit import fit
from semcom.training.settings import TrainingSettings

CHANCE = Chance(7).of("step", 3)
LINK = Link(snr_db=5.0, interferers=2, fading=Rayleigh(), coherence=PerSymbol())
HEARS = pytest.mark.parametrize("hears", ["student", "own"])
AGREEING = [make() for make in METHODS if make().sees == LOGITS]


class Spy(SoftLogits):
    """Soft logits that keep the teacher's trace they were shown."""

    shown: list = []  # noqa: RUF012

    def loss(self, student, teacher, adapters):
        self.shown[:] = [student, teacher]
        return super().loss(student, teacher, adapters)


@pytest.fixture
def student(make_codec):
    return make_codec(1)


@pytest.fixture
def teachers(make_codec):
    """Three of different sizes, one of them with dropout that must never act, one that decodes word after word."""
    return [
        make_codec(2, width=12, layers=2),
        make_codec(3, dropout=0.5),
        make_codec(4, width=12, decoding="autoregressive"),
    ]


def loss(student, teachers, method, batch, **options):
    distiller = Distiller(student, teachers, Teaching(teacher="teacher", methods=(method,), label_weight=0, **options))
    return distiller(batch, [LINK], CHANCE)[method.kind].item()


def test_the_mean_is_that_of_the_probabilities(make_trace):
    """p = (1/2, 1/4, 1/4) and (1/10, 8/10, 1/10): their mean is (12, 21, 7) / 40."""
    mask = torch.ones(1, 1, dtype=torch.bool)
    trips = [
        make_trace(logits=torch.tensor([[likely]], dtype=torch.float64).log() + shift, mask=mask)
        for likely, shift in (((1 / 2, 1 / 4, 1 / 4), 5.0), ((0.1, 0.8, 0.1), -3.0))
    ]
    found = pooled(trips).heard.logits.exp().flatten().tolist()
    assert found == pytest.approx([12 / 40, 21 / 40, 7 / 40], rel=1e-12)


def test_a_temperature_softens_the_mean_and_not_its_members(student, teachers, batch):
    """softmax(log p / T), p the mean, is what the student is compared with; not the mean of softmax(z / T)."""
    Distiller(student, teachers, Teaching(teacher="teacher", methods=(Spy(temperature=4.0),)))(batch, [LINK], CHANCE)
    theirs = Spy.shown[1].heard.logits[batch.mask].numpy().astype(float)
    heard = [each.hear(Spy.shown[0].arrived.detach(), batch).logits[batch.mask] for each in teachers]
    likely = [each.detach().double().softmax(dim=-1).numpy() for each in heard]
    mean = np.mean(likely, axis=0) ** (1 / 4)
    ours = np.exp(theirs / 4)
    softened = [each / each.sum(axis=-1, keepdims=True) for each in (mean, ours)]
    assert softened[1] == pytest.approx(softened[0], abs=1e-6)


@HEARS
@pytest.mark.parametrize("method", AGREEING, ids=lambda method: method.kind)
def test_teachers_that_agree_are_as_one(method, hears, student, teachers, batch):
    alone = loss(student, teachers[:1], method, batch, hears=hears)
    assert loss(student, [teachers[0]] * 3, method, batch, hears=hears) == pytest.approx(alone, rel=1e-4)
    assert loss(student, teachers, method, batch, hears=hears) != pytest.approx(alone, rel=2e-3)


@HEARS
def test_what_the_mean_forgives_is_what_the_teachers_disagree_in(hears, student, teachers, batch):
    """mean_m KL(p_m || q) = KL(p || q) + mean_m KL(p_m || p) for p the mean of the p_m, whatever q."""
    together = loss(student, teachers, SoftLogits(), batch, hears=hears)
    apart = np.mean([loss(student, [each], SoftLogits(), batch, hears=hears) for each in teachers])
    trips = []
    for each in teachers:
        Distiller(student, [each], Teaching(teacher="teacher", methods=(Spy(),), hears=hears))(batch, [LINK], CHANCE)
        trips.append(Spy.shown[1].heard.logits.double().log_softmax(dim=-1))
    mean = torch.stack(trips).exp().mean(dim=0).log()
    disagree = [(each.exp() * (each - mean)).sum(dim=-1)[batch.mask].mean().item() for each in trips]
    assert together + np.mean(disagree) == pytest.approx(apart, rel=1e-4)
    assert np.mean(disagree) > 1e-2 * apart


def test_each_hears_the_students_signal_or_its_own(student, teachers, batch):
    for each in teachers:
        each.eval()  # as the distiller will have it
    air = draw(LINK, air_shape(student, batch), CHANCE)
    signal = rehearse(student, batch, [(LINK, air)]).arrived
    expected = {
        "student": [each.hear(signal, batch).logits for each in teachers],
        "own": [rehearse(each, batch, [(LINK, air)]).heard.logits for each in teachers],
    }
    for hears, opinions in expected.items():
        Distiller(student, teachers, Teaching(teacher="teacher", methods=(Spy(),), hears=hears))(batch, [LINK], CHANCE)
        likely = torch.stack([each.softmax(dim=-1) for each in opinions]).mean(dim=0)
        assert torch.allclose(Spy.shown[1].heard.logits.exp(), likely, atol=1e-6)


def test_nothing_but_their_logits_can_be_looked_at(student, teachers, batch):
    Distiller(student, teachers, Teaching(teacher="teacher", methods=(Spy(),), hears="own"))(batch, [LINK], CHANCE)
    theirs = Spy.shown[1]
    assert theirs.heard.logits.isfinite().all()
    for each in (theirs.sent.symbols, theirs.arrived.symbols, theirs.heard.features):
        assert each.isnan().all()
    assert theirs.sent.layers == theirs.heard.layers == ()


@HEARS
def test_none_of_them_is_trained_or_saved(hears, student, teachers):
    before = [{name: value.clone() for name, value in each.state_dict().items()} for each in teachers]
    distiller = Distiller(
        student, teachers, Teaching(teacher="teacher", methods=tuple(AGREEING), hears=hears, cleaner_db=3.0)
    )
    assert {name.split(".")[0] for name in distiller.state_dict()} == {"student"}
    encoded = [[4 + (5 * row + place) % 15 for place in range(3 + row % 3)] for row in range(20)]
    settings = TrainingSettings(steps=4, batch=5, warmup=0, interferers=(0, 1))
    fit(distiller, TrainingBatches(encoded, 5, Chance(1)), settings, Chance(2))
    for each, kept in zip(teachers, before, strict=True):
        assert not each.training
        assert all(torch.equal(value, kept[name]) for name, value in each.state_dict().items())


@pytest.mark.parametrize(
    "method", [make() for make in METHODS if fitting(make(), SemanticSpec())], ids=lambda method: method.kind
)
def test_who_looks_at_more_than_logits_has_one_teacher(method, student, teachers):
    if method.sees == LOGITS:
        Distiller(student, teachers, Teaching(teacher="teacher", methods=(method,)))
        return
    with pytest.raises(ValueError, match=f"teacher must be a single one for method {method.kind}, .* got 3; name one"):
        Distiller(student, teachers, Teaching(teacher="teacher", methods=(SoftLogits(), method)))


def test_every_teacher_must_share_the_air_and_the_tokens(student, teachers, make_codec):
    with pytest.raises(ValueError, match="equally many symbols a unit to share the air, got 2 and 3"):
        Distiller(
            student,
            [*teachers, make_codec(5, symbols_per_token=3)],
            Teaching(teacher="teacher", methods=(SoftLogits(),)),
        )
    with pytest.raises(ValueError, match="must choose from the same answers, got 19 and 21 of them"):
        Distiller(
            student, [*teachers, make_codec(5, vocabulary=21)], Teaching(teacher="teacher", methods=(SoftLogits(),))
        )
    with pytest.raises(ValueError, match="must have a teacher, got an empty list"):
        Distiller(student, [], Teaching(teacher="teacher", methods=(SoftLogits(),)))


def test_sure_teachers_have_finite_logits(make_trace):
    """Each rules out what the other says; their mean is one half each."""
    mask = torch.ones(1, 1, dtype=torch.bool)
    trips = [make_trace(logits=torch.tensor([[[300.0, -300.0, 0.0]]]) * sign, mask=mask) for sign in (1, -1)]
    found = pooled(trips).heard.logits
    assert found.isfinite().all()
    assert found[0, 0, :2].tolist() == pytest.approx([-math.log(2)] * 2, rel=1e-6)


def test_under_one_teachers_transmitter_the_others_still_hear_their_own(make_codec, batch):
    """To take over one transmitter for good is not to send what every teacher would have sent."""
    student, *teachers = (make_codec(seed, tied=False) for seed in (1, 2, 3))
    student.transmitter.load_state_dict(teachers[0].transmitter.state_dict())
    student.transmitter.requires_grad_(False)
    Distiller(student, teachers, Teaching(teacher="teacher", methods=(Spy(),), hears="own"))(batch, [LINK], CHANCE)
    air = draw(LINK, air_shape(student, batch), CHANCE)
    opinions = [rehearse(each, batch, [(LINK, air)]).heard.logits for each in teachers]
    likely = torch.stack([each.softmax(dim=-1) for each in opinions]).mean(dim=0)
    assert torch.allclose(Spy.shown[1].heard.logits.exp(), likely, atol=1e-6)
