"""The standing conditions: closed-form means, refused values, and that a scenario can say every one of them."""

from __future__ import annotations

import dataclasses
import math
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from channels import (
    Gaussian,
    Link,
    Nakagami,
    Neighbors,
    NoFading,
    Qam,
    Rayleigh,
    db_to_ratio,
    mean_sinr_db,
    mean_sir_db,
)

DECIBELS = st.floats(-30, 30)


def test_the_default_is_a_single_user_at_twelve_decibels() -> None:
    link = Link()
    assert (link.snr_db, link.interferers, link.antennas) == (12.0, 0, 1)
    assert mean_sinr_db(link) == pytest.approx(12.0)
    assert mean_sir_db(link) == math.inf


@given(snr_db=DECIBELS)
def test_noise_power_is_what_snr_leaves_of_unit_power(snr_db: float) -> None:
    assert db_to_ratio(snr_db) * Link(snr_db=snr_db).noise_power == pytest.approx(1.0)


@given(snr_db=DECIBELS, level_db=DECIBELS, interferers=st.integers(1, 8))
def test_level_is_per_interferer_so_a_crowd_gets_louder(snr_db: float, level_db: float, interferers: int) -> None:
    link = Link(snr_db=snr_db, interferers=interferers, interference=Qam(level_db=level_db))
    total = interferers * db_to_ratio(level_db)
    assert mean_sir_db(link) == pytest.approx(-10 * math.log10(total))
    assert mean_sinr_db(link) == pytest.approx(-10 * math.log10(total + db_to_ratio(-snr_db)))


def test_zero_decibels_have_no_sign() -> None:
    even = Link(snr_db=0.0, interferers=1, interference=Qam(level_db=0.0))
    assert [str(mean_sinr_db(Link(snr_db=0.0))), str(mean_sir_db(even))] == ["0.0", "0.0"]


def test_a_tuple_gives_each_interferer_its_own_level() -> None:
    link = Link(interferers=2, interference=Neighbors(level_db=(0.0, -10.0, 30.0)))
    assert link.interferer_powers == pytest.approx((1.0, 0.1))
    assert link.amplitudes == pytest.approx((1.0, 1.0, math.sqrt(0.1)))
    assert mean_sir_db(link) == pytest.approx(-10 * math.log10(1.1))


def test_interferers_arrive_as_the_wanted_user_does_unless_told() -> None:
    assert Link(fading=Nakagami(3.0)).interferer_fading == Nakagami(3.0)
    assert Link(fading=NoFading(), interference=Gaussian(fading=Rayleigh())).interferer_fading == Rayleigh()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"snr_db": math.inf}, "snr_db must be a finite number of decibels, got inf"),
        ({"snr_db": math.nan}, "snr_db must be a finite number of decibels, got nan"),
        ({"interferers": -1}, "interferers must be at least 0, got -1"),
        ({"antennas": 0}, "antennas must be at least 1, got 0"),
        (
            {"interferers": 3, "interference": Neighbors(level_db=(0.0, -3.0))},
            "level_db must name a level for each of 3 interferers, got 2",
        ),
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Link(), **changes)  # type: ignore[arg-type]


def test_a_link_is_a_value() -> None:
    one, same = (Link(interferers=1, interference=Qam(level_db=(-3.0,))) for _ in range(2))
    assert one == same
    assert len({one, same, dataclasses.replace(one, snr_db=3.0)}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.snr_db = 3.0  # type: ignore[misc]


def test_a_scenario_can_say_every_part_of_a_link() -> None:
    assert set(get_type_hints(Link)) == {each.name for each in dataclasses.fields(Link)}
    typed = {
        "snr_db": 6,
        "fading": {"kind": "nakagami", "m": 3},
        "coherence": {"kind": "block", "length": 8},
        "interferers": 2,
        "interference": {"kind": "qam", "order": 16, "level_db": [-6, -3], "fading": {"kind": "rayleigh"}},
        "csi": {"kind": "noisy", "pilots": 2},
        "equalizer": {"kind": "interference_rejecting"},
        "antennas": 2,
    }
    link = TypeAdapter(Link).validate_python(typed)
    assert link.interference == Qam(order=16, level_db=(-6.0, -3.0), fading=Rayleigh())
    assert TypeAdapter(Link).validate_python(TypeAdapter(Link).dump_python(link)) == link
    assert hash(link) == hash(dataclasses.replace(link))
