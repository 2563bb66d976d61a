"""Agreement: how often the same layers are chosen, over seeds or over ways of choosing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from semcom.compression.evidence import Kept


@dataclass(frozen=True)
class Agreement:
    """How several choices from the same stacks agree.

    Args:
        chosen: for every stack and layer the share of choices that keep it.
        overlap: the mean share of kept layers that two choices have in common.
        by_chance: what that would be on average if layers were drawn without looking.
        commonest: the choice that was made most often, of equals the first.
        unanimity: its share.
    """

    chosen: tuple[tuple[float, ...], ...]
    overlap: float
    by_chance: float
    commonest: Kept
    unanimity: float


def agreement(choices: Sequence[Kept], depths: Sequence[int]) -> Agreement:
    """Compare two choices or more that keep as many layers of each stack.

    Args:
        depths: how many layers each stack had.
    """
    kept = {tuple(len(stack) for stack in choice) for choice in choices}
    if len(choices) < 2 or len(kept) != 1:
        raise ValueError(f"agreement needs two choices or more of equal numbers of layers, got {list(choices)}")
    numbers = kept.pop()
    highest = [max(choice[stack][-1] for choice in choices) for stack in range(len(numbers))]
    if len(numbers) != len(depths) or any(layer >= depth for layer, depth in zip(highest, depths, strict=True)):
        raise ValueError(f"choices must be from stacks of {list(depths)} layers, got {list(choices)}")
    commonest, times = Counter(choices).most_common(1)[0]
    shared = [
        sum(len(set(a) & set(b)) for a, b in zip(one, other, strict=True)) for one, other in combinations(choices, 2)
    ]
    return Agreement(
        chosen=tuple(
            tuple(sum(layer in choice[stack] for choice in choices) / len(choices) for layer in range(depth))
            for stack, depth in enumerate(depths)
        ),
        overlap=sum(shared) / len(shared) / sum(numbers),
        # Of k layers of n, drawn twice, k^2 / n meet on average.
        by_chance=sum(number**2 / depth for number, depth in zip(numbers, depths, strict=True)) / sum(numbers),
        commonest=commonest,
        unanimity=times / len(choices),
    )
