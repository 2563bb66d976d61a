"""Limits of a link: outage capacity, the multiple-access bound of joint decoding, and how many messages can arrive."""

from __future__ import annotations

import dataclasses
import math
from typing import TypeAlias

import torch

from channels.coherence import PerSentence
from channels.interference import Gaussian, Neighbors, Qam
from channels.link import Link
from channels.theory import (
    has_steady_disturbance,
    integral,
    is_unfading,
    laplace,
    outage_probability,
    refuse_many_antennas,
    sinr_below,
)

__all__ = ["joint_capacity", "outage_capacity", "share_that_arrives", "snr_db_for_share", "symmetric_capacity"]

LOWEST_DB, HIGHEST_DB = -60.0, 100.0
GRID_DB = 0.1

# SINRs in rising order, and how much the share that arrives grows at each.
Ladder: TypeAlias = list[tuple[float, float]]


def outage_capacity(link: Link, *, outage: float) -> float:
    """The highest rate that all but a share `outage` of gains carry [bits per complex symbol], interference as noise.

    C_eps = max { R : P( log2(1 + SINR) < R ) <= eps }

    Raises:
        ValueError: outage is no share between 0 and 1, or no closed form of the SINR is known for this link.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, section 5.4.1.
    """
    if not 0 < outage < 1:
        raise ValueError(f"outage must be between 0 and 1, got {outage}; the ergodic mean is `ergodic_capacity`")
    low, high = 0.0, 1.0
    while outage_probability(link, bits_per_symbol=high) <= outage:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if outage_probability(link, bits_per_symbol=middle) <= outage else (low, middle)
    return low


def joint_capacity(link: Link, users: tuple[int, ...]) -> float:
    """What these users can send in all when they are decoded together [bits per complex symbol, mean over fading].

    sum of R_k over k in S  <=  E log2(1 + sum of p_k |h_k|^2 over k in S / N0)

    One constraint of the multiple-access region: with all users it bounds the sum rate, with one it is what that user
    has when everybody else is decoded and subtracted first. Gaussian signals and a receiver that knows all gains; those
    of different users and antennas are independent. As means of logarithms of sums they take one antenna.

    Args:
        users: S by number, the wanted user 0, the interferers from 1 on; each once.

    Raises:
        ValueError: no such users, or several antennas with several users.

    Source: Tse and Viswanath, Fundamentals of Wireless Communication, sections 6.1.4 and 6.3.2 (eq. 6.37); the mean by
    Hamdi, IEEE Transactions on Communications 58(2), 2010, as in `ergodic_capacity`.
    """
    known = range(1 + link.interferers)
    if not users or len(set(users)) < len(users) or not set(users) <= set(known):
        raise ValueError(f"users must be some of 0 to {link.interferers}, each once, got {users}")
    if len(users) > 1:
        refuse_many_antennas(link)
    powers = [(1.0, *link.interferer_powers)[user] / link.noise_power for user in users]
    fadings = [link.fadings[user] for user in users]

    def integrand(log_z: float) -> float:
        z = math.exp(log_z)
        heard = math.prod(laplace(fading, z * power) for fading, power in zip(fadings, powers, strict=True))
        return (1 - heard**link.antennas) * math.exp(-z)

    # The ends are those of `ergodic_capacity`.
    lowest = 1e-13 / max(1.0, link.antennas * sum(powers))
    return integral(integrand, math.log(lowest), math.log(50.0)) / math.log(2.0)


def symmetric_capacity(link: Link) -> float:
    """The highest rate that every user of the link can have at once under joint decoding [bits per complex symbol].

    R = min over sets S of users of  joint_capacity(S) / |S|

    The weakest users of each number bind, since all interferers fade alike; the wanted user, who may fade otherwise, is
    tried in and out of each set. With interference as noise the same user has `ergodic_capacity`.

    Raises:
        ValueError: several antennas with interferers.
    """
    weakest = sorted(range(1, 1 + link.interferers), key=lambda user: link.interferer_powers[user - 1])
    sets = [(*extra, *weakest[:count]) for count in range(1 + link.interferers) for extra in ((), (0,))]
    return min(joint_capacity(link, each) / len(each) for each in sets if each)


def share_that_arrives(link: Link, *, symbols: torch.Tensor, bits: torch.Tensor) -> float:
    """About the largest share of messages that any code can deliver whole, each message a block of its own.

    share = mean over messages of E[ Q( (b - n C - log2(2n)/2) / sqrt(n V) ) ],   C and V of the SINR over fading

    The normal approximation (`finite_length_error_rate`) with interference as Gaussian noise, for a receiver that knows
    gains and lengths. Under fading with one gain a message it is averaged over the gains, which is close from a hundred
    symbols on, because there outage rules.

    Args:
        symbols: complex symbols of each message [messages].
        bits: of information in each message [messages].

    Raises:
        ValueError: the link has no single SINR for a message, or none in closed form; the text says why.

    Source: Polyanskiy, Poor and Verdu, IEEE Transactions on Information Theory 56(5), 2010, section IV; under fading
    Yang, Durisi, Koch and Polyanskiy, Quasi-Static Multiple-Antenna Fading Channels at Finite Blocklength, IEEE
    Transactions on Information Theory 60(7), 2014, section VI.
    """
    check_limit(link)
    return share_over_gains(link, ladder_of(link, symbols, bits), symbols, bits)


def snr_db_for_share(link: Link, share: float, *, symbols: torch.Tensor, bits: torch.Tensor) -> float:
    """The SNR at which this share of messages can arrive whole, the link being otherwise as it is [dB].

    Args:
        share: between 0 and 1.
        symbols: as in `share_that_arrives`.
        bits: as there.

    Returns:
        inf where interference alone forbids it.

    Raises:
        ValueError: as in `share_that_arrives`, or share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must be between 0 and 1, got {share}; no code delivers every message")

    check_limit(link)
    ladder = ladder_of(link, symbols, bits)

    def enough(snr_db: float) -> bool:
        return share_over_gains(dataclasses.replace(link, snr_db=snr_db), ladder, symbols, bits) >= share

    low, high = LOWEST_DB, HIGHEST_DB
    if not enough(high):
        return math.inf
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def check_limit(link: Link) -> None:
    """Refuse links of which `share_that_arrives` knows nothing.

    Raises:
        ValueError: saying why.
    """
    if link.interferers and not isinstance(link.interference, Gaussian | Neighbors | Qam):
        raise ValueError(f"interference {link.interference.kind} is no noise of one power; it has no single SINR")
    refuse_many_antennas(link)
    if not has_one_sinr(link) and not isinstance(link.coherence, PerSentence):
        raise ValueError(f"gains change within a message (coherence {link.coherence.kind}); it has no single SINR")
    sinr_below(link, 1.0)


def has_one_sinr(link: Link) -> bool:
    """Whether the SINR is one number for ever."""
    return is_unfading(link.fading) and has_steady_disturbance(link)


def ladder_of(link: Link, symbols: torch.Tensor, bits: torch.Tensor) -> Ladder:
    """The steps in which the share that arrives grows with the SINR; none are needed where that stands still."""
    if has_one_sinr(link):
        return []
    sinr_db = torch.arange(LOWEST_DB, HIGHEST_DB, GRID_DB, dtype=torch.float64)
    steps = delivered(10 ** (sinr_db / 10), symbols, bits).diff()
    middles = 10 ** ((sinr_db[1:] + sinr_db[:-1]) / 20)
    felt = steps > 1e-9
    return list(zip(middles[felt].tolist(), steps[felt].tolist(), strict=True))


def share_over_gains(link: Link, ladder: Ladder, symbols: torch.Tensor, bits: torch.Tensor) -> float:
    """With F the share at a fixed SINR, E[F(SINR)] is the sum of the steps of F times P(SINR above the step)."""
    if has_one_sinr(link):
        sinr = link.antennas / (link.noise_power + sum(link.interferer_powers))
        return float(delivered(torch.tensor([sinr]), symbols, bits)[0])
    return math.fsum(step * (1 - sinr_below(link, sinr)) for sinr, step in ladder)


def delivered(sinr: torch.Tensor, symbols: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """The share of messages that can arrive at fixed SINRs: [S], [messages], [messages] -> [S]."""
    sizes, held = symbols.double(), bits.double()
    at = sinr.double()[:, None]
    capacity = torch.log2(1 + at)
    dispersion = at * (at + 2) / (at + 1) ** 2 * math.log2(math.e) ** 2
    spare = sizes * capacity - held + 0.5 * torch.log2(2 * sizes)
    return torch.special.ndtr(spare / (sizes * dispersion).sqrt()).mean(dim=1)
