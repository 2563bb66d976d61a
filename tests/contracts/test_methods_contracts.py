"""What every method of learning from a teacher keeps; a new one is tested by being named in the catalog."""

import inspect
import typing
from dataclasses import FrozenInstanceError, fields, replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.distillation.catalog import METHODS, AnyMethod
from semcom.distillation.distiller import Distiller
from semcom.models.codec import initialize
from semcom.models.spec import symmetric
from semcom.models.trace import Heard, Sent, Trace
from semcom.sources.batches import make_batch
from semcom.tasks.text import rehearse

VOCABULARY = 19
LINK = Link(snr_db=4.0, interferers=1)
BATCH = make_batch([[4 + (5 * row + 3 * place) % 15 for place in range(3 + row % 3)] for row in range(6)])
each_method = pytest.mark.parametrize("method", [make() for make in METHODS], ids=lambda method: method.kind)


def codec(seed, *, width=8, layers=1):
    return initialize(replace(symmetric(width, layers, heads=2), symbols_per_token=2), VOCABULARY, seed=seed)


def trip(made, *, seed=1):
    return rehearse(made, BATCH, LINK, draw(LINK, made.symbols(BATCH), Chance(seed)))


def adapters_of(method, student, teacher):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return method.adapters(student.spec, teacher.spec)


@torch.no_grad()
def make_identities(adapters):
    """Linear adapters between equal widths can be told to change nothing."""
    for layer in adapters.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.weight.copy_(torch.eye(*layer.weight.shape))
            if layer.bias is not None:
                layer.bias.zero_()


def padded(trace, extra, value):
    """The same trip with `extra` more places of padding, full of a value that must not matter."""
    rows, length = trace.mask.shape

    def longer(features):
        return torch.cat((features, features.new_full((rows, extra, *features.shape[2:]), value)), dim=1)

    def longer_symbols(symbols):
        return longer(symbols.unflatten(1, (length, -1))).flatten(1)

    return Trace(
        targets=torch.cat((trace.targets, trace.targets.new_zeros(rows, extra)), dim=1),
        mask=torch.cat((trace.mask, trace.mask.new_zeros(rows, extra)), dim=1),
        sent=Sent(longer_symbols(trace.sent.symbols), tuple(longer(each) for each in trace.sent.layers)),
        equalized=longer_symbols(trace.equalized),
        heard=Heard(
            longer(trace.heard.features),
            tuple(longer(each) for each in trace.heard.layers),
            longer(trace.heard.logits),
        ),
    )


def test_the_catalog_and_its_type_name_the_same_methods():
    assert typing.get_args(AnyMethod) == METHODS
    kinds = [make().kind for make in METHODS]
    assert len(set(kinds)) == len(kinds)
    assert "hard_labels" not in kinds, "the plain loss has that name"


@each_method
def test_a_method_is_a_frozen_value_with_a_weight_and_a_kind(method):
    assert method == type(method)()
    assert hash(method) == hash(type(method)())
    assert fields(method)[-1].name == "kind"
    assert typing.get_args(typing.get_type_hints(type(method))["kind"]) == (method.kind,)
    assert method.weight > 0
    assert replace(method, weight=0.25) != method
    with pytest.raises(FrozenInstanceError):
        method.weight = 2.0
    assert inspect.getdoc(type(method))


@each_method
def test_a_loss_is_one_finite_number_that_is_not_negative(method):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    loss = method.loss(trip(student), trip(teacher), adapters_of(method, student, teacher))
    assert loss.shape == ()
    assert loss.isfinite()
    assert loss > 0, "two different codecs disagree"


@each_method
def test_who_does_as_the_teacher_does_loses_nothing(method):
    one, other = codec(1), codec(1)
    adapters = adapters_of(method, one, other)
    make_identities(adapters)
    assert method.loss(trip(one), trip(other), adapters).item() == pytest.approx(0, abs=1e-6)


@each_method
def test_padding_does_not_matter(method):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    ours, theirs = trip(student), trip(teacher)
    adapters = adapters_of(method, student, teacher)
    alone = method.loss(ours, theirs, adapters)
    beside = method.loss(padded(ours, 3, 5.0), padded(theirs, 3, -2.0), adapters)
    assert beside.item() == pytest.approx(alone.item(), rel=1e-5)


@each_method
def test_the_order_of_sentences_does_not_matter(method):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    ours, theirs = trip(student), trip(teacher)
    turn = torch.arange(len(BATCH) - 1, -1, -1)

    def turned(trace):
        return Trace(
            trace.targets[turn],
            trace.mask[turn],
            Sent(trace.sent.symbols[turn], tuple(each[turn] for each in trace.sent.layers)),
            trace.equalized[turn],
            Heard(
                trace.heard.features[turn], tuple(each[turn] for each in trace.heard.layers), trace.heard.logits[turn]
            ),
        )

    adapters = adapters_of(method, student, teacher)
    expected = method.loss(ours, theirs, adapters).item()
    assert method.loss(turned(ours), turned(theirs), adapters).item() == pytest.approx(expected, rel=1e-5)


@each_method
@pytest.mark.parametrize("hears", ["student", "own"])
def test_gradients_reach_the_student_and_the_adapters_alone(method, hears):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    distiller = Distiller(student, teacher, [method], label_weight=0, hears=hears)
    losses = distiller(BATCH, LINK, Chance(5))
    assert list(losses) == [method.kind]
    losses[method.kind].backward()
    assert all(each.grad is None for each in teacher.parameters())
    assert any(each.grad is not None and each.grad.any() for each in student.parameters())
    for name, each in distiller.named_parameters():
        assert each.grad is None or each.grad.isfinite().all(), name
    assert all(each.grad is not None and each.grad.any() for each in distiller.adapters.parameters())


@each_method
def test_a_weight_multiplies(method):
    student, teacher = codec(1), codec(2)
    values = []
    for weight in (1.0, 4.0):
        torch.manual_seed(3)  # adapters begin alike
        distiller = Distiller(student, teacher, [replace(method, weight=weight)], label_weight=0)
        values.append(distiller(BATCH, LINK, Chance(5))[method.kind].item())
    assert values[1] == pytest.approx(4 * values[0], rel=1e-6)
