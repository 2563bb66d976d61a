"""Transformer layers against torch's own, positions against their formula, and steps against whole sentences."""

import math

import pytest
import torch
from torch import nn

from semcom.models.attention import MultiHeadAttention
from semcom.models.layers import DecoderLayer, EncoderLayer, Residual, add_positions, feed_forward, final_norm
from semcom.models.semantic_spec import SemanticSpec, SideSpec

SIDE = SideSpec(width=12, layers=1, heads=3, feedforward=20, channel_hidden=9)
NORMS = ("pre", "post")
Layer = EncoderLayer | DecoderLayer


def spec(norm: str, *, dropout: float = 0.0) -> SemanticSpec:
    return SemanticSpec(transmitter=SIDE, receiver=SIDE, norm=norm, dropout=dropout)


def make(kind: type[Layer], norm: str) -> Layer:
    """A layer whose normalizations are no identities, so that mixing them up shows."""
    torch.manual_seed(0)
    layer = kind(SIDE, spec(norm))
    for part in layer.modules():
        if isinstance(part, nn.LayerNorm):
            nn.init.uniform_(part.weight, 0.5, 2.0)
            nn.init.normal_(part.bias)
    return layer


def features(seed: int, length: int = 6) -> torch.Tensor:
    return torch.randn(4, length, SIDE.width, generator=torch.Generator().manual_seed(seed))


def mask() -> torch.Tensor:
    return torch.arange(6) < torch.tensor([[6], [3], [1], [5]])


@torch.no_grad()
def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    theirs.in_proj_weight.copy_(torch.cat((ours.query.weight, ours.key.weight, ours.value.weight)))
    theirs.in_proj_bias.copy_(torch.cat((ours.query.bias, ours.key.bias, ours.value.bias)))
    theirs.out_proj.load_state_dict(ours.output.state_dict())


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("masked", [False, True])
def test_encoder_layer_is_torchs(norm: str, masked: bool) -> None:
    ours = make(EncoderLayer, norm)
    theirs = nn.TransformerEncoderLayer(12, 3, 20, dropout=0.0, batch_first=True, norm_first=norm == "pre")
    copy_attention(ours.attention, theirs.self_attn)
    pairs = [
        (ours.feedforward[0], theirs.linear1),
        (ours.feedforward[2], theirs.linear2),
        (ours.around_attention.norm, theirs.norm1),
        (ours.around_feedforward.norm, theirs.norm2),
    ]
    for mine, other in pairs:
        other.load_state_dict(mine.state_dict())
    x = features(1)
    expected = theirs(x, src_key_padding_mask=~mask() if masked else None)
    torch.testing.assert_close(ours(x, mask()[:, None, None, :] if masked else None), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("masked", [False, True])
def test_decoder_layer_is_torchs(norm: str, masked: bool) -> None:
    ours = make(DecoderLayer, norm)
    theirs = nn.TransformerDecoderLayer(12, 3, 20, dropout=0.0, batch_first=True, norm_first=norm == "pre")
    copy_attention(ours.attention, theirs.self_attn)
    copy_attention(ours.across, theirs.multihead_attn)
    pairs = [
        (ours.feedforward[0], theirs.linear1),
        (ours.feedforward[2], theirs.linear2),
        (ours.around_attention.norm, theirs.norm1),
        (ours.around_across.norm, theirs.norm2),
        (ours.around_feedforward.norm, theirs.norm3),
    ]
    for mine, other in pairs:
        other.load_state_dict(mine.state_dict())
    x, memory = features(1), features(2)
    expected = theirs(
        x,
        memory,
        tgt_mask=torch.ones(6, 6, dtype=torch.bool).triu(1),
        memory_key_padding_mask=~mask() if masked else None,
    )
    mine = ours(x, ours.across.remember(memory), mask()[:, None, None, :] if masked else None)
    torch.testing.assert_close(mine, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_steps_make_the_whole(norm: str) -> None:
    """Position after position with a cache is one pass over the sentence."""
    layer = make(DecoderLayer, norm)
    x, received, seen = features(1), layer.across.remember(features(2)), mask()[:, None, None, :]
    past, outputs = None, []
    for position in range(6):
        output, past = layer.step(x[:, position : position + 1], received, past, seen)
        assert past[0].shape == past[1].shape == (4, 3, position + 1, 4)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs, dim=1), layer(x, received, seen), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_decoder_layer_is_blind_to_the_future(norm: str) -> None:
    layer = make(DecoderLayer, norm)
    x, received = features(1), layer.across.remember(features(2))
    changed = x.clone()
    changed[:, 3] = features(3)[:, 3]
    before, after = layer(x, received), layer(changed, received)
    torch.testing.assert_close(after[:, :3], before[:, :3], atol=0, rtol=0)
    assert ((after - before)[:, 3:].abs().amax(dim=-1) > 1e-4).all()


def test_residual_drops_features_in_training_alone() -> None:
    torch.manual_seed(0)
    around, x = Residual(SIDE.width, spec("pre", dropout=0.5)), features(1)
    assert torch.equal(around.eval()(x, torch.ones_like), x + 1)
    added = around.train()(x, torch.ones_like) - x
    assert torch.equal(added.round().unique(), torch.tensor([0.0, 2.0]))


def test_feed_forward_has_its_shape() -> None:
    shapes = [tuple(part.weight.shape) for part in feed_forward(SIDE) if isinstance(part, nn.Linear)]
    assert shapes == [(20, 12), (12, 20)]


def test_only_pre_norm_stacks_end_in_a_norm() -> None:
    assert isinstance(final_norm(SIDE, spec("pre")), nn.LayerNorm)
    assert isinstance(final_norm(SIDE, spec("post")), nn.Identity)


@pytest.mark.parametrize("width", [2, 6, 12])
def test_positions_follow_their_formula(width: int) -> None:
    added = add_positions(torch.zeros(1, 40, width))[0]
    for position in range(40):
        for pair in range(width // 2):
            angle = position / 10000 ** (2 * pair / width)
            assert added[position, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert added[position, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_positions_may_start_late() -> None:
    x = features(1, 9)
    whole = add_positions(x)
    for first in range(9):
        assert torch.equal(add_positions(x[:, first : first + 1], first=first), whole[:, first : first + 1])
    assert add_positions(x.double()).dtype == torch.float64


def test_positions_made_while_listening_serve_training_too() -> None:
    """They are kept from call to call, and tensors of inference mode may not enter every computation."""
    with torch.inference_mode():
        add_positions(torch.zeros(1, 57, 12))
    x = torch.zeros(1, 57, 12, requires_grad=True)
    (add_positions(x) ** 2).sum().backward()
    assert torch.isfinite(x.grad).all()
