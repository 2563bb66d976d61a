"""The layers of a text codec: what is seen of them, what flows through them, and a codec of fewer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from channels import Chance
from semcom.compression.channel_pruning import Inside, l1_channels
from semcom.compression.cost import multiply_adds
from semcom.compression.evidence import Evidence, Kept, Seen
from semcom.compression.reassembly import reassemble
from semcom.models.codec import Codec
from semcom.models.layers import DecoderLayer, EncoderLayer, add_positions
from semcom.models.make import initialize
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec
from semcom.models.trace import Trace

LENGTH = 20  # tokens of the sentence of ones


def codec_evidence(
    codec: SemanticCodec,
    trips: Callable[[], Iterable[Trace]],
    *,
    loss: Callable[[Codec], float],
    chance: Chance,
) -> Evidence:
    """All that the layers of a codec may be chosen by; its stacks are the semantic encoder and decoder.

    Args:
        trips: makes the trips of this codec that are looked at, the same ones every time.
        loss: what a codec is worth; smaller is better.
    """
    return Evidence(
        network=codec,
        fresh=lambda: initialize(codec.spec, codec.outputs, seed=chance.of("fresh").integer()).to(_device(codec)),
        flow=lambda network: flow_of_ones(cast(SemanticCodec, network)),
        observe=lambda: (seen_of(trace) for trace in trips()),
        rebuild=lambda kept: keep_layers(codec, kept),
        loss=lambda network: loss(cast(Codec, network)),
        multiply_adds=lambda network: _cost(cast(SemanticCodec, network)),
        narrow=lambda budget: narrow_feedforward(codec, budget),
        chance=chance,
    )


def keep_layers(codec: SemanticCodec, kept: Kept) -> SemanticCodec:
    """A codec with these layers of the transmitter and of the receiver alone, and a spec that says so.

    All else is the same bits. Its weights fit any codec that is made from its spec.
    """
    pruned = cast(SemanticCodec, reassemble(codec, kept))
    sending, hearing = (len(numbers) for numbers in kept)
    spec = replace(
        codec.spec,
        transmitter=replace(codec.spec.transmitter, layers=sending),
        receiver=replace(codec.spec.receiver, layers=hearing),
    )
    return _of_spec(pruned, spec)


def narrow_feedforward(codec: SemanticCodec, budget: int) -> SemanticCodec:
    """A codec with all its layers, the feed-forward part of each as wide as a budget of multiply-adds a token allows.

    Raises:
        UserMistake: one hidden unit a layer costs more.
    """
    small = cast(SemanticCodec, l1_channels(codec, _insides, lambda network: _cost(_told(network)), budget))
    return _told(small)


def _insides(network: nn.Module) -> list[Inside]:
    layers = [layer for stack in cast(SemanticCodec, network).stacks() for layer in stack]
    parts = [cast("EncoderLayer | DecoderLayer", layer).feedforward for layer in layers]
    return [Inside(cast(nn.Linear, part[0]), cast(nn.Linear, part[2])) for part in parts]


def _told(network: nn.Module) -> SemanticCodec:
    """The codec, whose spec tells how wide its feed-forward parts have become."""
    codec = cast(SemanticCodec, network)
    widths = [cast("EncoderLayer | DecoderLayer", stack[0]).feedforward[0].out_features for stack in codec.stacks()]
    sending, hearing = (cast(int, width) for width in widths)
    return _of_spec(
        codec,
        replace(
            codec.spec,
            transmitter=replace(codec.spec.transmitter, feedforward=sending),
            receiver=replace(codec.spec.receiver, feedforward=hearing),
        ),
    )


def _of_spec(codec: SemanticCodec, spec: SemanticSpec) -> SemanticCodec:
    codec.spec = codec.transmitter.spec = codec.receiver.spec = spec
    return codec


def _cost(codec: SemanticCodec) -> int:
    return multiply_adds(codec.spec, codec.outputs)


def seen_of(trace: Trace) -> Seen:
    """The layers of both sides on one trip."""
    return Seen((trace.sent.layers, trace.heard.layers), trace.targets, trace.mask)


def flow_of_ones(codec: SemanticCodec) -> Tensor:
    """Logits [1, length, vocabulary] of a codec whose embeddings are all ones.

    The reals of the channel encoder go straight into the channel decoder: the air and the power that it allows are
    left out, for unit power takes away how much flows.
    """
    sending, hearing = codec.transmitter, codec.receiver
    features = add_positions(_ones(codec, codec.spec.transmitter.width))
    for layer in sending.layers:
        features = layer(features)
    heard = hearing.channel_decoder(sending.channel_encoder(sending.norm(features)))
    if hearing.autoregressive:
        features = add_positions(_ones(codec, codec.spec.receiver.width) + heard)
        for layer in hearing.layers:
            assert isinstance(layer, DecoderLayer)
            features = layer(features, layer.across.remember(heard))
    else:
        features = add_positions(heard)
        for layer in hearing.layers:
            features = layer(features)
    return hearing.output(hearing.norm(features))


def _ones(codec: SemanticCodec, width: int) -> Tensor:
    weight = codec.receiver.output.weight
    return torch.ones(1, LENGTH, width, dtype=weight.dtype, device=weight.device)


def _device(codec: nn.Module) -> torch.device:
    return next(codec.parameters()).device
