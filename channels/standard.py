"""Tdl, Cdl: the channels of 3GPP TR 38.901 under OFDM, with a gain of its own for every carrier and moment.

The paths come from Sionna's tables (`channels.profiles`); their gains are drawn here. Sionna's own models draw from
generators of the whole process, so that a gain depends on what was drawn before and on the size of its batch, and
importing its code seeds torch's generator. Here every gain follows from the stream that it is given: two codecs meet
the same air, one more user or sentence moves no other, and a longer message meets the same channel for longer.

The waves of a path have Gaussian strengths, not equal ones. So each gain has exactly the distribution that its closed
form says, however few waves there are; mean powers, delays, Doppler and correlations are those of the standard.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from channels.chance import complex_gaussian
from channels.profiles import Profile, profile_named

__all__ = ["Cdl", "Tdl"]

LIGHT_KMH = 299_792.458 * 3600
SPACINGS_KHZ = (15, 30, 60, 120, 240, 480, 960)
WAVES = 8  # that make up one path of a TDL; a path of a CDL has the rays of the standard
STEADY_DOPPLER = 0.7  # of the largest shift, on the steady path of a TDL; TR 38.901, section 7.7.2
AT_ONCE = 1024  # channels worked out together, which bounds memory


@dataclass(frozen=True)
class Tdl:
    """Tapped delay lines of 5G under OFDM: paths of standard delays and powers, which each fade as the terminal moves.

    H(f, t) = sum over l of  sqrt(p_l) h_l(t) exp(-2 pi j f d_l),  E[h_l(t + s) conj(h_l(t))] = J0(2 pi f_D s)

    Symbol k goes on carrier k mod `carriers` of OFDM symbol k // `carriers`, and meets the one gain there, as if all
    echoes ended within the guard interval and nothing changed within an OFDM symbol; settings far from that are
    refused. The link's `coherence` says how long one such channel lasts before another is drawn: a sentence, a block,
    or a symbol, where neighbors share nothing. Antennas fade independently. Models D and E have a steady path, with a
    uniform phase at each antenna.

    Args:
        model: the table; A, B and C are without line of sight, D and E with it.
        delay_spread_ns: what the root mean square of delays is scaled to; 10 is very short, 1000 very long [ns].
        speed_kmh: how fast the terminal moves [km/h].
        carrier_ghz: carrier frequency, from 0.5 to 100 [GHz].
        spacing_khz: between carriers, 15 times a power of two; an OFDM symbol lasts 15/14 of its inverse [kHz].
        carriers: how many a message is spread over, before it goes on in the next OFDM symbol.

    Source: 3GPP TR 38.901, section 7.7.2, and TS 38.211, section 4; angles of waves as Xiao, Zheng and Beaulieu, Novel
    sum-of-sinusoids simulation models for Rayleigh and Rician fading channels, IEEE Transactions on Wireless
    Communications 5(12), 2006.
    """

    model: Literal["A", "B", "C", "D", "E"] = "C"
    delay_spread_ns: float = 300.0
    speed_kmh: float = 30.0
    carrier_ghz: float = 3.5
    spacing_khz: float = 30.0
    carriers: int = 72
    kind: Literal["tdl"] = "tdl"

    def __post_init__(self) -> None:
        check_grid(self)

    @property
    def profile(self) -> Profile:
        """Its table."""
        return profile_named(f"TDL-{self.model}")

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw gains of mean power 1 of which no two share a channel."""
        return draw_single(self.profile.steady, shape, generator=generator)

    def draw_grid(self, shape: tuple[int, int, int, int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw what messages meet, [B, A, G, S]: G channels a sentence, S symbols through each, at A antennas."""
        if shape[3] == 1:
            return self.draw(shape, generator=generator)
        antennas, count = shape[1], len(self.profile.powers)

        def paths(drawn: torch.Tensor, times: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            phase, angle, wave = drawn.split(widths, dim=1)
            # One wave from anywhere in each of as many sectors: few waves, and the right correlation on average.
            around = (torch.arange(WAVES) + angle.reshape(-1, count, WAVES)) / WAVES
            turns = doppler_hz(self) * torch.cos(2 * math.pi * around).unsqueeze(-1) * times
            strengths = gaussian(wave, (antennas, count, WAVES)) / math.sqrt(WAVES)
            scattered = torch.einsum("nalm,nlmt->nalt", strengths, phasor(turns))
            return scattered, phasor(phase.unsqueeze(-1) + STEADY_DOPPLER * doppler_hz(self) * times)

        widths = [antennas, count * WAVES, 2 * antennas * count * WAVES]
        return draw_channels(self, shape, paths, numbers=sum(widths), generator=generator)


@dataclass(frozen=True)
class Cdl:
    """Clustered delay lines of 5G under OFDM: paths with standard directions too, heard by antennas in a row.

    H_a(f, t) = sum over l, m of  sqrt(p_l / M) g_lm exp(2 pi j (a u_lm + v_lm t - f d_l)),  g_lm ~ CN(0, 1)

    u = `antenna_distance` sin(zenith) sin(azimuth) of a ray as the receiver sees it, v its Doppler shift as the
    terminal does. What antennas hear is alike as far as directions are. Symbols lie on carriers, and channels last, as
    under `Tdl`. Elements are isotropic and of one polarization, the terminal moves horizontally in any direction, and
    the rays of a cluster are paired at random.

    Args:
        model: the table; A, B and C are without line of sight, D and E with it.
        delay_spread_ns: what the root mean square of delays is scaled to; 10 is very short, 1000 very long [ns].
        speed_kmh: how fast the terminal moves [km/h].
        carrier_ghz: carrier frequency, from 0.5 to 100 [GHz].
        spacing_khz: between carriers, 15 times a power of two; an OFDM symbol lasts 15/14 of its inverse [kHz].
        carriers: how many a message is spread over, before it goes on in the next OFDM symbol.
        receiver: whose antennas hear it; directions differ less at the base station than at the terminal.
        antenna_distance: from one antenna to the next [wavelengths].
        sector_deg: each user's directions are turned together by an angle anywhere in a sector so wide; 0 has all
            users in the same place [degrees].

    Source: 3GPP TR 38.901, sections 7.5 (steps 8 to 11), 7.7.1 and, for turned directions, 7.7.5.1.
    """

    model: Literal["A", "B", "C", "D", "E"] = "C"
    delay_spread_ns: float = 300.0
    speed_kmh: float = 30.0
    carrier_ghz: float = 3.5
    spacing_khz: float = 30.0
    carriers: int = 72
    receiver: Literal["base", "terminal"] = "base"
    antenna_distance: float = 0.5
    sector_deg: float = 120.0
    kind: Literal["cdl"] = "cdl"

    def __post_init__(self) -> None:
        check_grid(self)
        if self.receiver not in ("base", "terminal"):
            raise ValueError(f"receiver must be base or terminal, got {self.receiver!r}")
        if not 0 < self.antenna_distance <= 100:
            raise ValueError(
                f"antenna_distance must be above 0 and at most 100 wavelengths, got {self.antenna_distance}; "
                "half a wavelength is usual"
            )
        if not 0 <= self.sector_deg <= 360:
            raise ValueError(f"sector_deg must be from 0 to 360 degrees, got {self.sector_deg}")

    @property
    def profile(self) -> Profile:
        """Its table."""
        return profile_named(f"CDL-{self.model}")

    def draw(self, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw gains of mean power 1 of which no two share a channel: of as many single antennas."""
        return draw_single(self.profile.steady, shape, generator=generator)

    def draw_grid(self, shape: tuple[int, int, int, int], *, generator: torch.Generator) -> torch.Tensor:
        """Draw what messages meet, [B, A, G, S]: G channels a sentence, S symbols through each, at A antennas."""
        if shape[1] == shape[3] == 1:
            return self.draw(shape, generator=generator)
        base, terminal = self.profile.base, self.profile.terminal
        assert base is not None and terminal is not None  # every CDL table has them
        array = base if self.receiver == "base" else terminal
        antennas, rays = torch.arange(shape[1]), terminal.azimuth.shape

        def paths(drawn: torch.Tensor, times: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            turned, course, phase, pairing, wave = drawn.split(widths, dim=1)
            turn = ((turned - 0.5) * math.radians(self.sector_deg)).unsqueeze(-1)
            course = 2 * math.pi * course.unsqueeze(-1)
            order = pairing.reshape(-1, 3, *rays).argsort(dim=-1)
            azimuth, zenith = array.azimuth.float(), in_order(array.zenith, order[:, 0])
            along = self.antenna_distance * torch.sin(zenith) * torch.sin(azimuth + turn)
            if array is base:
                azimuth, zenith = in_order(terminal.azimuth, order[:, 1]), in_order(terminal.zenith, order[:, 2])
            shift = doppler_hz(self) * torch.sin(zenith) * torch.cos(azimuth - course)
            heard = phasor(along.unsqueeze(-1) * antennas) * gaussian(wave, rays).unsqueeze(-1) / math.sqrt(rays[1])
            scattered = torch.einsum("nlma,nlmt->nalt", heard, phasor(shift.unsqueeze(-1) * times))
            (at, up), (seen, risen) = array.steady, terminal.steady
            ahead = self.antenna_distance * math.sin(up) * torch.sin(at + turn) * antennas.unsqueeze(-1)
            moving = doppler_hz(self) * math.sin(risen) * torch.cos(seen - course) * times
            return scattered, phasor(phase.unsqueeze(-1) + ahead + moving)

        widths = [1, 1, 1, 3 * rays.numel(), 2 * rays.numel()]
        return draw_channels(self, shape, paths, numbers=sum(widths), generator=generator)


Standard = Tdl | Cdl
if TYPE_CHECKING:  # torch itself is loaded when something is drawn
    Paths = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def draw_channels(
    fading: Standard, shape: tuple[int, int, int, int], paths: Paths, *, numbers: int, generator: torch.Generator
) -> torch.Tensor:
    """Draw channels one after another and see each through its symbols, [B, A, G, S].

    Args:
        paths: from uniform numbers [N, numbers] and times [T] to gains of the scattered paths [N, A, L, T] and of the
            steady one [N, A, T].
    """
    batch, _, channels, symbols = shape
    profile = fading.profile
    spacing = 1e3 * fading.spacing_khz
    times = torch.arange(-(-symbols // fading.carriers)) * (15 / 14 / spacing)
    carriers = torch.arange(min(symbols, fading.carriers), dtype=torch.float64) * spacing
    delays = (1e-9 * fading.delay_spread_ns * profile.delays).unsqueeze(1)
    spread = (profile.powers.sqrt().unsqueeze(1) * phasor(-delays * carriers)).to(torch.complex64)
    found, total = [], batch * channels
    for start in range(0, total, AT_ONCE):
        # All numbers of one channel stand together, so that those after it move none of it.
        drawn = torch.rand((min(AT_ONCE, total - start), numbers), generator=generator)
        scattered, steady = paths(drawn, times)
        gains = torch.einsum("nalt,lc->natc", scattered, spread)
        if profile.steady:
            gains += math.sqrt(profile.steady) * steady.unsqueeze(-1)
        found.append(gains.flatten(2)[..., :symbols])
    return torch.cat(found).unflatten(0, (batch, channels)).transpose(1, 2)


def draw_single(steady: float, shape: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
    """Draw independent gains of mean power 1, of which the steady path has so much, at a uniform phase."""
    gains = complex_gaussian(shape, power=1 - steady, generator=generator)
    if steady:
        gains += math.sqrt(steady) * phasor(torch.rand(tuple(shape), generator=generator))
    return gains


def doppler_hz(fading: Standard) -> float:
    """The largest Doppler shift, f_D = v f / c [Hz]."""
    return fading.speed_kmh / LIGHT_KMH * fading.carrier_ghz * 1e9


def phasor(turns: torch.Tensor) -> torch.Tensor:
    """exp(2 pi j turns)."""
    return torch.polar(torch.ones_like(turns), 2 * math.pi * turns)


def gaussian(uniform: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """CN(0, 1) numbers [N, *shape] of twice as many uniform ones [N, ..]; torch's own depend on how many are drawn."""
    power, turns = uniform.reshape(-1, 2, *shape).unbind(dim=1)
    return phasor(turns) * (-torch.log1p(-power)).sqrt()


def in_order(angles: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Angles of rays [L, M] in another order for each channel, [N, L, M]."""
    return angles.float().expand_as(order).gather(-1, order)


def check_grid(fading: Standard) -> None:
    """Refuse what is no setting of 5G, and what one gain a carrier does not describe."""
    for name, low, high, unit in (
        ("delay_spread_ns", 0, 10_000, "ns"),
        ("speed_kmh", 0, 1000, "km/h"),
        ("carrier_ghz", 0.5, 100, "GHz"),
    ):
        if not low <= getattr(fading, name) <= high:  # so that NaN is refused too
            raise ValueError(f"{name} must be from {low} to {high} {unit}, got {getattr(fading, name)}")
    if fading.model not in ("A", "B", "C", "D", "E"):
        raise ValueError(f"model must be A, B, C, D or E, got {fading.model!r}")
    if fading.spacing_khz not in SPACINGS_KHZ:
        listed = ", ".join(map(str, SPACINGS_KHZ))
        raise ValueError(f"spacing_khz must be one of {listed}, got {fading.spacing_khz}")
    if not 1 <= fading.carriers <= 3300:
        raise ValueError(f"carriers must be from 1 to 3300, got {fading.carriers}; a resource block has 12")
    if fading.delay_spread_ns * fading.spacing_khz > 1e5:
        raise ValueError(
            f"delay_spread_ns must be at most a tenth of an OFDM symbol, got {fading.delay_spread_ns} ns at "
            f"{fading.spacing_khz} kHz; longer echoes run into the next symbol, so take carriers closer together"
        )
    if doppler_hz(fading) > 100 * fading.spacing_khz:
        raise ValueError(
            f"speed_kmh must shift frequencies by at most a tenth of spacing_khz, got {doppler_hz(fading):.0f} Hz at "
            f"{fading.spacing_khz} kHz; faster changes make carriers disturb each other, so take them further apart"
        )
