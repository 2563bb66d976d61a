"""Arrived: the gain and the noise that a receiver reckons with are those that can be measured, at no cost unasked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import product

import pytest
import torch

from channels import (
    Arrived,
    Chance,
    Equalizer,
    Fading,
    Gaussian,
    InterferenceRejecting,
    Link,
    Mmse,
    NoCsi,
    NoFading,
    NoisyCsi,
    PerBlock,
    PerSymbol,
    Rayleigh,
    ZeroForcing,
    arrive,
    draw,
    everyone,
    superpose,
)
from channels import arrived as module

SHAPE = (200, 120)
LOUD = Link(snr_db=4.0, interferers=2, interference=Gaussian(level_db=(-3.0, 2.0)), coherence=PerBlock(20))
FADED = dataclasses.replace(LOUD, fading=Rayleigh(), antennas=2)


def trip(link: Link, shape: tuple[int, int] = SHAPE) -> tuple[torch.Tensor, Arrived]:
    """What was sent, Gaussian symbols, and what became of it."""
    air = draw(link, shape, Chance(31))
    symbols = Gaussian().draw(shape, generator=Chance(31).of("symbols").generator())
    return symbols, arrive(superpose(everyone(symbols, link, air), air), link, air)


def each_symbol(values: torch.Tensor, symbols: int) -> torch.Tensor:
    """[B, G] for every one of K symbols, [B, K]."""
    return values.repeat_interleave(symbols // values.shape[1], dim=1)


@pytest.mark.parametrize(
    ("fading", "antennas", "equalizer", "interferers"),
    list(product((NoFading(), Rayleigh()), (1, 2), (Mmse(), ZeroForcing(), InterferenceRejecting()), (0, 2))),
    ids=lambda value: str(getattr(value, "kind", value)),
)
def test_gain_and_noise_power_are_what_is_measured(
    fading: Fading, antennas: int, equalizer: Equalizer, interferers: int, assert_mean: Callable[..., None]
) -> None:
    """With perfect csi: v = x_hat - g x has the power that is said, and nothing of x is left in it."""
    link = dataclasses.replace(
        LOUD, fading=fading, antennas=antennas, equalizer=equalizer, interferers=interferers,
        interference=Gaussian(level_db=(-3.0, 2.0)[:interferers] or 0.0),
    )  # fmt: skip
    sent, arrived = trip(link)
    assert arrived.gain.shape == arrived.noise_power.shape
    assert arrived.noise_power.dtype == torch.float32 and (arrived.noise_power > 0).all()
    rest = arrived.symbols - each_symbol(arrived.gain, SHAPE[1]) * sent
    # In units of its own size, block by block: deep fades of zero forcing are as good as any other sample.
    rest = rest / each_symbol(arrived.noise_power, SHAPE[1]).sqrt()
    assert_mean(rest.abs().square(), 1.0)
    for left in ((rest * sent.conj()).real, (rest * sent.conj()).imag):
        assert_mean(left, 0.0)
    if isinstance(equalizer, ZeroForcing):
        torch.testing.assert_close(arrived.gain, torch.ones_like(arrived.gain))


def test_gains_of_every_symbol_are_told_for_every_symbol(assert_mean: Callable[..., None]) -> None:
    sent, arrived = trip(dataclasses.replace(FADED, coherence=PerSymbol()))
    assert arrived.gain.shape == arrived.noise_power.shape == SHAPE
    assert_mean((arrived.symbols - arrived.gain * sent).abs().square() / arrived.noise_power, 1.0)


def test_a_receiver_without_csi_reckons_with_mean_powers() -> None:
    """Right where nobody fades; where all do it knows no better, whatever the gains are."""
    steady = dataclasses.replace(FADED, fading=NoFading())
    (_, blind), (_, faded), (_, seeing) = (
        trip(dataclasses.replace(link, csi=csi))
        for link, csi in ((steady, NoCsi()), (FADED, NoCsi()), (steady, FADED.csi))
    )
    for name in ("gain", "noise_power"):
        expected = getattr(seeing, name)
        torch.testing.assert_close(getattr(blind, name), expected)
        torch.testing.assert_close(getattr(faded, name), expected[:, :1].expand_as(getattr(faded, name)))


def test_a_receiver_that_estimates_believes_its_estimates() -> None:
    link = dataclasses.replace(FADED, csi=NoisyCsi(pilots=2), equalizer=InterferenceRejecting())
    _, arrived = trip(link)
    ((_, air),) = arrived.airs
    believed = dataclasses.replace(
        air, paths=tuple(air.paths[user] + air.csi_error[:, user] for user in range(3)), csi_error=None
    )
    expected = Arrived(arrived.symbols, ((dataclasses.replace(link, csi=FADED.csi), believed),))
    torch.testing.assert_close(arrived.gain, expected.gain)
    torch.testing.assert_close(arrived.noise_power, expected.noise_power)


def test_what_nobody_asks_for_is_not_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    weighed, weigh = [], module.weigh
    monkeypatch.setattr(module, "weigh", lambda *given: weighed.append(given) or weigh(*given))
    _, arrived = trip(FADED)
    assert arrived.first(40).detach().symbols.shape == (SHAPE[0], 40)
    assert not weighed
    assert arrived.gain is arrived.gain and arrived.noise_power is arrived.noise_power
    assert len(weighed) == 1, "once for both, and once for all"


def test_it_can_be_cut_and_cut_off() -> None:
    air = draw(LOUD, SHAPE, Chance(31))
    symbols = torch.ones(SHAPE, dtype=torch.complex64, requires_grad=True)
    arrived = arrive(superpose(everyone(symbols, LOUD, air), air), LOUD, air)
    short, quiet = arrived.first(40), arrived.detach()
    assert torch.equal(short.symbols, arrived.symbols[:, :40]) and torch.equal(quiet.symbols, arrived.symbols)
    assert arrived.symbols.requires_grad and short.symbols.requires_grad and not quiet.symbols.requires_grad
    for each in (short, quiet):
        assert each.airs == ((LOUD, air),)
        assert torch.equal(each.gain, arrived.gain) and torch.equal(each.noise_power, arrived.noise_power)
    short.symbols.abs().sum().backward()
    assert symbols.grad[:, :40].all() and not symbols.grad[:, 40:].any()
