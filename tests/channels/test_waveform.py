"""Waveforms: the label is the truth of SNR, interferers and class; the faults of public generators are not repeated."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest
import torch

from channels.chance import Chance
from channels.constellations import cumulants
from channels.emission import Emitter
from channels.fading import Rayleigh
from channels.modulation import RML2016, RML2018, Linear, modulation_named
from channels.multipath import Multipath
from channels.units import ratio_to_db
from channels.waveform import Frames, Waveform, make_frames

ELEVEN = len(RML2016)
LEVELS = range(-20, 19, 2)


def labels(each: int, classes: int = ELEVEN) -> torch.Tensor:
    return torch.arange(classes).repeat(each)


def of_class(name: str, frames: int) -> torch.Tensor:
    return torch.full((frames,), RML2016.index(name))


def power(signal: torch.Tensor) -> torch.Tensor:
    """Mean power of each frame."""
    return signal.to(torch.complex128).abs().square().mean(dim=1)


def assert_snr(frames: Frames, label_db: float) -> None:
    """Fail if the measured SNR is further from the label than chance allows, or chance allows a tenth of a dB."""
    signal, noise = power(frames.wanted.signal), power(frames.noise)
    relative = sum((each.std() / each.mean()).item() ** 2 / len(each) for each in (signal, noise))
    tolerance_db = 5 * 10 / math.log(10) * math.sqrt(relative)
    assert tolerance_db < 0.1, "too few frames to tell a tenth of a dB"
    assert abs(ratio_to_db((signal.mean() / noise.mean()).item()) - label_db) < tolerance_db + 1e-6


# SNR


@pytest.mark.parametrize("name", RML2016)
def test_measured_snr_is_the_label_for_every_class(name: str) -> None:
    # A narrow message makes the power of single frames wander, so a sideband alone needs more of them.
    frames = 10_000 if name == "AM-SSB" else 3000
    for level in (-20.0, 18.0) if name == "AM-SSB" else (-20.0, 0.0, 18.0):
        assert_snr(make_frames(Waveform(snr_db=level), of_class(name, frames), Chance(11)), level)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", RML2016)
def test_measured_snr_is_the_label_for_every_class_at_every_level(name: str) -> None:
    frames = 10_000 if name == "AM-SSB" else 3000
    for level in LEVELS:
        drawn = make_frames(Waveform(snr_db=float(level)), of_class(name, frames), Chance(level + 100))
        assert_snr(drawn, float(level))


def test_noise_is_white_over_the_sampled_band_and_given_per_complex_sample(assert_mean) -> None:
    noise = make_frames(Waveform(snr_db=3.0), labels(40), Chance(1)).noise.to(torch.complex128)
    assert_mean(noise.abs().square(), 10**-0.3)
    assert_mean(noise.real.square(), 10**-0.3 / 2)
    for lag in (1, 5):
        assert_mean((noise[:, lag:] * noise[:, :-lag].conj()).real[:, ::2], 0.0)


def test_received_is_the_sum_of_its_parts() -> None:
    for level_control in (True, False):
        waveform = Waveform(interferers=2, level_db=-3.0, level_control=level_control)
        frames = make_frames(waveform, labels(4), Chance(1))
        whole = frames.wanted.signal + frames.interference + frames.noise
        torch.testing.assert_close(frames.received, frames.gain.unsqueeze(1) * whole)
    assert frames.gain.tolist() == [1.0] * len(frames.labels)


def test_fading_and_echoes_keep_the_snr_on_average(assert_mean) -> None:
    waveform = Waveform(multipath=Multipath(fading=Rayleigh(), paths=4))
    assert_mean(power(make_frames(waveform, labels(400), Chance(1)).wanted.signal), 1.0)


# Interferers


def test_an_interferer_has_its_level_and_never_the_wanted_modulation(assert_mean) -> None:
    waveform = Waveform(interferers=1, level_db=-6.0)
    frames = make_frames(waveform, labels(200), Chance(2))
    assert_mean(power(frames.interference), 10**-0.6)
    # Among two classes the other one is certain: BPSK's square has a mean, that of QPSK has none.
    two = Waveform(
        modulations=("BPSK", "QPSK"), interferers=1, emitter=Emitter(phase=0.0, carrier_offset=0.0, linewidth=0.0)
    )
    frames = make_frames(two, labels(300, 2), Chance(3))
    real = frames.interference.imag.abs().amax(dim=1) < 0.2
    assert torch.equal(real, frames.labels == 1)


def test_interferers_may_use_modulations_that_are_never_wanted() -> None:
    waveform = Waveform(modulations=("QPSK",), others=("CPFSK", "QPSK"), interferers=1)
    interference = make_frames(waveform, torch.zeros(30, dtype=torch.long), Chance(3)).interference
    torch.testing.assert_close(interference.abs(), torch.ones(30, 128), atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="others must name a modulation besides each wanted one"):
        Waveform(modulations=("QPSK",), interferers=1)


def test_the_number_of_interferers_may_be_drawn_for_every_frame() -> None:
    frames = make_frames(Waveform(interferers=(0, 3)), labels(60), Chance(4))
    assert set(frames.interferers.tolist()) == {0, 1, 2, 3}
    silent = power(frames.interference) == 0
    assert torch.equal(silent, frames.interferers == 0)


# Streams


def test_the_same_chance_gives_the_same_frames_and_another_gives_others() -> None:
    waveform = Waveform(interferers=1)
    one, same, other = (make_frames(waveform, labels(3), Chance(5).of("batch", batch)) for batch in (0, 0, 1))
    assert torch.equal(one.received, same.received)
    for part in (lambda f: f.received, lambda f: f.noise, lambda f: f.wanted.signal, lambda f: f.interference):
        assert (part(one) != part(other)).any(dim=1).all(), "no frame of one batch is in another"


def test_another_snr_only_scales_the_noise() -> None:
    quiet, loud = (make_frames(Waveform(snr_db=level), labels(3), Chance(5)) for level in (10.0, -10.0))
    assert torch.equal(quiet.wanted.signal, loud.wanted.signal)
    torch.testing.assert_close(loud.noise, 10 * quiet.noise)


def test_one_more_interferer_moves_neither_the_others_nor_the_noise(assert_mean) -> None:
    one, two = (make_frames(Waveform(interferers=count), labels(3), Chance(5)) for count in (1, 2))
    none = make_frames(Waveform(), labels(3), Chance(5))
    for other in (one, two):
        assert torch.equal(other.wanted.signal, none.wanted.signal)
        assert torch.equal(other.noise, none.noise)
    # What the second adds is a whole interferer, and not the first one again.
    added = two.interference - one.interference
    assert_mean(power(added), 1.0)
    assert_mean((added * one.interference.conj()).mean(dim=1).real, 0.0)
    assert not torch.isclose(added, one.interference, atol=1e-4).all(dim=1).any()


CHANGES: dict[str, Callable[[Waveform], Waveform]] = {
    "rolloff": lambda w: dataclasses.replace(w, emitter=dataclasses.replace(w.emitter, rolloff=0.9)),
    "carrier": lambda w: dataclasses.replace(w, emitter=dataclasses.replace(w.emitter, carrier_offset=0.2)),
    "linewidth": lambda w: dataclasses.replace(w, emitter=dataclasses.replace(w.emitter, linewidth=0.0)),
    "fading": lambda w: dataclasses.replace(w, multipath=Multipath(fading=Rayleigh())),
    "interferers": lambda w: dataclasses.replace(w, interferers=3),
    "control": lambda w: dataclasses.replace(w, level_control=False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_leaves_symbols_message_clock_and_noise_alone(change: str) -> None:
    before, after = (make_frames(w, labels(2), Chance(6)) for w in (Waveform(), CHANGES[change](Waveform())))
    assert torch.equal(before.noise, after.noise)
    assert torch.equal(before.snr_db, after.snr_db)
    for name in ("numbers", "harmonics", "samples_per_symbol", "timing"):
        assert torch.equal(getattr(before.wanted.emission, name), getattr(after.wanted.emission, name))


def test_the_class_of_one_frame_moves_no_other() -> None:
    one = labels(3)
    other = one.clone()
    other[5] = RML2016.index("WBFM")
    first, second = (make_frames(Waveform(interferers=1), each, Chance(7)).wanted.signal for each in (one, other))
    torch.testing.assert_close(first[:5], second[:5])
    torch.testing.assert_close(first[6:], second[6:])
    assert not torch.allclose(first[5], second[5])


# Faults of public generators, each of which must not be here


def test_fault_noise_whose_deviation_is_the_power_ratio() -> None:
    # 10**(-snr/10) as a deviation makes noise of power 10**(-2 snr/10): right at 0 dB alone.
    for level in (-10.0, 10.0):
        noise = power(make_frames(Waveform(snr_db=level), labels(100), Chance(1)).noise).mean().item()
        assert -ratio_to_db(noise) == pytest.approx(level, abs=0.1)
        assert abs(-ratio_to_db(noise) - 2 * level) > 9


def test_fault_a_single_sideband_that_is_noise_alone(assert_mean) -> None:
    frames = make_frames(Waveform(snr_db=18.0), of_class("AM-SSB", 3000), Chance(1))
    assert_mean(power(frames.wanted.signal), 1.0)
    # And it carries a message: what one sample says of the next is no accident.
    signal = frames.received.to(torch.complex128)
    assert (signal[:, 1:] * signal[:, :-1].conj()).mean().abs() > 0.9
    assert signal.diff(dim=1).abs().mean() > 0.05, "not a constant either"


def test_fault_one_seed_of_noise_for_all(assert_mean) -> None:
    noise = torch.cat([make_frames(Waveform(snr_db=0.0), labels(20), Chance(1).of(k)).noise for k in range(2)])
    assert len({tuple(row.tolist()) for row in noise[:, :4]}) == len(noise)
    assert_mean((noise[1:] * noise[:-1].conj()).real[::2], 0.0)


@pytest.mark.parametrize("name", RML2018)
def test_fault_frames_that_begin_or_end_in_a_transient(name: str, assert_mean) -> None:
    waveform = Waveform(modulations=(name,), multipath=Multipath(fading=Rayleigh(), paths=3))
    signal = make_frames(waveform, torch.zeros(1500, dtype=torch.long), Chance(2)).wanted.signal
    for place in (0, 1, 64, 126, 127):
        assert_mean(signal[:, place].abs().square(), 1.0)


def test_fault_one_oversampling_one_pulse_and_one_profile_for_all() -> None:
    waveform = Waveform(multipath=Multipath(fading=Rayleigh(), paths=3))
    emission = make_frames(waveform, labels(10), Chance(2)).wanted.emission
    for name in (
        *("samples_per_symbol", "rolloff", "message_band", "timing", "phase", "carrier_offset", "clock_offset_ppm"),
        "linewidth",
    ):
        drawn = getattr(emission, name)
        assert len(drawn.unique()) == len(drawn), name


def test_fault_windows_of_one_run_on_both_sides_of_a_split(assert_mean) -> None:
    # Neighboring frames of a class share neither symbols nor message nor carrier: no part of one predicts another.
    for name in ("QPSK", "AM-SSB"):
        signal = make_frames(Waveform(), of_class(name, 2000), Chance(3)).wanted.signal
        for late in (0, 40):
            overlap = (signal[1:, late:] * signal[:-1, : 128 - late].conj()).mean(dim=1)
            assert_mean(overlap.real[::2], 0.0)
            assert_mean(overlap.imag[::2], 0.0)
    emission = make_frames(Waveform(), labels(40), Chance(3)).wanted.emission
    assert len({tuple(row.tolist()) for row in emission.numbers[:, :4]}) == 40 * ELEVEN


# What power says of the class


def by_power(energy: torch.Tensor, truth: torch.Tensor, bins: int = 30) -> torch.Tensor:
    """A classifier that sees power alone: the commonest class of its quantile, learned on half; right or wrong."""
    half = len(energy) // 2
    edges = torch.quantile(energy[:half], torch.linspace(0, 1, bins + 1, dtype=energy.dtype)[1:-1])
    places = torch.bucketize(energy, edges)
    votes = torch.zeros((bins, ELEVEN)).index_put_((places[:half], truth[:half]), torch.ones(half), accumulate=True)
    return (votes.argmax(dim=1)[places[half:]] == truth[half:]).double()


@pytest.mark.parametrize("snr_db", [(-20.0, 18.0), 18.0])
def test_a_classifier_that_sees_power_alone_stands_at_chance(snr_db: float | tuple[float, float], assert_mean) -> None:
    frames = make_frames(Waveform(snr_db=snr_db), labels(1000), Chance(4))
    assert_mean(by_power(power(frames.received), frames.labels), 1 / ELEVEN)


def test_fault_energy_as_a_sum_of_magnitudes_would_give_the_class_away() -> None:
    frames = make_frames(Waveform(snr_db=18.0), labels(300), Chance(4))
    magnitude = frames.received.abs().mean(dim=1, keepdim=True)
    assert by_power(power(frames.received / magnitude), frames.labels).mean() > 2 / ELEVEN


# What is refused


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"modulations": ("QPSK", "16QAM")}, "a modulation must be one of 8PSK"),
        ({"modulations": ("QPSK", "QPSK")}, "modulations must be different names"),
        ({"modulations": ()}, "modulations must be different names"),
        ({"length": 0}, "length must be at least 1 sample, got 0"),
        ({"snr_db": math.nan}, "snr_db must be a number"),
        ({"interferers": -1}, "interferers must be a number from 0 to"),
        ({"interferers": 1.5}, "interferers must be a whole number or two of them, got 1.5"),
    ],
)
def test_what_is_no_waveform_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Waveform(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [[[0, 1]], [0.0], [], [11], [-1]])
def test_labels_that_are_no_places_are_refused(wrong: list[object]) -> None:
    with pytest.raises(ValueError, match="labels must be"):
        make_frames(Waveform(), torch.tensor(wrong), Chance(1))


def test_classes_differ_in_what_classifiers_by_moments_use() -> None:
    features = {
        name: tuple(round(abs(c), 3) for c in cumulants(modulation.points))
        for name in RML2016
        if isinstance(modulation := modulation_named(name), Linear)
    }
    assert len(set(features.values())) == len(features)
