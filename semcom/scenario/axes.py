"""One axis of a sweep: a value, a list of values, or start, stop and step."""

from __future__ import annotations

import math
from typing import Annotated, Any, Self

from pydantic import Discriminator, Tag, model_validator

from semcom.scenario.plan import Plan


class Steps(Plan):
    """start, start + step, ... up to stop, which is included when it is met.

    Args:
        start: the first point.
        stop: where the points end.
        step: how far apart the points are.
    """

    start: float
    stop: float
    step: float

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.step == 0:
            raise ValueError("step must not be 0; write how far apart the points are")
        if (self.stop - self.start) * self.step < 0:
            raise ValueError(f"step {self.step:g} leads away from stop: {self.start:g} never reaches {self.stop:g}")
        if abs((self.stop - self.start) / self.step) > 10_000:
            raise ValueError("must hold at most 10000 points; take a larger step")
        return self

    def values(self) -> tuple[float, ...]:
        """The points, each computed from its number so that errors do not add up."""
        count = math.floor((self.stop - self.start) / self.step + 1e-9) + 1
        return tuple(self.start + index * self.step for index in range(count))


def _shape(value: Any) -> str:
    if isinstance(value, dict | Steps):
        return "steps"
    return "list" if isinstance(value, list | tuple) else "one"


def axis_of(kind: Any) -> Any:
    """One value, a list of values, or start/stop/step; told apart by shape so that an error names one form."""
    return Annotated[
        Annotated[kind, Tag("one")] | Annotated[tuple[kind, ...], Tag("list")] | Annotated[Steps, Tag("steps")],
        Discriminator(_shape),
    ]


def values(axis: Any) -> tuple[Any, ...]:
    """The points of an axis."""
    if isinstance(axis, Steps):
        return axis.values()
    return axis if isinstance(axis, tuple) else (axis,)


def whole_numbers(axis: Any, least: int, most: int) -> tuple[int, ...]:
    """The points of an axis that counts something; those of steps have not been looked at before."""
    points = values(axis)
    if any(point != int(point) or point < least for point in points):
        raise ValueError(f"must be whole numbers from {least} up, got {', '.join(f'{p:g}' for p in points)}")
    if max(points, default=0) > most:
        raise ValueError(f"must be at most {most}, got {max(points):g}")
    return tuple(int(point) for point in points)
