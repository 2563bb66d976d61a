"""The layers of a text codec: what is seen of them, what flows through them, and a codec of fewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from channels import Chance, Link, draw
from semcom.compression.evidence import Evidence, Kept, Seen
from semcom.compression.reassembly import reassemble
from semcom.models.codec import air_shape
from semcom.models.layers import DecoderLayer, add_positions
from semcom.models.make import initialize
from semcom.models.semantic import SemanticCodec
from semcom.sources.batches import SentenceBatch
from semcom.tasks.trip import rehearse

LENGTH = 20  # tokens of the sentence of ones


def codec_evidence(
    codec: SemanticCodec,
    batches: Sequence[SentenceBatch],
    link: Link,
    *,
    loss: Callable[[SemanticCodec], float],
    chance: Chance,
) -> Evidence:
    """All that the layers of a codec may be chosen by; its stacks are the semantic encoder and decoder.

    Args:
        batches: sentences whose trips are looked at.
        link: the air that they go through.
        loss: what a codec is worth; smaller is better.
    """
    return Evidence(
        network=codec,
        fresh=lambda: initialize(codec.spec, codec.outputs, seed=chance.of("fresh").integer()).to(_device(codec)),
        flow=lambda network: flow_of_ones(cast(SemanticCodec, network)),
        observe=lambda: observe(codec, batches, link, chance.of("observe")),
        rebuild=lambda kept: keep_layers(codec, kept),
        loss=lambda network: loss(cast(SemanticCodec, network)),
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
    pruned.spec = pruned.transmitter.spec = pruned.receiver.spec = spec
    return pruned


@torch.no_grad()
def observe(codec: SemanticCodec, batches: Sequence[SentenceBatch], link: Link, chance: Chance) -> Iterator[Seen]:
    """The layers of both sides on one trip of each batch."""
    for index, batch in enumerate(batches):
        here = batch.to(_device(codec))
        air = draw(link, air_shape(codec, here), chance.of("batch", index)).to(_device(codec))
        trace = rehearse(codec, here, link, air)
        yield Seen((trace.sent.layers, trace.heard.layers), trace.targets, trace.mask)


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
