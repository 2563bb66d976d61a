"""Reassembly: what stays is the same bits, adapters stand where shapes do not meet and nowhere else."""

import copy
from itertools import combinations

import pytest
import torch
from torch import nn

from semcom.compression.reassembly import Adapted, Adapter, reassemble

SHAPES = [[(4, 16)] * 3 + [(8, 8)] * 3]
FRAMES = torch.randn(6, 2, 16, generator=torch.Generator().manual_seed(4))


def bits(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same_bits(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def inner(layer):
    return layer.layer if isinstance(layer, Adapted) else layer


@pytest.mark.parametrize("shapes", [None, SHAPES], ids=["unknown shapes", "shapes"])
def test_all_layers_kept_give_the_same_bits(make_recognizer, shapes) -> None:
    network = make_recognizer(1)
    whole = reassemble(network, ((0, 1, 2, 3, 4),), shapes)
    assert whole is not network
    assert same_bits(bits(whole), bits(network))
    assert torch.equal(whole(FRAMES), network(FRAMES))
    # And in training, where batch normalization looks at the batch.
    assert torch.equal(whole.train()(FRAMES), copy.deepcopy(network).train()(FRAMES))


@pytest.mark.parametrize("kept", [kept for k in (1, 2, 3, 4) for kept in combinations(range(5), k)], ids=str)
def test_what_stays_is_the_same_bits_and_all_shapes_meet(make_recognizer, kept) -> None:
    network = make_recognizer(1)
    before = bits(network)
    pruned = reassemble(network, (kept,), SHAPES)
    assert same_bits(bits(network), before)
    assert len(pruned.units) == len(kept)
    for layer, number in zip(pruned.units, kept, strict=True):
        assert same_bits(bits(inner(layer)), bits(network.units[number]))
    assert same_bits(bits(pruned.stem), bits(network.stem))
    assert same_bits(bits(pruned.head), bits(network.head))
    assert pruned(FRAMES).shape == (6, 3)
    # The third unit leads from stage to stage; without it one adapter must, and nothing else needs one.
    assert sum(isinstance(each, Adapter) for each in pruned.modules()) == (2 not in kept)
    # Up to the first gap it computes what the whole network does.
    same = next((place for place, number in enumerate(kept) if number != place), len(kept))
    for ours, theirs in zip(pruned.features(FRAMES)[: max(0, same - 1)], network.features(FRAMES), strict=False):
        assert torch.equal(ours, theirs)


def test_an_adapter_begins_as_the_shortcut_and_is_trained(make_recognizer) -> None:
    features = torch.randn(3, 4, 16)
    adapter = Adapter((4, 16), (8, 8))
    adapted = adapter(features)
    assert torch.equal(adapted[:, :4], features.unflatten(2, (8, 2)).mean(dim=3))
    assert torch.equal(adapted[:, 4:], torch.zeros(3, 4, 8))
    assert torch.equal(Adapter((8, 5, 6), (3, 5, 6))(torch.ones(1, 8, 5, 6)), torch.ones(1, 3, 5, 6))
    assert Adapter((4, 16), (4, 8)).channels is None
    pruned = reassemble(make_recognizer(1), ((0, 4),), SHAPES)
    pruned(FRAMES).sum().backward()
    assert all(weight.grad is not None for weight in pruned.parameters())


def test_a_pruned_network_is_pruned_again_saved_and_loaded(make_recognizer) -> None:
    pruned = reassemble(make_recognizer(1), ((0, 3, 4),), SHAPES)
    assert same_bits(bits(reassemble(pruned, ((0, 1, 2),))), bits(pruned))
    other = reassemble(make_recognizer(2), ((0, 3, 4),), SHAPES)
    other.load_state_dict(pruned.state_dict())
    assert torch.equal(other(FRAMES), pruned(FRAMES))


def test_an_adapter_has_the_precision_of_its_network(make_recognizer) -> None:
    pruned = reassemble(make_recognizer(1).double(), ((0, 4),), SHAPES)
    assert pruned(FRAMES.double()).dtype == torch.float64


@pytest.mark.parametrize("kept", [(), ((0,), (0,)), ((),), ((1, 0),), ((0, 0),), ((5,),), ((-1, 2),)], ids=str)
def test_what_no_network_can_keep_is_refused(make_recognizer, kept) -> None:
    with pytest.raises(ValueError, match="kept layers must be"):
        reassemble(make_recognizer(1), kept, SHAPES)


def test_shapes_that_cannot_be_are_refused(make_recognizer) -> None:
    with pytest.raises(ValueError, match="5 layers have 6 shapes around them, got 5"):
        reassemble(make_recognizer(1), ((0,),), [SHAPES[0][:5]])
    with pytest.raises(ValueError, match=r"as many or fewer places, got \(8, 8\) to \(4, 16\)"):
        Adapter((8, 8), (4, 16))
    with pytest.raises(ValueError, match=r"stacks\(\), got Linear"):
        reassemble(nn.Linear(1, 1), ((0,),))
