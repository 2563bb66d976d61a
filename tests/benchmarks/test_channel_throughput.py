"""What the air costs, as a ratio to the bare torch expression and to Sionna's blocks on the same work.

The ratio lands in `extra_info` of the benchmark's record; no absolute time is ever asserted. Peers are timed in turns
with ours, within one run, because on shared cores only neighbors in time compare.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from channels import Chance, Link, PerSymbol, Rayleigh, draw, everyone, superpose

Job = Callable[[], torch.Tensor]

SNR_DB = 12.0
DEVIATION = 10 ** (-SNR_DB / 20)
TRAINING_BATCH = (32, 160)
SIZES = [
    pytest.param(TRAINING_BATCH, id="training_batch"),
    pytest.param((100, 100), id="1e4"),
    pytest.param((10_000, 1000), id="1e7", marks=pytest.mark.slow),
]


def rayleigh(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.complex64)


BARE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "awgn": lambda x: x + torch.randn_like(x) * DEVIATION,
    "rayleigh_sentence": lambda x: rayleigh(x.shape[0], 1) * x + torch.randn_like(x) * DEVIATION,
    "rayleigh_symbol": lambda x: rayleigh(*x.shape) * x + torch.randn_like(x) * DEVIATION,
}
LINKS = {
    "awgn": Link(snr_db=SNR_DB),
    "rayleigh_sentence": Link(snr_db=SNR_DB, fading=Rayleigh()),
    "rayleigh_symbol": Link(snr_db=SNR_DB, fading=Rayleigh(), coherence=PerSymbol()),
}


def ours(link: Link, symbols: torch.Tensor) -> Job:
    """A whole batch through the air as a training step would send it, a new named stream each time."""
    chance, count = Chance(1), itertools.count()
    shape = (symbols.shape[0], symbols.shape[1])

    def send() -> torch.Tensor:
        air = draw(link, shape, chance.of("batch", next(count)))
        return superpose(everyone(symbols, link, air), air)

    return send


@pytest.fixture
def sionnas() -> Iterator[dict[str, Callable[[torch.Tensor], torch.Tensor]]]:
    """Hand out Sionna's blocks; importing it reseeds torch's global generator, which is put back."""
    state = torch.get_rng_state()
    channel = pytest.importorskip("sionna.phy.channel")
    awgn, gains, apply = (
        channel.AWGN(device="cpu"),
        channel.GenerateFlatFadingChannel(1, 1, device="cpu"),
        channel.ApplyFlatFadingChannel(device="cpu"),
    )
    power = torch.tensor(DEVIATION**2)

    def sentence(x: torch.Tensor) -> torch.Tensor:
        received: torch.Tensor = awgn(gains(x.shape[0]).squeeze(-1) * x, power)
        return received

    def symbol(x: torch.Tensor) -> torch.Tensor:
        received: torch.Tensor = apply(x.reshape(-1, 1), gains(x.numel()), power)
        return received.reshape(x.shape)

    yield {"awgn": lambda x: awgn(x, power), "rayleigh_sentence": sentence, "rayleigh_symbol": symbol}
    torch.set_rng_state(state)


def ratios(ours: Job, peer: Job, repeats: int) -> tuple[float, float]:
    """Seconds of our job over a peer's, the two taking turns: medians, and the least of each.

    The least time is what the work costs where nothing came in between; the median has the machine's other work in it.

    By twos, and each first in every other turn: whoever comes after a third job finds its code gone from the caches,
    and whoever comes after the other finds torch's there.
    """
    taken: dict[Job, list[float]] = {ours: [], peer: []}
    for turn in range(1 + repeats):
        for job in (ours, peer) if turn % 2 else (peer, ours):
            start = time.perf_counter()
            job()
            taken[job].append(time.perf_counter() - start)
    # The first turn warms up.
    mine, its = taken[ours][1:], taken[peer][1:]
    return statistics.median(mine) / statistics.median(its), min(mine) / min(its)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("case", LINKS)
def test_draw_and_superpose(case: str, shape: tuple[int, int], benchmark, sionnas) -> None:
    symbols = rayleigh(*shape)
    large = symbols.numel() > 1e6
    send, repeats = ours(LINKS[case], symbols), 6 if large else 1000
    bare, least = ratios(send, lambda: BARE[case](symbols), repeats)
    sionna, _ = ratios(send, lambda: sionnas[case](symbols), repeats)
    received = benchmark.pedantic(send, rounds=3 if large else 50, warmup_rounds=1)
    benchmark.extra_info["ratio_to_bare_torch"] = round(bare, 3)
    benchmark.extra_info["least_ratio_to_bare_torch"] = round(least, 3)
    benchmark.extra_info["ratio_to_sionna"] = round(sionna, 3)
    # Beside other workers of a test run nothing is timed for the record.
    if not benchmark.disabled:
        benchmark.extra_info["symbols_per_second"] = round(symbols.numel() / benchmark.stats.stats.median)
    assert received.shape == (shape[0], 1, shape[1])


@pytest.mark.parametrize("interferers", [1, 4])
def test_neighbors_of_a_training_batch(interferers: int, benchmark) -> None:
    symbols = rayleigh(*TRAINING_BATCH)
    link = Link(snr_db=SNR_DB, fading=Rayleigh(), interferers=interferers)
    send = ours(link, symbols)
    alone, _ = ratios(send, ours(LINKS["rayleigh_sentence"], symbols), repeats=300)
    benchmark.extra_info["ratio_to_a_single_user"] = round(alone, 2)
    received = benchmark.pedantic(send, rounds=50, warmup_rounds=1)
    assert received.shape == (TRAINING_BATCH[0], 1, TRAINING_BATCH[1])
