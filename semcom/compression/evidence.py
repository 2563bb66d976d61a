"""Evidence: all that a choice of layers may look at, gathered by who knows the network and its data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from semcom.mistakes import UserMistake

if TYPE_CHECKING:
    from torch import Tensor, nn

    from channels import Chance

Kept = tuple[tuple[int, ...], ...]
"""Which layers stay, stack by stack, each by its number in the stack it comes from, in order."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What one batch left in a network, and what it should have become.

    Args:
        layers: what every layer of every stack made of the batch, first to last; [batch, channels, places...] or, with
            a mask, [batch, length, width].
        targets: the true classes, [batch], or the true tokens, [batch, length].
        mask: True for real tokens [batch, length]; None where an example has no parts.
    """

    layers: tuple[tuple[Tensor, ...], ...]
    targets: Tensor
    mask: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Evidence:
    """What layers are chosen by; nothing is computed before a criterion asks for it.

    Args:
        network: the trained one; its `stacks()` are the layers that may go, stack by stack.
        fresh: makes a network of the same shape with random weights, the same ones every time.
        flow: the outputs of such a network for an input of ones, in the network's own precision.
        observe: activations of the trained network, batch by batch.
        rebuild: makes the network that keeps some layers alone.
        loss: what such a network is worth; smaller is better.
        multiply_adds: what a network costs, of one unit of a message.
        narrow: makes the network of all layers, each narrower inside, that costs at most so much.
        chance: for who draws.
    """

    network: nn.Module
    fresh: Callable[[], nn.Module]
    flow: Callable[[nn.Module], Tensor]
    observe: Callable[[], Iterable[Seen]]
    rebuild: Callable[[Kept], nn.Module]
    loss: Callable[[nn.Module], float]
    multiply_adds: Callable[[nn.Module], int]
    narrow: Callable[[int], nn.Module]
    chance: Chance

    @property
    def depths(self) -> tuple[int, ...]:
        """How many layers each stack has."""
        return tuple(len(stack) for stack in stacks_of(self.network))


def stacks_of(network: nn.Module) -> tuple[nn.ModuleList, ...]:
    """The layers of a network that may be pruned, stack by stack."""
    if not callable(stacks := getattr(network, "stacks", None)):
        raise ValueError(
            f"a network to prune must tell its layers by stacks(), got {type(network).__name__} without it"
        )
    return cast("tuple[nn.ModuleList, ...]", stacks())


def highest(scores: Sequence[float], count: int) -> tuple[int, ...]:
    """Where the highest scores stand, in order; of equals the earlier ones."""
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    return tuple(sorted(order[:count]))


def layers_to_keep(keep: int | Sequence[int], depths: Sequence[int]) -> tuple[int, ...]:
    """How many layers each stack keeps; one number is of each stack.

    Raises:
        UserMistake: a stack cannot keep as many, or would lose all.
    """
    wanted = (keep,) * len(depths) if isinstance(keep, int) else tuple(keep)
    if len(wanted) != len(depths):
        raise UserMistake(f"keep must have one number for each of {len(depths)} stacks, got {list(wanted)}")
    for index, (number, depth) in enumerate(zip(wanted, depths, strict=True)):
        if not 1 <= number <= depth:
            raise UserMistake(
                f"keep must be from 1 to {depth}, the layers of stack {index}, got {number}; "
                "keep fewer, or prune a deeper network"
            )
    return wanted
