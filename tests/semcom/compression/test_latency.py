"""Latency: quartiles in order, more for more layers, and nothing left behind."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from semcom.compression import latency as timing
from semcom.compression.latency import latency
from semcom.models.codec import initialize
from semcom.models.spec import symmetric


def test_quartiles_stand_in_order() -> None:
    codec = initialize(symmetric(16, 1, heads=2), 31, seed=1)
    found = latency(codec)
    assert 0 < found.latency_low_ms <= found.latency_ms <= found.latency_high_ms
    assert found.threads == torch.get_num_threads()


def test_the_median_is_of_trips_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock on which the first trip takes 1 second, the second 2, and so on; those while warming do not count."""
    calls = itertools.count()

    def clock() -> float:
        trip, is_end = divmod(next(calls), 2)
        return sum(range(1, trip + 1 + is_end))

    monkeypatch.setattr(timing.time, "perf_counter", clock)
    found = latency(initialize(symmetric(16, 1, heads=2), 31, seed=1))
    # 1, 2, 3 while warming, then 4 to 12: nine trips, since one alone is over the time.
    assert (found.latency_low_ms, found.latency_ms, found.latency_high_ms) == (6000.0, 8000.0, 10000.0)


@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
@pytest.mark.parametrize("training", [True, False])
def test_it_leaves_the_codec_and_chance_as_they_were(decoding: str, training: bool) -> None:
    codec = initialize(replace(symmetric(16, 1, heads=2), decoding=decoding, dropout=0.5), 31, seed=1).train(training)
    before = {name: value.clone() for name, value in codec.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    latency(codec)
    assert torch.equal(torch.get_rng_state(), state)
    assert codec.training is training
    assert all(torch.equal(value, before[name]) for name, value in codec.state_dict().items())


def test_a_vocabulary_smaller_than_the_sentence_will_do() -> None:
    assert latency(initialize(symmetric(16, 1, heads=2), 5, seed=1)).latency_ms > 0
