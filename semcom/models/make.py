"""make: a codec of any kind from its spec, with weights that depend on a seed alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from semcom.models.codec import Codec
from semcom.models.recognizer import Recognizer
from semcom.models.recognizer_spec import RecognizerSpec
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.spec import Spec


def make(spec: Spec, outputs: int) -> Codec:
    """A codec of this shape with whatever weights torch draws."""
    if isinstance(spec, SemanticSpec):
        return SemanticCodec(spec, outputs)
    if isinstance(spec, RecognizerSpec):
        return Recognizer(spec, outputs)
    raise ValueError(f"a spec must be of a kind that codecs are made of, got {spec.kind}")


def spec_from(kind: str, facts: Mapping[str, Any]) -> Spec:
    """The spec that plain data tells of, such as the header of a weights file; the spec itself refuses nonsense.

    Raises:
        ValueError: it is of no kind that is known, or no spec of it.
    """
    try:
        if kind == RecognizerSpec.kind:
            return RecognizerSpec(**{name: _in_tuples(value) for name, value in facts.items()})
        if kind == SemanticSpec.kind:
            sides = {name: SideSpec(**facts[name]) for name in ("transmitter", "receiver")}
            return SemanticSpec(**{**facts, **sides})
    except (KeyError, TypeError) as error:
        raise ValueError(f"no spec of kind {kind}: {error}") from None
    raise ValueError(f"a spec must be of a kind that codecs are made of, got {kind}")


def _in_tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def initialize(spec: Spec, outputs: int, *, seed: int) -> Codec:
    """A fresh codec whose weights depend on the seed alone, not on who drew before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed accelerators too, for good
        return make(spec, outputs)
