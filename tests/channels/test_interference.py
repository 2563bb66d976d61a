"""What the other users send: unit power in every kind, and neighbors that are never oneself nor each other."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels import Bursts, Chance, Crowd, Gaussian, Jammer, Link, Neighbors, Qam, Tone, draw, everyone
from channels.interference import neighbor_signals


def generator(*causes: str | int) -> torch.Generator:
    return Chance(21).of(*causes).generator()


def numbered(count: int) -> torch.Tensor:
    """Symbols that tell where they come from: 0, 1, 2, ..."""
    return torch.arange(float(count)).to(torch.complex64)


def test_neighbors_are_distinct_others_of_the_batch() -> None:
    batch, length = 6, 4
    link = Link(interferers=5)
    air = draw(link, (batch, length), Chance(2))
    symbols = numbered(batch * length).reshape(batch, length)
    heard = everyone(symbols, link, air)
    assert torch.equal(heard[:, 0], symbols)
    # Five neighbors of six sentences: everybody else exactly once, whole and in order.
    for row in range(batch):
        sentences = {tuple(signal.real.tolist()) for signal in heard[row]}
        assert sentences == {tuple(sentence.real.tolist()) for sentence in symbols}


@given(
    lengths=st.lists(st.integers(1, 7), min_size=4, max_size=30),
    wanted=st.lists(st.integers(0, 29), min_size=1, max_size=5),
    seed=st.integers(0, 999),
)
def test_a_crowd_never_sends_ones_own_symbols_nor_the_same_twice(
    lengths: list[int], wanted: list[int], seed: int
) -> None:
    symbols, size = 7, sum(lengths)
    ends = torch.tensor(lengths).cumsum(0)
    rows = torch.tensor([row % len(lengths) for row in wanted])
    crowd = Crowd(stream=numbered(size), ends=ends[rows])
    neighbors = min(3, size // symbols - 1)
    if neighbors < 1:
        return
    picks = torch.cat([Neighbors().draw((len(rows), 1), generator=generator(seed, k)) for k in range(neighbors)], dim=1)
    heard = neighbor_signals(crowd, picks, symbols=symbols)
    for row, signals in zip(rows.tolist(), heard, strict=True):
        places = signals.real.flatten().tolist()
        own = set(range(int(ends[row]) - lengths[row], int(ends[row])))
        assert own.isdisjoint(places)
        assert len(set(places)) == len(places)
        for signal in signals.real:
            assert ((signal.diff() - 1) % size == 0).all(), "a window is consecutive symbols of the ring"


def test_the_slots_are_those_of_picking_from_a_list_of_free_ones() -> None:
    # Second opinion: the same picks on a Python list that shrinks.
    symbols, slots = 5, 9
    picks = torch.randint(2**50, (40, 6), generator=generator("picks"))
    crowd = Crowd(stream=numbered(symbols * (slots + 1)), ends=torch.full((40,), symbols))
    heard = neighbor_signals(crowd, picks, symbols=symbols)
    for row in range(40):
        free = list(range(slots))
        expected = [free.pop(pick % len(free)) for pick in picks[row].tolist()]
        assert ((heard[row, :, 0].real - symbols) / symbols).tolist() == expected


def test_every_slot_is_heard_equally_often(assert_mean) -> None:
    crowd = Crowd(stream=numbered(6), ends=torch.ones(60_000, dtype=torch.long))
    picks = torch.cat([Neighbors().draw((60_000, 1), generator=generator("fair", k)) for k in range(3)], dim=1)
    heard = neighbor_signals(crowd, picks, symbols=1).real
    for neighbor in range(3):
        for place in range(1, 6):
            assert_mean((heard[:, neighbor] == place).double(), 0.2)


def test_one_more_neighbor_moves_nobody() -> None:
    symbols = numbered(160).reshape(8, 20)
    few, many = (
        everyone(symbols, link, draw(link, (8, 20), Chance(3))) for link in (Link(interferers=2), Link(interferers=6))
    )
    assert torch.equal(many[:, :3], few)


def test_no_gradient_reaches_the_neighbors() -> None:
    link = Link(interferers=3)
    symbols = Qam().draw((5, 8), generator=generator("symbols")).requires_grad_()
    heard = everyone(symbols, link, draw(link, (5, 8), Chance(4)))
    (heard[2].real.sum()).backward()
    assert symbols.grad is not None
    assert torch.equal(symbols.grad.abs().sum(dim=1) > 0, torch.tensor([False, False, True, False, False]))


@pytest.mark.parametrize("batch", [1, 4])
def test_too_small_a_batch_is_refused(batch: int) -> None:
    link = Link(interferers=4)
    with pytest.raises(ValueError, match=f"4 interferers need a batch of at least 5 sentences, got {batch}"):
        everyone(numbered(batch * 3).reshape(batch, 3), link, draw(link, (batch, 3), Chance(1)))


def test_too_small_a_crowd_is_refused() -> None:
    link = Link(interferers=2)
    crowd = Crowd(stream=numbered(14), ends=torch.tensor([5]))
    with pytest.raises(ValueError, match="2 interferers need a crowd of at least 15 symbols, got 14"):
        everyone(numbered(5).reshape(1, 5), link, draw(link, (1, 5), Chance(1)), crowd)


def test_a_crowd_of_another_batch_is_refused() -> None:
    link = Link(interferers=1)
    crowd = Crowd(stream=numbered(50), ends=torch.tensor([5]))
    with pytest.raises(ValueError, match=r"ends must name a place in the stream for each of 2 sentences, got \(1,\)"):
        everyone(numbered(10).reshape(2, 5), link, draw(link, (2, 5), Chance(1)), crowd)


def test_interferers_keep_sending_while_the_wanted_sentence_is_padding() -> None:
    link = Link(interferers=1)
    symbols = torch.zeros(2, 10, dtype=torch.complex64)
    crowd = Crowd(stream=numbered(50) + 1, ends=torch.tensor([4, 30]))
    assert everyone(symbols, link, draw(link, (2, 10), Chance(1)), crowd)[:, 1].abs().min() > 0


# Crowds of several codecs


def ring(size: int, ends: list[int], first: int = 0, longest: int | None = None) -> Crowd:
    """A stream that counts from `first`."""
    return Crowd(stream=numbered(size) + first, ends=torch.tensor(ends), longest=longest)


def test_one_crowd_for_each_is_one_for_all_if_it_is_the_same() -> None:
    crowd, picks = ring(60, [5, 30]), torch.randint(2**50, (2, 4), generator=generator("same"))
    assert torch.equal(neighbor_signals([crowd] * 4, picks, symbols=5), neighbor_signals(crowd, picks, symbols=5))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=5), st.integers(0, 2), st.integers(0, 2**31))
def test_adding_a_user_to_a_mixed_cell_moves_nobody(kinds: list[int], added: int, seed: int) -> None:
    rings = [ring(80, [9, 41]), ring(80, [9, 41], first=1000), ring(200, [20, 100], first=5000, longest=12)]
    picks = torch.randint(2**50, (2, len(kinds) + 1), generator=torch.Generator().manual_seed(seed))
    fewer = neighbor_signals([rings[kind] for kind in kinds], picks[:, :-1], symbols=6)
    more = neighbor_signals([rings[kind] for kind in (*kinds, added)], picks, symbols=6)
    assert torch.equal(more[:, :-1], fewer)


@given(st.lists(st.integers(0, 1), min_size=2, max_size=6), st.integers(0, 2**31))
def test_what_carries_a_neighbor_decides_how_its_text_sounds_and_not_which_text(kinds: list[int], seed: int) -> None:
    rings = [ring(80, [9, 41]), ring(80, [9, 41], first=1000)]
    picks = torch.randint(2**50, (2, len(kinds)), generator=torch.Generator().manual_seed(seed))
    mixed = neighbor_signals([rings[kind] for kind in kinds], picks, symbols=6).real
    alone = neighbor_signals(rings[0], picks, symbols=6).real
    assert torch.equal(mixed - 1000 * torch.tensor(kinds).view(1, -1, 1), alone), "and no two send the same text"


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**31))
def test_the_wanted_sentence_is_spared_in_every_stream(symbols: int, longest: int, seed: int) -> None:
    """A codec that says more of a sentence takes more of its stream for it; all of that is left out."""
    size, neighbors = 90, 3
    crowd = ring(size, [longest + 1, 60], longest=longest)
    picks = torch.randint(2**50, (2, neighbors), generator=torch.Generator().manual_seed(seed))
    heard = neighbor_signals([crowd, ring(50, [4, 9]), crowd], picks, symbols=symbols).real.long()
    for row, end in zip(heard[:, [0, 2]], crowd.ends.tolist(), strict=True):
        own = {(end - back) % size for back in range(1, longest + 1)}
        assert not own & set(row.flatten().tolist())


def test_the_slots_of_a_stream_are_all_that_fit_beside_the_sentence() -> None:
    """Of 20 symbols 3 belong to the wanted sentence: four stretches of 4 fit, each taken once by four neighbors."""
    crowd = ring(20, [7], longest=3)
    heard = neighbor_signals(crowd, torch.randint(2**50, (1, 4), generator=generator("fit")), symbols=4)
    assert sorted(heard.real.long().flatten().tolist()) == [each for each in range(20) if each not in (3, 4, 5, 6)]
    with pytest.raises(ValueError, match="5 interferers need a crowd of at least 23 symbols, got 20"):
        neighbor_signals(crowd, torch.zeros(1, 5, dtype=torch.long), symbols=4)


def test_a_crowd_for_other_neighbors_is_refused() -> None:
    picks = torch.zeros(1, 3, dtype=torch.long)
    with pytest.raises(ValueError, match="one for each of 3 interferers, got 2"):
        neighbor_signals([ring(50, [5])] * 2, picks, symbols=5)


@pytest.mark.parametrize("order", [4, 16, 64])
def test_qam_is_a_square_grid_of_unit_mean_power(order: int, assert_mean) -> None:
    x = Qam(order=order).draw((50, 400), generator=generator("qam", order))
    points = torch.unique(torch.view_as_real(x.flatten()), dim=0)
    assert len(points) == order
    assert points.square().sum(dim=1).mean().item() == pytest.approx(1.0, abs=1e-6)
    steps = points.unique().diff()
    torch.testing.assert_close(steps, steps[:1].expand_as(steps))
    assert_mean(x.abs().square(), 1.0)
    assert_mean(x.real * x.imag, 0.0)


def test_a_tone_turns_steadily() -> None:
    x = Tone(cycles_per_symbol=0.125).draw((4, 32), generator=generator("tone"))
    torch.testing.assert_close(x.abs(), torch.ones(4, 32))
    torch.testing.assert_close(x[:, 8:], x[:, :-8], atol=1e-5, rtol=0)
    turn = (x[:, 1:] * x[:, :-1].conj()).angle()
    torch.testing.assert_close(turn, torch.full_like(turn, math.pi / 4), atol=1e-5, rtol=0)


def test_an_open_tone_has_any_frequency_and_phase(assert_mean) -> None:
    x = Tone().draw((50_000, 2), generator=generator("tones"))
    assert_mean(x[:, 0].real, 0.0)
    cycles = (x[:, 1] * x[:, 0].conj()).angle() / (2 * math.pi)
    assert_mean(cycles, 0.0)
    assert_mean(cycles.square(), 1 / 12)
    fixed = Tone(cycles_per_symbol=0.25).draw((50_000, 2), generator=generator("tones"))
    assert torch.equal(fixed[:, 0], x[:, 0])


@pytest.mark.parametrize(("duty", "length"), [(0.1, 1), (0.25, 16), (0.5, 7), (1.0, 3)])
def test_bursts_are_on_for_their_share_of_the_time(duty: float, length: int, assert_mean) -> None:
    # One symbol a sentence: symbols of one block are no independent evidence.
    x = Bursts(duty=duty, length=length).draw((60_000, length), generator=generator("bursts"))
    for k in (0, length - 1):
        assert_mean((x[:, k] != 0).double(), duty)
        assert_mean(x[:, k].abs().square(), 1.0)


@pytest.mark.parametrize(("first", "last", "hit"), [(0.0, 0.5, range(6)), (0.25, 0.5, range(3, 6)), (0.99, 1.0, [11])])
def test_a_jammer_hits_its_stretch_alone_and_all_of_its_power_there(first, last, hit, assert_mean) -> None:
    x = Jammer(first=first, last=last).draw((20_000, 12), generator=generator("jammer"))
    for k in range(12):
        if k in hit:
            assert_mean(x[:, k].abs().square(), 12 / len(hit))
        else:
            assert torch.count_nonzero(x[:, k]) == 0
    with pytest.raises(ValueError, match="0 <= first < last <= 1"):
        Jammer(first=0.5, last=0.5)


def test_a_burst_switches_once_a_block() -> None:
    on = Bursts(duty=0.5, length=10).draw((200, 100), generator=generator("blocks")) != 0
    switches = on[:, 1:] != on[:, :-1]
    for row in switches:
        places = row.nonzero().flatten()
        assert len(set((places % 10).tolist())) <= 1
    assert len({int(row.nonzero()[0]) % 10 for row in switches if row.any()}) == 10


@pytest.mark.parametrize("level_db", [math.inf, math.nan, (0.0, math.nan), [-3.0, -6.0], "loud"])
@pytest.mark.parametrize("kind", [Neighbors, Qam, Gaussian, Tone, Bursts])
def test_levels_are_decibels(kind: type, level_db: object) -> None:
    with pytest.raises(ValueError, match="level_db must be a finite number of decibels or a tuple of them, got"):
        kind(level_db=level_db)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Qam(order=8), "order must be 4, 16 or 64, got 8"),
        (lambda: Tone(cycles_per_symbol=0.7), "cycles_per_symbol must be between -0.5 and 0.5, got 0.7"),
        (lambda: Bursts(duty=0.0), "duty must be from 1e-06 to 1, got 0.0"),
        (lambda: Bursts(length=0), "length must be at least 1 symbol, got 0"),
    ],
)
def test_values_out_of_range_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
