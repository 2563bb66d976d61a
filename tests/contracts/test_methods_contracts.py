"""What every method of learning from a teacher keeps; a new one is tested by being named in the catalog.

On codecs of text, by the methods that can learn from them; on those that show a receiver alone see
test_receivers_contracts.py.
"""

import inspect
import typing
from dataclasses import FrozenInstanceError, fields, replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.distillation.catalog import METHODS, AnyMethod
from semcom.distillation.components import Components
from semcom.distillation.distiller import Distiller
from semcom.distillation.sight import fitting
from semcom.distillation.teaching import Teaching
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.semantic_spec import symmetric
from semcom.models.spec import Part
from semcom.models.trace import Attention, Heard, Sent
from semcom.sources.batches import make_batch
from semcom.tasks.trip import rehearse

VOCABULARY = 19
LINK = Link(snr_db=4.0, interferers=1)
BATCH = make_batch([[4 + (5 * row + 3 * place) % 15 for place in range(3 + row % 3)] for row in range(6)])
DECIDED = {"sequence_level"}  # targets are decisions: to agree is not enough, one must be sure
RELATING = {"attention_features", "attention_maps", "representative_keys", "relations", "similarity_preserving"}
PARTS = typing.get_args(Part)
TEXT = symmetric(8, 1, heads=2)
OF_TEXT = [method for make in METHODS if (method := fitting(make(), TEXT))]
each_method = pytest.mark.parametrize("method", OF_TEXT, ids=lambda method: method.kind)


def choices(hint):
    """The names that a field may have, those of a union included."""
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)
    return [choice for each in typing.get_args(hint) for choice in choices(each)]


# Each method as it is, and with every choice that has names.
VARIANTS = [
    variant
    for method in OF_TEXT
    for field in fields(method)
    for choice in choices(typing.get_type_hints(type(method))[field.name])
    if fitting(variant := replace(method, **{field.name: choice}), TEXT) == variant
]
VARIANTS += [Components(**{part: 0.0}) for part in ("semantic_encoder", "channel_encoder", "channel_decoder")]
VARIANTS += [Components(channel_decoder=0, semantic_decoder=0), Components(semantic_encoder=0, channel_encoder=0)]
VARIANTS = list(dict.fromkeys(VARIANTS))


def codec(seed, *, width=8, layers=1, decoding="parallel"):
    spec = replace(symmetric(width, layers, heads=2), symbols_per_token=2, decoding=decoding)
    return initialize(spec, VOCABULARY, seed=seed)


def trip(made, *, seed=1):
    trace = rehearse(made, BATCH, [(LINK, draw(LINK, air_shape(made, BATCH), Chance(seed)))])
    return made.with_attention(replace(trace, sent_arrived=trace.arrived.symbols))


def changed(trace, places, *, symbols=None, heads=None):
    """A trace whose every [batch, length, ...] tensor went through one function, and those of other shapes too."""
    length = trace.mask.shape[1]

    def each_symbol(sent):
        return places(sent.unflatten(1, (length, -1))).flatten(1)

    def each_head(attention):
        compared = (attention.queries, attention.keys, attention.values)
        return Attention(*(heads(each) for each in compared), causal=attention.causal)

    symbols, heads = symbols or each_symbol, heads or (lambda each: places(each.transpose(1, 2)).transpose(1, 2))
    sent, heard = trace.sent, trace.heard
    return replace(
        trace,
        sent=Sent(
            symbols(sent.symbols),
            tuple(places(each) for each in sent.layers),
            entering=places(sent.entering),
            attention=each_head(sent.attention),
        ),
        arrived=replace(trace.arrived, symbols=symbols(trace.arrived.symbols)),
        heard=Heard(
            places(heard.features),
            tuple(places(each) for each in heard.layers),
            places(heard.logits),
            entering=places(heard.entering),
            attention=each_head(heard.attention),
        ),
        sent_arrived=symbols(trace.sent_arrived),
    )


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
    rows, _ = trace.mask.shape

    def longer(features):
        return torch.cat((features, features.new_full((rows, extra, *features.shape[2:]), value)), dim=1)

    ends = {"targets": trace.targets.new_zeros(rows, extra), "mask": trace.mask.new_zeros(rows, extra)}
    ended = {name: torch.cat((getattr(trace, name), end), dim=1) for name, end in ends.items()}
    return replace(changed(trace, longer), **ended)


def test_the_catalog_and_its_type_name_the_same_methods():
    assert typing.get_args(AnyMethod) == METHODS
    kinds = [make().kind for make in METHODS]
    assert len(set(kinds)) == len(kinds)
    assert "hard_labels" not in kinds, "the plain loss has that name"


@pytest.mark.parametrize("method", [make() for make in METHODS], ids=lambda method: method.kind)
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
    ours, theirs = (sure(trip(each)) if method.kind in DECIDED else trip(each) for each in (one, other))
    assert method.loss(ours, theirs, adapters).item() == pytest.approx(0, abs=1e-6)


def sure(trace):
    """The same decisions without a doubt."""
    return replace(trace, heard=replace(trace.heard, logits=trace.heard.logits * 1e4))


@each_method
def test_other_air_is_another_observation_for_all_that_hear(method):
    """A codec against itself under two draws: what is sent agrees still, what is heard does not."""
    made = codec(1)
    adapters = adapters_of(method, made, made)
    make_identities(adapters)
    loss = method.loss(trip(made, seed=1), trip(made, seed=2), adapters).item()
    if method.sees & {"heard", "logits", "received"}:
        assert loss > 1e-4
    else:
        assert loss == pytest.approx(0, abs=1e-6)


def unseen(trace, part):
    """The trace with no number where a part stood."""
    nothing = changed(trace, nan, symbols=nan, heads=nan)
    if part == "sent":
        return replace(trace, sent=nothing.sent)
    if part == "received":
        return replace(trace, arrived=nothing.arrived, sent_arrived=nothing.sent_arrived)
    if part == "heard":
        return replace(trace, heard=replace(nothing.heard, logits=trace.heard.logits))
    if part == "logits":
        return replace(trace, heard=replace(trace.heard, logits=nothing.heard.logits))
    if part == "stages":
        return replace(trace, heard=replace(trace.heard, stages=tuple(map(nan, trace.heard.stages))))
    sent, heard = (replace(each, attention=None) for each in (trace.sent, trace.heard))
    return replace(trace, sent=sent, heard=heard)


def nan(features):
    return torch.full_like(features, torch.nan)


@pytest.mark.parametrize("method", VARIANTS, ids=str)
def test_what_a_method_does_not_see_does_not_count(method):
    """Else it would be asked for in vain, or refused to a student that could learn from it."""
    student, teacher = codec(1), codec(2, width=12, layers=2)
    ours, theirs = trip(student), trip(teacher)
    adapters = adapters_of(method, student, teacher)
    expected = method.loss(ours, theirs, adapters).item()
    assert method.sees < set(PARTS)
    for part in PARTS:
        if part not in method.sees:
            ours, theirs = unseen(ours, part), unseen(theirs, part)
    assert method.loss(ours, theirs, adapters).item() == expected


@pytest.mark.parametrize("method", VARIANTS, ids=str)
def test_a_method_sees_no_more_than_it_needs(method):
    """Whatever it says it sees makes a difference, on either side."""
    student, teacher = codec(1), codec(2, width=12, layers=2)
    ours, theirs = trip(student), trip(teacher)
    adapters = adapters_of(method, student, teacher)
    expected = method.loss(ours, theirs, adapters).item()
    for part in method.sees - {"attention"}:
        assert method.loss(ours, unseen(theirs, part), adapters).item() != expected
        assert method.loss(unseen(ours, part), theirs, adapters).item() != expected
    if "attention" in method.sees:
        with pytest.raises(AssertionError, match="a trace without attention"):
            method.loss(ours, unseen(theirs, "attention"), adapters)


@each_method
def test_padding_does_not_matter(method):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    ours, theirs = trip(student), trip(teacher)
    adapters = adapters_of(method, student, teacher)
    alone = method.loss(ours, theirs, adapters)
    beside = method.loss(padded(ours, 3, 5.0), padded(theirs, 3, -2.0), adapters)
    assert beside.item() == pytest.approx(alone.item(), rel=1e-5)


@each_method
def test_a_row_of_nothing_but_padding_does_not_matter(method):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    ours, theirs = trip(student), trip(teacher)
    adapters = adapters_of(method, student, teacher)
    expected = method.loss(ours, theirs, adapters).item()

    def another_row(trace, value):
        def more(features):
            return torch.cat((features, torch.full_like(features[:1], value)))

        ends = {"targets": more(trace.targets), "mask": torch.cat((trace.mask, trace.mask.new_zeros(1, 5)))}
        return replace(changed(trace, more, symbols=more, heads=more), **ends)

    found = method.loss(another_row(ours, 5.0), another_row(theirs, -2.0), adapters)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    found.backward()
    slopes = [each.grad for each in student.parameters() if each.grad is not None]
    assert slopes
    assert all(each.isfinite().all() for each in slopes)


@each_method
def test_the_order_of_places_does_not_matter(method):
    """Whatever is normalized or averaged over the places of a sentence, all of them stand in it alike."""
    student, teacher = codec(1), codec(2, width=12, layers=2)
    ours, theirs = trip(student), trip(teacher)
    turn = torch.tensor([3, 0, 4, 2, 1])

    def turned(trace):
        ends = {"targets": trace.targets[:, turn], "mask": trace.mask[:, turn]}
        return replace(changed(trace, lambda each: each[:, turn]), **ends)

    adapters = adapters_of(method, student, teacher)
    expected = method.loss(ours, theirs, adapters).item()
    assert method.loss(turned(ours), turned(theirs), adapters).item() == pytest.approx(expected, rel=1e-5)


@each_method
def test_a_token_is_compared_alone_or_related_to_all(method):
    """The mean over tokens of what each loses by itself: a softmax or a norm over the axis of length would fail this.

    The methods on relations compare tokens or sentences with each other; they are worked out by hand elsewhere.
    """
    student, teacher = codec(1), codec(2, width=12, layers=2)
    ours, theirs = trip(student), trip(teacher)
    adapters = adapters_of(method, student, teacher)

    def alone(trace, row, place):
        def cut(features):
            return features[row : row + 1, place : place + 1]

        return replace(changed(trace, cut), targets=cut(trace.targets), mask=cut(trace.mask))

    each = [
        method.loss(alone(ours, row, place), alone(theirs, row, place), adapters).item()
        for row, place in BATCH.mask.nonzero().tolist()
    ]
    together = method.loss(ours, theirs, adapters).item()
    if method.kind in RELATING:
        assert max(each) < together, "one alone stands in no relation"
    else:
        assert together == pytest.approx(sum(each) / len(each), rel=1e-5)


@each_method
def test_the_order_of_sentences_does_not_matter(method):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    ours, theirs = trip(student), trip(teacher)
    turn = torch.arange(len(BATCH) - 1, -1, -1)

    def turned(trace):
        ends = {"targets": trace.targets[turn], "mask": trace.mask[turn]}
        return replace(changed(trace, lambda each: each[turn]), **ends)

    adapters = adapters_of(method, student, teacher)
    expected = method.loss(ours, theirs, adapters).item()
    assert method.loss(turned(ours), turned(theirs), adapters).item() == pytest.approx(expected, rel=1e-5)


@each_method
@pytest.mark.parametrize("hears", ["student", "own"])
def test_gradients_reach_the_student_and_the_adapters_alone(method, hears):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    distiller = Distiller(
        student, [teacher], Teaching(teacher="teacher", methods=(method,), label_weight=0, hears=hears, cleaner_db=3.0)
    )
    losses = distiller(BATCH, [LINK], Chance(5))
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
        distiller = Distiller(
            student, [teacher], Teaching(teacher="teacher", methods=(replace(method, weight=weight),), label_weight=0)
        )
        values.append(distiller(BATCH, [LINK], Chance(5))[method.kind].item())
    assert values[1] == pytest.approx(4 * values[0], rel=1e-6)


@each_method
@pytest.mark.parametrize("teaching", ["parallel", "autoregressive"])
@pytest.mark.parametrize("learning", ["parallel", "autoregressive"])
def test_either_decoding_may_teach_either(method, learning, teaching):
    student, teacher = codec(1, decoding=learning), codec(2, width=12, layers=3, decoding=teaching)
    loss = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,), label_weight=0))(
        BATCH, [LINK], Chance(5)
    )[method.kind]
    loss.backward()
    assert loss > 0
    reached = [each.grad for each in student.parameters() if each.grad is not None]
    assert reached
    assert all(each.isfinite().all() for each in reached)


@each_method
def test_a_frozen_transmitter_is_taught_around_or_refused(method):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    student.transmitter.requires_grad_(False)
    if method.sees & {"sent", "received"}:
        with pytest.raises(ValueError, match=f"method {method.kind} must teach something"):
            Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,)))
        if "side" not in {each.name for each in fields(method)}:
            return
        method = replace(method, side="decoder")
    distiller = Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,), label_weight=0))
    distiller(BATCH, [LINK], Chance(5))[method.kind].backward()
    assert all(each.grad is None for each in student.transmitter.parameters())
    assert any(each.grad is not None and each.grad.any() for each in student.receiver.parameters())


@each_method
def test_a_frozen_receiver_passes_everything_on_to_the_transmitter(method):
    student, teacher = codec(1), codec(2, width=12, layers=2)
    student.receiver.requires_grad_(False)
    Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,), label_weight=0))(
        BATCH, [LINK], Chance(5)
    )[method.kind].backward()
    trained = [each for each in student.transmitter.parameters() if each.requires_grad]
    assert any(each.grad is not None and each.grad.any() for each in trained)
    assert all(each.grad is None for each in student.receiver.parameters())


@each_method
def test_the_teachers_own_receiver_is_taught_by_more_than_it_hears_or_refused(method):
    """On one signal it agrees with its teacher to the bit, so that what looks at it alone is 0, decisions apart."""
    layers = 1 if getattr(method, "vanishes", True) else 2  # of one layer nothing else can be looked at
    student, teacher = codec(1, layers=layers), codec(2, layers=layers)
    student.receiver.load_state_dict(teacher.receiver.state_dict())
    student.receiver.requires_grad_(False)

    def loss(**options):
        return Distiller(student, [teacher], Teaching(teacher="teacher", methods=(method,), label_weight=0, **options))(
            BATCH, [LINK], Chance(5)
        )[method.kind]

    if not method.sees & {"sent", "received"} and getattr(method, "vanishes", True):
        with pytest.raises(ValueError, match=f"method {method.kind} must teach something"):
            loss()
        # As good as the same air, and not refused.
        assert loss(cleaner_db=1e-9).item() == pytest.approx(0, abs=1e-6)
    else:
        assert loss() > 0
    assert loss(hears="own") > 0
    assert loss(cleaner_db=6.0) > 0
