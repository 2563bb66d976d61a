"""The trip of one batch of sentences, from tokens through the air to tokens; read this file first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from channels import Chance, Crowd, Energies, Link, Realization, draw, equalize, everyone, measured_powers, superpose
from semcom.models.codec import SemanticCodec
from semcom.models.search import START, decode
from semcom.models.trace import Heard, Sent, Trace
from semcom.sources.batches import SentenceBatch


@torch.inference_mode()
def transmit(codec: SemanticCodec, batch: SentenceBatch, link: Link, chance: Chance) -> Tensor:
    """The tokens [batch, length] that arrive; the other sentences of the batch are the crowd."""
    symbols = codec.encode(batch)
    air = draw(link, codec.symbols(batch), chance).to(symbols.device)
    signals = everyone(symbols, link, air, crowd_of(symbols, batch, codec))
    received = superpose(signals, air)
    equalized = equalize(received, link, air)
    return decode(codec.receiver, equalized, batch)


def rehearse(codec: SemanticCodec, batch: SentenceBatch, link: Link, air: Realization) -> Trace:
    """The same trip in training: the receiver is handed the true previous tokens, and a trace is kept."""
    sent: Sent = codec.transmitter(batch)
    signals = everyone(sent.symbols, link, air, crowd_of(sent.symbols, batch, codec))
    equalized = equalize(superpose(signals, air), link, air)
    heard = overhear(codec, equalized, batch)
    return Trace(targets=batch.tokens, mask=batch.mask, sent=sent, equalized=equalized, heard=heard)


def overhear(codec: SemanticCodec, equalized: Tensor, batch: SentenceBatch) -> Heard:
    """What this codec's receiver makes of a signal, whoever sent it."""
    heard: Heard = codec.receiver(equalized, batch, previous=shifted(batch.tokens))
    return heard


def shifted(tokens: Tensor) -> Tensor:
    """The token before each token; START before the first."""
    return torch.cat((torch.full_like(tokens[:, :1], START), tokens[:, :-1]), dim=1)


def crowd_of(symbols: Tensor, batch: SentenceBatch, codec: SemanticCodec) -> Crowd:
    """The batch as a ring of sentences sent back to back, from which codec neighbors take their turns."""
    return crowd_from([symbols], [batch], codec.spec.symbols_per_token)[0]


def crowd_from(symbols: list[Tensor], batches: list[SentenceBatch], symbols_per_token: int) -> list[Crowd]:
    """One ring through all batches, and each batch's places in it.

    Padding is left out: a neighbor that has finished its sentence goes on with the next one.
    """
    sent = [really_sent(batch, symbols_per_token) for batch in batches]
    stream = torch.cat([each[real] for each, real in zip(symbols, sent, strict=True)]).detach()
    lengths = torch.cat([batch.lengths for batch in batches]) * symbols_per_token
    ends = lengths.cumsum(0).split([len(batch.lengths) for batch in batches])
    longest = [batch.tokens.shape[1] * symbols_per_token for batch in batches]
    return [Crowd(stream, end, most) for end, most in zip(ends, longest, strict=True)]


def really_sent(batch: SentenceBatch, symbols_per_token: int) -> Tensor:
    """Which symbols [batch, K] belong to a token and not to padding."""
    return batch.mask.repeat_interleave(symbols_per_token, dim=1)


@dataclass(frozen=True, eq=False)
class Encoded:
    """A set of sentences encoded once by one codec, ready for any number of operating points."""

    codec: SemanticCodec
    batches: list[SentenceBatch]
    symbols: list[Tensor]
    crowds: list[Crowd]


@torch.inference_mode()
def encode_once(codec: SemanticCodec, batches: list[SentenceBatch]) -> Encoded:
    """Encode every batch; the cost of one more operating point is then one superposition and one decoding."""
    symbols = [codec.encode(batch) for batch in batches]
    return Encoded(codec, batches, symbols, crowd_from(symbols, batches, codec.spec.symbols_per_token))


@dataclass(frozen=True, eq=False)
class Delivery:
    """What arrived of every sentence, in the order of `batch.rows`, and the energies the receiver met."""

    tokens: list[list[int]]
    energies: Energies


@torch.inference_mode()
def deliver(encoded: Encoded, link: Link, chance: Chance, *, beam: int = 1, crowd: Sequence[Encoded] = ()) -> Delivery:
    """The trip of all batches at one operating point, from their symbols on.

    Args:
        crowd: the same sentences through the codecs that codec neighbors use, who take them in turn; none means that
            all use the wanted user's.
    """
    arrived: dict[int, list[int]] = {}
    energies = Energies()
    senders = [crowd[user % len(crowd)] if crowd else encoded for user in range(link.interferers)]
    for index, (batch, symbols) in enumerate(zip(encoded.batches, encoded.symbols, strict=True)):
        air = draw(link, encoded.codec.symbols(batch), chance.of("batch", index)).to(symbols.device)
        signals = everyone(symbols, link, air, [sender.crowds[index] for sender in senders])
        equalized = equalize(superpose(signals, air), link, air)
        tokens = decode(encoded.codec.receiver, equalized, batch, beam=beam).tolist()
        for row, ids, length in zip(batch.rows, tokens, batch.lengths.tolist(), strict=True):
            arrived[row] = ids[:length]
        energies += measured_powers(signals, air, sent=really_sent(batch, encoded.codec.spec.symbols_per_token))
    return Delivery([arrived[row] for row in sorted(arrived)], energies)
