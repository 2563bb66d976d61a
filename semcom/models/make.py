"""make: a codec of any kind from its spec, with weights that depend on a seed alone."""

from __future__ import annotations

import torch

from semcom.models.codec import Codec
from semcom.models.recognizer import Recognizer
from semcom.models.recognizer_spec import RecognizerSpec
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec
from semcom.models.spec import Spec


def make(spec: Spec, outputs: int) -> Codec:
    """A codec of this shape with whatever weights torch draws."""
    if isinstance(spec, SemanticSpec):
        return SemanticCodec(spec, outputs)
    if isinstance(spec, RecognizerSpec):
        return Recognizer(spec, outputs)
    raise ValueError(f"a spec must be of a kind that codecs are made of, got {spec.kind}")


def initialize(spec: Spec, outputs: int, *, seed: int) -> Codec:
    """A fresh codec whose weights depend on the seed alone, not on who drew before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed accelerators too, for good
        return make(spec, outputs)
