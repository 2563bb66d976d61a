"""The fully connected code next to the air: its formula, and every token by itself."""

import torch
from torch.nn import functional as F

from semcom.models.channel_coding import ChannelDecoder, ChannelEncoder
from semcom.models.semantic_spec import SideSpec

SIDE = SideSpec(width=12, layers=1, heads=3, feedforward=20, channel_hidden=9)


def test_encoder_is_two_layers() -> None:
    torch.manual_seed(0)
    encoder, x = ChannelEncoder(SIDE, 4), torch.randn(3, 5, 12)
    hidden = F.relu(x @ encoder.inner.weight.T + encoder.inner.bias)
    assert hidden.shape == (3, 5, 9)
    torch.testing.assert_close(encoder(x), hidden @ encoder.outer.weight.T + encoder.outer.bias)
    assert encoder(x).shape == (3, 5, 8)


def test_decoder_has_a_way_around() -> None:
    torch.manual_seed(0)
    decoder, reals = ChannelDecoder(SIDE, 4), torch.randn(3, 5, 8)
    features = decoder.inner(reals)
    hidden = F.relu(decoder.hidden(F.relu(features)))
    assert hidden.shape == (3, 5, 9)
    expected = F.layer_norm(features + decoder.outer(hidden), (12,))
    torch.testing.assert_close(decoder(reals), expected)


def test_tokens_do_not_mix() -> None:
    torch.manual_seed(0)
    encoder, decoder, x = ChannelEncoder(SIDE, 4), ChannelDecoder(SIDE, 4), torch.randn(3, 5, 12)
    whole = decoder(encoder(x))
    for position in range(5):
        alone = decoder(encoder(x[:, position : position + 1]))
        torch.testing.assert_close(alone, whole[:, position : position + 1], atol=1e-6, rtol=1e-5)
