"""Emitters: clocks, carriers and oscillators in closed form; ranges that draw for every frame."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from channels.chance import Chance
from channels.emission import Emitter
from channels.modulation import modulation_named
from channels.ranges import check_range, draw_range

STEADY = Emitter(
    samples_per_symbol=8.0, rolloff=0.35, timing=0.0, phase=0.0, carrier_offset=0.0, clock_offset_ppm=0.0, linewidth=0.0
)


def sent(emitter: Emitter, name: str = "QAM16", frames: int = 30, length: int = 128) -> torch.Tensor:
    emission = emitter.draw(frames, length, Chance(3))
    return modulation_named(name).envelope(emission) * emission.carrier()


def test_a_later_timing_is_the_same_signal_sooner() -> None:
    later = sent(dataclasses.replace(STEADY, timing=0.25))
    torch.testing.assert_close(later[:, :-2], sent(STEADY)[:, 2:], atol=1e-5, rtol=0)


def test_a_fast_clock_is_a_shorter_symbol() -> None:
    fast = sent(dataclasses.replace(STEADY, clock_offset_ppm=60_000.0))
    torch.testing.assert_close(fast, sent(dataclasses.replace(STEADY, samples_per_symbol=8 / 1.06)), atol=2e-5, rtol=0)


@pytest.mark.parametrize("ppm", [-90_000.0, 100_000.0])
@pytest.mark.parametrize("timing", [(-3.0, 2.5), 0.999])
@pytest.mark.parametrize("name", ["OQPSK", "GMSK", "CPFSK", "WBFM"])
def test_symbols_suffice_for_any_clock(name: str, timing: float | tuple[float, float], ppm: float) -> None:
    emitter = dataclasses.replace(STEADY, timing=timing, clock_offset_ppm=ppm, samples_per_symbol=(2.0, 3.0))
    emission = emitter.draw(50, 130, Chance(1), lead=9)
    signal = modulation_named(name).envelope(emission)
    assert signal.shape == (50, 139)
    # Any symbol too few would have raised an error, or be the last one instead of the first.
    places = emission.times().floor().long() - emission.first_symbol
    assert places.min() >= 9
    assert places.max() < emission.numbers.shape[1] - 9


@pytest.mark.parametrize("offset", [-0.21, 0.003])
def test_carrier_offset_and_phase_noise_turn_neighboring_samples(offset: float, assert_mean) -> None:
    linewidth, lag = 2e-4, 7
    emitter = dataclasses.replace(STEADY, carrier_offset=offset, linewidth=linewidth)
    carrier = emitter.draw(500, 128, Chance(2)).carrier().to(torch.complex128)
    turned = (carrier[:, lag:] * carrier[:, :-lag].conj())[:, ::lag] * complex(
        math.cos(2 * math.pi * offset * lag), -math.sin(2 * math.pi * offset * lag)
    )
    # A wandering phase: normal steps of variance 2 pi linewidth, so a line of that width at half its power.
    assert_mean(turned.real, math.exp(-math.pi * linewidth * lag))
    assert_mean(turned.imag, 0.0)


def test_the_phase_of_the_carrier_is_uniform(assert_mean) -> None:
    first = dataclasses.replace(STEADY, phase=(0.0, 1.0)).draw(5000, 1, Chance(2)).carrier()[:, 0]
    for power in (1, 2, 3, 4):
        assert_mean((first**power).real, 0.0)
        assert_mean((first**power).imag, 0.0)


def test_every_setting_has_a_stream_of_its_own() -> None:
    before = Emitter().draw(20, 64, Chance(4))
    for field in dataclasses.fields(Emitter):
        changed = dataclasses.replace(Emitter(), **{field.name: 0.1 if field.name != "samples_per_symbol" else 12.0})
        after = changed.draw(20, 64, Chance(4))
        for other in dataclasses.fields(Emitter):
            same = torch.equal(getattr(after, other.name), getattr(before, other.name))
            assert same == (other.name != field.name), (field.name, other.name)


@pytest.mark.parametrize("name", ["QPSK", "GFSK", "OQPSK"])
def test_a_longer_frame_a_faster_symbol_and_more_paths_keep_the_symbols(name: str) -> None:
    modulation = modulation_named(name)
    whole = modulation.envelope(STEADY.draw(6, 512, Chance(3)))
    torch.testing.assert_close(modulation.envelope(STEADY.draw(6, 128, Chance(3))).abs(), whole[:, :128].abs())
    for changed, lead in ((dataclasses.replace(STEADY, samples_per_symbol=3.0), 0), (STEADY, 7)):
        emission = changed.draw(6, 128, Chance(3), lead=lead)
        first, plain = -emission.first_symbol, STEADY.draw(6, 128, Chance(3))
        assert torch.equal(emission.numbers[:, first:][:, :16], plain.numbers[:, -plain.first_symbol :][:, :16])


def test_what_is_heard_through_echoes_changes_nothing_in_the_frame() -> None:
    noisy = dataclasses.replace(STEADY, linewidth=1e-3)
    for name in ("QAM64", "AM-SSB", "WBFM", "AM-DSB"):
        plain, late = (noisy.draw(6, 128, Chance(3), lead=lead) for lead in (0, 9))
        heard = modulation_named(name).envelope(late) * late.carrier()
        torch.testing.assert_close(heard[:, 9:], modulation_named(name).envelope(plain) * plain.carrier())


def test_a_range_is_uniform_between_its_ends_and_a_number_is_itself(assert_mean) -> None:
    drawn = draw_range((-20.0, 18.0), 5000, generator=Chance(1).generator())
    assert drawn.min() >= -20
    assert drawn.max() < 18
    assert_mean(drawn, -1.0)
    assert_mean((drawn < -10.5).double(), 0.25)
    assert set(draw_range(3.5, 4, generator=Chance(1).generator()).tolist()) == {3.5}


@pytest.mark.parametrize("value", [(2.0, 1.0), math.nan, math.inf, (1.0, 2.0, 3.0), (), "8", None, 11.0, (-1.0, 2.0)])
def test_what_is_no_range_is_refused(value: object) -> None:
    with pytest.raises(
        ValueError, match="rolloff must be a number from 0 to 10, or two of them in ascending order, got"
    ):
        check_range("rolloff", value, low=0.0, high=10.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("samples_per_symbol", 1.5), ("rolloff", 0.0), ("rolloff", 1.1), ("message_band", 0.4), ("linewidth", -1.0)],
)
def test_settings_out_of_bounds_are_refused(setting: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{setting} must be a number from .* got {value}"):
        Emitter(**{setting: value})
