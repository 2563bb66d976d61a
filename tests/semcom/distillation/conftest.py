"""Made-up codecs, sentences and traces, small enough to work out by hand."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from channels import Arrived, Link
from semcom.models.make import initialize
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import symmetric
from semcom.models.trace import Heard, Sent, Trace
from semcom.sources.batches import SentenceBatch, make_batch

VOCABULARY = 19


@pytest.fixture
def make_codec() -> Callable[..., SemanticCodec]:
    """A function from a seed, and changes to its spec, to a fresh codec."""

    def make(seed: int = 1, *, width: int = 8, layers: int = 1, vocabulary: int = VOCABULARY, **changes: object):
        spec = replace(symmetric(width, layers, heads=2), **{"symbols_per_token": 2, **changes})
        return initialize(spec, vocabulary, seed=seed)

    return make


@pytest.fixture
def batch() -> SentenceBatch:
    """Six sentences of three to five tokens."""
    return make_batch([[4 + (5 * row + 3 * place) % 15 for place in range(3 + row % 3)] for row in range(6)])


@pytest.fixture
def make_trace() -> Callable[..., Trace]:
    """A function from symbols [batch, K], logits [batch, length, vocabulary] and a mask to a trace of nothing else."""

    def make(*, symbols=None, logits=None, mask=None, layers=None, targets=None, features=None, arrived=None) -> Trace:
        rows, length = mask.shape
        nothing = torch.zeros(rows, length)
        stack = () if layers is None else tuple(layers)
        return Trace(
            targets=torch.zeros(rows, length, dtype=torch.long) if targets is None else targets,
            mask=mask,
            sent=Sent(nothing if symbols is None else symbols, stack),
            arrived=Arrived(nothing if arrived is None else arrived, ((Link(), None),)),
            heard=Heard(nothing if features is None else features, stack, nothing if logits is None else logits),
        )

    return make
