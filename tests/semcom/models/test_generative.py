"""Layers that are generated: the mask in two dimensions, free running against teacher forcing, and plugging in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from channels import Chance, Link, draw
from semcom.compression.cost import count
from semcom.models.codec import air_shape
from semcom.models.generative import GenerativeCodec
from semcom.models.generative_layers import LayerGenerator, LayerHeads, maker
from semcom.models.generative_spec import GenerativeSpec
from semcom.models.make import initialize, spec_from
from semcom.models.plugged_spec import GeneratorSpec
from semcom.models.semantic_spec import SideSpec, symmetric
from semcom.sources.batches import make_batch
from semcom.tasks.trip import rehearse

VOCABULARY = 19
PLUGGED = replace(symmetric(8, 3, heads=2), symbols_per_token=2)
SPEC = GenerativeSpec(plugged=PLUGGED, width=12, heads=3, feedforward=20)
BATCH = make_batch([[4 + (5 * row + 3 * place) % 15 for place in range(3 + row % 3)] for row in range(6)])
LINK = Link(snr_db=4.0, interferers=1)
ROWS, LENGTH, LAYERS = 2, 5, 4


def generator(*, depth: int = 2, **changes: Any) -> LayerGenerator:
    inside = SideSpec(width=12, layers=depth, heads=3, feedforward=20)
    spec = GeneratorSpec("generated", 8, tuple(range(1, LAYERS + 1)), inside, skip=True, project=True, dropout=0.0)
    torch.manual_seed(3)
    made = maker(replace(spec, **changes))
    assert isinstance(made, LayerGenerator)
    return taught(made)


def taught(made: Any) -> Any:
    """With weights as after some training: projections begin at nothing."""
    for each in made.modules():
        if isinstance(each, torch.nn.Linear):
            each.reset_parameters()
    return made.eval()


def features(seed: int) -> torch.Tensor:
    return torch.randn(ROWS, LENGTH, 8, generator=torch.Generator().manual_seed(seed))


def codec(spec: GenerativeSpec = SPEC, *, seed: int = 1) -> GenerativeCodec:
    made = taught(initialize(spec, VOCABULARY, seed=seed))
    assert isinstance(made, GenerativeCodec)
    return made


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("row", range(LAYERS))
def test_a_row_of_the_grid_moves_no_layer_below_and_every_place_of_those_from_it_on(row: int, depth: int) -> None:
    made = generator(depth=depth, skip=False)
    rows = [features(index) for index in range(LAYERS)]
    before = made.forced(rows)
    rows[row] = rows[row].clone()
    rows[row][:, 2] += torch.randn(8, generator=torch.Generator().manual_seed(9))
    after = made.forced(rows)
    for layer, (one, other) in enumerate(zip(before, after, strict=True)):
        moved = (one - other).abs().amax(dim=-1)
        assert (moved == 0).all() if layer < row else (moved > 1e-6).all(), layer


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("changes", [{}, {"skip": False}, {"project": False, "places": 12}], ids=str)
def test_running_free_is_being_forced_to_ones_own_layers(padded: bool, changes: dict[str, Any]) -> None:
    made = generator(**changes)
    first = torch.randn(ROWS, LENGTH, made.spec.places, generator=torch.Generator().manual_seed(1))
    mask = torch.arange(LENGTH)[None] < torch.tensor([3, 5])[:, None] if padded else None
    seen = None if mask is None else mask[:, None, None]
    free = made(first, seen)
    forced = made(first, seen, guide=free)
    for one, other in zip(free, forced, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(made(first, seen, guide=[each.flip(-1) for each in free])[-1], free[-1], atol=1e-3)


def test_of_a_teachers_layers_those_that_are_made_are_followed() -> None:
    made = generator(wanted=(2, 4))
    first, theirs = features(0), [features(index) for index in range(1, 5)]
    torch.testing.assert_close(made(first, None, guide=theirs)[1], made.forced([first, theirs[1]])[1])
    with pytest.raises(ValueError, match="must have layer 4"):
        made(first, None, guide=theirs[:3])


def test_each_row_is_computed_once_when_running_free() -> None:
    made, asked = generator(depth=1), list[int]()
    made.block[0].attention.key.register_forward_hook(lambda _, given, __: asked.append(given[0].shape[1]))  # type: ignore[union-attr]
    made(features(1))
    assert asked == [LENGTH] * LAYERS


def test_heads_see_nothing_of_each_other_and_no_guide() -> None:
    inside = SideSpec(width=12, layers=1, heads=3, feedforward=20)
    heads = maker(GeneratorSpec("heads", 8, (1, 2, 3), inside, skip=True, project=True, dropout=0.0))
    assert isinstance(heads, LayerHeads)
    taught(heads)
    first = features(1)
    before = heads(first)
    torch.testing.assert_close(heads(first, None, guide=[features(5)] * 3)[2], before[2], rtol=0, atol=0)
    torch.nn.init.zeros_(heads.heads[0].weight)  # type: ignore[arg-type]
    after = heads(first)
    assert [torch.equal(one, other) for one, other in zip(before, after, strict=True)] == [False, True, True]


@pytest.mark.parametrize("family", ["generated", "heads"])
def test_with_a_skip_every_layer_begins_as_what_enters(family: Any) -> None:
    inside = SideSpec(width=12, layers=1, heads=3, feedforward=20)
    made = maker(GeneratorSpec(family, 8, (1, 2, 3), inside, skip=True, project=True, dropout=0.0)).eval()
    assert all(torch.equal(each, features(1)) for each in made(features(1)))


@pytest.mark.parametrize("family", ["generated", "heads"])
def test_padding_moves_nothing(family: Any) -> None:
    spec = replace(SPEC, family=family)
    made, other = codec(spec), make_batch([[5, 9, 7]])
    longer = make_batch([[5, 9, 7], [6, 8, 10, 11, 12, 4]])
    alone, beside = made.send(other), made.send(longer)
    torch.testing.assert_close(beside.symbols[:1, :6], alone.symbols, rtol=1e-4, atol=1e-5)
    assert not beside.symbols[0, 6:].any()
    airs = [(Link(snr_db=60.0), draw(Link(snr_db=60.0), air_shape(made, longer), Chance(1)))]
    heard = rehearse(made, longer, airs).heard
    changed = replace(longer, tokens=torch.where(longer.mask, longer.tokens, 13))
    torch.testing.assert_close(rehearse(made, changed, airs).heard.logits[0, :3], heard.logits[0, :3])


def test_a_guide_leads_both_sides() -> None:
    made, teacher = codec(), initialize(PLUGGED, VOCABULARY, seed=5).eval()
    airs = [(LINK, draw(LINK, air_shape(made, BATCH), Chance(1)))]
    theirs = rehearse(teacher, BATCH, airs)
    free, led = made.send(BATCH), made.send(BATCH, theirs.sent)
    torch.testing.assert_close(free.layers[0], led.layers[0], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(free.layers[1], led.layers[1], atol=1e-3)
    heard, followed = made.hear(theirs.arrived, BATCH), made.hear(theirs.arrived, BATCH, theirs.heard)
    assert not torch.allclose(heard.layers[2], followed.layers[2], atol=1e-3)


@pytest.mark.parametrize("generates", ["encoder", "decoder", "both"])
def test_plugged_in_all_but_the_makers_is_the_codecs_around_and_frozen(generates: Any) -> None:
    made = codec(replace(SPEC, generates=generates))
    around = initialize(PLUGGED, VOCABULARY, seed=5).eval()
    made.plug_in(around)
    trained = {name for name, each in made.named_parameters() if each.requires_grad}
    sides = {"transmitter": generates != "decoder", "receiver": generates != "encoder"}
    assert {name.split(".")[0] for name in trained} == {name for name, makes in sides.items() if makes}
    assert all(name.split(".")[1] == "maker" for name in trained)
    theirs = around.state_dict()
    for name, each in made.state_dict().items():
        assert ".maker." in name or torch.equal(each, theirs[name]), name
    if generates == "decoder":
        assert torch.equal(made.send(BATCH).symbols, around.send(BATCH).symbols)


def test_with_the_teachers_layers_in_its_place_a_student_is_its_teacher() -> None:
    """Whoever made the teacher's layers to the bit would send and say what it does: the rest is plugged in."""

    class Copy(torch.nn.Module):
        def __init__(self, layers: tuple[torch.Tensor, ...]) -> None:
            super().__init__()
            self.layers = layers

        def forward(self, *_: object) -> tuple[torch.Tensor, ...]:
            return self.layers

    made, around = codec(), initialize(PLUGGED, VOCABULARY, seed=5).eval()
    made.plug_in(around)
    airs = [(LINK, draw(LINK, air_shape(made, BATCH), Chance(1)))]
    theirs = rehearse(around, BATCH, airs)
    made.transmitter.maker, made.receiver.maker = Copy(theirs.sent.layers), Copy(theirs.heard.layers)
    ours = rehearse(made, BATCH, airs)
    assert torch.equal(ours.sent.symbols, theirs.sent.symbols)
    assert torch.equal(ours.heard.logits, theirs.heard.logits)


def test_what_is_plugged_in_drops_nothing_in_training() -> None:
    around = initialize(replace(PLUGGED, dropout=0.5), VOCABULARY, seed=5).eval()
    made = codec(replace(SPEC, plugged=replace(PLUGGED, dropout=0.5), generates="decoder"))
    made.plug_in(around)
    assert torch.equal(made.train().send(BATCH).symbols, around.send(BATCH).symbols)


def test_another_shape_is_not_plugged_in() -> None:
    with pytest.raises(ValueError, match="the codec around must be of the shape 3x8"):
        codec().plug_in(initialize(symmetric(8, 2, heads=2), VOCABULARY, seed=1))


def test_parameters_and_multiply_adds_of_a_generator_by_hand() -> None:
    cost = count(codec())
    teacher = count(initialize(PLUGGED, VOCABULARY, seed=1))
    width, inside, hidden, layers, length = 8, 12, 20, 3, 20
    layer = 4 * (inside**2 + inside) + 2 * inside * hidden + hidden + inside + 4 * inside
    own = 2 * width + width * inside + inside + layers * inside + layer + 2 * inside + inside * width + width
    theirs = 3 * (4 * (width**2 + width) + 8 * width**2 + 5 * width + 4 * width)
    assert cost.transmitter_body_parameters == teacher.transmitter_body_parameters - theirs + own
    assert cost.body_parameters == teacher.body_parameters - 2 * theirs + 2 * own
    # Row l attends l rows: scores and mixing are 2 x inside x 20 for each of 1 + 2 + 3 rows.
    grid = layers * (2 * width * inside + 4 * inside**2 + 2 * inside * hidden) + 6 * 2 * length * inside
    saved = 3 * (12 * width**2 + 2 * length * width)
    assert cost.transmitter_multiply_adds == teacher.transmitter_multiply_adds - saved + grid
    assert cost.receiver_multiply_adds == teacher.receiver_multiply_adds - saved + grid


def test_heads_cost_a_head_a_layer() -> None:
    more = replace(SPEC, plugged=replace(PLUGGED, transmitter=replace(PLUGGED.transmitter, layers=4)), family="heads")
    one, other = (count(codec(each)).transmitter_body_parameters for each in (replace(SPEC, family="heads"), more))
    assert other - one == 12 * 8 + 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"family": "fixed"}, "family must be"),
        ({"generates": "neither"}, "generates must be"),
        ({"layers": (1, 2)}, "end with 3"),
        ({"layers": (3, 1)}, "rise from 1"),
        ({"layers": (0, 3)}, "rise from 1"),
        ({"project": False}, "width must be 8"),
        ({"project": False, "family": "heads"}, "project must be true"),
        ({"plugged": replace(PLUGGED, decoding="autoregressive")}, "generates: encoder"),
        ({"heads": 5}, "multiple of heads"),
        ({"dropout": 1.0}, "dropout must be"),
    ],
)
def test_shapes_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SPEC, **changes).check_fit()


def test_a_shape_survives_the_header_of_a_weights_file() -> None:
    from semcom.identity import canonical

    chosen = replace(SPEC, layers=(1, 3))
    assert spec_from(SPEC, canonical(chosen)) == chosen
    assert chosen.wanted("sent") == (1, 3) and chosen.widths_of("sent") == (8, 8)
    assert replace(chosen, generates="encoder").wanted("heard") == (1, 2, 3)
