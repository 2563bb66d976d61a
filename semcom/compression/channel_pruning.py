"""Channel pruning by L1 norms: the same layers, each narrower inside, down to a budget of multiply-adds."""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from semcom.mistakes import UserMistake

Linear = nn.Conv1d | nn.Conv2d | nn.Linear


@dataclass(frozen=True, eq=False)
class Inside:
    """The hidden channels of one layer: what makes them, what normalizes them if anything does, and what reads them."""

    makes: Linear
    reads: Linear
    norm: nn.BatchNorm1d | nn.BatchNorm2d | None = None

    @property
    def width(self) -> int:
        """How many hidden channels there are."""
        return self.makes.weight.shape[0]


def strongest(inside: Inside, count: int) -> Tensor:
    """The hidden channels whose incoming weights have the largest L1 norm, in order; of equals the earlier ones."""
    norms = inside.makes.weight.detach().abs().flatten(1).double().sum(dim=1)
    return norms.sort(descending=True, stable=True).indices[:count].sort().values


@torch.no_grad()
def narrow(inside: Inside, channels: Tensor) -> None:
    """Leave these hidden channels alone, in place; their weights stay the same bits."""
    makes, reads, norm = inside.makes, inside.reads, inside.norm
    if getattr(makes, "groups", 1) != 1 or getattr(reads, "groups", 1) != 1:
        raise ValueError("channels of grouped convolutions belong together and cannot go one by one")
    makes.weight = _chosen(makes.weight, channels)
    makes.bias = None if makes.bias is None else _chosen(makes.bias, channels)
    reads.weight = _chosen(reads.weight, channels, dim=1)
    _renamed(makes, "out", len(channels))
    _renamed(reads, "in", len(channels))
    if norm is not None:
        norm.num_features = len(channels)
        if norm.affine:
            norm.weight, norm.bias = _chosen(norm.weight, channels), _chosen(norm.bias, channels)
        if norm.running_mean is not None and norm.running_var is not None:
            norm.running_mean, norm.running_var = norm.running_mean[channels], norm.running_var[channels]


def l1_channels(
    network: nn.Module,
    insides: Callable[[nn.Module], Sequence[Inside]],
    multiply_adds: Callable[[nn.Module], int],
    budget: int,
) -> nn.Module:
    """A copy of a network whose layers keep one share of their strongest hidden channels, the largest in the budget.

    Args:
        insides: finds the hidden channels of each layer.
        multiply_adds: the cost of a network.
        budget: what the copy may cost, such as what a copy with fewer layers does.

    Raises:
        UserMistake: one channel a layer costs more than that.

    Source: Li, Kadav, Durdanovic, Samet and Graf, Pruning Filters for Efficient ConvNets, ICLR 2017.
    """
    widest = max(inside.width for inside in insides(network))

    def narrowed(steps: int) -> nn.Module:
        small = copy.deepcopy(network)
        for inside in insides(small):
            narrow(inside, strongest(inside, max(1, inside.width * steps // widest)))
        return small

    # A wider network never costs less, so the last one within the budget is found by bisection.
    fitting = bisect_right(range(1, widest + 1), budget, key=lambda steps: multiply_adds(narrowed(steps)))
    if not fitting:
        raise UserMistake(
            f"one channel a layer costs {multiply_adds(narrowed(1))} multiply-adds, more than the budget of {budget}; "
            "allow more, or prune layers instead"
        )
    return narrowed(fitting)


def _chosen(weight: Tensor, channels: Tensor, *, dim: int = 0) -> nn.Parameter:
    return nn.Parameter(weight.index_select(dim, channels), requires_grad=weight.requires_grad)


def _renamed(module: Linear, end: str, count: int) -> None:
    setattr(module, f"{end}_features" if isinstance(module, nn.Linear) else f"{end}_channels", count)
