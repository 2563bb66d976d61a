"""Cancellation: users of a cell are decoded in turn, and what each is held to have sent is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from channels import Arrived, Guesses, Link, Realization, arrive, arrive_without, as_heard_for, known_gains
from semcom.languages.search import search
from semcom.languages.settings import SIGNAL_ALONE
from semcom.models.codec import air_shape
from semcom.models.evidence import Apart
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch
from semcom.sources.tokenizer import PAD
from semcom.tasks.trip import Encoded


@dataclass(frozen=True, eq=False)
class User:
    """One user of a cell, as receivers know it.

    Args:
        sender: its codec, and the language at its receiver; its symbols are not looked at.
        turn: of its messages mask and lengths alone are looked at.
        scrambling: the quarter turns of its symbols [batch, symbols]; None where it does not scramble.
    """

    sender: Encoded
    turn: Batch
    scrambling: Tensor | None = None

    def heard(self, arrived: Arrived, symbols: int) -> Arrived:
        """The first so many symbols of what arrived, turned back."""
        if self.scrambling is not None:
            arrived = replace(arrived, symbols=arrived.symbols * self.scrambling.conj())
        return arrived.first(symbols)

    def of(self, rows: Tensor) -> User:
        """The same user, of some of its sentences alone."""
        if not isinstance(self.turn, SentenceBatch):
            raise ValueError("only sentences can be decoded and sent again; take a detector that does neither")
        return User(self.sender, self.turn.chosen(rows), None if self.scrambling is None else self.scrambling[rows])


@dataclass(frozen=True, eq=False)
class Scene:
    """All that the receivers of a cell have to go by.

    Args:
        received: [B, A, K] complex.
        air: its gains are known as far as the csi of the link says; its noise is not looked at.
        beam: of autoregressive receivers that know no language.
    """

    received: Tensor
    link: Link
    air: Realization
    users: Sequence[User]
    beam: int = 1


def as_noise(scene: Scene) -> list[Tensor]:
    """The answers [batch, longest] of every user, each decoded with all others as interference."""
    answers = []
    for number, user in enumerate(scene.users):
        view, heard = as_heard_for(scene.link, scene.air, number)
        arrived = arrive(scene.received / scene.link.amplitudes[number], view, heard)
        signal = user.heard(arrived, air_shape(user.sender.codec, user.turn)[1])
        answers.append(user.sender.decide(signal, user.turn, beam=scene.beam))
    return answers


class Cancellation:
    """Successive cancellation in one batch.

    y = sum_u h_u x_u + n.  User u of the i-th largest known power is decoded from

        r = y - sum_{v != u} k_v g_v

    with the guesses g_v of the users decoded before it, and nothing subtracted of the others (`arrive_without`). Its
    decoded tokens are sent again through its own transmitter, over and over as users of a cell do, to x^_u, and

        hard:  g_u = x^_u,           E|x_u - g_u|^2 = 0
        soft:  g_u = rho x^_u,       E|x_u - g_u|^2 = 1 - rho^2

    where rho is the receiver's own probability of each token. That is the least squares estimate if x_u is x^_u with
    probability rho and otherwise some symbol of unit power without relation to it; a receiver counts with the mean of
    1 - rho^2 over a message. A receiver's confidence knows the sentences that its search kept, and no others.

    A user sends its sentence again where it is over. Its receiver listens to the first time alone, as it does where
    nobody is cancelled.

    Args:
        soft: see above; receivers that know a language or decide token after token then search for sentences with
            all that a search knows of its tokens.
        lengths: whether each neighbor's number of tokens is known. If not, neighbors are decoded as sentences that
            fill the air, and the user's own receiver, which is told its length, decodes once more from what is left.
    """

    def __init__(self, scene: Scene, *, soft: bool = False, lengths: bool = True) -> None:
        self.scene, self.soft, self.lengths = scene, soft, lengths
        self.known = known_gains(scene.link, scene.air)
        batch, users, _ = self.known.shape[:3]
        self.symbols = scene.received.shape[2]
        self.guesses = Guesses.none((batch, users, self.symbols), scene.received.device)
        self.answers = [torch.full_like(each.turn.targets, PAD) for each in scene.users]

    def run(self, rounds: int) -> list[Tensor]:
        """The answers [batch, longest] of every user after so many rounds."""
        for left in reversed(range(rounds)):
            for stage in self.order().unbind(dim=1):
                for number in range(len(self.scene.users)):
                    # The order may differ from message to message, as gains do.
                    rows = (stage == number).nonzero()[:, 0]
                    if len(rows):
                        self._take(number, rows, is_last=left == 0)
        return self.answers

    def order(self) -> Tensor:
        """The numbers of the users [batch, users], by known received power from the largest.

        Of users equal to a hundredth of a decibel the first goes first, whatever single precision makes of them.
        """
        powers = torch.view_as_real(self.known.resolve_conj()).square().sum(dim=(2, 4)).mean(dim=2)
        return (1000 * powers.log10()).round().argsort(dim=1, descending=True, stable=True)

    def _take(self, number: int, rows: Tensor, *, is_last: bool) -> None:
        """Decode one user in some messages, and guess anew what it sent there."""
        user, link = self.scene.users[number].of(rows), self.scene.link
        arrived = arrive_without(
            self.guesses.of(rows), self.scene.received[rows], link, known=self.known[rows], user=number
        )
        own = user.turn
        assert isinstance(own, SentenceBatch)
        batch = own if self.lengths else self._filling(user)
        tokens, sure = self._decoded(user, arrived, batch)
        self.guesses.symbols[rows, number], shares = self._again(user, replace(batch, tokens=tokens), sure)
        self.guesses.doubts[rows, number] = (1 - shares).clamp(min=0)
        if is_last:
            self.answers[number][rows] = tokens if self.lengths else self._decoded(user, arrived, own)[0]

    def _decoded(self, user: User, arrived: Arrived, batch: SentenceBatch) -> tuple[Tensor, Tensor | None]:
        """Tokens [batch, longest], and how sure the receiver is of each; None where nobody asks."""
        signal, sender = user.heard(arrived, air_shape(user.sender.codec, batch)[1]), user.sender
        if not self.soft:
            return sender.decide(signal, batch, beam=self.scene.beam).masked_fill(~batch.mask, PAD), None
        if sender.reader is not None:
            found = sender.reader.found(sender.codec, signal, batch)
            return found.tokens, found.confidence
        heard = sender.codec.listen(signal, batch)
        if isinstance(heard, Apart):
            tokens, sure = heard.likeliest()
            return tokens.masked_fill(~batch.mask, PAD), sure.masked_fill(~batch.mask, 1.0)
        found = search(heard, batch, weights=SIGNAL_ALONE)
        return found.tokens, found.confidence

    def _again(self, user: User, said: SentenceBatch, sure: Tensor | None) -> tuple[Tensor, Tensor]:
        """What was decoded sent again in thought, rho x^ [batch, symbols], and the mean of rho^2 [batch]."""
        rate = user.sender.codec.spec.symbols_per_unit
        again = user.sender.codec.send(said).symbols
        rho = torch.ones_like(again.real)
        if sure is not None:
            rho = sure.to(rho.dtype).repeat_interleave(rate, dim=1)
        guess, rho = (_filled(each, said.lengths * rate, self.symbols) for each in (rho * again, rho))
        return guess if user.scrambling is None else guess * user.scrambling, rho.square().mean(dim=1)

    def _filling(self, user: User) -> SentenceBatch:
        """What a user is taken to send whose lengths nobody knows: as many tokens as the air has room for."""
        rate, device = user.sender.codec.spec.symbols_per_unit, self.scene.received.device
        tokens = torch.full((len(user.turn), self.symbols // rate), PAD, device=device)
        lengths = torch.full((len(user.turn),), tokens.shape[1], device=device)
        return SentenceBatch(tokens, torch.ones_like(tokens, dtype=torch.bool), lengths, user.turn.rows, ragged=False)


def _filled(each: Tensor, lasts: Tensor, length: int) -> Tensor:
    """The first `lasts` [batch] of each row, over and over for so long."""
    places = torch.arange(length, device=each.device) % lasts.unsqueeze(1)
    return each.gather(1, places)
