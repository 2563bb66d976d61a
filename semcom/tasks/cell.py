"""The trip of one batch in a cell where every user sends a sentence, and each is decoded by a receiver of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from channels import (
    Chance,
    Energies,
    Link,
    as_heard_for,
    draw,
    measured_powers,
    seen_from,
    sentence_shifts,
    superpose,
)
from semcom.models.codec import air_shape
from semcom.sources.batch import Batch
from semcom.tasks.cancellation import Scene, User
from semcom.tasks.detectors import AS_NOISE, Detector
from semcom.tasks.scrambling import sequences
from semcom.tasks.trip import Delivery, Encoded, apart, really_sent


@torch.inference_mode()
def deliver_cell(
    encoded: Encoded,
    link: Link,
    chance: Chance,
    *,
    beam: int = 1,
    crowd: Sequence[Encoded] = (),
    detector: Detector = AS_NOISE,
    scrambling: bool = False,
) -> list[Delivery]:
    """The trip of all batches at one operating point; what arrives of every user, the wanted one first.

    All are decoded from the same received signal. The receiver of user k takes its own user for the wanted one and all
    others for interference (`channels.cell.as_heard_for`), knows its own gain as the link's csi says, and is told how
    long its own sentence is. When a user's sentence is over it begins it again, so that the power of everybody's
    interference keeps to its closed form and no sentence ever disturbs itself.

    Each user sends every sentence of the exam once, so that users can be compared, and added up, sentence by sentence.
    The air lasts as long as the longest sentence takes in the slowest of the codecs: cells of codecs that send equally
    many symbols a token meet the noise and the gains that the wanted user meets in `deliver`.

    Args:
        crowd: the same sentences through the interferers' codecs, who take them in turn; none means that all use the
            wanted user's.
        detector: how users are told apart; energies are what arrives before it does anything about it.
        scrambling: whether each user scrambles its symbols (`semcom.tasks.scrambling`).

    Raises:
        ValueError: a batch with fewer sentences than users, or a detector that these messages are nothing for.
    """
    senders = [encoded, *(crowd[user % len(crowd)] if crowd else encoded for user in range(link.interferers))]
    arrived: list[dict[int, Any]] = [{} for _ in senders]
    energies = [Energies() for _ in senders]
    for index, batch in enumerate(encoded.batches):
        length = max(air_shape(each.codec, batch)[1] for each in (encoded, *crowd))
        air = draw(link, (len(batch), length), chance.of("batch", index)).to(batch.mask.device)
        turns = [batch.turned(shift) for shift in sentence_shifts(air)]
        signals = torch.stack(
            [over_and_over(sender, index, turn, length) for sender, turn in zip(senders, turns, strict=True)], dim=1
        )
        turned = sequences(air.shape, chance.of("batch", index), signals.device) if scrambling else None
        signals = signals if turned is None else signals * turned
        users = [
            User(sender, turn, None if turned is None else turned[:, number])
            for number, (sender, turn) in enumerate(zip(senders, turns, strict=True))
        ]
        decided = detector.decide(Scene(superpose(signals, air), link, air, users, beam))
        for user, (sender, turn, answers) in enumerate(zip(senders, turns, decided, strict=True)):
            for row, ids, count in zip(turn.rows, apart(answers), turn.lengths.tolist(), strict=True):
                arrived[user][row] = ids[:count]
            _, heard = as_heard_for(link, air, user)
            order = list(seen_from(user, len(senders)))
            sent = said(sender, turn, length)
            energies[user] += measured_powers(signals[:, order], heard, sent=sent)
    delivered = [[each[row] for row in sorted(each)] for each in arrived]
    return [Delivery(each, met) for each, met in zip(delivered, energies, strict=True)]


def over_and_over(sender: Encoded, index: int, turn: Batch, length: int) -> Tensor:
    """What a user sends [batch, length]: each row's sentence, over and over."""
    ring, sentences = sender.crowds[index], sender.batches[index]
    lasts = sentences.lengths * sender.codec.spec.symbols_per_unit
    shift = sentences.rows.index(turn.rows[0])
    starts, lasts = (ring.ends - lasts).roll(-shift).unsqueeze(1), lasts.roll(-shift).unsqueeze(1)
    return ring.stream[starts + torch.arange(length, device=starts.device) % lasts]


def said(sender: Encoded, turn: Batch, length: int) -> Tensor:
    """Which symbols [batch, length] are of a row's own sentence."""
    own = really_sent(turn, sender.codec.spec.symbols_per_unit)
    return torch.nn.functional.pad(own, (0, length - own.shape[1]))
