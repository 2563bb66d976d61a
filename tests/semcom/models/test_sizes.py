"""Named sizes: even steps, buildable, and DeepSC as its authors' code has it."""

from dataclasses import asdict
from itertools import pairwise

import pytest
import torch

from channels import Chance, Link
from semcom.compression.cost import count
from semcom.models.semantic import SemanticCodec
from semcom.models.sizes import SIZES
from semcom.sources.batches import make_batch
from semcom.training.objective import HardLabels

LADDER = ("tiny", "student_quarter", "student_half", "teacher")
OFFICIAL_VOCABULARY = 22_234


def on_paper(spec_name: str, vocabulary: int) -> SemanticCodec:
    """A codec without memory behind it: only its shapes."""
    with torch.device("meta"):
        return SemanticCodec(SIZES[spec_name], vocabulary)


def test_bodies_fall_evenly() -> None:
    bodies = [count(on_paper(name, 1000)).body_parameters for name in LADDER]
    for smaller, larger in pairwise(bodies):
        assert 3 <= larger / smaller <= 8


def test_all_sizes_take_the_same_air() -> None:
    assert len({spec.symbols_per_token for spec in SIZES.values()}) == 1


def test_deepsc_has_the_official_shape() -> None:
    """Layers, widths and training extras as in 13274086/DeepSC, models/transceiver.py and main.py."""
    spec = SIZES["deepsc"]
    side = {"width": 128, "layers": 4, "heads": 8, "feedforward": 512}
    assert asdict(spec.transmitter) == {**side, "channel_hidden": 256}
    assert asdict(spec.receiver) == {**side, "channel_hidden": 512}
    assert (spec.symbols_per_token, spec.decoding, spec.norm) == (8, "autoregressive", "post")
    assert (spec.tied, spec.dropout) == (False, 0.1)


def test_deepsc_body_is_the_published_arithmetic() -> None:
    """Worked out by hand from the official layer shapes, biases and layer normalizations included."""
    attention = 4 * (128 * 128 + 128)
    feedforward = 128 * 512 + 512 + 512 * 128 + 128
    norm = 2 * 128
    encoder = 4 * (attention + feedforward + 2 * norm)
    decoder = 4 * (2 * attention + feedforward + 3 * norm)
    channel_encoder = 128 * 256 + 256 + 256 * 16 + 16
    channel_decoder = 16 * 128 + 128 + 128 * 512 + 512 + 512 * 128 + 128 + norm
    by_hand = encoder + decoder + channel_encoder + channel_decoder
    assert by_hand == 2_022_672
    cost = count(on_paper("deepsc", OFFICIAL_VOCABULARY))
    assert cost.body_parameters == by_hand
    # The official output layer has a bias and ours has none: one number a word is all that differs.
    assert cost.parameters == 10_582_762 - OFFICIAL_VOCABULARY


@pytest.mark.parametrize("name", SIZES)
def test_every_size_can_take_a_step(name: str) -> None:
    torch.manual_seed(0)
    codec = SemanticCodec(SIZES[name], 31)
    losses = HardLabels(codec)(make_batch([[5, 6, 7], [8, 9], [10, 11, 12]]), [Link(interferers=1)], Chance(3))
    sum(losses.values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in codec.parameters())
