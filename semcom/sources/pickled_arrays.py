"""Pickled arrays: what a pickle of arrays may name and make, each of it built in and nothing looked up."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

MOST_DIMENSIONS = 8

_RECONSTRUCT = ("_reconstruct", ("numpy.core.multiarray", "numpy._core.multiarray"))


class UnreadablePickleError(ValueError):
    """Anything but a dictionary of arrays; says what stands there instead."""


@dataclass(frozen=True)
class Name:
    """A global that the pickle names; nothing is looked up."""

    module: str
    name: str


@dataclass
class NumberFormat:
    """A number format on its way: `f4`, and its order of bytes."""

    code: str
    order: str = "<"


@dataclass
class Shell:
    """An array on its way."""

    array: np.ndarray | None = None


def known(module: str, name: str) -> Name:
    """A name whose meaning is built in; no other may even be mentioned."""
    reconstruct, modules = _RECONSTRUCT
    if (module, name) in {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}:
        return Name(module, name)
    if name == reconstruct and module in modules:
        return Name("numpy", reconstruct)
    raise UnreadablePickleError(f"the name {module}.{name}, which no dictionary of arrays needs")


def made(named: Name, arguments: tuple[Any, ...]) -> object:
    """What those few calls give: an empty array, a number format, bytes that Python 3 wrote as text."""
    if named.name == "_reconstruct":
        return Shell()
    if named.name == "dtype":
        return NumberFormat(text_of(arguments[0]))
    if named.name == "encode" and arguments[1] == "latin1":
        return text_of(arguments[0]).encode("latin-1")
    raise UnreadablePickleError(f"a call of {named.name}")


@dataclass(frozen=True)
class Kind:
    """What a pickle of one kind may hold.

    Args:
        key: makes a key of a dictionary of what stands for it, or refuses it.
        numbers: formats that arrays may have, as numpy writes them.
        told: those, in words.
        operations: how many there may be at most.
        lists: whether it may hold lists.
    """

    key: Callable[[Any], Hashable]
    numbers: frozenset[str]
    told: str
    operations: int
    lists: bool = False


def array_of(shape: Any, kind: Any, by_column: Any, data: Any, *, allowed: Kind) -> np.ndarray:
    import numpy as np

    if type(kind) is not NumberFormat or kind.order + kind.code not in allowed.numbers:
        raise UnreadablePickleError(f"an array of other numbers than {allowed.told}")
    if type(shape) is not tuple or len(shape) > MOST_DIMENSIONS or not all(type(each) is int for each in shape):
        raise UnreadablePickleError("an array without a shape")
    if type(data) is not bytes or min(shape, default=0) < 1 or math.prod(shape) * int(kind.code[1]) != len(data):
        raise UnreadablePickleError("an array of another size than its numbers")
    return np.frombuffer(data, kind.order + kind.code).reshape(shape, order="F" if by_column else "C")


def checked_key(key: Any) -> tuple[str, int]:
    # Looked at before it is hashed: a tuple of tuples of one and the same tuple takes for ever.
    if type(key) is not tuple or len(key) != 2 or type(key[1]) is not int:
        raise UnreadablePickleError("a key that is no pair of a word and a whole number")
    return text_of(key[0]), key[1]


def text_of(value: Any) -> str:
    """A word, which Python 2 writes as bytes."""
    if type(value) is bytes:
        return value.decode("latin-1")
    if type(value) is str:
        return value
    raise UnreadablePickleError("something else where a word must be")


# 220 arrays take some 10,000 operations; 50,000 labels and file names some 250,000.
OF_FRAMES = Kind(checked_key, frozenset({"<f4", ">f4", "<f8", ">f8"}), "floats of 4 or 8 bytes", 100_000)
OF_PICTURES = Kind(text_of, frozenset({"|u1"}), "bytes", 1_000_000, lists=True)
