"""The view of another user: the same air divided by one amplitude, in closed form and in every sample."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from channels import (
    Chance,
    Gaussian,
    InterferenceRejecting,
    Link,
    Neighbors,
    NoCsi,
    NoFading,
    NoisyCsi,
    PerBlock,
    Rayleigh,
    draw,
    equalize,
    everyone,
    mean_sinr_db,
    mean_sir_db,
    measured_powers,
    superpose,
)
from channels.cell import as_heard_for, link_for, seen_from, sentence_shifts

LEVELS = (-3.0, 2.0, -7.5)
LINKS = [
    Link(snr_db=5.0, interferers=3, interference=Gaussian(level_db=LEVELS)),
    Link(snr_db=5.0, interferers=3, interference=Gaussian(level_db=LEVELS), fading=Rayleigh(), csi=NoisyCsi()),
    Link(snr_db=5.0, interferers=3, interference=Gaussian(level_db=-4.0), fading=Rayleigh(), coherence=PerBlock(4)),
    Link(
        snr_db=5.0, interferers=3, interference=Gaussian(level_db=LEVELS, fading=Rayleigh()),
        antennas=2, equalizer=InterferenceRejecting(),
    ),
    Link(snr_db=5.0, interferers=1, interference=Gaussian(level_db=3.0, fading=Rayleigh()), csi=NoCsi()),
]  # fmt: skip
each_link = pytest.mark.parametrize("link", LINKS)

levels = st.floats(-30, 30)


@given(st.lists(levels, min_size=1, max_size=5), st.floats(-20, 40), st.data())
def test_the_closed_forms_are_those_of_the_user(loud: list[float], snr_db: float, data: st.DataObject) -> None:
    """Its own power over the sum of everybody else's and the noise, all as the wanted user's receiver has them."""
    link = Link(snr_db=snr_db, interferers=len(loud), interference=Neighbors(level_db=tuple(loud)))
    user = data.draw(st.integers(0, len(loud)))
    powers = [1.0, *(10 ** (level / 10) for level in loud)]
    others, noise = sum(powers) - powers[user], 10 ** (-snr_db / 10)
    view = link_for(link, user)
    assert view.snr_db == pytest.approx(10 * math.log10(powers[user] / noise), abs=1e-9)
    assert mean_sir_db(view) == pytest.approx(10 * math.log10(powers[user] / others), abs=1e-6)
    assert mean_sinr_db(view) == pytest.approx(10 * math.log10(powers[user] / (others + noise)), abs=1e-6)


@each_link
def test_the_wanted_user_s_view_is_the_air_itself(link: Link) -> None:
    air = draw(link, (4, 8), Chance(1))
    assert as_heard_for(link, air, 0) == (link, air)


@each_link
def test_what_is_received_is_the_same_but_for_one_amplitude(link: Link) -> None:
    air = draw(link, (4, 12), Chance(2))
    signals = everyone(Gaussian().draw((4, 12), generator=Chance(3).generator()), link, air)
    received = superpose(signals, air)
    for user in range(1 + link.interferers):
        _, heard = as_heard_for(link, air, user)
        turned = signals[:, list(seen_from(user, 1 + link.interferers))]
        torch.testing.assert_close(superpose(turned, heard) * link.amplitudes[user], received, atol=1e-4, rtol=1e-4)


@each_link
def test_a_user_alone_in_its_ear_arrives_whole(link: Link) -> None:
    """Without noise and with all others silent user k's receiver finds its symbols as the wanted one finds its own."""
    link = replace(link, snr_db=90.0, csi=NoisyCsi(pilots=10**6) if isinstance(link.csi, NoisyCsi) else LINKS[0].csi)
    air = draw(link, (4, 12), Chance(4))
    for user in range(1 + link.interferers):
        signals = torch.zeros(air.shape, dtype=torch.complex64)
        signals[:, user] = Gaussian().draw((4, 12), generator=Chance(5).generator())
        view, heard = as_heard_for(link, air, user)
        estimate = equalize(superpose(signals, air) / link.amplitudes[user], view, heard)
        # Least squares shrinks by what it takes for interference; what is left must be in phase, symbol by symbol.
        ratio = estimate / signals[:, user]
        assert (ratio.real > 0).all()
        assert (ratio.imag.abs() < 2e-2 * ratio.real + 1e-3).all()


def test_a_receiver_that_estimates_nothing_takes_its_own_user_for_the_unit() -> None:
    link = LINKS[-1]
    view, heard = as_heard_for(link, draw(link, (2, 3), Chance(6)), 1)
    known = view.csi.known(heard.gains, heard.csi_error, amplitudes=view.amplitudes)
    assert known[0, :, 0, 0].tolist() == pytest.approx([1.0, 10 ** (-3.0 / 20)], abs=1e-6)


def test_the_wanted_user_takes_its_fading_with_it() -> None:
    link = LINKS[-1]
    assert (link_for(link, 1).fading, link_for(link, 1).interferer_fading) == (Rayleigh(), NoFading())


@each_link
def test_measured_powers_of_every_view_are_those_of_its_closed_form(link: Link) -> None:
    link = replace(link, csi=LINKS[0].csi)
    air = draw(link, (20_000, 4), Chance(7))
    signals = everyone(Gaussian().draw((20_000, 4), generator=Chance(8).generator()), link, air)
    for user in range(1 + link.interferers):
        view, heard = as_heard_for(link, air, user)
        energies = measured_powers(signals[:, list(seen_from(user, 1 + link.interferers))], heard)
        # 20,000 gains with power 1 +- 1, on either side of the ratio and for each of the others: five standard errors
        # are 5 * sqrt(2 / 20,000) = 5 %, or 0.22 dB.
        assert energies.snr_db == pytest.approx(view.snr_db, abs=0.22)
        assert energies.sinr_db == pytest.approx(mean_sinr_db(view), abs=0.3)


def test_users_and_air_that_are_not_there_are_refused() -> None:
    link = LINKS[0]
    air = draw(link, (4, 8), Chance(1))
    with pytest.raises(ValueError, match="user must be from 0 to 3, got 4"):
        as_heard_for(link, air, 4)
    with pytest.raises(ValueError, match="air must be drawn for 2 users"):
        as_heard_for(LINKS[-1], air, 1)


# Whose sentence


@given(st.integers(1, 9), st.integers(0, 8), st.integers(0, 2**31))
def test_shifts_differ_and_one_more_user_moves_nobody(batch: int, interferers: int, seed: int) -> None:
    interferers = min(interferers, batch - 1)
    link = Link(interferers=interferers)
    shifts = sentence_shifts(draw(link, (batch, 3), Chance(seed)))
    assert shifts[0] == 0 and len(set(shifts)) == len(shifts) == 1 + interferers
    assert all(0 <= shift < batch for shift in shifts)
    if interferers:
        fewer = sentence_shifts(draw(replace(link, interferers=interferers - 1), (batch, 3), Chance(seed)))
        assert fewer == shifts[:-1]


def test_every_shift_is_as_likely_as_another(assert_mean) -> None:
    found = torch.tensor([sentence_shifts(draw(Link(interferers=2), (5, 1), Chance(seed))) for seed in range(4000)])
    for user in (1, 2):
        for shift in range(1, 5):
            assert_mean((found[:, user] == shift).double(), 0.25)


def test_cells_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="a cell of 4 users needs a batch of at least 4 sentences, got 3"):
        sentence_shifts(draw(Link(interferers=3), (3, 2), Chance(1)))
    with pytest.raises(ValueError, match="must be drawn for neighbors, got signals"):
        sentence_shifts(draw(LINKS[0], (4, 2), Chance(1)))
