"""Constellations of unit mean power, as plain complex numbers, and their moments in closed form."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable

__all__ = ["Points", "apsk", "ask", "cumulants", "pam", "psk", "qam"]

Points = tuple[complex, ...]


def scaled(points: Iterable[complex]) -> Points:
    """Give equally likely points unit mean power."""
    drawn = tuple(points)
    power = math.fsum(abs(point) ** 2 for point in drawn) / len(drawn)
    return tuple(complex(point) / math.sqrt(power) for point in drawn)


def psk(order: int, *, turn: float = 0.0) -> Points:
    """Points on a circle; `turn` moves the first of them by that part of the distance to the next."""
    return tuple(cmath.exp(2j * math.pi * (k + turn) / order) for k in range(order))


def pam(order: int) -> Points:
    """Amplitudes on both sides of zero: -3, -1, 1, 3 for four."""
    return scaled(complex(2 * k - (order - 1)) for k in range(order))


def ask(order: int) -> Points:
    """Amplitudes from zero up: 0, 1, 2, 3 for four; for two, the carrier is switched on and off.

    Our choice: the papers on the 2018 set do not say whether its amplitudes are of one sign. With both signs they
    would be those of `pam`.
    """
    return scaled(complex(k) for k in range(order))


def qam(order: int) -> Points:
    """A square grid; where `order` is an odd power of two (32, 128), a larger square without its corners.

    Source: Proakis and Salehi, Digital Communications, 5th edition, section 3.2-3.
    """
    bits = order.bit_length() - 1
    if order != 2**bits or bits < 2 or bits == 3:
        raise ValueError(f"order must be 4, 16, 32 or a higher power of two, got {order}; eight points are no grid")
    side = math.isqrt(order) if bits % 2 == 0 else 3 * 2 ** ((bits - 3) // 2)
    # Of a cross, each corner misses a square of a sixth of the side.
    inner = side if bits % 2 == 0 else 2 * side // 3
    levels = range(1 - side, side, 2)
    return scaled(complex(a, b) for a in levels for b in levels if min(abs(a), abs(b)) < inner)


def apsk(*rings: tuple[int, float, float]) -> Points:
    """Circles around each other, each given as its number of points, its radius, and its turn as in `psk`."""
    return scaled(radius * point for count, radius, turn in rings for point in psk(count, turn=turn))


def cumulants(points: Points) -> tuple[complex, complex, float]:
    """C20, C40 and C42 of a zero-mean constellation, the features that most classifiers by moments use.

    C20 = E[a^2],  C40 = E[a^4] - 3 E[a^2]^2,  C42 = E|a|^4 - |E[a^2]|^2 - 2 (E|a|^2)^2

    Source: Swami and Sadler, Hierarchical digital modulation classification using cumulants, IEEE Transactions on
    Communications 48(3), 2000.
    """
    count = len(points)
    second = sum(point**2 for point in points) / count
    fourth = sum(point**4 for point in points) / count
    power = math.fsum(abs(point) ** 2 for point in points) / count
    spread = math.fsum(abs(point) ** 4 for point in points) / count
    return second, fourth - 3 * second**2, spread - abs(second) ** 2 - 2 * power**2
