"""The teacher's air: one draw for both, with weaker noise or without the others; what arrives; which batches count."""

from dataclasses import replace

import pytest
import torch

from channels import (
    Chance,
    InterferenceRejecting,
    Link,
    Mmse,
    NoisyCsi,
    PerSymbol,
    Qam,
    Rayleigh,
    ZeroForcing,
    arrive,
    draw,
    everyone,
    superpose,
)
from semcom.distillation.distiller import Distiller
from semcom.distillation.received_symbols import ReceivedSymbols
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.symbols import Symbols
from semcom.distillation.teaching import Teaching
from semcom.models.codec import air_shape
from semcom.tasks.trip import crowd_of, rehearse

CHANCE = Chance(7).of("step", 3)
LINKS = [
    Link(snr_db=5.0, interferers=2, fading=Rayleigh(), coherence=PerSymbol(), equalizer=InterferenceRejecting()),
    Link(snr_db=2.0, interferers=1, interference=Qam(), csi=NoisyCsi(), fading=Rayleigh(), antennas=2),
    Link(snr_db=0.0, interferers=3),
]
SHAPE = (6, 10)


@pytest.fixture
def student(make_codec):
    return make_codec(1)


@pytest.fixture
def teacher(make_codec):
    return make_codec(2, width=12, layers=2)


class Spy(SoftLogits):
    """Soft logits that keep the traces they were shown."""

    shown: list = []  # noqa: RUF012

    def loss(self, student, teacher, adapters):
        self.shown[:] = [student, teacher]
        return super().loss(student, teacher, adapters)


def traces(student, teacher, batch, link, **options):
    losses = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(Spy(),), **options))(
        batch, [link], CHANCE
    )
    assert losses["soft_logits"].isfinite()
    return Spy.shown


# The draw


@pytest.mark.parametrize("link", LINKS)
def test_cleaner_air_is_the_same_draw_with_the_noise_scaled(link):
    """noise' = noise 10^(-cleaner/20), to the bit the same gains and the same sending of the same others."""
    air, cleaner = (draw(each, SHAPE, CHANCE) for each in (link, replace(link, snr_db=link.snr_db + 9.0)))
    assert torch.equal(air.gains, cleaner.gains)
    assert torch.equal(air.interference, cleaner.interference)
    assert torch.allclose(cleaner.noise, air.noise * 10 ** (-9 / 20), rtol=1e-5, atol=0)


@pytest.mark.parametrize("link", LINKS)
def test_air_without_the_others_is_the_same_draw_for_the_one(link):
    air, alone = (draw(each, SHAPE, CHANCE) for each in (link, replace(link, interferers=0)))
    assert torch.equal(air.gains[:, :1].expand_as(alone.gains), alone.gains)
    assert torch.equal(air.noise, alone.noise)
    assert alone.interference is None
    if air.csi_error is not None:
        assert torch.equal(air.csi_error[:, :1], alone.csi_error)


# What the teacher is handed


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("interferers", ["same", "none"])
@pytest.mark.parametrize("cleaner_db", [0.0, 6.0])
def test_a_privileged_teacher_reads_the_students_own_symbols(student, teacher, batch, link, interferers, cleaner_db):
    options = {"cleaner_db": cleaner_db, "teacher_interferers": interferers}
    ours, theirs = traces(student, teacher, batch, link, **options)
    granted = replace(
        link, snr_db=link.snr_db + cleaner_db, interferers=0 if interferers == "none" else link.interferers
    )
    air = draw(granted, air_shape(student, batch), CHANCE)
    sent = student.send(batch).symbols
    expected = arrive(superpose(everyone(sent, granted, air, crowd_of(sent, batch, student)), air), granted, air)
    assert torch.equal(theirs.arrived.symbols, expected.symbols)
    assert torch.equal(theirs.heard.logits, teacher.hear(expected, batch).logits)
    assert torch.equal(
        ours.arrived.symbols, rehearse(student, batch, [(link, draw(link, SHAPE, CHANCE))]).arrived.symbols
    )
    assert torch.equal(ours.arrived.symbols, theirs.arrived.symbols) == (
        options == {"cleaner_db": 0, "teacher_interferers": "same"}
    )
    assert not theirs.heard.logits.requires_grad


@pytest.mark.parametrize("link", LINKS)
def test_a_privileged_teacher_may_have_its_own_transmitter(student, teacher, batch, link):
    options = {"hears": "own", "cleaner_db": 6.0, "teacher_interferers": "none"}
    ours, theirs = traces(student, teacher, batch, link, **options)
    granted = replace(link, snr_db=link.snr_db + 6.0, interferers=0)
    expected = rehearse(teacher, batch, [(granted, draw(granted, SHAPE, CHANCE))])
    assert torch.equal(theirs.heard.logits, expected.heard.logits)
    assert torch.equal(theirs.arrived.symbols, expected.arrived.symbols)
    assert torch.equal(
        ours.arrived.symbols, rehearse(student, batch, [(link, draw(link, SHAPE, CHANCE))]).arrived.symbols
    )


def test_without_noise_or_others_the_teacher_hears_what_was_sent(student, teacher, batch):
    """AWGN at 100 dB more, zero forcing: the privileged signal is the student's symbols themselves."""
    link = Link(snr_db=-5.0, interferers=2, equalizer=ZeroForcing())
    _, theirs = traces(student, teacher, batch, link, cleaner_db=100.0, teacher_interferers="none")
    assert torch.allclose(theirs.arrived.symbols, student.send(batch).symbols, atol=1e-4)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_noise_is_never_stronger_for_the_teacher(student, teacher, value):
    with pytest.raises(ValueError, match="cleaner_db must be at least 0 and finite"):
        Distiller(student, [teacher], Teaching(teacher="teacher", methods=(SoftLogits(),), cleaner_db=value))


# What arrives


@pytest.mark.parametrize("hears", ["student", "own"])
def test_received_symbols_are_the_error_as_far_as_it_arrives(student, teacher, batch, hears):
    """One user, known gains: w h (x_s - x_t), the noise gone, whatever air the teacher's receiver is granted."""
    link = Link(snr_db=3.0, fading=Rayleigh(), coherence=PerSymbol(), equalizer=Mmse())
    distiller = Distiller(
        student,
        [teacher],
        Teaching(teacher="teacher", methods=(ReceivedSymbols(),), label_weight=0, hears=hears, cleaner_db=6.0),
    )
    found = distiller(batch, [link], CHANCE)["received_symbols"].item()
    power = draw(link, SHAPE, CHANCE).gains[:, 0, 0].abs().square()
    seen = power / (power + link.noise_power)
    gap = (seen * (student.send(batch).symbols - teacher.send(batch).symbols)).abs().square()
    expected = gap.unflatten(1, (5, 2)).mean(dim=-1)[batch.mask].mean().item()
    assert found == pytest.approx(expected, rel=1e-4)


def test_in_still_air_what_is_received_is_what_is_sent(student, teacher, batch):
    link = Link(snr_db=0.0, equalizer=ZeroForcing())
    losses = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(Symbols(), ReceivedSymbols())))(
        batch, [link], CHANCE
    )
    assert losses["received_symbols"].item() == pytest.approx(losses["symbols"].item(), rel=1e-4)


# Which batches count


@pytest.mark.parametrize(
    ("link", "counts"),
    [
        (Link(snr_db=6.1), True), (Link(snr_db=5.9), False),
        (Link(snr_db=30.0, interferers=1), False),
        (Link(snr_db=30.0, interferers=1, interference=Qam(level_db=-9)), True),
    ],
)  # fmt: skip
def test_below_a_sinr_only_the_labels_teach(student, teacher, batch, link, counts):
    options = {"label_weight": 0.5}
    always = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(SoftLogits(), Symbols()), **options))(
        batch, [link], CHANCE
    )
    found = Distiller(
        student, [teacher], Teaching(teacher="teacher", methods=(SoftLogits(), Symbols()), above_sinr_db=6.0, **options)
    )(batch, [link], CHANCE)
    assert list(found) == list(always)
    assert torch.equal(found["hard_labels"], always["hard_labels"])
    for name in ("soft_logits", "symbols"):
        assert found[name].item() == counts * always[name].item()
