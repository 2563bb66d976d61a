"""SynFlow against products written out, and what it must leave alone."""

import copy

import pytest
import torch
from torch import nn

from semcom.compression.saliency import synflow


def matrices(*weights):
    layers = []
    for weight in weights:
        layer = nn.Linear(len(weight[0]), len(weight), bias=False)
        layer.weight = nn.Parameter(torch.tensor(weight))
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers)


def ones(width, batch=1):
    return lambda network: network(torch.ones(batch, width, dtype=torch.float64))


def test_a_chain_of_matrices_by_hand() -> None:
    """Every layer's weights sum up to what flows: 1' |B| |A| 1, once for each layer."""
    network = matrices([[1.0, -2.0], [0.0, 3.0]], [[-1.0, 4.0]])
    assert synflow(network, ones(2)) == 2 * (1 * 3 + 4 * 3)
    assert synflow(network, ones(2, batch=5)) == 5 * 2 * (1 * 3 + 4 * 3)


def test_a_bias_and_a_shortcut_by_hand() -> None:
    """y = x + |w| x + |b| at x = 1: w and b each pass their own size on."""

    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = nn.Linear(1, 1)
            nn.init.constant_(self.part.weight, -0.5)
            nn.init.constant_(self.part.bias, -0.25)

        def forward(self, features):
            return features + self.part(features)

    assert synflow(Around(), ones(1)) == 0.75
    # Twice: the first unit gives 1.75; the second's own parts are 0.5 x 1.75 + 0.25, the first's 0.75 times 1.5.
    assert synflow(nn.Sequential(Around(), Around()), ones(1)) == 0.5 * 1.75 + 0.25 + 0.75 * 1.5


def test_signs_do_not_count_and_size_does() -> None:
    network = matrices([[1.0, -2.0], [0.5, 3.0]], [[-1.0, 4.0]])
    turned = matrices([[-1.0, 2.0], [0.5, 3.0]], [[1.0, -4.0]])
    doubled = matrices([[2.0, -4.0], [1.0, 6.0]], [[-1.0, 4.0]])
    assert synflow(turned, ones(2)) == synflow(network, ones(2))
    assert synflow(doubled, ones(2)) == 2 * synflow(network, ones(2))


def test_stored_statistics_or_those_of_the_input() -> None:
    network = nn.Sequential(nn.Conv1d(1, 1, 3, padding=1, bias=False), nn.BatchNorm1d(1, eps=1e-12)).eval()
    nn.init.constant_(network[0].weight, -1.0)
    network[1].running_mean.fill_(-1.0)
    network[1].running_var.fill_(4.0)

    def flow(network):
        return network(torch.ones(2, 1, 4, dtype=torch.float64))

    # Sums of 2, 3, 3, 2 less the mean's size 1, over 2: 1, 2 and with them slopes; per example 10/2 + 6/2.
    assert synflow(network, flow) == pytest.approx(2 * (10 / 2 + 6 / 2))
    # Normalized by its own mean and spread all flow is 0, and the scale of the weights does not count.
    assert synflow(network, flow, batch_statistics=True) == pytest.approx(0.0, abs=1e-9)


def test_the_network_stays_as_it_is_frozen_parts_included() -> None:
    network = matrices([[1.0, -2.0], [0.0, 3.0]], [[-1.0, 4.0]]).requires_grad_(False)
    before = copy.deepcopy(network.state_dict())
    with torch.no_grad():
        score = synflow(network, ones(2))
    assert score == 30.0
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(weight.requires_grad for weight in network.parameters())
    assert not network[0].weight.dtype.is_complex and network[0].weight.dtype == torch.float32
    assert all(weight.grad is None for weight in network.parameters())


def test_a_score_without_bounds_is_refused() -> None:
    network = matrices(*[[[3e38]]] * 20)
    with pytest.raises(ValueError, match="must be finite, got inf; use batch_statistics"):
        synflow(network, ones(1))
