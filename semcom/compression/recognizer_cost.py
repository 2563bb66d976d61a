"""Multiply-adds of one frame through a recognizer, from its spec alone."""

from __future__ import annotations

from itertools import pairwise
from math import prod

from semcom.models.recognizer_spec import RecognizerSpec, UnitShape
from semcom.models.spec import Shape


def recognizer_multiply_adds(spec: RecognizerSpec, outputs: int) -> int:
    """Multiply-adds of one frame, in closed form: convolutions, maps of bridges and fully connected layers.

    A convolution from a to b channels costs a b taps at each place of its output. Batch normalization, sums and
    averages count nothing, as everywhere in this house.
    """
    chain = spec.chain()
    stem = 0
    if spec.family != "cnn":
        stem = spec.entering[0] * prod(spec.stem_leaving) * spec.kernel**spec.planes
    ends = [spec.stem_leaving, *(unit.leaving for unit in chain)]
    wanted = [*(unit.entering for unit in chain), spec.leaving]
    bridges = sum(_bridge(reached, needed) for reached, needed in zip(ends, wanted, strict=True))
    head = sum(a * b for a, b in pairwise((*spec.layers_of_head, outputs)))
    return stem + sum(_unit(spec, unit) for unit in chain) + bridges + head


def _bridge(reached: Shape, needed: Shape) -> int:
    return 0 if reached[0] == needed[0] else reached[0] * prod(needed)


def _unit(spec: RecognizerSpec, unit: UnitShape) -> int:
    entering, leaving, taps = unit.entering[0], unit.leaving[0], spec.kernel**spec.planes
    places = prod(unit.leaving[1:])
    if spec.family == "residual":
        return (entering + leaving) * unit.hidden * taps * places
    if spec.family == "vgg":
        grown = 2 * (unit.padding - spec.kernel // 2)
        return entering * leaving * taps * prod(each + grown for each in unit.entering[1:])
    rows = unit.entering[1] if spec.planes == 2 else 1
    length = unit.entering[-1]
    # Of a pair, given two rows, the first convolution makes three and the second two again, with two rows of taps.
    pair = rows * spec.kernel * leaving * unit.hidden * length * (3 + 2 if rows == 2 else 1 + 1)
    return entering * leaving * rows * length + 2 * pair
