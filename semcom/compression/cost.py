"""Cost: parameters of a codec, whole and without its vocabulary, and multiply-adds a unit; by side too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from channels import Arrived, Chance, Link, draw
from semcom.baselines.separate import Separate
from semcom.compression.recognizer_cost import recognizer_multiply_adds
from semcom.languages.made_up_spec import MadeUpSpec
from semcom.languages.mixture_spec import MixtureSpec
from semcom.languages.ngram_spec import NGramSpec
from semcom.languages.transformer_spec import TransformerSpec
from semcom.models.codebook import Codebook
from semcom.models.codec import Codec, air_shape
from semcom.models.recognizer import Recognizer
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec, SideSpec

LanguageSpec = NGramSpec | TransformerSpec | MixtureSpec | MadeUpSpec


@dataclass(frozen=True)
class Cost:
    """What a codec costs.

    Args:
        parameters: all of them, tied ones once.
        body_parameters: without embeddings and output layer, which hide how much was compressed.
        multiply_adds: of both sides, output layer included: per token at 20 tokens a sentence, or per frame.
        transmitter_body_parameters: those of the body that the transmitter holds.
        receiver_body_parameters: the rest of the body.
        transmitter_multiply_adds: of these, up to the symbols.
        receiver_multiply_adds: the rest, from the equalized signal to the logits.
    """

    parameters: int
    body_parameters: int
    multiply_adds: int
    transmitter_body_parameters: int
    receiver_body_parameters: int
    transmitter_multiply_adds: int
    receiver_multiply_adds: int


def count(codec: Codec) -> Cost:
    """The cost of a codec as it stands."""
    sizes = {name: parameter.numel() for name, parameter in codec.named_parameters()}
    body = {name: size for name, size in sizes.items() if not _is_vocabulary(name)}
    sending = sum(size for name, size in body.items() if name.startswith("transmitter."))
    by_side = _multiply_adds_by_side(codec)
    return Cost(
        parameters=sum(sizes.values()),
        body_parameters=sum(body.values()),
        multiply_adds=sum(by_side),
        transmitter_body_parameters=sending,
        receiver_body_parameters=sum(body.values()) - sending,
        transmitter_multiply_adds=by_side[0],
        receiver_multiply_adds=by_side[1],
    )


def _multiply_adds_by_side(codec: Codec) -> tuple[int, int]:
    """In closed form where there is one, or else counted on one message."""
    if isinstance(codec, SemanticCodec):
        return transmitter_multiply_adds(codec.spec), receiver_multiply_adds(codec.spec, codec.outputs)
    if isinstance(codec, Codebook):
        # One product with all rows: see `semcom.models.likelihoods`.
        return 0, len(codec.receiver.rows) * (3 * codec.spec.symbols_per_token + 1)
    if isinstance(codec, Separate):
        # Look-ups and sums of bits aside, which no other codec counts either.
        return 0, codec.spec.decoder_messages
    if isinstance(codec, Recognizer):
        return 0, recognizer_multiply_adds(codec.spec, codec.outputs)
    with torch.device("cpu"):  # whatever stands without memory around here, its lengths are asked for
        batch = codec.example()
    device = next(codec.parameters()).device
    here = batch.to(device)
    with torch.no_grad():
        symbols = codec.send(here).symbols
    link = Link(snr_db=0.0)
    arrived = Arrived(symbols, ((link, draw(link, air_shape(codec, here), Chance(0)).to(device)),))
    was_training = codec.training
    codec.eval()
    by_side = tuple(
        counted_multiply_adds(side) // int(batch.lengths.sum())
        for side in (lambda: codec.send(here), lambda: codec.hear(arrived, here))
    )
    codec.train(was_training)
    return by_side[0], by_side[1]


def _is_vocabulary(name: str) -> bool:
    return ".embedding." in name or (".output.weight" in name and "attention" not in name and "across" not in name)


def multiply_adds(spec: SemanticSpec, vocabulary: int, *, length: int = 20) -> int:
    """Multiply-adds a token of one trip, encoder to logits, in closed form.

    Per layer: 4 d^2 for query, key, value and output, 2 length d for scores and mixing, 2 d f feed-forward; an
    autoregressive layer has its attention twice.
    """
    return transmitter_multiply_adds(spec, length=length) + receiver_multiply_adds(spec, vocabulary, length=length)


def language_multiply_adds(spec: LanguageSpec, vocabulary: int, *, beam: int, length: int = 20) -> int:
    """Multiply-adds a token of a language in a search of so many hypotheses, each of which it reads; of counts none.

    An n-gram is looked up. Of a mixture add up its two.
    """
    if not isinstance(spec, TransformerSpec):
        return 0
    return beam * (spec.layers * _layer(spec.side, length, attentions=1) + spec.width * vocabulary)


def counted_multiply_adds(run: Callable[[], object]) -> int:
    """Multiply-adds of whatever a call computes, counted by torch: for networks that have no closed form here.

    Matrix products and convolutions count, as in the closed form.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    # Torch counts the operations of its plain attention; the fused one on a CPU it would miss.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops()) // 2


def transmitter_multiply_adds(spec: SemanticSpec, *, length: int = 20) -> int:
    """The part of them up to the symbols on the air."""
    side, reals = spec.transmitter, 2 * spec.symbols_per_token
    channel_encoder = side.width * side.channel_hidden + side.channel_hidden * reals
    return side.layers * _layer(side, length, attentions=1) + channel_encoder


def receiver_multiply_adds(spec: SemanticSpec, vocabulary: int, *, length: int = 20) -> int:
    """The part of them from the equalized signal on."""
    side, reals = spec.receiver, 2 * spec.symbols_per_token
    twice = 2 if spec.decoding == "autoregressive" else 1
    channel_decoder = reals * side.width + 2 * side.width * side.channel_hidden
    return channel_decoder + side.layers * _layer(side, length, attentions=twice) + side.width * vocabulary


def _layer(side: SideSpec, length: int, *, attentions: int) -> int:
    attention = 4 * side.width**2 + 2 * length * side.width
    return attentions * attention + 2 * side.width * side.feedforward
