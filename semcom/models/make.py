"""make: a codec of any kind from its spec, and a spec from plain data."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

import torch

from semcom.models.codec import Codec
from semcom.models.spec import Spec


def make(spec: Spec, outputs: int) -> Codec:
    """A codec of this shape with whatever weights torch draws.

    Args:
        outputs: how many answers there are for a unit.
    """
    module, _, name = spec.network.partition(":")
    codec: Codec = getattr(importlib.import_module(module), name)(spec, outputs)
    return codec


def initialize(spec: Spec, outputs: int, *, seed: int) -> Codec:
    """A fresh codec whose weights depend on the seed alone, not on who drew before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed accelerators too, for good
        return make(spec, outputs)


def spec_from(like: Any, facts: Mapping[str, Any]) -> Any:
    """The spec that plain data tells of, such as the header of a weights file; the spec itself refuses nonsense.

    Args:
        like: a spec of the same kind, or a part of one.

    Raises:
        ValueError: the data is no such spec.
    """
    names = {each.name for each in dataclasses.fields(like)}
    if not isinstance(facts, Mapping) or not set(facts) <= names:
        raise ValueError(f"a spec must have keys among {', '.join(sorted(names))}, got {facts!r:.200}")
    told = {name: _value(getattr(like, name), value) for name, value in facts.items()}
    try:
        # What was left out was None.
        return type(like)(**{name: told.get(name) for name in names if name in told or getattr(like, name) is None})
    except TypeError as error:
        raise ValueError(f"no spec: {error}") from None


def _value(like: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(like):
        return spec_from(like, value)
    found = tuple(value) if isinstance(value, list) else value
    # Half a layer, or true for one, would pass whatever compares numbers, and end somewhere in torch.
    kinds = (int, float) if isinstance(like, float) else (type(like),)
    parts = found if isinstance(found, tuple) else ()
    if (like is not None and type(found) not in kinds) or any(type(each) not in (int, str) for each in parts):
        raise ValueError(f"a spec must hold a value such as {like!r} there, got {value!r:.200}")
    return found
