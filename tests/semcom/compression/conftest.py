"""A small residual network with two stages, and the evidence by which its layers are chosen."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from channels import Chance
from semcom.compression.channel_pruning import Inside, l1_channels
from semcom.compression.evidence import Evidence, Seen
from semcom.compression.reassembly import reassemble

CLASSES, PLACES = 3, 16
SHAPES = [(4, 16)] * 3 + [(8, 8)] * 3  # around five units: the third goes from four channels to eight


class Unit(nn.Module):
    """Two convolutions around which the features go as well."""

    def __init__(self, entering, leaving):
        super().__init__()
        stride = 1 if entering == leaving else 2
        self.first = nn.Conv1d(entering, leaving, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm1d(leaving)
        self.second = nn.Conv1d(leaving, leaving, 3, padding=1)
        self.around = nn.Identity() if stride == 1 else nn.Conv1d(entering, leaving, 1, stride=2)

    def forward(self, features):
        return (self.second(self.norm(self.first(features)).relu()) + self.around(features)).relu()


class Recognizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv1d(2, 4, 3, padding=1)
        self.units = nn.ModuleList(Unit(SHAPES[i][0], SHAPES[i + 1][0]) for i in range(5))
        self.head = nn.Linear(8, CLASSES)

    def stacks(self):
        return (self.units,)

    def features(self, frames):
        found, features = [], self.stem(frames).relu()
        for unit in self.units:
            features = unit(features)
            found.append(features)
        return found

    def forward(self, frames):
        return self.head(self.features(frames)[-1].mean(dim=2))


def recognizer(seed: int) -> Recognizer:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Recognizer().eval()


def frames(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Tones of three frequencies in noise."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.arange(count) % CLASSES
    angles = torch.arange(PLACES) * (0.5 + classes[:, None]) * 0.7
    return torch.stack((angles.cos(), angles.sin()), 1) + 0.3 * torch.randn(
        count, 2, PLACES, generator=generator
    ), classes


def ones_through(network: nn.Module) -> torch.Tensor:
    return network(torch.ones(2, 2, PLACES, dtype=next(network.parameters()).dtype))


def insides(network: nn.Module) -> list[Inside]:
    return [Inside(unit.first, unit.second, unit.norm) for unit in network.units]


def weights_of(network: nn.Module) -> int:
    """A cost that is as simple as can be."""
    return sum(weight.numel() for weight in network.parameters())


@torch.no_grad()
def loss(network: nn.Module) -> float:
    inputs, classes = frames(30, seed=9)
    return float(nn.functional.cross_entropy(network(inputs), classes))


@pytest.fixture(scope="session")
def make_recognizer() -> Callable[[int], nn.Module]:
    """Hand out `make_recognizer(seed)`: random weights, and batch normalization that has seen some frames."""

    def make(seed: int) -> nn.Module:
        network = recognizer(seed)
        with torch.no_grad():
            network.train()(frames(60, seed)[0])
        return network.eval()

    return make


@pytest.fixture(scope="session")
def recognizer_evidence(make_recognizer: Callable[[int], nn.Module]) -> Evidence:
    network = make_recognizer(1)

    @torch.no_grad()
    def observe():
        for seed in (5, 6):
            inputs, classes = frames(24, seed)
            yield Seen((tuple(network.features(inputs)),), classes)

    return Evidence(
        network=network,
        fresh=lambda: recognizer(2),
        flow=ones_through,
        observe=observe,
        rebuild=lambda kept: reassemble(network, kept, [SHAPES]),
        loss=loss,
        multiply_adds=weights_of,
        narrow=lambda budget: l1_channels(network, insides, weights_of, budget),
        chance=Chance(3),
    )
