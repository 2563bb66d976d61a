"""L1 channels: which go, that the rest computes as before, and that the budget is used up but never passed."""

import copy

import pytest
import torch
from torch import nn

from semcom.compression.channel_pruning import Inside, l1_channels, narrow, strongest
from semcom.compression.cost import counted_multiply_adds

FRAMES = torch.randn(6, 2, 16, generator=torch.Generator().manual_seed(4))


def insides(network):
    return [Inside(unit.first, unit.second, unit.norm) for unit in network.units]


def cost(network):
    return counted_multiply_adds(lambda: network(FRAMES[:1]))


def test_the_strongest_channels_by_hand() -> None:
    makes = nn.Conv1d(1, 4, 2, bias=False)
    makes.weight = nn.Parameter(torch.tensor([[[1.0, -1.0]], [[0.5, 0.5]], [[-3.0, 0.0]], [[1.0, 1.0]]]))
    inside = Inside(makes, nn.Conv1d(4, 1, 1))
    assert [strongest(inside, count).tolist() for count in (1, 2, 3, 4)] == [[2], [0, 2], [0, 2, 3], [0, 1, 2, 3]]


@pytest.mark.parametrize("dimensions", [0, 1, 2])
@pytest.mark.parametrize("normalized", [False, True])
def test_channels_that_carried_nothing_are_not_missed(dimensions: int, normalized: bool) -> None:
    """With the readers of channels 1 and 3 at zero, what is left computes what the whole did."""
    make = {0: nn.Linear, 1: lambda a, b: nn.Conv1d(a, b, 3), 2: lambda a, b: nn.Conv2d(a, b, 3)}[dimensions]
    makes, reads = make(3, 5), make(5, 2)
    norm = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[dimensions](5) if normalized else None
    with torch.no_grad():
        reads.weight[:, [1, 3]] = 0.0
        if norm is not None:
            for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                tensor.uniform_(0.5, 2.0)
    network = nn.Sequential(makes, *([norm] if normalized else []), nn.ReLU(), reads).eval()
    inputs = torch.randn(4, 3, *[8] * dimensions)
    before, weight = network(inputs), makes.weight.detach().clone()
    narrow(Inside(makes, reads, norm), torch.tensor([0, 2, 4]))
    torch.testing.assert_close(network(inputs), before)
    assert torch.equal(makes.weight, weight[[0, 2, 4]])
    assert "3" in repr(makes) and "3" in repr(reads)
    network.train()(inputs).sum().backward()


def test_the_budget_is_used_up_but_never_passed(make_recognizer) -> None:
    network = make_recognizer(1)
    whole = cost(network)
    assert cost(l1_channels(network, insides, cost, whole)) == whole
    for share in (0.9, 0.5, 0.3):
        small = l1_channels(network, insides, cost, int(share * whole))
        assert cost(small) <= share * whole
        widths = [inside.width for inside in insides(small)]
        wider = copy.deepcopy(network)
        for inside, width in zip(insides(wider), widths, strict=True):
            narrow(inside, strongest(inside, min(inside.width, width + 1)))
        assert cost(wider) > share * whole
        assert small(FRAMES).shape == (6, 3)
    assert cost(network) == whole


def test_a_budget_below_one_channel_a_layer_is_refused(make_recognizer) -> None:
    with pytest.raises(ValueError, match="more than the budget of 10; allow more"):
        l1_channels(make_recognizer(1), insides, cost, 10)


def test_grouped_convolutions_are_refused() -> None:
    with pytest.raises(ValueError, match="grouped"):
        narrow(Inside(nn.Conv1d(4, 4, 1, groups=2), nn.Conv1d(4, 4, 1)), torch.tensor([0]))
