"""Every method in the catalog trains a tiny codec through the one loop, and lowers its own loss."""

from dataclasses import replace

import pytest
import torch

from channels import Chance, Link
from semcom.distillation.catalog import METHODS
from semcom.distillation.components import Components
from semcom.distillation.distiller import Distiller
from semcom.distillation.relations import Relations
from semcom.distillation.sight import fitting
from semcom.distillation.teaching import Teaching
from semcom.models.semantic_spec import SemanticSpec
from semcom.sources.batches import TrainingBatches
from semcom.training.fit import fit
from semcom.training.settings import TrainingSettings

ENCODED = [[4 + (5 * row + 3 * place) % 15 for place in range(3 + row % 2)] for row in range(24)]
AIR = Chance(9)
OF_TEXT = [make() for make in METHODS if fitting(make(), SemanticSpec())]


def trained(distiller):
    """The sum of the losses on one batch before and after some steps."""
    batches = TrainingBatches(ENCODED, 8, Chance(1))
    settings = TrainingSettings(steps=20, batch=8, warmup=3, learning_rate=1e-2, snr_db=(3.0, 12.0), interferers=(0, 1))

    @torch.no_grad()
    def loss():
        return sum(distiller(batches.at(0), [Link(snr_db=9.0)], AIR).values()).item()

    before = loss()
    fit(distiller, batches, settings, Chance(2))
    assert all(each.isfinite().all() for each in distiller.parameters())
    return before, loss()


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
@pytest.mark.parametrize("method", OF_TEXT, ids=lambda method: method.kind)
def test_a_few_steps_lower_the_loss(method, decoding, make_codec):
    student, teacher = make_codec(1, decoding=decoding), make_codec(2, width=12, layers=2)
    before, after = trained(
        Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,), label_weight=0))
    )
    assert after < 0.9 * before


def test_all_methods_go_together(make_codec):
    methods = [replace(method, weight=0.1) for method in OF_TEXT]
    student, teacher = make_codec(1), make_codec(2, width=12, layers=2)
    distiller = Distiller(
        student,
        [teacher],
        Teaching(
            teacher="teacher", methods=tuple(methods), cleaner_db=3.0, teacher_interferers="none", above_sinr_db=4.0
        ),
    )
    before, after = trained(distiller)
    assert after < 0.9 * before


@pytest.mark.parametrize(
    "method",
    [Components(semantic_encoder=0, channel_encoder=0), Relations(side="decoder", between="tokens")],
    ids=lambda method: method.kind,
)
def test_a_receiver_learns_under_an_adopted_transmitter(method, make_codec):
    student, teacher = make_codec(1, tied=False), make_codec(2, width=12, layers=2)
    student.transmitter.requires_grad_(False)
    before = {name: each.clone() for name, each in student.transmitter.state_dict().items()}
    first, last = trained(Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,), label_weight=0)))
    assert last < 0.9 * first
    assert all(torch.equal(each, before[name]) for name, each in student.transmitter.state_dict().items())


@pytest.mark.parametrize("method", [Components(), Components(semantic_encoder=0), Relations()])
def test_what_only_a_frozen_transmitter_could_learn_is_refused(method, make_codec):
    student = make_codec(1)
    student.transmitter.requires_grad_(False)
    with pytest.raises(ValueError, match="adopted and frozen; leave the method out, or what of it looks"):
        Distiller(student, [make_codec(2)], Teaching(teacher="teacher", methods=(method,)))
