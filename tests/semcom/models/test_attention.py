"""Attention: torch's own and sums written out give the same numbers."""

import math

import pytest
import torch
from torch import nn

from semcom.models.attention import MultiHeadAttention

BATCH, LENGTH, WIDTH, HEADS = 3, 5, 12, 3


def features(length: int = LENGTH, width: int = WIDTH, *, seed: int = 1) -> torch.Tensor:
    return torch.randn(BATCH, length, width, generator=torch.Generator().manual_seed(seed))


def ragged_mask() -> torch.Tensor:
    """Rows with 5, 2 and 1 real keys."""
    return torch.arange(LENGTH) < torch.tensor([[5], [2], [1]])


def torch_twin(ours: MultiHeadAttention) -> nn.MultiheadAttention:
    """Torch's block with our weights in it."""
    twin = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    with torch.no_grad():
        twin.in_proj_weight.copy_(torch.cat((ours.query.weight, ours.key.weight, ours.value.weight)))
        twin.in_proj_bias.copy_(torch.cat((ours.query.bias, ours.key.bias, ours.value.bias)))
        twin.out_proj.weight.copy_(ours.output.weight)
        twin.out_proj.bias.copy_(ours.output.bias)
    return twin


def attention() -> MultiHeadAttention:
    torch.manual_seed(0)
    return MultiHeadAttention(WIDTH, HEADS)


@pytest.mark.parametrize("masked", [False, True])
def test_self_attention_is_torchs(masked: bool) -> None:
    ours, x = attention(), features()
    mask = ragged_mask() if masked else None
    theirs, _ = torch_twin(ours)(x, x, x, key_padding_mask=None if mask is None else ~mask)
    torch.testing.assert_close(ours(x, None if mask is None else mask[:, None, None, :]), theirs, atol=1e-6, rtol=1e-5)


def test_causal_attention_is_torchs() -> None:
    ours, x = attention(), features()
    later = torch.ones(LENGTH, LENGTH, dtype=torch.bool).triu(1)
    theirs, _ = torch_twin(ours)(x, x, x, attn_mask=later)
    torch.testing.assert_close(ours.attend(x, ours.remember(x), causal=True), theirs, atol=1e-6, rtol=1e-5)


def test_attention_to_a_memory_is_torchs() -> None:
    ours = attention()
    x, memory = features(4), features(seed=2)
    theirs, _ = torch_twin(ours)(x, memory, memory, key_padding_mask=~ragged_mask())
    mine = ours.attend(x, ours.remember(memory), mask=ragged_mask()[:, None, None, :])
    torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-5)


def test_attention_is_the_sum_on_paper() -> None:
    """softmax(q k / sqrt(d)) v, head by head and query by query, in doubles."""
    ours, x = attention().double(), features().double()
    mask, size = ragged_mask(), WIDTH // HEADS
    queries, keys, values = ours.query(x), ours.key(x), ours.value(x)
    mixed = torch.zeros_like(x)
    for row in range(BATCH):
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            for position in range(LENGTH):
                scores = [
                    (queries[row, position, part] @ keys[row, key, part] / math.sqrt(size)).exp()
                    for key in range(LENGTH)
                    if mask[row, key]
                ]
                for key, score in enumerate(scores):
                    mixed[row, position, part] += score / sum(scores) * values[row, key, part]
    torch.testing.assert_close(ours(x, mask[:, None, None, :]), ours.output(mixed))


def test_what_is_masked_does_not_matter() -> None:
    ours, x, mask = attention(), features(), ragged_mask()
    other = torch.where(mask[..., None], x, 1e3 * features(seed=3))
    seen = mask[:, None, None, :]
    torch.testing.assert_close(
        ours.attend(x, ours.remember(other), mask=seen), ours.attend(x, ours.remember(x), mask=seen)
    )


def test_keys_have_no_order_of_their_own() -> None:
    """Positions are added to the features: attention itself must not know them."""
    ours, x, mask = attention(), features(), ragged_mask()
    order = torch.tensor([3, 0, 4, 1, 2])
    shuffled = ours.attend(x, ours.remember(x[:, order]), mask=mask[:, None, None, order])
    torch.testing.assert_close(shuffled, ours(x, mask[:, None, None, :]), atol=1e-6, rtol=1e-5)


def test_remembered_piece_by_piece_is_remembered_whole() -> None:
    ours, x = attention(), features()
    keys, values = ours.remember(x)
    assert keys.shape == values.shape == (BATCH, HEADS, LENGTH, WIDTH // HEADS)
    pieces = [ours.remember(x[:, position : position + 1]) for position in range(LENGTH)]
    torch.testing.assert_close(torch.cat([piece[0] for piece in pieces], dim=2), keys, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(torch.cat([piece[1] for piece in pieces], dim=2), values, atol=1e-6, rtol=1e-5)
