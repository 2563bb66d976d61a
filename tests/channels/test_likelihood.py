"""The likelihood classifier against a numerical integral, its limits, and frames that were really modulated."""

from __future__ import annotations

import math

import pytest
import torch

from channels.chance import Chance, complex_gaussian
from channels.emission import Emitter
from channels.fading import RandomPhase
from channels.likelihood import Recognition, likelihood_accuracy, log_likelihoods
from channels.matched import matched_filter
from channels.modulation import Linear, modulation_named
from channels.multipath import Multipath
from channels.waveform import Waveform, make_frames

DIGITAL = ("BPSK", "QPSK", "8PSK", "QAM16", "QAM64")


def right(found: Recognition) -> torch.Tensor:
    """Every frame as a one or a zero."""
    hits, total = int(found.counts.trace()), int(found.counts.sum())
    return torch.cat((torch.ones(hits), torch.zeros(total - hits)))


def exact(symbols: int, es_n0: float) -> float:
    """Accuracy for BPSK against QPSK by numerical integration: the density of the log likelihood ratio, convolved."""
    noise = 1 / es_n0
    reach, steps = 1 + 5 * math.sqrt(noise), 1200
    axis = torch.linspace(-reach, reach, steps, dtype=torch.float64)
    grid = torch.complex(*torch.meshgrid(axis, axis, indexing="ij"))

    def density(name: str) -> torch.Tensor:
        modulation = modulation_named(name)
        assert isinstance(modulation, Linear)
        at = sum(torch.exp(-(grid - point).abs().square() / noise) for point in modulation.points)
        return at / at.sum()

    one, other = density("BPSK"), density("QPSK")
    ratio = torch.log(one / other).flatten().clamp(-40, 40)
    bins, width = 2**14, 40 * 2 * symbols / 2**14
    where = ((ratio + 40 * symbols) / width).round().long() % bins
    correct = 0.0
    for weights, is_one in ((one, True), (other, False)):
        single = torch.zeros(bins, dtype=torch.float64).index_add_(0, where, weights.flatten())
        # Sums of independent ratios, by transform; every bin stands for its ratio above the lowest.
        lowest = -40 * symbols
        shifted = torch.roll(single, round(lowest / width))
        total = torch.fft.ifft(torch.fft.fft(shifted) ** symbols).real
        above = total[: bins // 2].sum().item()
        correct += 0.5 * (above if is_one else 1 - above)
    return correct


@pytest.mark.parametrize(("symbols", "es_n0_db"), [(1, 3.0), (4, 0.0), (10, -3.0)])
def test_bpsk_against_qpsk_is_the_numerical_integral(symbols: int, es_n0_db: float, assert_mean) -> None:
    waveform = Waveform(
        modulations=("BPSK", "QPSK"),
        length=8 * symbols,
        emitter=Emitter(samples_per_symbol=8.0),
        snr_db=es_n0_db - 10 * math.log10(8),
    )
    found = likelihood_accuracy(waveform, frames=8000, chance=Chance(1))
    assert_mean(right(found), exact(symbols, 10 ** (es_n0_db / 10)))


def test_the_bound_rises_from_chance_to_certainty() -> None:
    accuracies = [
        likelihood_accuracy(Waveform(modulations=DIGITAL, snr_db=level), frames=200, chance=Chance(2)).accuracy
        for level in (-40.0, -10.0, -4.0, 2.0, 12.0)
    ]
    assert accuracies == sorted(accuracies)
    assert abs(accuracies[0] - 0.2) < 5 * math.sqrt(0.2 * 0.8 / 1000)
    assert accuracies[-1] == 1.0


def test_modulated_frames_are_recognised_as_often_as_the_bound_says(assert_mean) -> None:
    # The whole way through pulses, carrier, noise and matched filter, on symbols that are wholly heard.
    waveform = Waveform(
        modulations=("BPSK", "QPSK", "8PSK", "QAM16"),
        length=128 + 2 * 8 * 8,
        emitter=Emitter(samples_per_symbol=8.0, rolloff=0.5, timing=0.0, clock_offset_ppm=0.0),
        snr_db=-4.0,
        level_control=False,
    )
    labels = torch.arange(4).repeat(500)
    frames = make_frames(waveform, labels, Chance(3))
    symbols, whole = matched_filter(frames.received, frames.wanted.emission)
    count = int(whole[0].sum())
    constellations = [modulation_named(name).points for name in waveform.modulations]  # type: ignore[union-attr]
    noise_power = 10**0.4 / 8 * torch.ones(len(labels))
    found = log_likelihoods(symbols, noise_power, constellations, whole).argmax(dim=1)
    of_symbols = Waveform(modulations=waveform.modulations, length=8 * count, emitter=waveform.emitter, snr_db=-4.0)
    bound = likelihood_accuracy(of_symbols, frames=5000, chance=Chance(4))
    hits = (found == labels).double()
    error = math.sqrt(bound.accuracy * (1 - bound.accuracy) / 20_000)
    assert abs(hits.mean().item() - bound.accuracy) < 5 * math.hypot(hits.std().item() / math.sqrt(len(hits)), error)


def test_frames_and_their_length_count_as_symbols_of_each_frames_own_rate() -> None:
    fixed = Waveform(modulations=DIGITAL, snr_db=0.0, emitter=Emitter(samples_per_symbol=(4.0, 12.0)))
    slow = Waveform(modulations=DIGITAL, snr_db=0.0, emitter=Emitter(samples_per_symbol=12.0))
    short = Waveform(modulations=DIGITAL, snr_db=0.0, length=16)
    accuracy = [likelihood_accuracy(each, frames=300, chance=Chance(5)).accuracy for each in (fixed, slow, short)]
    assert accuracy[2] < accuracy[0]
    assert all(0.3 < each < 1 for each in accuracy)


def test_a_random_phase_that_is_known_costs_nothing() -> None:
    plain, turned = (
        likelihood_accuracy(Waveform(modulations=DIGITAL, multipath=m), frames=100, chance=Chance(6)).counts
        for m in (Multipath(), Multipath(fading=RandomPhase()))
    )
    assert torch.equal(plain, turned)


def test_one_symbol_in_noise_has_the_likelihood_of_its_mixture() -> None:
    points = modulation_named("PAM4").points  # type: ignore[union-attr]
    symbol = complex_gaussian((1, 1), generator=Chance(7).generator())
    heard = torch.ones((1, 1), dtype=torch.bool)
    found = log_likelihoods(symbol, torch.tensor([0.5]), [points], heard).item()
    by_hand = math.log(sum(math.exp(-(abs(symbol.item() - a) ** 2) / 0.5) for a in points) / 4)
    assert found == pytest.approx(by_hand, rel=1e-5)


def test_the_interval_is_wilsons() -> None:
    found = Recognition(torch.tensor([[40, 10], [10, 40]]))
    assert found.accuracy == 0.8
    assert found.interval() == (pytest.approx(0.7112, abs=1e-4), pytest.approx(0.8666, abs=1e-4))
    assert Recognition(torch.tensor([[50, 0], [0, 50]])).interval()[1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (Waveform(), "modulations must be linear .* got 'AM-DSB'"),
        (Waveform(modulations=("OQPSK",)), "modulations must be linear .* got 'OQPSK'"),
        (
            Waveform(modulations=DIGITAL, interferers=2),
            "no interferers for the likelihood bound, got 1 paths and up to 2",
        ),
        (Waveform(modulations=DIGITAL, multipath=Multipath(paths=3)), "one path and no interferers .* got 3 paths"),
    ],
)
def test_what_has_no_bound_is_refused(waveform: Waveform, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        likelihood_accuracy(waveform, frames=1, chance=Chance(1))
