"""The trip of one batch of messages, from what is sent through the air to what arrives; read this file first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from channels import (
    Arrived,
    Chance,
    Crowd,
    Energies,
    Link,
    Realization,
    arrive,
    draw,
    everyone,
    join,
    measured_powers,
    superpose,
)
from semcom.languages.reader import Reader
from semcom.languages.search import search
from semcom.languages.settings import SIGNAL_ALONE
from semcom.models.codec import Codec, air_shape
from semcom.models.trace import Sent, Trace
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch
from semcom.tasks.scrambling import sequences


@torch.inference_mode()
def transmit(codec: Codec, batch: Batch, link: Link, chance: Chance) -> Tensor:
    """The answers [batch, longest] that arrive; the other messages of the batch are the crowd."""
    sent = codec.send(batch)
    air = draw(link, air_shape(codec, batch), chance).to(sent.symbols.device)
    signals = everyone(sent.symbols, link, air, crowd_of(sent.symbols, batch, codec))
    return codec.decode(arrive(superpose(signals, air), link, air), batch)


Air = tuple[Link, Realization]


def draw_parts(links: Sequence[Link], codec: Codec, batch: Batch, chance: Chance) -> list[Air]:
    """An air for each part of a batch: the first of `links` for its first rows, and so on, in nearly equal parts."""
    rows, symbols = air_shape(codec, batch)
    airs = []
    for index, (link, part) in enumerate(zip(links, _parts(rows, len(links)), strict=True)):
        own = chance if len(links) == 1 else chance.of("part", index)
        airs.append((link, draw(link, (len(part), symbols), own).to(batch.mask.device)))
    return airs


def rehearse(codec: Codec, batch: Batch, airs: Sequence[Air], *, sent: Sent | None = None) -> Trace:
    """The same trip in training: an autoregressive receiver is handed the true past, and a trace is kept.

    Args:
        airs: one for each part of the batch, as `draw_parts` makes them; the receiver hears all parts at once.
        sent: what the codec makes of the batch, where somebody asked already.
    """
    sent = codec.send(batch) if sent is None else sent
    arrived = in_company(sent.symbols, batch, airs, codec=codec)
    heard = codec.hear(arrived, batch)
    return Trace(targets=batch.targets, mask=batch.mask, sent=sent, arrived=arrived, heard=heard)


def in_company(symbols: Tensor, batch: Batch, airs: Sequence[Air], *, codec: Codec) -> Arrived:
    """What comes out of the equalizer when these symbols go through these airs, among neighbors that send alike."""
    crowd = crowd_of(symbols, batch, codec)
    if len(airs) == 1:
        # Without a cut of all rows, which changes no value but the last digits of gradients.
        ((link, air),) = airs
        return arrive(superpose(everyone(symbols, link, air, crowd), air), link, air)
    arrived = []
    for (link, air), part in zip(airs, _parts(len(batch), len(airs)), strict=True):
        rows = slice(part.start, part.stop)
        # Neighbors come from the whole batch, whatever air its other parts go through.
        signals = everyone(symbols[rows], link, air, replace(crowd, ends=crowd.ends[rows]))
        arrived.append(arrive(superpose(signals, air), link, air))
    return join(arrived)


def _parts(rows: int, count: int) -> list[range]:
    """The rows of a batch dealt into so many parts, as equal as can be."""
    return [range(index * rows // count, (index + 1) * rows // count) for index in range(count)]


def crowd_of(symbols: Tensor, batch: Batch, codec: Codec) -> Crowd:
    """The batch as a ring of messages sent back to back, from which codec neighbors take their turns."""
    return crowd_from([symbols], [batch], codec.spec.symbols_per_unit)[0]


def crowd_from(symbols: Sequence[Tensor], batches: Sequence[Batch], symbols_per_unit: int) -> list[Crowd]:
    """One ring through all batches, and each batch's places in it.

    Padding is left out: a neighbor that has finished its message goes on with the next one.
    """
    sent = [really_sent(batch, symbols_per_unit) for batch in batches]
    stream = torch.cat([each[real] for each, real in zip(symbols, sent, strict=True)]).detach()
    lengths = torch.cat([batch.lengths for batch in batches]) * symbols_per_unit
    ends = lengths.cumsum(0).split([len(batch.lengths) for batch in batches])
    longest = [batch.mask.shape[1] * symbols_per_unit for batch in batches]
    return [Crowd(stream, end, most) for end, most in zip(ends, longest, strict=True)]


def strangers(sender: Encoded, batches: Sequence[Batch]) -> Encoded:
    """A neighbor whose messages are not those of the wanted user, ready to send beside these batches of its.

    Text beside pictures, say. It sends all its messages back to back, as every neighbor does, and goes on from the one
    to the next however long the wanted message is. Nothing of it is the wanted message, so all of its ring is free, and
    where in it a batch stands means nothing.
    """
    stream = sender.crowds[0].stream
    free = [Crowd(stream, torch.zeros_like(batch.lengths), longest=0) for batch in batches]
    return replace(sender, crowds=free)


def really_sent(batch: Batch, symbols_per_unit: int) -> Tensor:
    """Which symbols [batch, K] belong to a unit and not to padding."""
    return batch.mask.repeat_interleave(symbols_per_unit, dim=1)


@dataclass(frozen=True, eq=False)
class Encoded:
    """A set of messages encoded once by one codec, ready for any number of operating points.

    Args:
        reader: the language that the receiver knows; None decides by the signal alone.
    """

    codec: Codec
    batches: Sequence[Batch]
    symbols: list[Tensor]
    crowds: list[Crowd]
    reader: Reader | None = None

    def decide(self, arrived: Arrived, batch: Batch, *, beam: int) -> Tensor:
        """The answers [batch, longest] of this codec's receiver.

        Args:
            beam: of an autoregressive receiver that knows no language; a reader has its own.
        """
        if self.reader is not None:
            return self.reader.decide(self.codec, arrived, batch)
        return self.codec.decode(arrived, batch, beam=beam)

    def certainty(self, arrived: Arrived, batch: Batch) -> Tensor:
        """How sure the receiver is of each sentence it decides for, from 0 to 1 [batch] (`Found.certainty`).

        One that knows no language is asked by the same search, in which the signal counts alone. What this finds is
        what a parallel receiver decides for; an autoregressive one may stop short of it.
        """
        if self.reader is not None:
            found = self.reader.found(self.codec, arrived, batch)
        else:
            assert isinstance(batch, SentenceBatch)
            found = search(self.codec.listen(arrived, batch), batch, weights=SIGNAL_ALONE)
        assert found.certainty is not None
        return found.certainty


@torch.inference_mode()
def encode_once(codec: Codec, batches: Sequence[Batch]) -> Encoded:
    """Encode every batch; the cost of one more operating point is then one superposition and one decoding."""
    symbols = [codec.send(batch).symbols for batch in batches]
    return Encoded(codec, batches, symbols, crowd_from(symbols, batches, codec.spec.symbols_per_unit))


def apart(answers: Tensor) -> list[Any]:
    """The answers of a batch message by message: lists of numbers [longest], or arrays where a unit is a picture."""
    return answers.tolist() if answers.ndim == 2 else list(answers.cpu().numpy())


@dataclass(frozen=True, eq=False)
class Delivery:
    """What arrived of every message, in the order of `batch.rows`, and the energies the receiver met.

    Args:
        answers: of each message what was decided unit by unit: its tokens, its class, or the picture itself as an
            array [1, planes, rows, columns].
        certainties: how sure the receiver was of each; none where nobody asked.
    """

    answers: list[Any]
    energies: Energies
    certainties: Sequence[float] = ()


@torch.inference_mode()
def deliver(
    encoded: Encoded,
    link: Link,
    chance: Chance,
    *,
    beam: int = 1,
    crowd: Sequence[Encoded] = (),
    scrambling: bool = False,
    sure: bool = False,
) -> Delivery:
    """The trip of all batches at one operating point, from their symbols on.

    Args:
        crowd: the same messages through the codecs that codec neighbors use, who take them in turn, or `strangers`
            with others; none means that all use the wanted user's.
        scrambling: whether each user scrambles its symbols (`semcom.tasks.scrambling`).
        sure: whether to ask how sure the receiver is; another search, of sentences alone.
    """
    certain: dict[int, float] = {}
    arrived: dict[int, Any] = {}
    energies, codec = Energies(), encoded.codec
    senders = [crowd[user % len(crowd)] if crowd else encoded for user in range(link.interferers)]
    for index, (batch, symbols) in enumerate(zip(encoded.batches, encoded.symbols, strict=True)):
        air = draw(link, air_shape(codec, batch), chance.of("batch", index)).to(symbols.device)
        signals = everyone(symbols, link, air, [sender.crowds[index] for sender in senders])
        turned = sequences(air.shape, chance.of("batch", index), signals.device) if scrambling else None
        signals = signals if turned is None else signals * turned
        heard = arrive(superpose(signals, air), link, air)
        heard = heard if turned is None else replace(heard, symbols=heard.symbols * turned[:, 0].conj())
        answers = apart(encoded.decide(heard, batch, beam=beam))
        for row, ids, length in zip(batch.rows, answers, batch.lengths.tolist(), strict=True):
            arrived[row] = ids[:length]
        if sure:
            certain |= dict(zip(batch.rows, encoded.certainty(heard, batch).tolist(), strict=True))
        energies += measured_powers(signals, air, sent=really_sent(batch, codec.spec.symbols_per_unit))
    return Delivery([arrived[row] for row in sorted(arrived)], energies, [certain[row] for row in sorted(certain)])
