"""Reassembly: a network of the layers that are kept, with adapters where their shapes do not meet."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semcom.compression.evidence import Kept, stacks_of

Shape = tuple[int, ...]
"""Of one example's features between two layers: (channels, places...)."""


class Adapter(nn.Module):
    """Features of one shape to another: places averaged down, then channels mapped.

    It begins as the shortcut around a residual unit that changes shape: channels that were there go through, new ones
    are 0, surplus ones are dropped. What was a stage's first unit leaves just that when it goes. The map is trained
    with the rest.

    Source: the parameter-free shortcut of He et al., Deep Residual Learning for Image Recognition, CVPR 2016, as
    beginning.
    """

    def __init__(self, entering: Shape, wanted: Shape) -> None:
        super().__init__()
        if len(entering) != len(wanted) or any(a < b for a, b in zip(entering[1:], wanted[1:], strict=True)):
            raise ValueError(f"an adapter must lead to as many or fewer places, got {entering} to {wanted}")
        self.places = wanted[1:] if wanted[1:] != entering[1:] else None
        self.channels = nn.Parameter(torch.eye(wanted[0], entering[0])) if wanted[0] != entering[0] else None

    def forward(self, features: Tensor) -> Tensor:
        if self.places is not None:
            features = _average(features, self.places)
        if self.channels is not None:
            features = torch.einsum("oc,bc...->bo...", self.channels, features)
        return features


class Adapted(nn.Module):
    """A kept layer with an adapter before it, or after it where it is the last; called as the layer is."""

    def __init__(self, layer: nn.Module, *, before: nn.Module | None = None, after: nn.Module | None = None) -> None:
        super().__init__()
        self.before = before
        self.layer = layer
        self.after = after

    def forward(self, features: Tensor, *rest: object) -> Tensor:
        features = features if self.before is None else self.before(features)
        features = self.layer(features, *rest)
        return features if self.after is None else self.after(features)


def reassemble(network: nn.Module, kept: Kept, shapes: Sequence[Sequence[Shape]] | None = None) -> nn.Module:
    """A copy of a network with the kept layers alone; weights and buffers of all that stays are the same bits.

    Where kept layers follow each other whose shapes do not meet, an adapter goes between. Where all meet, there is
    none, and a network that keeps all its layers computes the same bits.

    Args:
        kept: numbers of layers, stack by stack.
        shapes: for each stack what one example is before its first layer and after each; None where it never changes.
    """
    pruned = copy.deepcopy(network)
    stacks = stacks_of(pruned)
    _check(kept, [len(stack) for stack in stacks])
    for index, (stack, numbers) in enumerate(zip(stacks, kept, strict=True)):
        along = None if shapes is None else [tuple(shape) for shape in shapes[index]]
        layers = _adapted(stack, numbers, along) if along else [stack[number] for number in numbers]
        while len(stack):
            stack.pop(-1)
        stack.extend(layers)
    return pruned


def _adapted(stack: nn.ModuleList, numbers: tuple[int, ...], shapes: list[Shape]) -> list[nn.Module]:
    if len(shapes) != len(stack) + 1:
        raise ValueError(f"{len(stack)} layers have {len(stack) + 1} shapes around them, got {len(shapes)}")
    beside = next(stack.parameters(), torch.empty(()))

    def adapter(entering: Shape, wanted: Shape) -> Adapter | None:
        return None if entering == wanted else Adapter(entering, wanted).to(beside.device, beside.dtype)

    layers, reached = [], shapes[0]
    for number in numbers:
        before = adapter(reached, shapes[number])
        reached = shapes[number + 1]
        after = adapter(reached, shapes[-1]) if number == numbers[-1] else None
        layer = stack[number]
        layers.append(layer if before is None and after is None else Adapted(layer, before=before, after=after))
    return layers


def _average(features: Tensor, places: Shape) -> Tensor:
    """Means over runs of places, so that as many are left as wanted."""
    pools: dict[int, Callable[..., Tensor]] = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d}
    if len(places) not in pools:
        raise ValueError(f"features must have one or two axes of places, got {len(places)}")
    return pools[len(places)](features, places)


def _check(kept: Kept, depths: list[int]) -> None:
    if len(kept) != len(depths):
        raise ValueError(f"kept layers must be told for each of {len(depths)} stacks, got {len(kept)}")
    for numbers, depth in zip(kept, depths, strict=True):
        rising = all(a < b for a, b in pairwise(numbers))
        if not numbers or not rising or numbers[0] < 0 or numbers[-1] >= depth:
            raise ValueError(f"kept layers must be rising numbers from 0 to {depth - 1}, at least one, got {numbers}")
