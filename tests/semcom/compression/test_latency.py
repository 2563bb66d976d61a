"""Latency: the least of all trips, a spread over the parts of the measurement, all codecs in turn."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from semcom.compression import latency as timing
from semcom.compression.latency import BURST, FEWEST, ROUNDS, Latency, Shape, latencies
from semcom.models.semantic_spec import symmetric

TINY = symmetric(16, 1, heads=2)
SMALL, LARGE = Shape(TINY, 31), Shape(symmetric(32, 2, heads=2), 31)


@pytest.fixture(autouse=True)
def _as_many_rounds_as_a_user_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "ROUNDS", ROUNDS)


class Machine:
    """A clock and codecs that take as long on it as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, took) -> None:
        self.now = 0.0
        self.order: list[Shape] = []
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)

        def trip_of(shape: Shape, device: str):
            def trip() -> float:
                milliseconds = took(shape, len(self.order))
                self.order.append(shape)
                self.now += milliseconds / 1e3
                return milliseconds

            return trip

        monkeypatch.setattr(timing, "_trip", trip_of)


def test_a_trip_through_real_codecs_takes_some_time() -> None:
    found = latencies({"small": SMALL, "large": LARGE})
    for each in found.values():
        assert 0 < each.latency_low_ms == each.latency_ms <= each.latency_high_ms
        assert each.threads == torch.get_num_threads()
    assert found["small"].latency_ms < found["large"].latency_ms


def test_codecs_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, lambda shape, count: 1.0)
    latencies({"a": SMALL, "b": LARGE, "c": SMALL})
    turns = [shape for shape, _ in itertools.groupby(machine.order)]
    # c of one round and a of the next are of one shape, and stand side by side.
    assert turns == [SMALL, LARGE] * ROUNDS + [SMALL]
    assert len(machine.order) == 3 * BURST * ROUNDS


@pytest.mark.parametrize(
    "busy",
    [
        lambda count: count < 300,  # the first half: when the first codec would have been measured alone
        lambda count: count % 3 == 0,
        lambda count: count >= 400,
        lambda count: 7 * count % 11 > 1,  # nearly always
    ],
)
def test_equal_codecs_come_out_equal_whatever_the_machine_does_meanwhile(monkeypatch: pytest.MonkeyPatch, busy) -> None:
    """The old way, one after the other, told 0.42 and 0.92 ms of them."""
    Machine(monkeypatch, lambda shape, count: 0.92 if busy(count) else 0.42)
    one, other, third = latencies({"a": SMALL, "b": SMALL, "c": SMALL}).values()
    assert one.latency_ms == other.latency_ms == third.latency_ms == 0.42
    assert not one.is_apart(other)


def test_the_spread_is_over_the_parts_of_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    trips = BURST * ROUNDS
    Machine(monkeypatch, lambda shape, count: [3.0, 1.0, 2.0, 5.0][4 * count // trips] + (count % BURST == 1))
    assert latencies({"a": SMALL})["a"] == Latency(1.0, 1.0, 5.0, torch.get_num_threads())


def test_the_first_trip_of_a_turn_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, lambda shape, count: 0.1 if count % BURST == 0 else 2.0)
    assert latencies({"a": SMALL, "b": LARGE})["b"].latency_ms == 2.0


@pytest.mark.parametrize(("codecs", "milliseconds"), [(57, 2.5), (57, 30.0), (3, 500.0), (1, 0.4)])
def test_it_takes_about_a_minute_at_most(monkeypatch: pytest.MonkeyPatch, codecs: int, milliseconds: float) -> None:
    machine, seen = Machine(monkeypatch, lambda shape, count: milliseconds), list[tuple[int, int]]()
    shapes = {str(index): SMALL for index in range(codecs)}
    latencies(shapes, progress=lambda done, total, _: seen.append((done, total)))
    assert machine.now <= 60.0
    assert seen[-1][0] == seen[-1][1] >= FEWEST
    assert seen[-1][1] == ROUNDS or machine.now > 20.0


def test_no_codecs_take_no_time() -> None:
    assert latencies({}) == {}


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
def test_it_leaves_chance_as_it_was(decoding: str) -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    latencies({"a": Shape(replace(TINY, decoding=decoding, dropout=0.5), 31)})
    assert torch.equal(torch.get_rng_state(), state)


def test_a_vocabulary_smaller_than_the_sentence_will_do() -> None:
    assert latencies({"a": Shape(TINY, 5)})["a"].latency_ms > 0


@pytest.mark.parametrize(
    ("one", "other", "is_apart"),
    [
        ((0.42, 0.43), (0.92, 0.95), True),  # as was measured
        ((0.42, 0.93), (0.92, 0.95), False),  # within the spread
        ((0.42, 0.43), (0.44, 0.45), False),  # within the margin
        ((2.0, 2.0), (2.2, 2.2), True),
    ],
)
def test_apart_is_beyond_spread_and_margin(one, other, is_apart: bool) -> None:
    first, second = (Latency(low, low, high, 1) for low, high in (one, other))
    assert first.is_apart(second) is second.is_apart(first) is is_apart
    assert not first.is_apart(first)
