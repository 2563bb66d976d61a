"""The closed forms against textbook special cases, scipy's quadrature, and each other."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

from channels import (
    Bursts,
    Fading,
    Gaussian,
    Link,
    Nakagami,
    NoFading,
    Qam,
    Rayleigh,
    Rician,
    bit_error_rate,
    db_to_ratio,
    ergodic_capacity,
    finite_length_error_rate,
    finite_length_rate,
    outage_probability,
)
from channels.theory import error_terms, gain_below, laplace, mean_q_by_parts, q_function, sinr_below

SNRS_DB = [-3.0, 4.0, 12.0]
FADINGS = [NoFading(), Rayleigh(), Rician(3.0), Nakagami(0.5), Nakagami(2.7)]


@dataclasses.dataclass(frozen=True)
class Unheard:
    """A fading of somebody else, without closed forms."""

    kind: str = "unheard"


def power_density(fading: Fading, antennas: int = 1):
    """scipy's distribution of sum_a |h_a|^2."""
    match fading:
        case Rayleigh():
            return stats.gamma(antennas)
        case Nakagami(m=m):
            return stats.gamma(m * antennas, scale=1 / m)
        case Rician(k_factor_db=k_factor_db):
            k = db_to_ratio(k_factor_db)
            return stats.ncx2(2 * antennas, 2 * k * antennas, scale=1 / (2 * (k + 1)))
    raise AssertionError(fading)


@pytest.mark.parametrize("snr_db", SNRS_DB)
def test_error_rates_over_awgn_are_the_textbooks(snr_db: float) -> None:
    snr, link = db_to_ratio(snr_db), Link(snr_db=snr_db)
    assert bit_error_rate(link, order=2) == pytest.approx(q_function(math.sqrt(2 * snr)), rel=1e-9)
    assert bit_error_rate(link, order=4) == pytest.approx(q_function(math.sqrt(snr)), rel=1e-9)
    a = math.sqrt(snr / 5)
    sixteen = 0.75 * q_function(a) + 0.5 * q_function(3 * a) - 0.25 * q_function(5 * a)
    assert bit_error_rate(link, order=16) == pytest.approx(sixteen, rel=1e-9)


@pytest.mark.parametrize("snr_db", SNRS_DB)
def test_error_rates_over_rayleigh_are_the_textbooks(snr_db: float) -> None:
    snr = db_to_ratio(snr_db)
    mu = math.sqrt(snr / (1 + snr))
    link = Link(snr_db=snr_db, fading=Rayleigh())
    assert bit_error_rate(link, order=2) == pytest.approx((1 - mu) / 2, rel=1e-9)
    # Proakis and Salehi, eq. (13.4-15): L branches combined by maximum ratio.
    for branches in (2, 4):
        combined = ((1 - mu) / 2) ** branches * sum(
            math.comb(branches - 1 + k, k) * ((1 + mu) / 2) ** k for k in range(branches)
        )
        many = dataclasses.replace(link, antennas=branches)
        assert bit_error_rate(many, order=2) == pytest.approx(combined, rel=1e-8)


@pytest.mark.parametrize("antennas", [1, 3])
@pytest.mark.parametrize("fading", FADINGS[1:], ids=str)
def test_error_rates_are_means_over_the_density_of_power(fading: Fading, antennas: int) -> None:
    density = power_density(fading, antennas)
    expected = integrate.quad(
        lambda root: 2 * root * q_function(root * math.sqrt(2.5)) * density.pdf(root * root), 0, 12, limit=200
    )[0]
    link = Link(snr_db=10 * math.log10(2.5), fading=fading, antennas=antennas)
    assert bit_error_rate(link) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("antennas", [1, 3])
@pytest.mark.parametrize("fading", FADINGS[1:], ids=str)
@pytest.mark.parametrize("x", [0.03, 0.6, 2.5])
def test_power_after_combining_has_scipys_distribution(fading: Fading, antennas: int, x: float) -> None:
    assert gain_below(fading, x, antennas=antennas) == pytest.approx(power_density(fading, antennas).cdf(x), rel=1e-9)


@pytest.mark.parametrize("fading", FADINGS[1:], ids=str)
def test_laplace_transforms_belong_to_the_densities(fading: Fading) -> None:
    density = power_density(fading)
    for s in (0.2, 1.0, 7.0):
        expected = integrate.quad(
            lambda root, s=s: 2 * root * math.exp(-s * root * root) * density.pdf(root * root), 0, 12, limit=200
        )[0]
        assert laplace(fading, s) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("order", [2, 4, 16])
def test_two_roads_lead_to_the_same_error_rate(order: int) -> None:
    # Craig's integral over the Laplace transform, and parts over the distribution, share no line of code.
    link = Link(snr_db=7.0, fading=Rician(2.0), antennas=2)
    by_parts = sum(c * mean_q_by_parts(lambda x: sinr_below(link, x), g) for c, g in error_terms(order))
    assert bit_error_rate(link, order=order) == pytest.approx(by_parts, rel=1e-7)


@given(snr_db=st.floats(-40, 40), order=st.sampled_from([2, 4, 16, 64]))
def test_error_rates_are_probabilities_below_a_half(snr_db: float, order: int) -> None:
    assert 0 <= bit_error_rate(Link(snr_db=snr_db, fading=Rayleigh()), order=order) <= 0.5 + 1e-12


def test_steady_gaussian_interference_is_more_noise() -> None:
    link = Link(snr_db=8.0, fading=Rician(), interferers=2, interference=Gaussian(level_db=-6.0, fading=NoFading()))
    total = db_to_ratio(-8.0) + 2 * db_to_ratio(-6.0)
    alone = Link(snr_db=-10 * math.log10(total), fading=Rician())
    assert bit_error_rate(link) == pytest.approx(bit_error_rate(alone))
    assert outage_probability(link, bits_per_symbol=1.0) == pytest.approx(
        outage_probability(alone, bits_per_symbol=1.0)
    )


def test_fading_gaussian_interference_is_a_mean_over_its_power() -> None:
    link = Link(snr_db=8.0, fading=Rayleigh(), interferers=2, interference=Gaussian(level_db=-6.0))
    power = stats.gamma(2, scale=db_to_ratio(-6.0))

    def given_power(z: float) -> float:
        half = 0.5 / (db_to_ratio(-8.0) + z)
        return 0.5 * (1 - math.sqrt(half / (1 + half))) * power.pdf(z)

    assert bit_error_rate(link) == pytest.approx(integrate.quad(given_power, 0, 20)[0], rel=1e-8)


def test_a_single_qpsk_interferer_by_hand() -> None:
    link = Link(snr_db=6.0, interferers=1, interference=Qam(level_db=-6.0))
    snr, p = db_to_ratio(6.0), db_to_ratio(-6.0)
    by_hand = sum(0.5 * q_function(math.sqrt(snr) * (1 + sign * math.sqrt(p))) for sign in (1, -1))
    assert bit_error_rate(link) == pytest.approx(by_hand)
    # Interference that cannot reach the decision threshold hardly hurts once the noise is low; Gaussian always can.
    clear = dataclasses.replace(link, snr_db=15.0)
    assert bit_error_rate(clear) < 0.1 * bit_error_rate(
        dataclasses.replace(clear, interference=Gaussian(level_db=-6.0))
    )


def test_many_small_qam_interferers_become_gaussian() -> None:
    qam = Link(snr_db=3.0, interferers=200, interference=Qam(level_db=-26.0))
    gaussian = dataclasses.replace(qam, interference=Gaussian(level_db=-26.0))
    assert bit_error_rate(qam) == pytest.approx(bit_error_rate(gaussian), rel=1e-2)


def test_outage_of_known_links() -> None:
    threshold = 2**1.5 - 1
    rayleigh = Link(snr_db=10.0, fading=Rayleigh())
    assert outage_probability(rayleigh, bits_per_symbol=1.5) == pytest.approx(1 - math.exp(-threshold / 10))
    among = dataclasses.replace(rayleigh, interferers=1, interference=Gaussian(level_db=0.0))
    expected = 1 - math.exp(-threshold / 10) / (1 + threshold)
    assert outage_probability(among, bits_per_symbol=1.5) == pytest.approx(expected)
    steady = Link(snr_db=10.0)
    assert outage_probability(steady, bits_per_symbol=math.log2(11) - 1e-9) == 0.0
    assert outage_probability(steady, bits_per_symbol=math.log2(11) + 1e-9) == 1.0


@pytest.mark.parametrize("snr_db", [-20.0, 0.0, 15.0, 40.0])
def test_ergodic_capacity_of_known_links(snr_db: float) -> None:
    snr = db_to_ratio(snr_db)
    assert ergodic_capacity(Link(snr_db=snr_db)) == pytest.approx(math.log2(1 + snr), rel=1e-8)
    rayleigh = float(special.exp1(1 / snr)) * math.exp(1 / snr) / math.log(2)
    assert ergodic_capacity(Link(snr_db=snr_db, fading=Rayleigh())) == pytest.approx(rayleigh, rel=1e-8)


@pytest.mark.parametrize(("fading", "antennas"), [(Rician(3.0), 1), (Nakagami(0.5), 1), (Rayleigh(), 3)], ids=str)
def test_ergodic_capacity_is_a_mean_over_the_density_of_power(fading: Fading, antennas: int) -> None:
    density = power_density(fading, antennas)
    expected = integrate.quad(
        lambda root: 2 * root * math.log2(1 + 4 * root * root) * density.pdf(root * root), 0, 12, limit=200
    )[0]
    link = Link(snr_db=10 * math.log10(4), fading=fading, antennas=antennas)
    assert ergodic_capacity(link) == pytest.approx(expected, rel=1e-6)


def test_ergodic_capacity_among_interferers_is_a_double_mean() -> None:
    link = Link(
        snr_db=6.0, fading=Rayleigh(), interferers=1, interference=Gaussian(level_db=-3.0, fading=Nakagami(2.0))
    )
    noise, p = link.noise_power, db_to_ratio(-3.0)
    own, other = power_density(Rayleigh()), power_density(Nakagami(2.0))
    expected = integrate.dblquad(
        lambda x, z: math.log2(1 + x / (noise + p * z)) * own.pdf(x) * other.pdf(z),
        0,
        10,
        0,
        30,
        epsabs=1e-6,
        epsrel=1e-6,
    )[0]
    assert ergodic_capacity(link) == pytest.approx(expected, rel=1e-5)


@given(snr_db=st.floats(-10, 30), symbols=st.integers(100, 5000), error_rate=st.floats(1e-6, 0.4))
def test_finite_length_rate_and_error_rate_undo_each_other(snr_db: float, symbols: int, error_rate: float) -> None:
    rate = finite_length_rate(snr_db, symbols=symbols, error_rate=error_rate)
    if rate > 0:
        again = finite_length_error_rate(snr_db, symbols=symbols, bits=rate * symbols)
        assert again == pytest.approx(error_rate, rel=1e-6)


def test_the_smallest_error_rates_have_a_rate_too() -> None:
    rates = [finite_length_rate(10.0, symbols=500, error_rate=10.0**-power) for power in (3, 17, 300)]
    assert rates == sorted(rates, reverse=True) and rates[-1] > 0


@pytest.mark.parametrize("fading", FADINGS, ids=str)
def test_capacity_in_the_deepest_noise_is_the_mean_power(fading: Fading) -> None:
    """log2(1 + SNR) is SNR / ln 2 there, and every fading has mean power 1."""
    snr = db_to_ratio(-100.0)
    assert ergodic_capacity(Link(snr_db=-100.0, fading=fading)) == pytest.approx(snr / math.log(2), rel=1e-8)


@pytest.mark.parametrize("k_factor_db", [40.0, 60.0, 80.0])
def test_a_nearly_steady_path_is_nearly_normal(k_factor_db: float) -> None:
    """|h|^2 is then 1 and a small normal number of variance 2/K; its tails end at 0 and 1 exactly."""
    fading, deviation = Rician(k_factor_db), math.sqrt(2 / db_to_ratio(k_factor_db))
    for far in (-2.0, 0.0, 1.0):
        assert gain_below(fading, 1 + far * deviation, antennas=1) == pytest.approx(stats.norm.cdf(far), abs=0.02)
    assert gain_below(fading, 1 + 20 * deviation, antennas=1) <= 1.0
    assert gain_below(fading, 1 - 20 * deviation, antennas=1) >= 0.0


def test_finite_length_rate_approaches_capacity_from_below() -> None:
    rates = [finite_length_rate(0.0, symbols=n, error_rate=1e-3) for n in (100, 1000, 10_000, 10_000_000)]
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(1.0, abs=2e-3)
    assert rates[-1] < 1.0


def test_finite_length_rate_of_a_published_example() -> None:
    # Polyanskiy, Poor and Verdu: over the real AWGN channel at 0 dB and error rate 1e-3, about 90 % of capacity
    # needs a few thousand real channel uses. In closed form: sqrt(V) Q^-1 / (0.1 C), squared.
    capacity, dispersion = 0.5, 0.375 * math.log2(math.e) ** 2
    uses = (math.sqrt(dispersion) * stats.norm.isf(1e-3) / (0.1 * capacity)) ** 2
    rate = finite_length_rate(0.0, symbols=round(uses / 2), error_rate=1e-3)
    assert rate == pytest.approx(0.9 * 2 * capacity, rel=5e-3)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: bit_error_rate(Link(), order=8), "order must be 2, 4, 16 or 64, got 8"),
        (lambda: bit_error_rate(Link(interferers=1, interference=Bursts())), "must be Gaussian .* got kind 'bursts'"),
        (
            lambda: bit_error_rate(Link(interferers=1, antennas=2, interference=Gaussian())),
            "antennas must be 1 for a closed form with interferers, got 2",
        ),
        (
            lambda: outage_probability(
                Link(fading=Rician(), interferers=1, interference=Gaussian()), bits_per_symbol=1.0
            ),
            "must be under Rayleigh fading when interferers fade, got 'rician'",
        ),
        (
            lambda: ergodic_capacity(Link(interferers=1, antennas=2)),
            "antennas must be 1 for a closed form with interferers",
        ),
        (lambda: ergodic_capacity(Link(fading=Unheard())), "no closed form is known of fading 'unheard'"),
        (lambda: outage_probability(Link(fading=Unheard()), bits_per_symbol=1.0), "no closed form is known of fading"),
    ],
)
def test_what_has_no_closed_form_is_refused(ask, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ask()
