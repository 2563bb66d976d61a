"""A cell: whole sentences from everybody, one received signal, and for every user what a receiver of its own makes."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
import torch

from channels import Arrived, Chance, Link, Neighbors, NoisyCsi, PerBlock, Rayleigh, Tdl, mean_sinr_db
from channels.cell import link_for
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.semantic_spec import symmetric
from semcom.models.trace import Sent
from semcom.sources.batches import SentenceBatch, evaluation_batches
from semcom.tasks import cell as module
from semcom.tasks import trip
from semcom.tasks.cell import deliver_cell, over_and_over, said
from semcom.tasks.trip import Encoded, deliver, encode_once

VOCABULARY = 40
CHANCE = Chance(11)


@dataclass(frozen=True, eq=False)
class Codebook:
    """A codec without a network: every token is a word of unit symbols of random phase, and the nearest word is heard.

    Its symbols are as good as independent, as a trained codec's are, so that powers add up as in the closed form.
    """

    symbols_per_token: int = 4
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

    def decode(self, arrived: Arrived, batch: SentenceBatch, *, beam: int = 1) -> torch.Tensor:
        assert arrived.symbols.shape == air_shape(self, batch)  # type: ignore[arg-type]
        heard = arrived.symbols.unflatten(1, (-1, self.symbols_per_token))
        return (heard @ self.words.conj().T).real.argmax(dim=-1)


def sentences(count: int, shortest: int = 3, longest: int = 8, seed: int = 1) -> list[list[int]]:
    chance = random.Random(seed)
    return [[chance.randrange(3, VOCABULARY) for _ in range(chance.randint(shortest, longest))] for _ in range(count)]


SAID = sentences(60)
BATCHES = evaluation_batches(SAID, 16)


def encoded(symbols_per_token: int = 4, seed: int = 1) -> Encoded:
    return encode_once(Codebook(symbols_per_token, seed), BATCHES)  # type: ignore[arg-type]


BIG, SMALL, RARE = encoded(), encoded(seed=2), encoded(symbols_per_token=3, seed=3)
each_crowd = pytest.mark.parametrize(
    "crowd", [[], [SMALL], [SMALL, BIG], [RARE, BIG]], ids=["own", "other", "two", "rare"]
)


def crowded(interferers: int, snr_db: float = 10.0, level_db: float | tuple[float, ...] = 0.0, **more: object) -> Link:
    return Link(snr_db=snr_db, interferers=interferers, interference=Neighbors(level_db=level_db), **more)  # type: ignore[arg-type]


def right(tokens: list[list[int]]) -> float:
    pairs = [(one, other) for each, own in zip(tokens, SAID, strict=True) for one, other in zip(each, own, strict=True)]
    return sum(one == other for one, other in pairs) / len(pairs)


@each_crowd
@pytest.mark.parametrize("user", range(4))
def test_a_user_far_above_all_else_gets_its_own_sentences_exactly(crowd: list[Encoded], user: int) -> None:
    levels = tuple(60.0 if user == each else -10.0 for each in range(1, 4))
    link = crowded(3, snr_db=40.0, level_db=levels if user else (-60.0, -60.0, -60.0))
    arrived = deliver_cell(BIG, link, CHANCE, crowd=crowd)
    assert arrived[user].answers == SAID
    assert len(arrived) == 4


@each_crowd
@pytest.mark.parametrize(
    "air",
    [{}, {"fading": Rayleigh(), "coherence": PerBlock(2)}, {"fading": Tdl(), "coherence": PerBlock(2)}],
    ids=["steady", "fading", "standard"],
)
def test_every_user_meets_the_sinr_of_its_closed_form(crowd: list[Encoded], air: dict[str, object]) -> None:
    link = crowded(3, snr_db=4.0, level_db=(-6.0, 0.0, 3.0), **air)
    met = [module.Energies() for _ in range(4)]
    for repeat in range(12):
        for user, each in enumerate(deliver_cell(BIG, link, CHANCE.of(repeat), crowd=crowd)):
            met[user] += each.energies
    for user, energies in enumerate(met):
        view = link_for(link, user)
        # Some 16,000 symbols of a user, of which the same text comes again and, where it fades, the gains of two
        # symbols are one: 8,000 gains, each ratio within 5 * sqrt(2 / 8,000) = 8 %, or 0.33 dB.
        assert energies.snr_db == pytest.approx(view.snr_db, abs=0.33), user
        assert energies.sinr_db == pytest.approx(mean_sinr_db(view), abs=0.4), user


@each_crowd
def test_adding_a_user_leaves_everybody_else_s_draws_as_they_were(crowd: list[Encoded], monkeypatch) -> None:
    heard = []
    superpose = module.superpose

    def watched(signals, air):
        heard.append((signals, air))
        return superpose(signals, air)

    monkeypatch.setattr(module, "superpose", watched)
    link = crowded(2, fading=Rayleigh(), csi=NoisyCsi())
    found = []
    for interferers in (2, 3):
        heard.clear()
        deliver_cell(BIG, replace(link, interferers=interferers), CHANCE, crowd=crowd)
        found.append(list(heard))
    assert len(found[0]) == len(BATCHES)
    for (signals, air), (more, louder) in zip(*found, strict=True):
        assert torch.equal(more[:, :3], signals)
        assert torch.equal(louder.gains[:, :3], air.gains)
        assert torch.equal(louder.csi_error[:, :3], air.csi_error)
        assert torch.equal(louder.noise, air.noise)


def test_users_alike_fare_alike() -> None:
    link = crowded(3, snr_db=6.0)
    shares = torch.zeros(30, 4)
    for repeat in range(30):
        shares[repeat] = torch.tensor([right(each.answers) for each in deliver_cell(BIG, link, CHANCE.of(repeat))])
    assert 0.1 < shares.mean() < 0.9, "somewhere between all and one word in forty"
    for user in range(1, 4):
        gap = shares[:, user] - shares[:, 0]
        # Five standard errors of the mean of 30 independent passes.
        assert abs(gap.mean()) < 5 * gap.std() / math.sqrt(30)


def test_louder_users_fare_better() -> None:
    link = crowded(2, snr_db=10.0, level_db=(3.0, -3.0), fading=Rayleigh())
    wanted, loud, quiet = (right(each.answers) for each in deliver_cell(BIG, link, CHANCE))
    assert loud > wanted > quiet


def test_in_a_mixed_cell_everyone_is_decoded_by_its_own_codec() -> None:
    link = crowded(2, snr_db=30.0, fading=Rayleigh())
    found = [right(each.answers) for each in deliver_cell(BIG, link, CHANCE, crowd=[SMALL, RARE])]
    assert min(found) > 0.15
    # What a receiver makes of symbols of another codec is guessing among some forty words.
    strange = Encoded(SMALL.codec, BATCHES, BIG.symbols, BIG.crowds)
    found = [right(each.answers) for each in deliver_cell(BIG, link, CHANCE, crowd=[strange, RARE])]
    assert found[0] > 0.2 and found[1] < 0.1 and found[2] > 0.15


def test_the_wanted_user_alone_hears_what_it_hears_without_a_cell() -> None:
    parallel = symmetric(8, 1, heads=2)
    for spec in (parallel, replace(parallel, decoding="autoregressive")):
        own = encode_once(initialize(spec, VOCABULARY, seed=1).eval(), BATCHES)
        (alone,) = deliver_cell(own, crowded(0), CHANCE)
        expected = deliver(own, crowded(0), CHANCE)
        assert alone.answers == expected.answers
        assert alone.energies == expected.energies


def test_every_user_sends_every_sentence_of_its_own_and_begins_it_again() -> None:
    for index, batch in enumerate(BATCHES):
        for sender in (BIG, RARE):
            rate = sender.codec.spec.symbols_per_unit
            for shift in (0, 1, len(batch) - 1):
                turn = batch.turned(shift)
                assert sorted(turn.rows) == sorted(batch.rows)
                sent = over_and_over(sender, index, turn, 50)
                assert torch.equal(sent.abs() > 0.9, torch.ones(len(batch), 50, dtype=torch.bool)), "never silent"
                own = said(sender, turn, 50)
                assert own.sum(dim=1).tolist() == [rate * len(SAID[row]) for row in turn.rows]
                for each, mine, row in zip(sent, own, turn.rows, strict=True):
                    words = Codebook(rate, sender.codec.seed).words[SAID[row]].flatten()
                    assert torch.equal(each[mine], words)
                    # So nobody ever sends the sentence that another user of the row wants: it would disturb itself.
                    assert torch.equal(each, words.repeat(50)[:50])


def test_a_batch_too_small_for_the_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="a cell of 4 users needs a batch of at least 4 sentences, got 2"):
        deliver_cell(encode_once(Codebook(), evaluation_batches(SAID[:2], 2)), crowded(3), CHANCE)  # type: ignore[arg-type]


# Mixed crowds around a wanted user alone


@pytest.mark.parametrize("rate", [2, 4, 6])
def test_a_mixed_crowd_is_decoded_through_and_met_as_loud_as_it_should_be(rate: int) -> None:
    others = [SMALL, RARE, encoded(symbols_per_token=6, seed=4)]
    wanted = encoded(symbols_per_token=rate, seed=5)
    met = module.Energies()
    link = crowded(4, snr_db=20.0, level_db=-12.0)
    for repeat in range(12):
        delivery = deliver(wanted, link, CHANCE.of(repeat), crowd=others)
        assert right(delivery.answers) > (0.9 if rate > 2 else 0.3)
        met += delivery.energies
    # At least 7,900 symbols of each; their text comes again, so count half of them: 5 * sqrt(2 / 4,000) = 11 %.
    assert met.sinr_db == pytest.approx(mean_sinr_db(link), abs=0.5)


def test_one_more_user_moves_nobody_in_a_mixed_crowd(monkeypatch) -> None:
    heard, superpose = [], trip.superpose
    monkeypatch.setattr(trip, "superpose", lambda signals, air: heard.append((signals, air)) or superpose(signals, air))
    for interferers in range(4):
        deliver(BIG, crowded(interferers, fading=Rayleigh()), CHANCE, crowd=[RARE, SMALL])
    count = len(BATCHES)
    for users in (1, 2, 3):
        for (signals, air), (more, louder) in zip(
            heard[(users - 1) * count : users * count], heard[users * count : (users + 1) * count], strict=True
        ):
            assert torch.equal(more[:, :users], signals)
            assert torch.equal(louder.gains[:, :users], air.gains)
            assert torch.equal(louder.noise, air.noise)


# Cells of codecs of different rates


def test_the_slowest_of_the_crowd_sets_the_length_whether_its_turn_comes_or_not(monkeypatch) -> None:
    """One user more must not draw the air anew, though the first of the crowd be faster than the second."""
    heard, superpose = [], module.superpose
    monkeypatch.setattr(module, "superpose", lambda signals, air: heard.append(air) or superpose(signals, air))
    for interferers in (1, 2):
        link = crowded(interferers, fading=Rayleigh(), csi=NoisyCsi())
        deliver_cell(BIG, link, CHANCE, crowd=[SMALL, encoded(symbols_per_token=6, seed=4)])
    count = len(BATCHES)
    for air, louder in zip(heard[:count], heard[count:], strict=True):
        assert torch.equal(louder.noise, air.noise)
        assert torch.equal(louder.gains[:, :2], air.gains)


def test_powers_are_of_every_users_own_sentence(monkeypatch) -> None:
    counted, measured = [], module.measured_powers

    def watched(signals, heard, *, sent):
        counted.append(sent.sum(dim=1).tolist())
        return measured(signals, heard, sent=sent)

    monkeypatch.setattr(module, "measured_powers", watched)
    deliver_cell(BIG, crowded(1), CHANCE, crowd=[RARE])
    wanted, other = counted[::2], counted[1::2]
    assert [4 * length for batch in BATCHES for length in batch.lengths.tolist()] == [
        n for each in wanted for n in each
    ]
    assert sorted(n for each in other for n in each) == sorted(3 * len(said) for said in SAID)


def test_the_codecs_of_a_mixed_crowd_take_turns(monkeypatch) -> None:
    heard, superpose = [], trip.superpose
    monkeypatch.setattr(trip, "superpose", lambda signals, air: heard.append(signals) or superpose(signals, air))
    deliver(BIG, crowded(3), CHANCE, crowd=[RARE, SMALL])
    for signals in heard:
        for user, sender in enumerate((RARE, SMALL, RARE), start=1):
            assert torch.isin(signals[:, user].real, sender.codec.words.real).all(), user
