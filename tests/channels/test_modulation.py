"""Every modulation against its closed form: autocorrelation (so spectrum), envelope, sidebands, moments, errors."""

from __future__ import annotations

import cmath
import math

import pytest
import torch
from scipy import integrate

from channels.chance import Chance, complex_gaussian
from channels.constellations import cumulants
from channels.emission import Emission, Emitter
from channels.matched import matched_filter
from channels.modulation import (
    MODULATIONS,
    AmplitudeModulated,
    FrequencyKeyed,
    FrequencyModulated,
    Linear,
    Modulation,
    SingleSideband,
    modulation_named,
)
from channels.pulses import gaussian_step
from channels.theory import q_function

SPS, ROLLOFF, BAND = 6.3, 0.3, 0.06
LENGTH = 128
STEADY = Emitter(
    samples_per_symbol=SPS,
    rolloff=ROLLOFF,
    message_band=BAND,
    phase=0.0,
    carrier_offset=0.0,
    clock_offset_ppm=0.0,
    linewidth=0.0,
)
LINEAR = [each for each in MODULATIONS if isinstance(each, Linear)]


def each(modulations: object) -> list[object]:
    return [pytest.param(modulation, id=modulation.name) for modulation in modulations]  # type: ignore[attr-defined]


def emitted(modulation: Modulation, frames: int, length: int = LENGTH, emitter: Emitter = STEADY) -> torch.Tensor:
    emission = emitter.draw(frames, length, Chance(5))
    return modulation.envelope(emission) * emission.carrier()


def raised_cosine(t: float) -> float:
    return (
        float(torch.sinc(torch.tensor(t, dtype=torch.float64)))
        * math.cos(math.pi * ROLLOFF * t)
        / (1 - (2 * ROLLOFF * t) ** 2)
    )


def autocorrelation(modulation: Modulation, lag: int) -> complex:
    """E[s(t + lag) s*(t)] over messages and over where in a symbol the frame begins."""
    lowest = 0.5 / (4 * LENGTH)  # half a harmonic of the message's period

    def message(function: object) -> float:
        return integrate.quad(function, lowest, BAND)[0] / (BAND - lowest)

    match modulation:
        case Linear(points=points):
            mean = abs(sum(points) / len(points)) ** 2
            return (1 - mean) * raised_cosine(lag / SPS) + mean
        case FrequencyKeyed(index=h, bandwidth_time=bt):
            t = torch.arange(4000, dtype=torch.float64)[:, None] / 4000
            k = torch.arange(-6, 40)
            turned = gaussian_step(t + lag / SPS - k, bt) - gaussian_step(t - k, bt)
            return torch.cos(math.pi * h * turned).prod(dim=1).mean().item()
        case AmplitudeModulated(depth=depth):
            rho = message(lambda f: math.cos(2 * math.pi * f * lag))
            return rho if depth is None else (1 + depth**2 * rho) / (1 + depth**2)
        case SingleSideband(depth=depth):
            rho = complex(
                message(lambda f: math.cos(2 * math.pi * f * lag)), message(lambda f: math.sin(2 * math.pi * f * lag))
            )
            return rho if depth is None else (1 + depth**2 * rho) / (1 + depth**2)
        case FrequencyModulated(index=index):
            turned = message(lambda f: 2 * (1 - math.cos(2 * math.pi * f * lag)) * (index * BAND / f) ** 2)
            return math.exp(-turned / 2)


@pytest.mark.parametrize("modulation", each(MODULATIONS))
def test_autocorrelation_is_the_closed_form(modulation: Modulation, assert_mean) -> None:
    # The spectrum is its Fourier transform: symbol rate, pulse, index and band are all in it.
    signal = emitted(modulation, 600).to(torch.complex128)
    for lag in (0, 1, 3, 6, 10, 25):
        product = (signal[:, lag:] * signal[:, : LENGTH - lag].conj()).mean(dim=1)
        expected = complex(autocorrelation(modulation, lag))
        assert_mean(product.real, expected.real)
        assert_mean(product.imag, expected.imag)


@pytest.mark.parametrize("modulation", each([modulation_named("QPSK"), modulation_named("QAM64")]))
def test_the_spectrum_is_down_3_db_at_half_the_symbol_rate(modulation: Modulation, assert_mean) -> None:
    length, sps = 1024, 8
    emitter = Emitter(
        samples_per_symbol=float(sps),
        rolloff=ROLLOFF,
        phase=0.0,
        carrier_offset=0.0,
        clock_offset_ppm=0.0,
        linewidth=0.0,
    )
    periodogram = torch.fft.fft(emitted(modulation, 500, length, emitter).to(torch.complex128)).abs().square() / length
    # A raised cosine of unit power is `sps` high in the middle, half of that at +-1/(2 sps), gone at (1+b)/(2 sps).
    assert_mean(periodogram[:, 0:40:8].mean(dim=1), sps)
    for edge in (length // (2 * sps), -length // (2 * sps)):
        assert_mean(periodogram[:, edge], sps / 2)
    beyond = math.ceil((1 + ROLLOFF) / (2 * sps) * length) + 4
    assert periodogram[:, beyond:-beyond].mean() < 1e-3 * sps


@pytest.mark.parametrize("name", ["CPFSK", "GFSK", "GMSK", "WBFM"])
def test_frequency_modulations_have_a_constant_envelope(name: str) -> None:
    signal = emitted(modulation_named(name), 50)
    torch.testing.assert_close(signal.abs(), torch.ones(50, LENGTH), atol=1e-6, rtol=0)
    assert signal.angle().std() > 1.0, "the phase moves"


def test_cpfsk_at_index_one_half_is_offset_qpsk_on_half_sines() -> None:
    # MSK's frequency is one of two, a quarter of the symbol rate to each side of the carrier.
    signal = emitted(modulation_named("CPFSK"), 40).to(torch.complex128)
    turns = (signal[:, 1:] * signal[:, :-1].conj()).angle() / (2 * math.pi) * SPS
    settled = (turns.abs() - 0.25).abs() < 1e-4
    assert settled.float().mean() > 0.8, "samples that straddle two symbols turn by less"
    assert (turns.abs() < 0.2501).all()


@pytest.mark.parametrize("name", ["AM-SSB", "AM-SSB-WC"])
def test_a_single_sideband_has_nothing_on_the_other_side(name: str) -> None:
    # Over a whole period of the message the transform is exact: not a thousandth leaks.
    emission = STEADY.draw(200, LENGTH, Chance(5))
    whole = Emission(**{**vars(emission), "samples": emission.period})
    power = torch.fft.fft(modulation_named(name).envelope(whole)).abs().square().mean(dim=0)
    half = emission.period // 2
    upper, lower = power[1:half].sum(), power[half:].sum()
    assert lower < 1e-9 * upper
    assert power[math.ceil(BAND * emission.period) + 1 : half].sum() < 1e-9 * upper


def test_the_frequency_of_fm_is_its_message() -> None:
    emission = STEADY.draw(20, LENGTH, Chance(5))
    signal = modulation_named("WBFM").envelope(emission).to(torch.complex128)
    turns = (signal[:, 2:] * signal[:, :-2].conj()).angle() / (4 * math.pi)
    message = 1.25 * BAND * emission.message(emission.spectrum()).real[:, 1:-1]
    # Over two samples a message below 0.06 cycles per sample is averaged by no more than 3 % of its rms.
    assert (turns - message).square().mean().sqrt() < 0.03 * 1.25 * BAND


def test_both_sidebands_of_am_are_alike_and_its_phase_never_moves(assert_mean) -> None:
    signal = emitted(modulation_named("AM-DSB"), 200)
    assert signal.imag.abs().max() == 0
    assert (signal.real < 0).float().mean() < 0.01
    carrier = signal.real.mean(dim=1)
    assert_mean(carrier, 1 / math.sqrt(1 + 1 / 9))


def bias(size: int) -> float:
    """The most by which estimates from so many symbols are off on average: 3 E|a|^4 over their number."""
    return 6 / size


@pytest.mark.parametrize("modulation", each(LINEAR))
def test_moments_after_the_matched_filter_are_the_constellations(modulation: Linear, assert_mean) -> None:
    # With a roll-off of a half, the cut pulse leaves a millionth of interference between symbols.
    emitter = Emitter(samples_per_symbol=(3.0, 9.0), rolloff=0.5, carrier_offset=(-0.1, 0.1), clock_offset_ppm=200.0)
    emission = emitter.draw(24, 2048, Chance(6))
    received = modulation.envelope(emission) * emission.carrier()
    symbols, whole = matched_filter(received, emission)
    if modulation.late:
        across, late = matched_filter(received, emission, late=modulation.late)
        symbols, whole = torch.complex(symbols.real, across.imag), whole & late
    found = symbols[whole].to(torch.complex128)
    torch.testing.assert_close(found, modulation.symbols(emission)[whole].to(torch.complex128), atol=6e-3, rtol=0)
    points, count = modulation.points, len(modulation.points)
    for moment in (lambda a: a, lambda a: a**2, lambda a: a**4, lambda a: abs(a) ** 4):
        values = [complex(moment(point)) for point in points]
        # Where all points have one value, all that varies is the little that the cut left out: tested above.
        if max(abs(value - values[0]) for value in values) > 1e-9:
            estimate = moment(found).to(torch.complex128)
            assert_mean(estimate.real, sum(values).real / count)
            assert_mean(estimate.imag, sum(values).imag / count)
    # Cumulants are the features of classifiers by moments; their spread comes from twenty parts of the sample.
    parts = [cumulants(tuple(part.tolist())) for part in found[: len(found) // 20 * 20].chunk(20)]
    for estimates, expected in zip(zip(*parts, strict=True), cumulants(points), strict=True):
        estimate = torch.tensor(estimates, dtype=torch.complex128)
        error = estimate.std().item() / math.sqrt(20)
        assert abs(estimate.mean().item() - expected) < 5 * error + bias(len(found) // 20)


@pytest.mark.parametrize(("name", "snr_db"), [("QPSK", 0.0), ("QPSK", -4.0), ("QAM16", 6.0), ("BPSK", -4.0)])
def test_symbol_error_rates_are_the_textbooks(name: str, snr_db: float, assert_mean) -> None:
    modulation = modulation_named(name)
    assert isinstance(modulation, Linear)
    emitter = Emitter(samples_per_symbol=5.3, rolloff=0.4, carrier_offset=(-0.2, 0.2))
    emission = emitter.draw(60, 2048, Chance(7))
    noise = complex_gaussian((60, 2048), power=10 ** (-snr_db / 10), generator=Chance(8).generator())
    symbols, whole = matched_filter(modulation.envelope(emission) * emission.carrier() + noise, emission)
    points = torch.tensor(modulation.points, dtype=torch.complex64)
    nearest = (symbols[whole].unsqueeze(1) - points).abs().argmin(dim=1)
    wrong = nearest != (emission.numbers % len(points))[whole]
    # Noise fills the sampled band, the filter lets one symbol rate of it through.
    es_n0 = 5.3 * 10 ** (snr_db / 10)
    if name == "BPSK":
        expected = q_function(math.sqrt(2 * es_n0))
    elif name == "QPSK":
        expected = 1 - (1 - q_function(math.sqrt(es_n0))) ** 2
    else:
        expected = 1 - (1 - 1.5 * q_function(math.sqrt(es_n0 / 5))) ** 2
    assert_mean(wrong.double(), expected)


def test_a_name_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"a modulation must be one of 8PSK, AM-DSB, .*, got '16QAM'"):
        modulation_named("16QAM")


def test_the_symbol_rate_is_a_line_in_the_power_of_the_signal(assert_mean) -> None:
    # |s|^2 repeats with the symbols: where every frame begins at one place of a symbol, its mean shows the rate.
    emitter = Emitter(samples_per_symbol=8.0, rolloff=0.5, timing=0.25, clock_offset_ppm=0.0)
    power = emitted(modulation_named("QPSK"), 4000, 128, emitter).abs().square().double()
    n = torch.arange(128)
    line = (power * torch.exp(-2j * math.pi * n / 8)).mean(dim=1)
    # Sum over k of p(t - k)^2 has this first harmonic: the overlap of the pulse's spectrum with itself one rate away,
    # the integral of cos x sin x over the roll-off band: b / pi at the middle of a symbol, turned by the timing.
    expected = 0.5 / math.pi * cmath.exp(2j * math.pi * 0.25)
    assert_mean(line.real, expected.real)
    assert_mean(line.imag, expected.imag)
