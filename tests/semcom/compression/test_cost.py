"""Cost: parameters against a plain count, multiply-adds against torch's own counter."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from semcom.compression.cost import (
    count,
    counted_multiply_adds,
    multiply_adds,
    receiver_multiply_adds,
    transmitter_multiply_adds,
)
from semcom.models.search import shifted
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.sources.batches import make_batch

VOCABULARY = 101  # no other size in these codecs, so that a shape tells which parameters are the vocabulary's
SMALL = SideSpec(width=12, layers=2, heads=3, feedforward=20, channel_hidden=9)
LARGE = SideSpec(width=16, layers=1, heads=2, feedforward=24, channel_hidden=11)

SPECS = [
    SemanticSpec(SMALL, receiver, symbols_per_token=3, decoding=decoding, tied=tied, norm=norm)
    for decoding, tied, receiver, norm in product(
        ("parallel", "autoregressive"), (True, False), (SMALL, LARGE), ("pre", "post")
    )
]
every_shape = pytest.mark.parametrize(
    "spec",
    SPECS,
    ids=lambda spec: f"{spec.decoding}-{'tied' if spec.tied else 'untied'}-{spec.receiver.width}-{spec.norm}",
)


@every_shape
def test_body_and_total_are_a_plain_count(spec: SemanticSpec) -> None:
    codec = SemanticCodec(spec, VOCABULARY)
    # By storage: a matrix that serves twice is stored, and counted, once.
    stored = {p.data_ptr(): p for p in codec.state_dict().values()}.values()
    cost = count(codec)
    assert cost.parameters == sum(p.numel() for p in stored)
    assert cost.body_parameters == sum(p.numel() for p in stored if VOCABULARY not in p.shape)


@pytest.mark.parametrize(("decoding", "matrices"), [("parallel", 2), ("autoregressive", 3)])
def test_tying_saves_whole_matrices_and_no_body(decoding: str, matrices: int) -> None:
    tied = SemanticSpec(SMALL, SMALL, decoding=decoding)
    costs = [count(SemanticCodec(each, VOCABULARY)) for each in (tied, replace(tied, tied=False))]
    assert costs[0].body_parameters == costs[1].body_parameters
    assert costs[1].parameters - costs[0].parameters == (matrices - 1) * VOCABULARY * SMALL.width


@every_shape
@pytest.mark.parametrize("length", [1, 7, 20])
def test_multiply_adds_are_what_torch_counts(spec: SemanticSpec, length: int) -> None:
    """One multiply-add is two operations; nothing but matrix products is counted on either side."""
    codec = SemanticCodec(spec, VOCABULARY).eval()
    batch = make_batch([[5] * length] * 3)
    # Torch counts the operations of its plain attention; the fused one on a CPU it would miss.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        codec.receiver(codec.send(batch).symbols, batch, previous=shifted(batch.tokens))
    counted = counter.get_total_flops()
    assert counted == 2 * 3 * length * multiply_adds(spec, VOCABULARY, length=length)
    trip = counted_multiply_adds(
        lambda: codec.receiver(codec.send(batch).symbols, batch, previous=shifted(batch.tokens))
    )
    assert 2 * trip == counted


@every_shape
def test_the_sides_add_up_and_each_is_what_torch_counts(spec: SemanticSpec) -> None:
    codec = SemanticCodec(spec, VOCABULARY).eval()
    cost = count(codec)
    assert cost.transmitter_multiply_adds + cost.receiver_multiply_adds == cost.multiply_adds
    assert cost.transmitter_body_parameters + cost.receiver_body_parameters == cost.body_parameters
    own = [p for p in codec.transmitter.parameters() if VOCABULARY not in p.shape]
    assert cost.transmitter_body_parameters == sum(p.numel() for p in own)
    batch = make_batch([[5] * 20] * 3)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as sending:
            symbols = codec.send(batch).symbols
        with FlopCounterMode(display=False) as hearing:
            codec.receiver(symbols, batch, previous=shifted(batch.tokens))
    assert sending.get_total_flops() == 2 * 3 * 20 * transmitter_multiply_adds(spec)
    assert hearing.get_total_flops() == 2 * 3 * 20 * receiver_multiply_adds(spec, VOCABULARY)


def test_twenty_tokens_are_the_custom() -> None:
    codec = SemanticCodec(SPECS[0], VOCABULARY)
    assert count(codec).multiply_adds == multiply_adds(SPECS[0], VOCABULARY, length=20)
    assert multiply_adds(SPECS[0], VOCABULARY) > multiply_adds(SPECS[0], VOCABULARY, length=19)


def test_multiply_adds_by_hand() -> None:
    """One layer a side, every product written out."""
    side = SideSpec(width=4, layers=1, heads=2, feedforward=6, channel_hidden=5)
    spec = SemanticSpec(side, side, symbols_per_token=2)
    layer = 4 * 4 * 4 + 2 * (10 * 4) + 2 * (4 * 6)
    channel = (4 * 5 + 5 * 4) + (4 * 4 + 4 * 5 + 5 * 4)
    assert multiply_adds(spec, 7, length=10) == 2 * layer + channel + 4 * 7
    causal = multiply_adds(replace(spec, decoding="autoregressive"), 7, length=10)
    assert causal - multiply_adds(spec, 7, length=10) == 4 * 4 * 4 + 2 * (10 * 4)
