"""Closed forms to hold the simulation to: error rates, outage, capacity, finite lengths."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist

import torch

from channels.fading import Fading, Nakagami, NoFading, RandomPhase, Rayleigh, Rician
from channels.interference import Gaussian, Qam
from channels.link import Link
from channels.standard import Cdl, Tdl
from channels.units import db_to_ratio, ratio_to_db

__all__ = [
    "bit_error_rate",
    "ergodic_capacity",
    "finite_length_error_rate",
    "finite_length_rate",
    "outage_probability",
    "q_function",
]


def q_function(x: float) -> float:
    """Probability that a standard normal number exceeds x."""
    return 0.5 * math.erfc(x / math.sqrt(2.0))


def bit_error_rate(link: Link, *, order: int = 4) -> float:
    """Mean error rate of uncoded Gray-mapped bits, decided by a receiver that knows the wanted gains.

    P = sum_i c_i E[ Q(sqrt(2 g_i SINR)) ],  the pairs (c_i, g_i) belonging to the constellation

    Exact, with maximum ratio combining over antennas, for a single user under any fading. With interferers, exact
    for one antenna if they are Gaussian and either never fade or meet a Rayleigh wanted user, and for QPSK among
    QAM interferers when nobody fades and all arrive in phase: there the error rate is *not* that of Gaussian noise of
    the same power.

    Args:
        order: points of the wanted constellation: 2 (BPSK), 4 (QPSK), 16 or 64.

    Raises:
        ValueError: no closed form is known here for this link.

    Source: Simon and Alouini, Digital Communication over Fading Channels, 2nd edition, sections 8.2 and 9.2.
    """
    if order == 4 and link.interferers and isinstance(link.interference, Qam) and is_unfaded(link):
        return qpsk_error_among_qam(link)
    if link.interferers and not isinstance(link.interference, Gaussian):
        raise ValueError(
            f"interferers must be Gaussian for a closed-form error rate, got kind {link.interference.kind!r}; "
            "simulate this link instead"
        )
    refuse_many_antennas(link)
    terms = error_terms(order)
    if has_steady_disturbance(link):
        sinr = 1 / (link.noise_power + sum(link.interferer_powers))
        return sum(c * mean_q(lambda s: laplace(link.fading, s) ** link.antennas, g * sinr) for c, g in terms)
    return sum(c * mean_q_by_parts(lambda threshold: sinr_below(link, threshold), g) for c, g in terms)


def outage_probability(link: Link, *, bits_per_symbol: float) -> float:
    """Share of gains under which the link cannot carry a rate, interference taken for Gaussian noise.

    P( log2(1 + SINR) < bits_per_symbol )

    Exact for a single user under any fading with maximum ratio combining, and for one antenna with interferers that
    never fade or meet a Rayleigh wanted user.

    Raises:
        ValueError: no closed form is known here for this link.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 5.4.1.
    """
    return sinr_below(link, 2.0**bits_per_symbol - 1)


def ergodic_capacity(link: Link) -> float:
    """Mean of log2(1 + SINR) over fading [bits per complex symbol], interference taken for Gaussian noise.

    E ln(1 + S/(1+I)) = integral over z from 0 of  E[exp(-zI)] (1 - E[exp(-zS)]) exp(-z) / z

    with S and I the wanted and interfering power over the noise power. Several antennas are combined by maximum
    ratio, and then allow no interferers.

    Raises:
        ValueError: several antennas and interferers at once.

    Source: Hamdi, A useful lemma for capacity analysis of fading interference channels, IEEE Transactions on
    Communications 58(2), 2010.
    """
    refuse_many_antennas(link)
    snr = 1 / link.noise_power

    def integrand(log_z: float) -> float:
        z = math.exp(log_z)
        wanted = laplace(link.fading, z * snr) ** link.antennas
        return interference_laplace(link, z * snr) * (1 - wanted) * math.exp(-z)

    # The substitution z = exp(u) takes away dz/z. Below the lower end lies less than 1e-13 of min(S, 1), above the
    # upper end exp(-z) is under 1e-21.
    lowest = 1e-13 / max(1.0, link.antennas * snr)
    return integral(integrand, math.log(lowest), math.log(50.0)) / math.log(2.0)


def finite_length_rate(snr_db: float, *, symbols: int, error_rate: float) -> float:
    """About the most bits per complex symbol that a code of this length carries over AWGN at this block error rate.

    R = C - sqrt(V/n) Q^-1(error_rate) + log2(2n)/(2n)
    C = log2(1 + snr),  V = snr (snr + 2) / (snr + 1)^2 * log2(e)^2,  n complex symbols being 2n real ones

    The normal approximation: good to a few per cent from about a hundred symbols on, at rates near capacity and error
    rates that are not tiny. It bounds nothing: of few bits in many symbols it thinks too little by far.

    Args:
        error_rate: block error rate, between 0 and 1.

    Source: Polyanskiy, Poor and Verdu, Channel coding rate in the finite blocklength regime, IEEE Transactions on
    Information Theory 56(5), 2010, section IV.
    """
    capacity, dispersion = capacity_and_dispersion(snr_db)
    backoff = -math.sqrt(dispersion / symbols) * NormalDist().inv_cdf(error_rate)
    return max(0.0, capacity - backoff + math.log2(2 * symbols) / (2 * symbols))


def finite_length_error_rate(snr_db: float, *, symbols: int, bits: float) -> float:
    """About the least block error rate of a code that sends `bits` in so many complex symbols over AWGN.

    The equation of `finite_length_rate`, solved for the error rate, and as good.
    """
    capacity, dispersion = capacity_and_dispersion(snr_db)
    spare = symbols * capacity - bits + 0.5 * math.log2(2 * symbols)
    return q_function(spare / math.sqrt(symbols * dispersion))


def capacity_and_dispersion(snr_db: float) -> tuple[float, float]:
    """C [bits per complex symbol] and V [bits^2 per complex symbol] of the complex AWGN channel."""
    snr = db_to_ratio(snr_db)
    return math.log2(1 + snr), snr * (snr + 2) / (snr + 1) ** 2 * math.log2(math.e) ** 2


def error_terms(order: int) -> list[tuple[float, float]]:
    """Write a constellation's bit error rate over AWGN as a sum of c Q(sqrt(2 g snr)); returns the pairs (c, g).

    Source: Cho and Yoon, On the general BER expression of one- and two-dimensional amplitude modulations, IEEE
    Transactions on Communications 50(7), 2002, eqs. (14) and (16).
    """
    if order == 2:
        return [(1.0, 1.0)]
    if order not in (4, 16, 64):
        raise ValueError(f"order must be 2, 4, 16 or 64, got {order}; other constellations are not square")
    side = math.isqrt(order)
    bits = side.bit_length() - 1
    terms = []
    for k in range(1, bits + 1):
        for i in range(side - side // 2**k):
            turn = i * 2 ** (k - 1) / side
            weight = (-1) ** math.floor(turn) * (2 ** (k - 1) - math.floor(turn + 0.5))
            terms.append((2 * weight / (side * bits), (2 * i + 1) ** 2 * 1.5 / (order - 1)))
    return terms


def qpsk_error_among_qam(link: Link) -> float:
    """Bit error rate of QPSK when every interferer sends QAM and nobody fades, by going through all their symbols.

    P = mean over the interferers' levels a_k on one axis of  Q( (1/sqrt(2) + sum_k sqrt(p_k) a_k) / sqrt(N0/2) )
    """
    assert isinstance(link.interference, Qam)
    side = math.isqrt(link.interference.order)
    scale = math.sqrt(2 * (link.interference.order - 1) / 3)
    offsets = {0.0: 1.0}
    for power in link.interferer_powers:
        grown: dict[float, float] = {}
        for offset, probability in offsets.items():
            for level in range(1 - side, side, 2):
                # Rounded, so that equal sums reached in different ways fall together: many interferers, few sums.
                there = round(offset + math.sqrt(power) * level / scale, 12)
                grown[there] = grown.get(there, 0.0) + probability / side
        offsets = grown
    deviation = math.sqrt(link.noise_power / 2)
    return sum(p * q_function((math.sqrt(0.5) + offset) / deviation) for offset, p in offsets.items())


def is_unfaded(link: Link) -> bool:
    """Whether every gain is one number for ever, on the single antenna that closed forms with interferers allow."""
    return isinstance(link.fading, NoFading) and isinstance(link.interferer_fading, NoFading) and link.antennas == 1


def is_unfading(fading: Fading) -> bool:
    """Whether a user arrives with one power for ever, whatever the phase."""
    return isinstance(fading, NoFading | RandomPhase)


def has_steady_disturbance(link: Link) -> bool:
    """Whether what disturbs the wanted user has one power for ever, so that it is simply more noise."""
    return link.interferers == 0 or (is_unfading(link.interferer_fading) and link.antennas == 1)


def refuse_many_antennas(link: Link) -> None:
    """Refuse several antennas that do not fade independently, and interferers on them, whom all of them hear."""
    alike = isinstance(link.fading, Cdl)
    if link.antennas > 1 and (link.interferers or alike):
        raise ValueError(
            f"antennas must be 1 for a closed form {'under fading cdl' if alike else 'with interferers'}, "
            f"got {link.antennas}; simulate this link instead"
        )


def sinr_below(link: Link, threshold: float) -> float:
    """P(SINR < threshold) over fading."""
    refuse_many_antennas(link)
    if has_steady_disturbance(link):
        disturbance = link.noise_power + sum(link.interferer_powers)
        return gain_below(link.fading, threshold * disturbance, antennas=link.antennas)
    if not isinstance(link.fading, Rayleigh):
        raise ValueError(
            f"the wanted user must be under Rayleigh fading when interferers fade, got {link.fading.kind!r}; "
            "no closed form is known here, simulate this link instead"
        )
    # P(|h|^2 > x) = exp(-x) turns the mean over interferers into their Laplace transforms.
    return 1 - math.exp(-threshold * link.noise_power) * interference_laplace(link, threshold)


def gain_below(fading: Fading, x: float, *, antennas: int) -> float:
    """P(sum_a |h_a|^2 < x), the distribution of power after combining independent antennas."""
    match fading:
        case NoFading() | RandomPhase():
            return 1.0 if x > antennas else 0.0
        case Rayleigh():
            return gamma_below(antennas, x)
        case Nakagami(m=m):
            # Gammas of one scale add up to a gamma: A antennas are one with A times the fading figure.
            return gamma_below(m * antennas, m * x)
        case Rician(k_factor_db=k_factor_db):
            k = db_to_ratio(k_factor_db)
            # Noncentral chi square as a Poisson mixture of gammas; 12 deviations of the Poisson number are everything.
            mean = k * antennas
            spread = 12 * math.sqrt(mean) + 20
            # Both factors change over a deviation: of a wide one two hundred numbers a deviation are as good as all.
            stride = max(1, round(math.sqrt(mean) / 200))
            j = torch.arange(max(0, math.floor(mean - spread)), math.ceil(mean + spread), stride, dtype=torch.float64)
            # Of shares that add up to 1: at large means the logarithms are too large to be exact themselves.
            shares = torch.softmax(j * math.log(mean) - torch.lgamma(j + 1), dim=0)
            below = float(shares @ torch.special.gammainc(antennas + j, torch.full_like(j, (k + 1) * x)))
            return min(1.0, below)  # the last digit of a sum may be too much
        case Tdl() | Cdl():
            return gain_below(single(fading), x, antennas=antennas)
        case _:
            raise unknown(fading)


def gamma_below(shape: float, x: float) -> float:
    """P(g < x) for a gamma number of this shape and scale 1."""
    lower = torch.special.gammainc(torch.tensor(shape, dtype=torch.float64), torch.tensor(x, dtype=torch.float64))
    return float(lower)


def laplace(fading: Fading, s: float) -> float:
    """E[exp(-s |h|^2)] of one gain, for s >= 0.

    Source: Simon and Alouini, Digital Communication over Fading Channels, 2nd edition, table 2.2.
    """
    match fading:
        case NoFading() | RandomPhase():
            return math.exp(-s)
        case Rayleigh():
            return 1 / (1 + s)
        case Rician(k_factor_db=k_factor_db):
            k = db_to_ratio(k_factor_db)
            return (1 + k) / (1 + k + s) * math.exp(-k * s / (1 + k + s))
        case Nakagami(m=m):
            return math.pow(1 + s / m, -m)
        case Tdl() | Cdl():
            return laplace(single(fading), s)
        case _:
            raise unknown(fading)


def single(fading: Tdl | Cdl) -> Rayleigh | Rician:
    """The fading that has the power of one gain of a standard channel, whatever the gains around it."""
    steady = fading.profile.steady
    return Rician(k_factor_db=ratio_to_db(steady / (1 - steady))) if steady else Rayleigh()


def unknown(fading: Fading) -> ValueError:
    """What to raise for a fading that came without its closed forms."""
    return ValueError(f"no closed form is known of fading {fading.kind!r}; add it here, or simulate this link instead")


def interference_laplace(link: Link, s: float) -> float:
    """E[exp(-s sum_k p_k |h_k|^2)] over all interferers."""
    return math.prod(laplace(link.interferer_fading, s * power) for power in link.interferer_powers)


def mean_q(transform: Callable[[float], float], scale: float) -> float:
    """E[Q(sqrt(2 scale X))] from the Laplace transform of X: (1/pi) integral of transform(scale / sin^2 t) to pi/2.

    Source: Craig, A new, simple and exact result for calculating the probability of error for two-dimensional signal
    constellations, MILCOM 1991.
    """
    return integral(lambda t: transform(scale / math.sin(t) ** 2), 0.0, math.pi / 2) / math.pi


def mean_q_by_parts(below: Callable[[float], float], scale: float) -> float:
    """E[Q(sqrt(2 scale X))] from P(X < x): the integral of P(X < v^2/scale) exp(-v^2) / sqrt(pi) over v from 0."""
    # Beyond v = 7 nothing is left: exp(-49) is 1e-21.
    return integral(lambda v: below(v * v / scale) * math.exp(-v * v), 0.0, 7.0) / math.sqrt(math.pi)


def integral(function: Callable[[float], float], low: float, high: float) -> float:
    """Integrate a smooth function by Gauss-Legendre quadrature."""
    middle, half = (high + low) / 2, (high - low) / 2
    return half * math.fsum(weight * function(middle + half * node) for node, weight in legendre())


@cache
def legendre() -> tuple[tuple[float, float], ...]:
    """Nodes and weights on [-1, 1]; 256 reach ten digits, fewer where powers lie 50 dB and more apart."""
    from numpy.polynomial.legendre import leggauss

    nodes, weights = leggauss(256)
    return tuple(zip(nodes.tolist(), weights.tolist(), strict=True))
