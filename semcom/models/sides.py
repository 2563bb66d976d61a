"""The two sides of a semantic codec: Transmitter (sentence to symbols) and Receiver (symbols to sentence)."""

from __future__ import annotations

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


class Transmitter(nn.Module):
    """Embedding, semantic encoder, channel encoder, unit power."""

    def __init__(self, spec: SemanticSpec, vocabulary: int) -> None:
        super().__init__()
        side = spec.transmitter
        self.spec = spec
        self.embedding = embedding(vocabulary, side.width)
        self.dropout = nn.Dropout(spec.dropout)
        self.layers = nn.ModuleList(EncoderLayer(side, spec) for _ in range(side.layers))
        self.norm = final_norm(side, spec)
        self.channel_encoder = ChannelEncoder(side, spec.symbols_per_token)

    def forward(self, batch: SentenceBatch) -> Sent:
        mask = attention_mask(batch)
        features = add_positions(self.embedding(batch.tokens) * self.spec.transmitter.width**0.5)
        features = self.dropout(features)
        layers, entering = [], features
        for layer in self.layers:
            entering, features = features, layer(features, mask)
            layers.append(features)
        reals = self.channel_encoder(self.norm(features))
        sent = batch.mask.repeat_interleave(self.spec.symbols_per_token, dim=1) if batch.ragged else None
        return Sent(normalize_power(to_symbols(reals).flatten(1), sent), tuple(layers), entering)


class Receiver(nn.Module):
    """Channel decoder, semantic decoder, output layer.

    The autoregressive decoder is handed, at position t, the channel decoder's vector of position t beside the
    token before it. Without this it spends nearly all its training finding out that output t belongs to
    symbols t; with it the same score took about seven times less.

    Args:
        shared: an embedding to use as the output layer (and as the decoder's own input), or None for its own.
    """

    def __init__(self, spec: SemanticSpec, vocabulary: int, shared: nn.Embedding | None = None) -> None:
        super().__init__()
        side = spec.receiver
        self.spec = spec
        self.autoregressive = spec.decoding == "autoregressive"
        self.channel_decoder = ChannelDecoder(side, spec.symbols_per_token)
        make = DecoderLayer if self.autoregressive else EncoderLayer
        self.layers = nn.ModuleList(make(side, spec) for _ in range(side.layers))
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

    def forward(self, equalized: Tensor, batch: SentenceBatch, previous: Tensor | None = None) -> Heard:
        """Logits for every position at once.

        Args:
            previous: the true tokens shifted by one [batch, length]; needed, and used, only by an
                autoregressive decoder.
        """
        mask = attention_mask(batch)
        heard = self.hear(equalized)
        if self.autoregressive:
            if previous is None:
                raise ValueError("an autoregressive receiver needs the previous tokens to be rehearsed")
            features, layers = self.start(previous, heard), []
            for layer in self.layers:
                assert isinstance(layer, DecoderLayer)
                entering, features = features, layer(features, layer.across.remember(heard), mask)
                layers.append(features)
        else:
            features, layers = self.dropout(add_positions(heard)), []
            for layer in self.layers:
                entering, features = features, layer(features, mask)
                layers.append(features)
        return Heard(heard, tuple(layers), self.output(self.norm(features)), entering=entering)
