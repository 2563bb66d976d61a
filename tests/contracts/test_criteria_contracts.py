"""What every way of choosing layers keeps; a new one is tested by being named in the catalog."""

import typing
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.compression.codec_layers import codec_evidence
from semcom.compression.criteria import CRITERIA, AnyCriterion
from semcom.compression.layer_pruning import LayerPruning
from semcom.mistakes import UserMistake
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.semantic_spec import symmetric
from semcom.sources.batches import make_batch
from semcom.tasks.trip import rehearse

DEPTH = 3
LINK = Link(snr_db=6.0)
BATCH = make_batch([[4 + (5 * row + 3 * place) % 15 for place in range(3 + row % 3)] for row in range(6)])
CODEC = initialize(replace(symmetric(8, DEPTH, heads=2), symbols_per_token=2), 19, seed=1).eval()

# Each criterion as it is, and with every choice that has names.
VARIANTS = [
    replace(make(), **{field.name: choice})
    for make in CRITERIA
    for field in fields(make)
    for choice in typing.get_args(typing.get_type_hints(make)[field.name])
    if isinstance(choice, str)
]
each_criterion = pytest.mark.parametrize("criterion", list(dict.fromkeys(VARIANTS)), ids=str)


def trip(codec):
    return rehearse(codec, BATCH, [(LINK, draw(LINK, air_shape(codec, BATCH), Chance(1)))])


def logits(codec):
    return trip(codec).heard.logits


@torch.no_grad()
def trips():
    return [trip(CODEC)]


@torch.no_grad()
def loss(codec):
    return float(torch.nn.functional.cross_entropy(logits(codec)[BATCH.mask], BATCH.tokens[BATCH.mask]))


def evidence(seed=3):
    return codec_evidence(CODEC, trips, loss=loss, chance=Chance(seed))


def test_kinds_are_names_and_the_union_is_the_catalog() -> None:
    assert typing.get_args(AnyCriterion) == CRITERIA
    assert len({make().kind for make in CRITERIA}) == len(CRITERIA)
    assert all(is_dataclass(make) and make.__doc__ for make in CRITERIA)


@each_criterion
def test_a_criterion_is_a_frozen_value(criterion) -> None:
    with pytest.raises(FrozenInstanceError):
        criterion.kind = "other"
    assert replace(criterion) == criterion
    assert hash(replace(criterion)) == hash(criterion)


@each_criterion
@pytest.mark.parametrize("keep", [(1, 2), (2, 2), (3, 1)], ids=str)
def test_it_keeps_as_many_as_asked_in_order_and_says_so_again(criterion, keep) -> None:
    kept = criterion.choose(evidence(), keep)
    assert tuple(len(numbers) for numbers in kept) == keep
    assert all(numbers == tuple(sorted(set(numbers))) and set(numbers) <= set(range(DEPTH)) for numbers in kept)
    assert all(type(number) is int for numbers in kept for number in numbers)
    assert criterion.choose(evidence(), keep) == kept


@each_criterion
def test_all_layers_kept_are_all_layers_and_the_same_bits(criterion) -> None:
    pruned = LayerPruning(DEPTH, choose=criterion).prune(evidence())
    assert [stack["kept"] for stack in pruned.account["stacks"]] == [(0, 1, 2), (0, 1, 2)]
    assert torch.equal(logits(pruned.network), logits(CODEC))


@each_criterion
def test_choosing_leaves_no_trace(criterion) -> None:
    before, state = {name: tensor.clone() for name, tensor in CODEC.state_dict().items()}, torch.get_rng_state()
    criterion.choose(evidence(), (2, 1))
    assert all(torch.equal(tensor, before[name]) for name, tensor in CODEC.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert not CODEC.training
    assert all(weight.grad is None and weight.requires_grad for weight in CODEC.parameters())


@each_criterion
def test_more_than_there_are_is_the_users_mistake(criterion) -> None:
    with pytest.raises(UserMistake, match="keep must be from 1 to 3, the layers of stack 1, got 4"):
        criterion.choose(evidence(), (2, 4))
