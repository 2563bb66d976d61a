"""Sentences of made-up token numbers, and codecs small enough to train in a blink."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from semcom.models.make import initialize
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import symmetric

VOCABULARY = 23


@pytest.fixture
def encoded() -> list[list[int]]:
    """Thirty sentences of three to six tokens, so that some batches are padded and some are not."""
    chance = Random(5)
    return [[chance.randrange(4, VOCABULARY) for _ in range(3 + index % 4)] for index in range(30)]


@pytest.fixture
def make_codec() -> Callable[..., SemanticCodec]:
    """A function from a seed, and changes to its spec, to a fresh codec."""

    def make(seed: int = 1, *, width: int = 8, layers: int = 1, **changes: object) -> SemanticCodec:
        spec = replace(symmetric(width, layers, heads=2), symbols_per_token=2, **changes)
        return initialize(spec, VOCABULARY, seed=seed)

    return make
