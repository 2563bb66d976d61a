"""The two sides of a semantic codec: Transmitter (sentence to symbols) and Receiver (symbols to sentence)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from channels import normalize_power, to_reals, to_symbols
from semcom.models.channel_coding import ChannelDecoder, ChannelEncoder
from semcom.models.layers import DecoderLayer, EncoderLayer, add_positions, final_norm
from semcom.models.semantic_spec import SemanticSpec
from semcom.models.trace import Heard, Sent
from semcom.sources.batches import SentenceBatch


def attention_mask(batch: SentenceBatch) -> Tensor | None:
    """Who may be attended, [batch, 1, 1, length]; None when every token is real, which is the fast path."""
    return batch.mask[:, None, None, :] if batch.ragged else None


def embedding(vocabulary: int, width: int) -> nn.Embedding:
    """Token vectors whose size suits both ends: times sqrt(width) at the input, as they are at the output."""
    table = nn.Embedding(vocabulary, width)
    nn.init.normal_(table.weight, std=width**-0.5)
    return table


def through(
    stack: nn.ModuleList,
    maker: nn.Module | None,
    features: Tensor,
    *,
    mask: Tensor | None,
    guide: Sequence[Tensor] | None,
) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """All layers of a stack, and what entered the last one; of layers that are made nothing entered them."""
    if maker is not None:
        return maker(features, mask, guide), None
    layers, entering = [], features
    for layer in stack:
        entering, features = features, layer(features, mask)
        layers.append(features)
    return tuple(layers), entering


class Transmitter(nn.Module):
    """Embedding, semantic encoder, channel encoder, unit power.

    Args:
        maker: makes the encoder's layers in its stead (`semcom.models.generative_layers`); None has layers of its own.
    """

    def __init__(self, spec: SemanticSpec, vocabulary: int, *, maker: nn.Module | None = None) -> None:
        super().__init__()
        side = spec.transmitter
        self.spec = spec
        self.embedding = embedding(vocabulary, side.width)
        self.dropout = nn.Dropout(spec.dropout)
        self.layers = nn.ModuleList(() if maker else (EncoderLayer(side, spec) for _ in range(side.layers)))
        self.maker = maker
        self.norm = final_norm(side, spec)
        self.channel_encoder = ChannelEncoder(side, spec.symbols_per_token)

    def forward(self, batch: SentenceBatch, guide: Sequence[Tensor] | None = None) -> Sent:
        """Symbols and layers.

        Args:
            guide: layers of a teacher, which a maker follows.
        """
        mask = attention_mask(batch)
        features = add_positions(self.embedding(batch.tokens) * self.spec.transmitter.width**0.5)
        features = self.dropout(features)
        layers, entering = through(self.layers, self.maker, features, mask=mask, guide=guide)
        reals = self.channel_encoder(self.norm(layers[-1]))
        sent = batch.mask.repeat_interleave(self.spec.symbols_per_token, dim=1) if batch.ragged else None
        return Sent(normalize_power(to_symbols(reals).flatten(1), sent), layers, entering)


class Receiver(nn.Module):
    """Channel decoder, semantic decoder, output layer.

    The autoregressive decoder is handed, at position t, the channel decoder's vector of position t beside the
    token before it. Without this it spends nearly all its training finding out that output t belongs to
    symbols t; with it the same score took about seven times less.

    Args:
        shared: an embedding to use as the output layer (and as the decoder's own input), or None for its own.
        maker: makes the decoder's layers in its stead, as in `Transmitter`; never of an autoregressive one.
    """

    def __init__(
        self,
        spec: SemanticSpec,
        vocabulary: int,
        shared: nn.Embedding | None = None,
        *,
        maker: nn.Module | None = None,
    ) -> None:
        super().__init__()
        side = spec.receiver
        self.spec = spec
        self.autoregressive = spec.decoding == "autoregressive"
        self.channel_decoder = ChannelDecoder(side, spec.symbols_per_token)
        make = DecoderLayer if self.autoregressive else EncoderLayer
        self.layers = nn.ModuleList(() if maker else (make(side, spec) for _ in range(side.layers)))
        self.maker = maker
        self.norm = final_norm(side, spec)
        self.dropout = nn.Dropout(spec.dropout)
        self.embedding = shared or embedding(vocabulary, side.width)
        self.output = nn.Linear(side.width, vocabulary, bias=False)
        if spec.tied:
            self.output.weight = self.embedding.weight
        elif not self.autoregressive:
            del self.embedding  # a one-shot decoder never looks a token up

    def hear(self, equalized: Tensor) -> Tensor:
        """Channel decoder features [batch, length, width] of an equalized signal [batch, K]."""
        reals = to_reals(equalized.unflatten(1, (-1, self.spec.symbols_per_token)))
        features: Tensor = self.channel_decoder(reals)
        return features

    def start(self, previous: Tensor, heard: Tensor, *, first: int = 0) -> Tensor:
        """What the autoregressive decoder sees at its input: the token before, and the signal of this position."""
        known = self.embedding(previous) * self.spec.receiver.width**0.5
        return self.dropout(add_positions(known, first=first) + heard)

    def forward(
        self,
        equalized: Tensor,
        batch: SentenceBatch,
        previous: Tensor | None = None,
        guide: Sequence[Tensor] | None = None,
    ) -> Heard:
        """Logits for every position at once.

        Args:
            previous: the true tokens shifted by one [batch, length]; needed, and used, only by an
                autoregressive decoder.
            guide: layers of a teacher, which a maker follows.
        """
        mask = attention_mask(batch)
        heard = self.hear(equalized)
        entering: Tensor | None
        if self.autoregressive:
            if previous is None:
                raise ValueError("an autoregressive receiver needs the previous tokens to be rehearsed")
            features, own = self.start(previous, heard), []
            for layer in self.layers:
                assert isinstance(layer, DecoderLayer)
                entering, features = features, layer(features, layer.across.remember(heard), mask)
                own.append(features)
            layers = tuple(own)
        else:
            features = self.dropout(add_positions(heard))
            layers, entering = through(self.layers, self.maker, features, mask=mask, guide=guide)
        return Heard(heard, layers, self.output(self.norm(layers[-1])), entering=entering)
