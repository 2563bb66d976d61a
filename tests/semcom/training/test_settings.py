"""The recipe of a training: the rate of every step, the air of every step, and what is refused."""

import math
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as some

from channels import (
    Chance,
    Gaussian,
    Mmse,
    Neighbors,
    NoFading,
    NoisyCsi,
    PerfectCsi,
    PerSentence,
    PerSymbol,
    Qam,
    Rayleigh,
    ZeroForcing,
)
from semcom.training.settings import TrainingSettings, bounds

DRAWS = 6000
WIDE = TrainingSettings(snr_db=(-2.0, 16.0), interferers=(1, 4), level_db=(-12.0, 0.0))


def links(settings: TrainingSettings, count: int = DRAWS):
    return [settings.link(Chance(6).of("step", step, "link")) for step in range(count)]


@pytest.fixture(scope="module")
def drawn():
    """The air of many steps; drawn once."""
    return links(WIDE)


# The learning rate


def test_the_rate_climbs_in_a_straight_line_and_falls_in_one():
    settings = TrainingSettings(steps=50, warmup=10, learning_rate=2e-3)
    for step in range(50):
        expected = 2e-3 * (step + 1) / 10 if step < 10 else 2e-3 * (50 - step) / 40
        assert settings.learning_rate_at(step) == pytest.approx(expected, rel=1e-12)
    assert settings.learning_rate_at(50) == 0


@runs(deadline=None)
@given(
    steps=some.integers(1, 500),
    warmup=some.integers(0, 600),
    rate=some.floats(1e-6, 1.0),
    place=some.floats(0.0, 0.999),
)
def test_the_rate_is_never_zero_in_training_and_never_above_its_peak(steps, warmup, rate, place):
    settings = TrainingSettings(steps=steps, warmup=warmup, learning_rate=rate)
    assert 0 < settings.learning_rate_at(int(place * steps)) <= rate * (1 + 1e-12)
    assert settings.learning_rate_at(0) == pytest.approx(rate / warmup if warmup else rate)
    if 0 < warmup < steps:
        assert settings.learning_rate_at(warmup - 1) == pytest.approx(rate)
        assert settings.learning_rate_at(warmup) == pytest.approx(rate)


# The air of a step


def test_the_same_chance_gives_the_same_air_and_another_step_other_air(drawn):
    assert links(WIDE, 20) == drawn[:20]
    assert len({link.snr_db for link in drawn}) == DRAWS


def test_the_snr_is_even_over_its_range(drawn):
    """Mean, variance, and ten equal bins of a uniform distribution on [low, high], each within five standard errors."""
    low, high = -2.0, 16.0
    values = [link.snr_db for link in drawn]
    assert low <= min(values)
    assert max(values) <= high
    spread = (high - low) ** 2 / 12
    mean = sum(values) / DRAWS
    assert abs(mean - (low + high) / 2) <= 5 * math.sqrt(spread / DRAWS)
    # The fourth central moment of a uniform distribution is width^4 / 80.
    variance = sum((value - (low + high) / 2) ** 2 for value in values) / DRAWS
    assert abs(variance - spread) <= 5 * math.sqrt(((high - low) ** 4 / 80 - spread**2) / DRAWS)
    for index in range(10):
        inside = sum(index <= 10 * (value - low) / (high - low) < index + 1 for value in values)
        assert abs(inside - DRAWS / 10) <= 5 * math.sqrt(DRAWS * 0.1 * 0.9)


def test_the_level_is_even_over_its_range(drawn):
    values = [link.interference.level_db for link in drawn]
    assert min(values) >= -12
    assert max(values) <= 0
    assert abs(sum(values) / DRAWS + 6) <= 5 * math.sqrt(12**2 / 12 / DRAWS)


def test_every_count_of_interferers_is_equally_likely(drawn):
    counts = [link.interferers for link in drawn]
    assert set(counts) == {1, 2, 3, 4}
    for each in range(1, 5):
        assert abs(counts.count(each) - DRAWS / 4) <= 5 * math.sqrt(DRAWS * 0.25 * 0.75)


def test_snr_level_and_count_know_nothing_of_each_other(drawn):
    """Correlation of independent numbers: zero, with a standard error of one over the root of their count."""
    columns = [
        [link.snr_db for link in drawn],
        [link.interference.level_db for link in drawn],
        [float(link.interferers) for link in drawn],
    ]

    def centered(values):
        mean = sum(values) / DRAWS
        scale = math.sqrt(sum((value - mean) ** 2 for value in values))
        return [(value - mean) / scale for value in values]

    snr, level, count = (centered(column) for column in columns)
    for left, right in ((snr, level), (snr, count), (level, count)):
        assert abs(sum(a * b for a, b in zip(left, right, strict=True))) <= 5 / math.sqrt(DRAWS)


ordered = some.tuples(some.floats(-30, 30), some.floats(-30, 30)).map(lambda pair: (min(pair), max(pair)))
counted = some.tuples(some.integers(0, 6), some.integers(0, 6)).map(lambda pair: (min(pair), max(pair)))


@runs(deadline=None)
@given(snr_db=ordered, interferers=counted, level_db=some.none() | ordered, step=some.integers(0, 10**6))
def test_every_air_is_inside_its_ranges(snr_db, interferers, level_db, step):
    settings = TrainingSettings(
        snr_db=snr_db, interferers=interferers, level_db=level_db, interference=Neighbors(level_db=-4.5)
    )
    link = settings.link(Chance(1).of("step", step))
    rounding = 1e-12
    assert snr_db[0] - rounding <= link.snr_db <= snr_db[1] + rounding
    assert interferers[0] <= link.interferers <= interferers[1]
    low, high = level_db or (-4.5, -4.5)
    assert low - rounding <= link.interference.level_db <= high + rounding


def test_a_single_number_is_a_range_of_one_point():
    assert bounds(4.0) == (4.0, 4.0)
    assert bounds((1.0, 4.0)) == (1.0, 4.0)
    settings = TrainingSettings(snr_db=4.0, interferers=2, level_db=-6.0)
    for link in links(settings, 5):
        assert (link.snr_db, link.interferers, link.interference.level_db) == (4.0, 2, -6.0)


def test_everything_else_of_the_air_is_handed_on():
    settings = TrainingSettings(
        fading=Rayleigh(),
        coherence=PerSymbol(),
        interference=Qam(16, level_db=-5.0, fading=NoFading()),
        csi=NoisyCsi(2),
        equalizer=ZeroForcing(),
        antennas=2,
        interferers=1,
    )
    link = settings.link(Chance(1))
    assert (link.fading, link.coherence, link.csi, link.equalizer, link.antennas) == (
        Rayleigh(),
        PerSymbol(),
        NoisyCsi(2),
        ZeroForcing(),
        2,
    )
    assert link.interference == Qam(16, level_db=-5.0, fading=NoFading())
    plain = TrainingSettings().link(Chance(1))
    assert (plain.fading, plain.coherence, plain.csi, plain.equalizer) == (
        NoFading(),
        PerSentence(),
        PerfectCsi(),
        Mmse(),
    )


def test_a_level_range_keeps_the_kind_of_interference():
    settings = TrainingSettings(interferers=1, interference=Gaussian(), level_db=(-6.0, -3.0))
    assert isinstance(settings.link(Chance(1)).interference, Gaussian)


def test_what_is_drawn_of_one_thing_does_not_move_another():
    """Two recipes that differ in the interferers meet the same SNR at every step, so their students can be compared."""
    for step in range(5):
        chance = Chance(2).of("step", step)
        alone, crowded, loud = (
            TrainingSettings(interferers=count, level_db=level).link(chance)
            for count, level in ((0, None), ((0, 4), None), ((0, 4), (-9.0, 0.0)))
        )
        assert alone.snr_db == crowded.snr_db == loud.snr_db
        assert crowded.interferers == loud.interferers


# What is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"validate_every": 0}, "validate_every must be at least 1, got 0"),
        ({"antennas": 0}, "antennas must be at least 1, got 0"),
        ({"share": 0.0}, r"share must be in \(0, 1\], got 0"),
        ({"share": 1.5}, r"share must be in \(0, 1\], got 1.5"),
        ({"share": math.nan}, r"share must be in \(0, 1\], got nan"),
        ({"learning_rate": 0.0}, "learning_rate and clip must be positive, got 0.0"),
        ({"clip": -1.0}, "learning_rate and clip must be positive, .*-1.0"),
        ({"warmup": -1}, "warmup and weight_decay must not be negative, got -1"),
        ({"weight_decay": -0.1}, "warmup and weight_decay must not be negative, .*-0.1"),
        ({"precision": "16"}, "precision must be '32' or 'bf16', got '16'"),
        ({"snr_db": (9.0, 0.0)}, r"snr_db must run from low to high, got \[9, 0\]; swap the two"),
        ({"interferers": (3, 1)}, r"interferers must run from low to high, got \[3, 1\]; swap the two"),
        ({"level_db": (0.0, -3.0)}, r"level_db must run from low to high, got \[0, -3\]; swap the two"),
        ({"interferers": -1}, "interferers must not be negative, got -1"),
        ({"interferers": (-2, 1)}, "interferers must not be negative"),
        ({"interferers": 32}, "32 interferers in training need a batch of at least 33 messages, got 32"),
        ({"interferers": (0, 4), "batch": 4}, "4 interferers in training need a batch of at least 5 messages, got 4"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused_by_name_and_value(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**changes)


@pytest.mark.parametrize("value", [math.nan, math.inf], ids=str)
@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "snr_db", "level_db"])
def test_a_number_that_is_none_is_refused_before_any_training(name, value):
    with pytest.raises(ValueError, match=name):
        TrainingSettings(**{name: value})


def test_the_largest_crowd_that_a_batch_allows_is_allowed():
    assert TrainingSettings(batch=5, interferers=(0, 4)).interferers == (0, 4)


def test_settings_are_a_frozen_value():
    settings = TrainingSettings()
    assert hash(settings) == hash(TrainingSettings())
    assert replace(settings, steps=5) != settings
    with pytest.raises(FrozenInstanceError):
        settings.steps = 5


def test_parts_of_a_batch_have_draws_of_their_own_and_never_more_than_messages() -> None:
    settings = TrainingSettings(snr_db=(0.0, 10.0), airs=16)
    links = settings.links(Chance(3), 128)
    assert len({link.snr_db for link in links}) == 16
    assert links[:5] == settings.links(Chance(3), 5)


def test_one_air_a_step_is_one_recipe_said_or_not() -> None:
    assert TrainingSettings(airs=1) == TrainingSettings()
    assert TrainingSettings().links(Chance(3), 32) == (TrainingSettings().link(Chance(3)),)
    with pytest.raises(ValueError, match="airs must be at least 1, got 0"):
        TrainingSettings(airs=0)
