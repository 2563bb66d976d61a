"""Airs: of the conditions of points, what limits hang on, and in which fields they differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from semcom.report.results import Condition, Point
from semcom.store.limits import Limit
from semcom.store.results import levels
from semcom.words import visible

__all__ = ["METRIC", "Air", "air_of_limit", "air_of_point", "varied"]

METRIC = "exact_match"

# All of the air that a limit hangs on: fading, coherence, interference, antennas, detector, interferers, level.
Air = tuple[str, str, str, int, str, int, tuple[float, ...]]


def air_of_limit(limit: Limit) -> Air:
    """Where a line of limits.csv stands."""
    level = levels(limit.level_db) if limit.level_db else ()
    texts = (visible(each) for each in (limit.fading, limit.coherence, limit.interference))
    level = level if isinstance(level, tuple) else (level,)
    return (*texts, limit.antennas, visible(limit.detector), limit.interferers, level)  # type: ignore[return-value]


def air_of_point(point: Point) -> Air:
    """Where a point stands, of all that a limit hangs on."""
    told = point.condition
    interference = told.interference if point.interferers else "none"
    antennas = told.antennas or 1
    return told.fading, told.coherence, interference, antennas, told.detector, point.interferers, point.level


def varied(conditions: Iterable[tuple[Condition, int]]) -> tuple[str, ...]:
    """The fields in which the conditions of these points differ; of nobody there is no kind of interference.

    Args:
        conditions: each with its number of interferers.
    """
    pairs = list(conditions)
    crowd = ("interference", "crowd", "detector")
    values: Mapping[str, set[object]] = {
        each.name: {getattr(told, each.name) for told, count in pairs if count or each.name not in crowd}
        for each in dataclasses.fields(Condition)
    }
    return tuple(name for name, those in values.items() if len(those) > 1)
