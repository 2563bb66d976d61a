"""Baselines for choosing layers: random, the first ones, by loss, and the best there is."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import torch

from semcom.compression.evidence import Evidence, Kept, highest, layers_to_keep
from semcom.mistakes import UserMistake


@dataclass(frozen=True)
class RandomLayers:
    """Layers drawn without looking, every set of them equally likely; a control.

    Args:
        draw: another number is another draw.
    """

    draw: int = 0
    kind: Literal["random"] = "random"

    def choose(self, evidence: Evidence, keep: tuple[int, ...]) -> Kept:
        """See the class; each stack has its own stream."""
        chance = evidence.chance.of("random layers", self.draw)
        depths = evidence.depths
        drawn = []
        for index, (depth, number) in enumerate(zip(depths, layers_to_keep(keep, depths), strict=True)):
            order = torch.randperm(depth, generator=chance.of("stack", index).generator()).tolist()
            drawn.append(tuple(sorted(order[:number])))
        return tuple(drawn)


@dataclass(frozen=True)
class DropLast:
    """The first layers of each stack stay.

    In large language models it beats elaborate choices once the rest is fine-tuned, by the own measurements of those
    who made PSR (repository yaolu-zjut/Navigation_LLM_layer_pruning).
    """

    kind: Literal["drop_last"] = "drop_last"

    def choose(self, evidence: Evidence, keep: tuple[int, ...]) -> Kept:
        """See the class."""
        return tuple(tuple(range(number)) for number in layers_to_keep(keep, evidence.depths))


@dataclass(frozen=True)
class DropOne:
    """Drop the layers whose going, each alone, harms the loss least; of equals the later one goes."""

    kind: Literal["drop_one"] = "drop_one"

    def choose(self, evidence: Evidence, keep: tuple[int, ...]) -> Kept:
        """See the class."""
        depths = evidence.depths
        chosen = []
        for index, number in enumerate(layers_to_keep(keep, depths)):
            # A stack of one layer keeps it; there is no network without.
            losses = [self._without(evidence, index, gone) for gone in range(depths[index]) if depths[index] > 1]
            chosen.append(highest(losses or [0.0], number))
        return tuple(chosen)

    def _without(self, evidence: Evidence, stack: int, gone: int) -> float:
        left = [tuple(range(depth)) for depth in evidence.depths]
        left[stack] = tuple(number for number in left[stack] if number != gone)
        return evidence.loss(evidence.rebuild(tuple(left)))


@dataclass(frozen=True)
class Exhaustive:
    """The kept layers with the least loss before any fine-tuning, all combinations tried.

    What is chosen by a loss is flattered by it: give `evidence.loss` data that is not tested on.

    Args:
        most: refuse to try more combinations than this.
    """

    most: int = 1000
    kind: Literal["exhaustive"] = "exhaustive"

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ValueError(f"most must be at least 1, got {self.most}")

    def choose(self, evidence: Evidence, keep: tuple[int, ...]) -> Kept:
        """See the class; of equals the one that comes first."""
        losses = self.losses(evidence, keep)
        return min(losses, key=lambda kept: losses[kept])

    def losses(self, evidence: Evidence, keep: tuple[int, ...]) -> dict[Kept, float]:
        """The loss of every combination, in the order of trying; beside it any other choice has its regret."""
        depths = evidence.depths
        keep = layers_to_keep(keep, depths)
        count = math.prod(math.comb(depth, number) for depth, number in zip(depths, keep, strict=True))
        if count > self.most:
            raise UserMistake(
                f"exhaustive choice must have at most {self.most} combinations to try, got {count}; set most"
            )
        choices = [itertools.combinations(range(depth), number) for depth, number in zip(depths, keep, strict=True)]
        return {kept: evidence.loss(evidence.rebuild(kept)) for kept in itertools.product(*choices)}
