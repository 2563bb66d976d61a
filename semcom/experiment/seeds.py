"""Seeds: what the runs of one codec at one point have in common over their sentences, from the statistics kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from semcom.metrics.bootstrap import Array, Combine
from semcom.metrics.crossed import common_share, influences
from semcom.metrics.metric import Metric
from semcom.scenario.work import Run

# A run, or a run and the one that is subtracted from it.
Sides: TypeAlias = tuple[Run, ...]
# Of one run, metric and user: the statistics, and what makes a score of them.
Found: TypeAlias = Callable[[Run, Metric, str], tuple[Array, Combine]]


class Seeds:
    """Runs, or pairs of them, that differ in their seed alone.

    Args:
        sides: all that are finished; the same place and seed once.
        found: what a run measured.
    """

    def __init__(self, sides: Iterable[Sides], found: Found) -> None:
        self._found = found
        self._places: dict[tuple[object, ...], dict[int, Sides]] = {}
        self._told: dict[tuple[object, ...], float | None] = {}
        for each in sides:
            self._places.setdefault(_place(each), {})[each[0].build.seed] = each

    def common(self, sides: Sides, metric: Metric, user: str) -> float | None:
        """The column `common` of a row of these runs; None where one seed, or no spread, cannot tell."""
        asked = (_place(sides), metric.name, user)
        if asked not in self._told:
            self._told[asked] = self._measured(self._places.get(_place(sides), {}), metric, user)
        return self._told[asked]

    def _measured(self, of_seed: dict[int, Sides], metric: Metric, user: str) -> float | None:
        if len(of_seed) < 2:
            return None
        parts = [self._influences(sides, metric, user) for sides in of_seed.values()]
        if len({len(each) for each in parts}) > 1:
            return None
        share = common_share(np.stack(parts))
        return None if math.isnan(share) else share

    def _influences(self, sides: Sides, metric: Metric, user: str) -> Array:
        """Of the metric, or of the difference of the two."""
        first, *others = (influences(*self._found(each, metric, user)) for each in sides)
        return first - others[0] if others else first


def _place(sides: Sides) -> tuple[object, ...]:
    """All but the seed."""
    first = sides[0]
    return (*(each.build.name for each in sides), first.link, *(tuple(b.name for b in r.crowd or ()) for r in sides))
