"""Limits of links against closed forms of the textbooks, and against gains that are drawn."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from scipy import special

from channels import (
    Gaussian,
    Link,
    Nakagami,
    NoFading,
    PerSymbol,
    Rayleigh,
    Rician,
    Tone,
    db_to_ratio,
    ergodic_capacity,
    finite_length_error_rate,
    joint_capacity,
    mean_sinr_db,
    outage_capacity,
    outage_probability,
    share_that_arrives,
    snr_db_for_share,
    symmetric_capacity,
)

DRAWS = 40_000
SYMBOLS, BITS = torch.tensor([232, 80, 400]), torch.tensor([134.0, 30.0, 300.0])
UNEQUAL = Gaussian(level_db=(-3.0, 2.0))


def drawn_powers(link: Link) -> torch.Tensor:
    """Received powers over the noise power of all users, [users, draws]."""
    generator = torch.Generator().manual_seed(5)
    powers = (1.0, *link.interferer_powers)
    gains = (each.draw((DRAWS, link.antennas), generator=generator) for each in link.fadings)
    heard = [
        p * h.expand(DRAWS, -1).abs().square().sum(1).double() / link.noise_power
        for p, h in zip(powers, gains, strict=True)
    ]
    return torch.stack(heard)


def assert_mean(found: float, drawn: torch.Tensor) -> None:
    error = float(drawn.std()) / math.sqrt(len(drawn))
    assert abs(found - float(drawn.mean())) < 5 * error + 1e-9


@pytest.mark.parametrize("snr_db", [-10.0, 3.0, 20.0])
def test_rayleigh_has_the_exponential_integral(snr_db: float) -> None:
    link = Link(snr_db=snr_db, fading=Rayleigh())
    snr = db_to_ratio(snr_db)
    known = math.exp(1 / snr) * float(special.exp1(1 / snr)) / math.log(2)
    assert ergodic_capacity(link) == pytest.approx(known, rel=1e-9)
    assert joint_capacity(link, (0,)) == pytest.approx(known, rel=1e-9)


def test_joint_decoding_of_equal_users_has_the_closed_form_of_branches() -> None:
    # The sum of K equal Rayleigh powers is what K antennas combine: E ln(1 + snr g), g of Gamma(K).
    link = Link(snr_db=4.0, fading=Rayleigh(), interferers=2, interference=Gaussian(level_db=0.0))
    assert joint_capacity(link, (0, 1, 2)) == pytest.approx(
        ergodic_capacity(Link(snr_db=4.0, fading=Rayleigh(), antennas=3)), rel=1e-9
    )


def test_joint_decoding_without_fading_is_the_pentagon() -> None:
    link = Link(snr_db=6.0, interferers=2, interference=UNEQUAL)
    snr, (one, two) = db_to_ratio(6.0), (db_to_ratio(-3.0), db_to_ratio(2.0))
    assert joint_capacity(link, (0, 2)) == pytest.approx(math.log2(1 + snr * (1 + two)))
    every = math.log2(1 + snr * (1 + one + two)) / 3
    assert symmetric_capacity(link) == pytest.approx(min(math.log2(1 + snr * one), every))


@pytest.mark.parametrize("fading", [Rayleigh(), Rician(3.0), Nakagami(0.7)], ids=str)
def test_joint_capacity_is_the_mean_over_drawn_gains(fading) -> None:
    link = Link(snr_db=5.0, fading=fading, interferers=2, interference=replace(UNEQUAL, fading=Rayleigh()))
    heard = drawn_powers(link)
    for users in ((1,), (0, 2), (0, 1, 2)):
        assert_mean(joint_capacity(link, users), torch.log2(1 + heard[list(users)].sum(0)))


def test_joint_decoding_gives_equal_users_more_than_noise_does() -> None:
    link = Link(snr_db=15.0, fading=Rayleigh(), interferers=3, interference=Gaussian(level_db=0.0))
    assert symmetric_capacity(link) > 1.3 * ergodic_capacity(link)
    # Far below the noise nobody disturbs anybody.
    faint = replace(link, snr_db=-30.0)
    assert symmetric_capacity(faint) == pytest.approx(ergodic_capacity(faint), rel=0.01)


@pytest.mark.parametrize("users", [(), (0, 0), (2,)])
def test_users_that_are_not_there_are_refused(users) -> None:
    with pytest.raises(ValueError, match="users must be some of 0 to 1"):
        joint_capacity(Link(interferers=1), users)


@pytest.mark.parametrize("outage", [0.01, 0.1])
def test_outage_capacity_of_rayleigh(outage: float) -> None:
    link = Link(snr_db=8.0, fading=Rayleigh())
    assert outage_capacity(link, outage=outage) == pytest.approx(math.log2(1 - db_to_ratio(8.0) * math.log1p(-outage)))
    crowded = replace(link, interferers=2, interference=UNEQUAL)
    rate = outage_capacity(crowded, outage=outage)
    assert outage_probability(crowded, bits_per_symbol=rate) == pytest.approx(outage)
    heard = drawn_powers(crowded)
    assert_mean(outage, (torch.log2(1 + heard[0] / (1 + heard[1:].sum(0))) < rate).double())


def test_what_arrives_over_awgn_is_the_normal_approximation_message_by_message() -> None:
    pairs = list(zip(SYMBOLS.tolist(), BITS.tolist(), strict=True))
    known = [1 - finite_length_error_rate(-2.0, symbols=n, bits=b) for n, b in pairs]
    assert share_that_arrives(Link(snr_db=-2.0), symbols=SYMBOLS, bits=BITS) == pytest.approx(sum(known) / 3)
    # Steady interference is more noise, and two antennas are worth 3 dB without anybody else.
    crowded = Link(snr_db=3.0, interferers=1, interference=Gaussian(level_db=-2.0))
    alone = Link(snr_db=mean_sinr_db(crowded))
    for one, other in ((crowded, alone), (Link(snr_db=-1.0, antennas=2), Link(snr_db=-1.0 + 10 * math.log10(2)))):
        assert share_that_arrives(one, symbols=SYMBOLS, bits=BITS) == pytest.approx(
            share_that_arrives(other, symbols=SYMBOLS, bits=BITS)
        )


@pytest.mark.parametrize(
    "link",
    [
        Link(snr_db=3.0, fading=Rayleigh()),
        Link(snr_db=3.0, fading=Rician(3.0), antennas=2),
        Link(snr_db=8.0, fading=Rayleigh(), interferers=2, interference=UNEQUAL),
        Link(snr_db=8.0, fading=Rayleigh(), interferers=2, interference=replace(UNEQUAL, fading=NoFading())),
    ],
    ids=["rayleigh", "rician", "crowd", "steady crowd"],
)
def test_what_arrives_under_fading_is_the_mean_over_drawn_gains(link) -> None:
    heard = drawn_powers(link)
    sinr = heard[0] / (1 + heard[1:].sum(0))
    capacity, at = torch.log2(1 + sinr), sinr
    dispersion = at * (at + 2) / (at + 1) ** 2 / math.log(2) ** 2
    shares = torch.stack(
        [
            torch.special.ndtr((n * capacity - b + 0.5 * math.log2(2 * n)) / (n * dispersion).sqrt())
            for n, b in zip(SYMBOLS.tolist(), BITS.tolist(), strict=True)
        ]
    ).mean(0)
    assert_mean(share_that_arrives(link, symbols=SYMBOLS, bits=BITS), shares)


@pytest.mark.parametrize("fading", [NoFading(), Rayleigh()], ids=str)
def test_the_snr_for_a_share_is_where_that_share_arrives(fading) -> None:
    link = Link(fading=fading)
    snr_db = snr_db_for_share(link, 0.9, symbols=SYMBOLS, bits=BITS)
    there = replace(link, snr_db=snr_db)
    assert share_that_arrives(there, symbols=SYMBOLS, bits=BITS) == pytest.approx(0.9, abs=1e-4)


def test_interference_alone_can_forbid_a_share() -> None:
    link = Link(interferers=1, interference=Gaussian(level_db=10.0))
    assert snr_db_for_share(link, 0.9, symbols=SYMBOLS, bits=BITS) == math.inf


@pytest.mark.parametrize(
    ("link", "why"),
    [
        (Link(interferers=1, interference=Tone()), "no noise of one power"),
        (Link(fading=Rayleigh(), coherence=PerSymbol()), "change within a message"),
        (Link(fading=Rician(), interferers=1, interference=Gaussian()), "Rayleigh"),
        (Link(antennas=2, interferers=1), "antennas must be 1"),
    ],
)
def test_links_without_a_single_sinr_are_refused_with_the_reason(link, why) -> None:
    with pytest.raises(ValueError, match=why):
        share_that_arrives(link, symbols=SYMBOLS, bits=BITS)
