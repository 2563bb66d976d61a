"""shapes: a sweep over depth and widths written out as ordinary codecs, one for every shape."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

from semcom.models.semantic_spec import SideSpec, symmetric
from semcom.scenario.axes import values
from semcom.scenario.codec_plans import CodecPlan, SemanticPlan, SideChanges
from semcom.scenario.scenario import Scenario

AXES = ("layers", "width", "feedforward", "channel_hidden")
MOST_CODECS = 500  # of one scenario; more would not be trained in anybody's lifetime
LONGEST_NAME = 64

SideName = Literal["transmitter", "receiver"]
Shape = dict[str, int]  # by axis


@dataclass(frozen=True)
class _Variant:
    """One codec of those that are written out; a codec that no axis moves has one variant, itself."""

    name: str
    shape: Shape
    plan: CodecPlan


def written_out(scenario: Scenario) -> Scenario:
    """The scenario with a codec for every shape that its sweep names, and without the axes that named them.

    The axes multiply those codecs of `sweep.codec` that nobody else is made from, be it as teacher, donor or start,
    that no crowd sends through, and that begin from nobody's weights, which fit one shape alone. A variant is such a
    codec with every side changed that is its own; an adopted side stays its donor's. What is typed beside a side stays:
    an axis that finds all its places taken leaves that codec alone.

    With the width go, as in `symmetric`, unless they are typed or axes themselves: feed-forward 4 x, channel encoder
    2 x and channel decoder 4 x the width. The heads become the largest divisor of the width that is not above the
    codec's own number.

    A variant is called after layers and width, `plain_1x32`, or after whichever axes there are: `plain_width32_ff64`.
    A pair of `measure.compare` becomes all pairs of variants that agree in every axis they share; so do the three of a
    `measure.gap`.

    Raises:
        ValueError: beginning with the path of the key that is wrong.
    """
    axes = {name: values(axis) for name in AXES if (axis := getattr(scenario.sweep, name)) is not None}
    if not axes:
        return scenario
    moved = {name: _axes_of(scenario, name, axes) for name in scenario.codecs}
    _check(scenario, axes, moved)
    variants = {name: _variants(name, plan, moved[name]) for name, plan in scenario.codecs.items()}
    _check_names(variants)
    measure, sweep = scenario.measure, scenario.sweep
    pairs = tuple(
        (ours.name, theirs.name)
        for one, other in measure.compare
        for ours in variants[one]
        for theirs in variants[other]
        if _agree(ours.shape, theirs.shape)
    )
    gaps = measure.gap and tuple(
        (ours.name, least.name, most.name)
        for student, control, teacher in measure.gap
        for ours, least, most in itertools.product(variants[student], variants[control], variants[teacher])
        if _agree(ours.shape, least.shape) and _agree(ours.shape, most.shape) and _agree(least.shape, most.shape)
    )
    measured = tuple(each.name for name in sweep.codec for each in variants[name])
    return scenario.model_copy(
        update={
            "codecs": {each.name: each.plan for group in variants.values() for each in group},
            "sweep": sweep.model_copy(update={"codec": measured, **dict.fromkeys(AXES)}),
            "measure": measure.model_copy(update={"compare": pairs, "gap": gaps}),
        }
    )


def _axes_of(scenario: Scenario, name: str, axes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The axes that change this codec; none where its shape is not its own affair."""
    plan = scenario.codecs[name]
    origins = {origin for each in scenario.codecs for origin in scenario.origins(each)}
    origins |= {each for crowd in scenario.crowds for each in crowd or ()}
    if name not in scenario.sweep.codec or name in origins or plan.start or not isinstance(plan, SemanticPlan):
        return {}
    return {
        axis: points
        for axis, points in axes.items()
        if any(axis not in _typed(plan, side) for side in _own_sides(plan))
    }


def _own_sides(plan: CodecPlan) -> tuple[SideName, ...]:
    sides: tuple[SideName, ...] = ("transmitter", "receiver")
    return tuple(side for side in sides if not (plan.adopt and plan.adopt.side == side))


def _typed(plan: CodecPlan, side: SideName) -> set[str]:
    """What was written beside this side."""
    changes = getattr(plan, side)
    return set() if changes is None else set(changes.model_fields_set)


def _variants(name: str, plan: CodecPlan, axes: dict[str, tuple[int, ...]]) -> list[_Variant]:
    if not axes:
        return [_Variant(name, {}, plan)]
    shapes = [dict(zip(axes, points, strict=True)) for points in itertools.product(*axes.values())]
    return [_Variant(f"{name}_{_in_short(shape)}", shape, _shaped(plan, shape)) for shape in shapes]


def _in_short(shape: Shape) -> str:
    """1x32 for layers by width, or each axis by its name; what holds of a name of a codec holds of it."""
    both = "layers" in shape and "width" in shape
    parts = [f"{shape['layers']}x{shape['width']}"] if both else []
    words = {"feedforward": "ff", "channel_hidden": "ch", **({} if both else {"layers": "layers", "width": "width"})}
    return "_".join(parts + [f"{words[axis]}{value}" for axis, value in shape.items() if axis in words])


def _shaped(plan: CodecPlan, shape: Shape) -> CodecPlan:
    """The codec with its own sides in this shape."""
    spec = plan.spec()
    changed: dict[str, SideChanges] = {}
    for side in _own_sides(plan):
        typed = _typed(plan, side)
        new = {axis: value for axis, value in shape.items() if axis not in typed}
        if "width" in new:
            new = _following(getattr(spec, side), side, new["width"], kept=typed | set(shape)) | new
        old = getattr(plan, side)
        changed[side] = SideChanges(**new) if old is None else old.model_copy(update=new)
    return plan.model_copy(update=changed)


def _following(own: SideSpec, side: SideName, width: int, *, kept: set[str]) -> Shape:
    """What goes with a width: heads that divide it, and the hidden widths that nobody fixed."""
    heads = max(count for count in range(1, min(own.heads, width) + 1) if width % count == 0)
    like: SideSpec = getattr(symmetric(width, own.layers, heads=heads), side)
    hidden = {name: getattr(like, name) for name in ("feedforward", "channel_hidden") if name not in kept}
    return {"heads": heads, **hidden}


def _agree(one: Shape, other: Shape) -> bool:
    return all(one[axis] == other[axis] for axis in one.keys() & other.keys())


def _check(scenario: Scenario, axes: dict[str, tuple[int, ...]], moved: dict[str, dict[str, tuple[int, ...]]]) -> None:
    """Refuse axes that move nothing, and more codecs than anybody wants."""
    for axis in axes:
        if not any(axis in each for each in moved.values()):
            raise ValueError(
                f"sweep.{axis} must find a codec in sweep.codec to vary, got none: those that others are made from, "
                f"that have a start, or that fix their own {axis} stay as they are; add a codec or leave the axis out"
            )
    count = sum(math.prod(map(len, each.values())) for each in moved.values())
    if count > MOST_CODECS:
        first = next(iter(axes))
        raise ValueError(f"sweep.{first} must lead to at most {MOST_CODECS} codecs, got {count}; name fewer shapes")


def _check_names(variants: dict[str, list[_Variant]]) -> None:
    """Refuse two codecs of one name, and names that no codec may have."""
    taken: set[str] = set()
    for name, group in variants.items():
        for each in group:
            if each.name in taken or (each.name in variants and each.name != name):
                raise ValueError(f"codecs.{name} must be called otherwise: one of its shapes is '{each.name}' as well")
            if len(each.name) > LONGEST_NAME:
                raise ValueError(
                    f"codecs.{name} must have a shorter name, got one of {len(name)} characters; with its shape, "
                    f"'{_in_short(each.shape)}', it must not be longer than {LONGEST_NAME}"
                )
            taken.add(each.name)
