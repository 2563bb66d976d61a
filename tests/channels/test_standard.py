"""The channels of TR 38.901 have the power, delays, Doppler shifts and directions of its tables, whoever draws them."""

from __future__ import annotations

import cmath
import dataclasses
import math
from itertools import product

import pytest
import torch

from channels import (
    Cdl,
    Chance,
    Gaussian,
    InterferenceRejecting,
    Link,
    Mmse,
    NoFading,
    NoisyCsi,
    PerBlock,
    PerSentence,
    PerSymbol,
    Qam,
    Rayleigh,
    Tdl,
    as_heard_for,
    bit_error_rate,
    draw,
    equalize,
    everyone,
    standard,
    superpose,
)
from channels.profiles import Profile

MODELS = "ABCDE"
EVERY = [make(model=model) for make, model in product((Tdl, Cdl), MODELS)]
BATCH = 4000


def named(value: object) -> str:
    """What differs from the defaults."""
    assert dataclasses.is_dataclass(value)
    told = ((each.name, getattr(value, each.name), each.default) for each in dataclasses.fields(value))
    return "-".join([type(value).__name__, *(str(mine) for _, mine, default in told if mine != default)])


def grid(fading: Tdl | Cdl, *shape: int) -> torch.Tensor:
    """Gains [B, A, G, S] as complex doubles."""
    return fading.draw_grid(shape, generator=Chance(5).generator()).to(torch.complex128)


def assert_complex_mean(assert_mean, samples: torch.Tensor, expected: complex) -> None:
    assert_mean(samples.real, expected.real)
    assert_mean(samples.imag, expected.imag)


def powers_and_delays(fading: Tdl | Cdl) -> list[tuple[float, float]]:
    """Mean power and delay [s] of every path, the steady one last."""
    profile, spread = fading.profile, fading.delay_spread_ns * 1e-9
    scattered = zip(profile.powers.tolist(), (profile.delays * spread).tolist(), strict=True)
    return [*scattered, (profile.steady, 0.0)]


@pytest.mark.parametrize("fading", EVERY, ids=named)
def test_carriers_agree_as_the_delays_say(fading: Tdl | Cdl, assert_mean) -> None:
    gains = grid(fading, BATCH, 2, 1, 72)[:, 0, 0]
    assert_mean(gains[:, 50].abs().square(), 1.0)
    for apart in (1, 5, 20, 60):
        hertz = apart * fading.spacing_khz * 1e3
        expected = sum(power * cmath.exp(-2j * math.pi * hertz * delay) for power, delay in powers_and_delays(fading))
        assert_complex_mean(assert_mean, gains[:, apart] * gains[:, 0].conj(), expected)


@pytest.mark.parametrize("model", MODELS)
def test_a_terminal_that_moves_makes_jakes_spectrum(model: str, assert_mean) -> None:
    fading = Tdl(model=model, carriers=1, speed_kmh=500.0)
    doppler = 500 / 3.6 / 299_792_458 * 3.5e9
    gains = grid(fading, BATCH, 2, 1, 26)[:, 1, 0]
    steady = fading.profile.steady
    for later in (3, 10, 25):
        turns = doppler * later * 15 / 14 / 30e3
        scattered = float(torch.special.bessel_j0(torch.tensor(2 * math.pi * turns)))
        expected = steady * cmath.exp(2j * math.pi * 0.7 * turns) + (1 - steady) * scattered
        assert_complex_mean(assert_mean, gains[:, later] * gains[:, 0].conj(), expected)


@pytest.mark.parametrize(("model", "k_factor_db"), [("D", 13.3), ("E", 22.0)])
def test_the_first_tap_is_rician(model: str, k_factor_db: float, assert_mean) -> None:
    # The mean over a wide band is what arrives without delay: of other paths the share that the band cannot tell apart.
    fading = Tdl(model=model, delay_spread_ns=3000.0, carriers=3000)
    first = grid(fading, 1500, 1, 1, 3000)[:, 0, 0].mean(dim=-1)
    carriers = torch.arange(3000, dtype=torch.float64)
    scatter = 0.0
    for power, delay in powers_and_delays(fading)[:-1]:
        turns = 30e3 * delay * carriers
        scatter += power * float(torch.polar(torch.ones_like(turns), 2 * math.pi * turns).mean().abs().square())
    steady = fading.profile.steady
    assert 10 * math.log10(steady / float(fading.profile.powers[0])) == pytest.approx(k_factor_db, abs=1e-3)
    assert scatter == pytest.approx(float(fading.profile.powers[0]), rel=0.02)
    assert_mean(first.abs().square(), steady + scatter)
    assert_mean((first.abs().square() - steady - scatter).square(), scatter**2 + 2 * steady * scatter)
    assert_complex_mean(assert_mean, first, 0)


def expected_between_antennas(fading: Cdl) -> complex:
    """What neighboring antennas share, ray by ray; any azimuth may meet any zenith, anywhere in the sector."""
    profile: Profile = fading.profile
    ends = profile.base if fading.receiver == "base" else profile.terminal
    assert ends is not None
    wide = math.radians(fading.sector_deg)
    turns = [((step + 0.5) / 400 - 0.5) * wide for step in range(400)] if wide else [0.0]

    def met(azimuth: torch.Tensor, zenith: torch.Tensor) -> complex:
        total = 0j
        for turn in turns:
            along = fading.antenna_distance * torch.sin(zenith)[..., None] * torch.sin(azimuth + turn)[..., None, :]
            total += complex(torch.polar(torch.ones_like(along), 2 * math.pi * along).mean())
        return total / len(turns)

    rays = zip(profile.powers.tolist(), ends.azimuth, ends.zenith, strict=True)
    azimuth, zenith = (torch.tensor([each], dtype=torch.float64) for each in ends.steady)
    return sum(p * met(at, up) for p, at, up in rays) + profile.steady * met(azimuth, zenith)


@pytest.mark.parametrize(
    "fading",
    [*(Cdl(model=model) for model in MODELS), *(Cdl(model=model, sector_deg=0.0) for model in "BD"),
     Cdl(model="A", receiver="terminal", antenna_distance=0.3), Cdl(model="E", receiver="terminal", sector_deg=360.0)],
    ids=named,
)  # fmt: skip
def test_antennas_agree_as_the_directions_say(fading: Cdl, assert_mean) -> None:
    gains = grid(fading, BATCH, 3, 1, 2)[..., 0, 1]
    for antenna in range(3):
        assert_mean(gains[:, antenna].abs().square(), 1.0)
    expected = expected_between_antennas(fading)
    assert_complex_mean(assert_mean, gains[:, 2] * gains[:, 1].conj(), expected)


def test_antennas_of_a_delay_line_have_nothing_in_common(assert_mean) -> None:
    for model in MODELS:
        gains = grid(Tdl(model=model), BATCH, 2, 1, 2)[..., 0, 1]
        assert_complex_mean(assert_mean, gains[:, 1] * gains[:, 0].conj(), 0)


@pytest.mark.parametrize("fading", [Cdl(model="B"), Cdl(model="D", receiver="terminal")], ids=named)
def test_clusters_shift_frequencies_as_their_directions_say(fading: Cdl, assert_mean) -> None:
    fading = dataclasses.replace(fading, carriers=1, speed_kmh=500.0)
    gains = grid(fading, BATCH, 1, 1, 26)[:, 0, 0]
    turns = 500 / 3.6 / 299_792_458 * 3.5e9 * 25 * 15 / 14 / 30e3
    terminal = fading.profile.terminal
    assert terminal is not None

    def kept(zenith: torch.Tensor) -> float:
        return float(torch.special.bessel_j0(2 * math.pi * turns * torch.sin(zenith)).mean())

    scattered = sum(p * kept(up) for p, up in zip(fading.profile.powers.tolist(), terminal.zenith, strict=True))
    expected = scattered + fading.profile.steady * kept(torch.tensor(terminal.steady[1], dtype=torch.float64))
    assert_complex_mean(assert_mean, gains[:, 25] * gains[:, 0].conj(), expected)


@pytest.mark.parametrize("fading", [Tdl(model="D"), Cdl(model="D")], ids=named)
def test_draws_are_nested_in_sentences_and_symbols(fading: Tdl | Cdl, monkeypatch) -> None:
    whole = grid(fading, 9, 2, 1, 150)
    torch.testing.assert_close(grid(fading, 5, 2, 1, 150), whole[:5])
    torch.testing.assert_close(grid(fading, 9, 2, 1, 30), whole[..., :30])
    monkeypatch.setattr(standard, "AT_ONCE", 4)
    torch.testing.assert_close(grid(fading, 9, 2, 1, 150), whole)
    assert whole.shape == (9, 2, 1, 150)


def test_symbols_go_from_carrier_to_carrier_and_then_on_in_time() -> None:
    still, moving = (grid(Tdl(speed_kmh=speed, carriers=12), 3, 1, 1, 36)[:, 0, 0] for speed in (0.0, 300.0))
    torch.testing.assert_close(still[:, :12], still[:, 24:])
    assert (still[:, :11] - still[:, 1:12]).abs().max() > 1e-3
    torch.testing.assert_close(moving[:, :12], still[:, :12])
    assert (moving[:, :12] - moving[:, 24:]).abs().max() > 1e-2


@pytest.mark.parametrize("fading", [Tdl(model="D"), Cdl(model="D")], ids=named)
def test_coherence_says_how_long_a_channel_lasts(fading: Tdl | Cdl, assert_mean) -> None:
    link = Link(fading=fading, antennas=2)
    gains = {
        kind: draw(dataclasses.replace(link, coherence=kind), (BATCH, 12), Chance(3)).gains[:, 0, 0]
        for kind in (PerSentence(), PerBlock(5), PerSymbol())
    }
    for each in gains.values():
        assert each.shape == (BATCH, 12)
        assert_mean(each.abs().square()[:, 11], 1.0)
    expected = sum(p * cmath.exp(-2j * math.pi * 30e3 * delay) for p, delay in powers_and_delays(fading))
    for kind, place, shared in (
        *((PerSentence(), place, True) for place in (3, 4)),
        *((PerBlock(5), place, shared) for place, shared in ((3, True), (4, False))),
        (PerSymbol(), 3, False),
    ):
        products = gains[kind][:, place + 1] * gains[kind][:, place].conj()
        assert_complex_mean(assert_mean, products, expected if shared else 0)


CROWD = Link(snr_db=6.0, fading=Tdl(model="E"), interferers=2, interference=Gaussian(level_db=-3.0), antennas=2)


def test_every_user_has_a_channel_of_its_own_that_no_other_moves() -> None:
    air = draw(CROWD, (6, 30), Chance(1))
    alone = draw(dataclasses.replace(CROWD, interferers=0), (6, 30), Chance(1))
    steady = draw(dataclasses.replace(CROWD, fading=NoFading()), (6, 30), Chance(1))
    assert air.gains.shape == (6, 3, 2, 30)
    assert torch.equal(air.gains[:, 0], alone.gains[:, 0])
    assert torch.equal(air.noise, steady.noise)
    for user in range(3):
        stream = Chance(1).of("fading", user).generator()
        expected = CROWD.fading.draw_grid((6, 2, 1, 30), generator=stream)[:, :, 0]  # type: ignore[union-attr]
        assert torch.equal(air.gains[:, user], expected * CROWD.amplitudes[user])


@pytest.mark.parametrize("wanted", [Rayleigh(), NoFading(), Cdl()], ids=named)
@pytest.mark.parametrize("coherence", [PerSentence(), PerBlock(4), PerSymbol()], ids=named)
def test_users_may_fade_otherwise_than_each_other(wanted, coherence) -> None:
    link = dataclasses.replace(
        CROWD, fading=wanted, coherence=coherence, csi=NoisyCsi(), interference=Gaussian(-3.0, fading=Tdl())
    )
    air = draw(link, (6, 30), Chance(1))
    assert air.csi_error is not None
    assert air.gains.shape == air.csi_error.shape == (6, 3, 2, 30)
    # Whoever interferes, the wanted user's gains and what is known of them stay the same.
    alone = draw(dataclasses.replace(link, interferers=0), (6, 30), Chance(1))
    for mine, among in ((alone.gains, air.gains), (alone.csi_error, air.csi_error)):
        assert mine is not None
        assert torch.equal(mine[:, 0].repeat_interleave(-(-30 // mine.shape[3]), dim=2)[..., :30], among[:, 0])
    view, heard = as_heard_for(link, air, 1)
    sent = everyone(torch.ones(6, 30, dtype=torch.complex64), link, air)
    received = superpose(sent, air) / link.amplitudes[1]
    torch.testing.assert_close(superpose(sent[:, [1, 0, 2]], heard), received)
    assert equalize(received, view, heard).shape == (6, 30)


@pytest.mark.parametrize("fading", [Tdl(), Cdl()], ids=named)
def test_combining_silences_an_interferer_on_every_carrier(fading: Tdl | Cdl, qpsk) -> None:
    wanted = qpsk(400, 90)

    def error(equalizer: Mmse | InterferenceRejecting, interferers: int) -> float:
        link = Link(40.0, fading, interferers=interferers, interference=Qam(), antennas=2, equalizer=equalizer)
        air = draw(link, (400, 90), Chance(4))
        heard = equalize(superpose(everyone(wanted, link, air), air), link, air)
        return float((heard - wanted).abs().square().mean())

    # Maximum ratio over two antennas is best for one user alone, and helpless against one as loud as he is.
    assert error(Mmse(), 0) == pytest.approx(error(InterferenceRejecting(), 0), rel=1e-3)
    assert error(InterferenceRejecting(), 1) < 0.02 < 0.2 < error(Mmse(), 1)


def test_maximum_ratio_over_a_delay_line_is_that_of_independent_antennas(bit_errors, assert_mean) -> None:
    for model in "CD":
        link = Link(snr_db=4.0, fading=Tdl(model=model), antennas=2)
        assert_mean(bit_errors(link, shape=(BATCH, 60)).mean(dim=1), bit_error_rate(link))


def test_antennas_that_hear_alike_have_no_closed_form() -> None:
    with pytest.raises(ValueError, match="antennas must be 1 for a closed form under fading cdl, got 2"):
        bit_error_rate(Link(fading=Cdl(), antennas=2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "F"}, "model must be A, B, C, D or E, got 'F'"),
        ({"delay_spread_ns": -1.0}, "delay_spread_ns must be from 0 to 10000 ns, got"),
        ({"speed_kmh": math.nan}, "speed_kmh must be from 0 to 1000 km/h, got nan"),
        ({"carrier_ghz": 0.1}, r"carrier_ghz must be from 0\.5 to 100 GHz"),
        ({"spacing_khz": 20.0}, "spacing_khz must be one of 15, 30, .*got 20"),
        ({"carriers": 0}, "carriers must be from 1 to 3300, got 0"),
        ({"delay_spread_ns": 5000.0}, "delay_spread_ns must be at most a tenth of an OFDM symbol"),
        ({"carrier_ghz": 60.0, "speed_kmh": 100.0}, "speed_kmh must shift frequencies by at most a tenth"),
    ],
)
@pytest.mark.parametrize("make", [Tdl, Cdl])
def test_what_is_no_setting_of_5g_is_refused(make: type, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)


@pytest.mark.parametrize("settings", [{"receiver": "ship"}, {"antenna_distance": 0.0}, {"sector_deg": 400.0}], ids=str)
def test_a_row_of_antennas_has_a_place_and_a_width(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(settings))} must be"):
        Cdl(**settings)  # type: ignore[arg-type]
