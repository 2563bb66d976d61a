"""Constellations: sizes, unit power, and the cumulants that the literature tabulates."""

from __future__ import annotations

import math

import pytest

from channels.constellations import Points, apsk, ask, cumulants, pam, psk, qam

ALL = {
    2: (ask(2), psk(2), pam(2)),
    4: (psk(4), pam(4), ask(4), qam(4)),
    8: (psk(8), ask(8), pam(8)),
    16: (psk(16), qam(16), apsk((4, 1.0, 0.5), (12, 2.85, 0.5))),
    32: (psk(32), qam(32)),
    64: (qam(64),),
    128: (qam(128),),
    256: (qam(256),),
}


@pytest.mark.parametrize(
    "points", [pytest.param(p, id=f"{n}-{i}") for n, many in ALL.items() for i, p in enumerate(many)]
)
def test_a_constellation_has_unit_power_and_points_apart(points: Points) -> None:
    assert len(points) in ALL
    assert math.fsum(abs(p) ** 2 for p in points) / len(points) == pytest.approx(1.0)
    assert min(abs(a - b) for i, a in enumerate(points) for b in points[:i]) > 0.05


# Swami and Sadler, 2000, table I, for points with one on the real axis; QPSK turned by an eighth changes C40's sign.
@pytest.mark.parametrize(
    ("points", "c20", "c40", "c42"),
    [
        (psk(2), 1.0, -2.0, -2.0),
        (pam(4), 1.0, -1.36, -1.36),
        (pam(8), 1.0, -1.2381, -1.2381),
        (psk(4), 0.0, 1.0, -1.0),
        (psk(4, turn=0.5), 0.0, -1.0, -1.0),
        (psk(8), 0.0, 0.0, -1.0),
        (qam(16), 0.0, -0.68, -0.68),
        (qam(64), 0.0, -0.6191, -0.6191),
    ],
)
def test_cumulants_are_those_of_the_literature(points: Points, c20: float, c40: float, c42: float) -> None:
    found = cumulants(points)
    assert found == (pytest.approx(c20, abs=1e-4), pytest.approx(c40, abs=1e-4), pytest.approx(c42, abs=1e-4))


def test_a_cross_has_its_corners_cut() -> None:
    for order, side, corner in ((32, 6, 1), (128, 12, 2)):
        grid = sorted({round(p.real, 9) for p in qam(order)})
        assert len(grid) == side
        assert side**2 - 4 * corner**2 == order
        assert sum(p.real == max(q.real for q in qam(order)) for p in qam(order)) == side - 2 * corner


@pytest.mark.parametrize("order", [0, 2, 8, 9, 24])
def test_an_order_without_a_grid_is_refused(order: int) -> None:
    with pytest.raises(ValueError, match=f"order must be 4, 16, 32 or a higher power of two, got {order}"):
        qam(order)
