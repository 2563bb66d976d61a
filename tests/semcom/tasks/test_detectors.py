"""Detectors: what was decoded is subtracted, the loudest first, and receivers count with what is left."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
import torch

from channels import (
    Arrived,
    Cdl,
    Chance,
    Guesses,
    InterferenceRejecting,
    Link,
    Mmse,
    Neighbors,
    NoCsi,
    NoFading,
    NoisyCsi,
    PerBlock,
    RandomPhase,
    Rayleigh,
    arrive,
    arrive_without,
    as_heard_for,
    draw,
    known_gains,
    superpose,
)
from semcom.models.codec import air_shape
from semcom.models.evidence import Apart
from semcom.models.trace import Sent
from semcom.sources.batches import SentenceBatch, evaluation_batches
from semcom.tasks.cancellation import Cancellation, Scene, User
from semcom.tasks.cell import deliver_cell, over_and_over
from semcom.tasks.detectors import AsNoise, Successive
from semcom.tasks.scrambling import sequences
from semcom.tasks.trip import Encoded, deliver, encode_once

VOCABULARY, RATE = 40, 4
CHANCE = Chance(5)


@dataclass(frozen=True, eq=False)
class Codebook:
    """Each token is a word of unit symbols, and its likelihood that of Gaussian noise: an ideal parallel receiver."""

    symbols_per_token: int = RATE
    seed: int = 1

    @property
    def spec(self) -> SimpleNamespace:
        return SimpleNamespace(symbols_per_unit=self.symbols_per_token)

    @property
    def words(self) -> torch.Tensor:
        phases = torch.rand(VOCABULARY, self.symbols_per_token, generator=Chance(self.seed).generator())
        return torch.polar(torch.ones_like(phases), 2 * math.pi * phases)

    def send(self, batch: SentenceBatch) -> Sent:
        return Sent((self.words[batch.tokens] * batch.mask.unsqueeze(-1)).flatten(1), ())

    def listen(self, arrived: Arrived, batch: SentenceBatch) -> Apart:
        assert arrived.symbols.shape == air_shape(self, batch)  # type: ignore[arg-type]
        heard = arrived.symbols.unflatten(1, (-1, 1, self.symbols_per_token))
        gain, noise = arrived.gain[:, :1, None, None], arrived.noise_power[:, :1, None]
        logits = -(heard - gain * self.words).abs().square().sum(dim=-1) / noise
        return Apart(logits.index_fill(2, torch.arange(3), -torch.inf))

    def decode(self, arrived: Arrived, batch: SentenceBatch, *, beam: int = 1) -> torch.Tensor:
        return self.listen(arrived, batch)._logits.argmax(dim=-1)


def sentences(count: int, shortest: int = 3, longest: int = 8, seed: int = 1) -> list[list[int]]:
    chance = random.Random(seed)
    return [[chance.randrange(3, VOCABULARY) for _ in range(chance.randint(shortest, longest))] for _ in range(count)]


SAID = sentences(60)
BATCHES = evaluation_batches(SAID, 16)
BOOK = encode_once(Codebook(), BATCHES)  # type: ignore[arg-type]
RARE = encode_once(Codebook(3, seed=3), BATCHES)  # type: ignore[arg-type]
SOFT = Successive(rounds=3, soft=True)


def crowded(level_db: float | tuple[float, ...], snr_db: float = 10.0, **more: object) -> Link:
    count = len(level_db) if isinstance(level_db, tuple) else 1
    more = {"fading": RandomPhase(), **more}
    return Link(snr_db=snr_db, interferers=count, interference=Neighbors(level_db=level_db), **more)  # type: ignore[arg-type]


def right(tokens: list[list[int]]) -> float:
    pairs = [(one, other) for each, own in zip(tokens, SAID, strict=True) for one, other in zip(each, own, strict=True)]
    return sum(one == other for one, other in pairs) / len(pairs)


def scene(link: Link, batch: int = 0, sender: Encoded = BOOK) -> tuple[Scene, torch.Tensor]:
    """One batch on the air, and what everybody really sent."""
    sentences = BATCHES[batch]
    air = draw(link, air_shape(sender.codec, sentences), CHANCE)
    turns = [sentences.turned(shift) for shift in range(1 + link.interferers)]
    signals = torch.stack([over_and_over(sender, batch, turn, air.shape[2]) for turn in turns], dim=1)
    return Scene(superpose(signals, air), link, air, [User(sender, turn) for turn in turns]), signals


# Subtraction

every_air = pytest.mark.parametrize(
    "air",
    [{}, {"fading": Rayleigh(), "coherence": PerBlock(4), "csi": NoisyCsi()}, {"antennas": 3, "csi": NoCsi()},
     {"fading": Rayleigh(), "antennas": 2, "equalizer": InterferenceRejecting()},
     {"fading": Cdl(), "antennas": 2, "equalizer": InterferenceRejecting(), "csi": NoisyCsi()}],
    ids=["phase", "noisy", "none", "antennas", "standard"],
)  # fmt: skip


@every_air
@pytest.mark.parametrize("user", range(3))
def test_where_nothing_is_known_yet_it_is_interference_as_noise(air: dict[str, object], user: int) -> None:
    link = crowded((-3.0, 2.0), **air)
    here, signals = scene(link)
    known = known_gains(link, here.air)
    found = arrive_without(Guesses.none(here.air.shape, signals.device), here.received, link, known=known, user=user)
    view, heard = as_heard_for(link, here.air, user)
    expected = arrive(here.received / link.amplitudes[user], view, heard)
    for name in ("symbols", "gain", "noise_power"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("user", range(3))
def test_true_symbols_taken_away_through_true_gains_leave_the_user_alone_in_the_noise(user: int) -> None:
    link = crowded((-3.0, 20.0), fading=Rayleigh(), coherence=PerBlock(8), antennas=2)
    here, signals = scene(link)
    guesses = Guesses(signals, torch.zeros(signals.shape[:2]))
    found = arrive_without(guesses, here.received, link, known=known_gains(link, here.air), user=user)
    alone = torch.zeros_like(signals)
    alone[:, user] = signals[:, user]
    lone = replace(link, interferers=0)
    view = replace(lone, snr_db=link.snr_db + 20 * math.log10(link.amplitudes[user]))
    own = replace(here.air, paths=(here.air.paths[user] / link.amplitudes[user],), interference=None)
    expected = arrive(superpose(alone, here.air) / link.amplitudes[user], view, own)
    for name in ("symbols", "gain", "noise_power"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("csi", [NoisyCsi(pilots=1), NoisyCsi(pilots=8)], ids=["one", "eight"])
def test_what_is_left_is_as_loud_as_the_receiver_counts_with(csi: NoisyCsi) -> None:
    """A user half right and one all right taken away; its noise power against the error that is measured."""
    link = Link(snr_db=3.0, interferers=2, interference=Neighbors(level_db=(6.0, 3.0)), fading=RandomPhase(), csi=csi)
    shape = (2000, 20)
    air = draw(link, shape, CHANCE)
    chance = CHANCE.of("signals").generator()
    turns = torch.rand((shape[0], 3, shape[1]), generator=chance) * 2 * math.pi
    signals = torch.polar(torch.ones_like(turns), turns)
    # With probability rho what is guessed is what was sent; otherwise it has no relation to it.
    rho = 0.7
    strange = torch.polar(torch.ones_like(turns), torch.rand(turns.shape, generator=chance) * 2 * math.pi)
    hit = torch.rand(turns.shape, generator=chance) < rho
    guesses = signals.clone()
    guesses[:, 1] = rho * torch.where(hit, signals, strange)[:, 1]
    doubts = torch.tensor([1.0, 1 - rho**2, 0.0]).expand(shape[0], 3)
    arrived = arrive_without(
        Guesses(guesses, doubts), superpose(signals, air), link, known=known_gains(link, air), user=0
    )
    true_gain = arrived.belief[2][:, 0] * air.gains[:, 0, 0]
    errors = (arrived.symbols - true_gain * signals[:, 0]).abs().square().mean(dim=1)
    counted = arrived.noise_power[:, 0]
    gap = errors - counted
    # The known gain of the half right is louder than the true one by its own error; at most that, times its doubt.
    slack = float(doubts[0, 1]) * link.csi_error_power * float(arrived.belief[2].abs().square().mean())
    assert -5 * gap.std() / math.sqrt(len(gap)) - slack < gap.mean() < 5 * gap.std() / math.sqrt(len(gap))


# The order


def test_users_are_taken_by_the_power_that_the_receiver_knows() -> None:
    here, _ = scene(crowded((-3.0, 6.0, 6.0)))
    assert Cancellation(here).order().tolist() == [[2, 3, 0, 1]] * len(BATCHES[0])
    faded, _ = scene(crowded((-3.0, 6.0), fading=Rayleigh(), csi=NoisyCsi(pilots=1)))
    order = Cancellation(faded).order()
    known = faded.air.gains + faded.air.csi_error  # type: ignore[operator]
    powers = known.abs().square().sum(dim=(2, 3)).gather(1, order)
    assert (powers[:, 1:] <= powers[:, :-1] * 1.003).all()
    assert len(set(map(tuple, order.tolist()))) > 1, "fading turns it round from message to message"


# Cells


@pytest.mark.parametrize("detector", [Successive(), Successive(rounds=2), SOFT], ids=["once", "twice", "soft"])
@pytest.mark.parametrize("crowd", [[], [RARE]], ids=["own", "rare"])
@pytest.mark.parametrize("level_db", [-20.0, 20.0])
def test_two_users_far_apart_are_both_decoded_exactly(
    detector: Successive, crowd: list[Encoded], level_db: float
) -> None:
    link = crowded(level_db, snr_db=60.0)
    found = deliver_cell(BOOK, link, CHANCE, crowd=crowd, detector=detector)
    assert [each.answers for each in found] == [SAID, SAID]
    drowned = deliver_cell(BOOK, link, CHANCE, crowd=crowd)[int(level_db < 0)]
    assert right(drowned.answers) < 0.5


def test_who_is_told_no_lengths_still_subtracts_and_pays_for_it() -> None:
    link = crowded(9.0, snr_db=20.0)
    told, untold = (
        right(deliver_cell(BOOK, link, CHANCE, detector=Successive(lengths=lengths))[0].answers)
        for lengths in (True, False)
    )
    assert told > 0.95 and untold > 0.9 and right(deliver_cell(BOOK, link, CHANCE)[0].answers) < 0.6


def test_more_rounds_help_and_soft_decisions_help_at_equal_power() -> None:
    link = crowded(0.0, snr_db=14.0)
    found = {
        detector: sum(right(each.answers) for each in deliver_cell(BOOK, link, CHANCE, detector=detector)) / 2
        for detector in (AsNoise(), Successive(), SOFT)
    }
    assert found[SOFT] > found[Successive()] > found[AsNoise()]
    assert found[SOFT] > found[Successive()] + 0.02


@pytest.mark.parametrize(
    "detector", [Successive(rounds=2), SOFT, Successive(lengths=False)], ids=["hard", "soft", "un"]
)
def test_nothing_is_known_of_what_was_really_said(detector: Successive) -> None:
    here, _ = scene(crowded((3.0, -2.0), snr_db=8.0, fading=Rayleigh()))
    liars = [
        replace(user, turn=replace(user.turn, tokens=user.turn.tokens.flip(0)), sender=replace(BOOK, symbols=[]))
        for user in here.users
    ]
    for found, expected in zip(detector.decide(replace(here, users=liars)), detector.decide(here), strict=True):
        assert torch.equal(found, expected)
    silent = replace(here.air, noise=torch.full_like(here.air.noise, torch.nan))
    for found, expected in zip(detector.decide(replace(here, air=silent)), detector.decide(here), strict=True):
        assert torch.equal(found, expected)


def test_without_a_detector_nothing_changes() -> None:
    link = crowded((3.0, -2.0), fading=Rayleigh())
    plain, named = (deliver_cell(BOOK, link, CHANCE, **more) for more in ({}, {"detector": AsNoise()}))
    assert [each.answers for each in plain] == [each.answers for each in named]
    assert [each.energies for each in plain] == [
        each.energies for each in deliver_cell(BOOK, link, CHANCE, detector=SOFT)
    ], "what arrives is measured before anything is done about it"


def test_a_lone_user_is_decoded_as_ever() -> None:
    link = Link(snr_db=4.0, fading=Rayleigh(), equalizer=Mmse())
    for found, expected in zip(
        deliver_cell(BOOK, link, CHANCE, detector=Successive(rounds=2)), deliver_cell(BOOK, link, CHANCE), strict=True
    ):
        assert found.answers == expected.answers


def test_rounds_are_counted() -> None:
    with pytest.raises(ValueError, match="rounds must be from 1 to 16, got 0"):
        Successive(rounds=0)


# Scrambling


def test_scrambling_keeps_powers_and_is_undone_exactly() -> None:
    turns = sequences((500, 3, 40), CHANCE, torch.device("cpu"))
    assert torch.equal(turns * turns.conj(), torch.ones_like(turns))
    assert torch.equal(sequences((500, 2, 40), CHANCE, torch.device("cpu")), turns[:, :2])
    # The mean product of two users' turns, of 20,000 symbols, within five standard errors.
    assert abs((turns[:, 0] * turns[:, 1].conj()).mean()) < 5 / math.sqrt(20_000)
    assert abs(turns[:, 2].mean()) < 5 / math.sqrt(20_000)
    link = crowded(-60.0, snr_db=60.0)
    assert deliver(BOOK, link, CHANCE, scrambling=True).answers == SAID
    for detector in (AsNoise(), SOFT):
        assert deliver_cell(BOOK, link, CHANCE, scrambling=True, detector=detector)[0].answers == SAID


def test_scrambled_users_of_one_codec_do_not_pass_for_each_other() -> None:
    """In phase and as loud, a token may be either user's; with sequences of their own it is one's."""
    link = crowded(0.0, snr_db=30.0, fading=NoFading())
    plain, scrambled = (
        right(deliver_cell(BOOK, link, CHANCE, detector=SOFT, scrambling=each)[0].answers) for each in (False, True)
    )
    assert scrambled > plain + 0.1
