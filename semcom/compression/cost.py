"""Cost: parameters of a codec, whole and without its vocabulary, and multiply-adds a token."""

from __future__ import annotations

from dataclasses import dataclass

from semcom.models.codec import SemanticCodec
from semcom.models.spec import CodecSpec, SideSpec


@dataclass(frozen=True)
class Cost:
    """What a codec costs.

    Args:
        parameters: all of them, tied ones once.
        body_parameters: without embeddings and output layer, which hide how much was compressed.
        multiply_adds: per token, at 20 tokens a sentence, both sides, output layer included.
    """

    parameters: int
    body_parameters: int
    multiply_adds: int


def count(codec: SemanticCodec) -> Cost:
    """The cost of a codec as it stands."""
    sizes = {name: parameter.numel() for name, parameter in codec.named_parameters()}
    vocabulary = sum(
        size
        for name, size in sizes.items()
        if ".embedding." in name or (".output.weight" in name and "attention" not in name and "across" not in name)
    )
    total = sum(sizes.values())
    return Cost(total, total - vocabulary, multiply_adds(codec.spec, codec.vocabulary))


def multiply_adds(spec: CodecSpec, vocabulary: int, *, length: int = 20) -> int:
    """Multiply-adds a token of one trip, encoder to logits, in closed form.

    Per layer: 4 d^2 for query, key, value and output, 2 length d for scores and mixing, 2 d f feed-forward; an
    autoregressive layer has its attention twice.
    """
    reals = 2 * spec.symbols_per_token
    sending, hearing = spec.transmitter, spec.receiver
    twice = 2 if spec.decoding == "autoregressive" else 1
    encoder = sending.layers * _layer(sending, length, attentions=1)
    decoder = hearing.layers * _layer(hearing, length, attentions=twice)
    channel_encoder = sending.width * sending.channel_hidden + sending.channel_hidden * reals
    channel_decoder = reals * hearing.width + 2 * hearing.width * hearing.channel_hidden
    return encoder + channel_encoder + channel_decoder + decoder + hearing.width * vocabulary


def _layer(side: SideSpec, length: int, *, attentions: int) -> int:
    attention = 4 * side.width**2 + 2 * length * side.width
    return attentions * attention + 2 * side.width * side.feedforward
