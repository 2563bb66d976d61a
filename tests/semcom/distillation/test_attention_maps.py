"""Attention worked out anew is what the layer used; its maps by hand; heads and decoders that differ."""

import math

import numpy as np
import pytest
import torch

from channels import Chance, Link, draw
from semcom.distillation.attention_maps import AttentionMaps
from semcom.models.codec import air_shape
from semcom.models.layers import self_attention
from semcom.models.trace import Attention
from semcom.tasks.trip import rehearse

CHANCE = np.random.default_rng(7)
REAL = np.array([[True, True, True, True], [True, True, False, False]])
# Queries, keys and values [batch, heads, length, width / heads]: the student has 2 heads of 2, the teacher 4 of 3.
OURS, THEIRS = CHANCE.normal(size=(3, 2, 2, 4, 2)), CHANCE.normal(size=(3, 2, 4, 4, 3))


def by_hand(ours, theirs, heads, *, causal=False):
    """Mean over heads and real places of the divergence of both relations, place by place."""
    rows, _, length, _ = ours[0].shape
    values = []
    for row in range(rows):
        for place in np.flatnonzero(REAL[row]):
            seen = [k for k in np.flatnonzero(REAL[row]) if k <= place or not causal]
            total = 0.0
            for head in range(heads):
                for one, other in ((0, 1), (2, 2)):
                    both = []
                    for compared in (theirs, ours):
                        # [length, width]: all heads of a token side by side, then cut into as many as both share.
                        a, b = (
                            each[row].transpose(1, 0, 2).reshape(length, heads, -1)[:, head]
                            for each in (compared[one], compared[other])
                        )
                        weights = np.exp(np.array([a[place] @ b[k] for k in seen]) / math.sqrt(a.shape[-1]))
                        both.append(weights / weights.sum())
                    total += (both[0] * np.log(both[0] / both[1])).sum()
            values.append(total / heads)
    return np.mean(values)


@pytest.fixture
def loss(make_trace):
    """A function from what both compared to the loss on the decoder's side."""

    def compute(ours, theirs, *, causal=(False, False), mask=REAL):
        traces = []
        for compared, each in zip((ours, theirs), causal, strict=True):
            trace = make_trace(mask=torch.as_tensor(mask))
            attention = Attention(*(torch.as_tensor(part) for part in compared), causal=each)
            object.__setattr__(trace.heard, "attention", attention)
            traces.append(trace)
        return AttentionMaps(side="decoder").loss(*traces, torch.nn.Identity())

    return compute


def test_by_hand(loss):
    assert loss(OURS, THEIRS).item() == pytest.approx(by_hand(OURS, THEIRS, 2), rel=1e-10)


@pytest.mark.parametrize("causal", [(True, True), (True, False), (False, True)])
def test_what_one_may_not_look_at_is_compared_for_neither(loss, causal):
    value = loss(OURS, THEIRS, causal=causal).item()
    assert value == pytest.approx(by_hand(OURS, THEIRS, 2, causal=True), rel=1e-10)
    assert abs(value - loss(OURS, THEIRS).item()) > 0.01


def test_padding_has_no_part_in_a_map(loss):
    changed = OURS.copy()
    changed[:, 1, :, 2:] = 50.0
    assert loss(changed, THEIRS).item() == pytest.approx(loss(OURS, THEIRS).item(), rel=1e-12)
    ours = torch.as_tensor(OURS).clone().requires_grad_()
    loss(ours, THEIRS).backward()
    assert ours.grad.isfinite().all()
    assert not ours.grad[:, 1, :, 2:].any()


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
@pytest.mark.parametrize("layers", [1, 2])
def test_attention_worked_out_anew_is_what_the_layer_used(make_codec, batch, norm, decoding, layers):
    """Put the maps back onto the values, through the output layer, and the layer's own attention comes out."""
    codec, link = make_codec(norm=norm, decoding=decoding, layers=layers), Link()
    trace = codec.with_attention(rehearse(codec, batch, [(link, draw(link, air_shape(codec, batch), Chance(1)))]))
    for part, side in ((trace.sent, codec.transmitter), (trace.heard, codec.receiver)):
        attention, layer = part.attention, side.layers[-1]
        assert attention.causal == (decoding == "autoregressive" and side is codec.receiver)
        scores = attention.queries @ attention.keys.mT / math.sqrt(attention.queries.shape[-1])
        seen = batch.mask[:, None, None, :].expand_as(scores)
        seen = seen.tril() if attention.causal else seen
        mixed = scores.masked_fill(~seen, -math.inf).softmax(dim=-1) @ attention.values
        again = layer.attention.output(mixed.transpose(1, 2).flatten(2))
        given = layer.around_attention.given(part.entering)
        used = (
            layer.attention.attend(given, layer.attention.remember(given), causal=True)
            if attention.causal
            else layer.attention(given, batch.mask[:, None, None, :])
        )
        assert torch.allclose(again[batch.mask], used[batch.mask], atol=1e-5)
        entering = part.layers[-2] if layers > 1 else part.entering
        assert torch.equal(self_attention(layer, entering).queries, attention.queries)


def test_nobody_pays_who_does_not_ask(make_codec, batch):
    codec, link = make_codec(), Link()
    trace = rehearse(codec, batch, [(link, draw(link, air_shape(codec, batch), Chance(1)))])
    assert trace.sent.attention is None
    assert trace.heard.attention is None
    assert trace.sent_arrived is None
