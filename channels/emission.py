"""Emitter: how a transmitter sends; Emission: what chance decided for it, frame by frame, whatever it modulates."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import torch

from channels.chance import Chance, complex_gaussian
from channels.ranges import Range, check_range, draw_range, limits

__all__ = ["REACH", "Emission", "Emitter"]

# How far a pulse reaches to each side [symbols]; at the least roll-off, 0.1, a thousandth of its energy lies beyond.
REACH = 8
# Numbers below this are dealt to the points of any constellation whose order divides it.
NUMBERS = 2**40
# The message of an analogue transmitter repeats after at least so many frames, so that no frame sees it repeat.
FRAMES_PER_PERIOD = 4
# And after at least so many samples, so that the narrowest message has harmonics at all.
LEAST_PERIOD = 512


@dataclass(frozen=True)
class Emitter:
    """How a transmitter sends; every setting is one number, or two between which each frame draws its own.

    Args:
        samples_per_symbol: symbol duration [samples], any number of at least 2; the symbol rate is its inverse.
        rolloff: of the root raised cosine of linear modulations, from 0.1 to 1.
        message_band: highest frequency in the message of analogue modulations [cycles per sample].
        timing: where in a symbol the frame begins [symbols].
        phase: of the carrier when the frame begins [cycles].
        carrier_offset: from the receiver's own carrier [cycles per sample].
        clock_offset_ppm: how much faster the transmitter's clock runs than the receiver's [millionths].
        linewidth: of the oscillator, at half its power [cycles per sample]; the phase wanders by a normal step of
            variance 2 pi linewidth every sample.
    """

    samples_per_symbol: Range = (4.0, 12.0)
    rolloff: Range = (0.15, 0.5)
    message_band: Range = (0.02, 0.08)
    timing: Range = (0.0, 1.0)
    phase: Range = (0.0, 1.0)
    carrier_offset: Range = (-0.005, 0.005)
    clock_offset_ppm: Range = (-50.0, 50.0)
    linewidth: Range = (0.0, 1e-5)

    def __post_init__(self) -> None:
        check_range("samples_per_symbol", self.samples_per_symbol, low=2.0, high=1000.0)
        check_range("rolloff", self.rolloff, low=0.1, high=1.0)
        check_range("message_band", self.message_band, low=0.005, high=0.25)
        check_range("timing", self.timing)
        check_range("phase", self.phase)
        check_range("carrier_offset", self.carrier_offset, low=-0.5, high=0.5)
        check_range("clock_offset_ppm", self.clock_offset_ppm, low=-1e5, high=1e5)
        check_range("linewidth", self.linewidth, low=0.0, high=0.1)

    def draw(self, frames: int, length: int, chance: Chance, *, lead: int = 0) -> Emission:
        """Decide by chance what each frame's transmitter does, whatever modulation it turns out to use.

        Symbols and message are drawn both, so that the class of one frame moves nothing in another.

        Args:
            length: samples of a frame.
            lead: samples before the frame that are heard as well, through echoes.
        """
        drawn: dict[str, torch.Tensor] = {
            each.name: draw_range(getattr(self, each.name), frames, generator=chance.of(each.name).generator())
            for each in fields(self)
        }
        span = length + lead
        shortest = limits(self.samples_per_symbol)[0]
        # One more on each side: for the half symbol of an offset, and for a clock that runs a tenth too fast.
        before = REACH + 1 + math.ceil(1.1 * lead / shortest) - math.floor(limits(self.timing)[0])
        after = REACH + 2 + math.ceil(1.1 * length / shortest) + math.ceil(limits(self.timing)[1])
        # Symbol by symbol away from the frame's first: a longer frame or a faster one has the same symbols, and more.
        sides = [
            torch.randint(NUMBERS, (count, frames), generator=chance.of("symbols", side).generator())
            for side, count in (("before", before), ("after", after))
        ]
        period = 2 ** math.ceil(math.log2(max(FRAMES_PER_PERIOD * length, 2 * span, LEAST_PERIOD)))
        highest = math.ceil(1.1 * limits(self.message_band)[1] * period) + 1
        wander = torch.zeros((frames, 1), dtype=torch.float64)
        if limits(self.linewidth)[1] > 0:
            wander = wandering(frames, length, lead, chance.of("phase_noise"))
            wander *= (2 * math.pi * drawn["linewidth"]).sqrt().unsqueeze(1)
        return Emission(
            **drawn,
            numbers=torch.cat((sides[0].flip(0), sides[1])).T.contiguous(),
            harmonics=complex_gaussian((frames, highest), generator=chance.of("message").generator()),
            wander=wander,
            first_symbol=-before,
            first_sample=-lead,
            samples=span,
            period=period,
        )


@dataclass(frozen=True, eq=False)
class Emission:
    """What chance decided for the transmitter of each frame; the settings of `Emitter` as numbers, [B] each, and more.

    Args:
        numbers: [B, S] whole numbers, to be folded onto whatever constellation is used.
        harmonics: [B, K] complex, the message's spectrum before it is cut to its band.
        wander: [B, T] or [B, 1], the oscillator's phase noise [radians].
        first_symbol: which symbol the first of `numbers` is; symbol 0 is at time 0.
        first_sample: which sample the first is; sample 0 begins the frame.
        samples: T, how many samples are emitted, those before the frame among them.
        period: of the message [samples].
    """

    samples_per_symbol: torch.Tensor
    rolloff: torch.Tensor
    message_band: torch.Tensor
    timing: torch.Tensor
    phase: torch.Tensor
    carrier_offset: torch.Tensor
    clock_offset_ppm: torch.Tensor
    linewidth: torch.Tensor
    numbers: torch.Tensor
    harmonics: torch.Tensor
    wander: torch.Tensor
    first_symbol: int
    first_sample: int
    samples: int
    period: int

    def rows(self, index: torch.Tensor) -> Emission:
        """Those frames alone."""
        tensors: dict[str, Any] = {
            each.name: value[index]
            for each in fields(self)
            if isinstance(value := getattr(self, each.name), torch.Tensor)
        }
        return replace(self, **tensors)

    def clock(self) -> torch.Tensor:
        """How fast the transmitter's time runs, [B]: 1 without clock offset."""
        return 1 + 1e-6 * self.clock_offset_ppm

    def positions(self) -> torch.Tensor:
        """The receiver's samples, [T]: 0 is the first of the frame."""
        return torch.arange(self.first_sample, self.first_sample + self.samples, dtype=torch.float64)

    def times(self) -> torch.Tensor:
        """When each sample is taken, by the transmitter's symbol clock, [B, T]."""
        return self.timing.unsqueeze(1) + self.positions() * (self.clock() / self.samples_per_symbol).unsqueeze(1)

    def carrier(self) -> torch.Tensor:
        """The carrier as the receiver's oscillator sees it, [B, T]: offset, first phase and phase noise."""
        turns = self.phase.unsqueeze(1) + self.positions() * self.carrier_offset.unsqueeze(1)
        angle = 2 * math.pi * (turns % 1.0) + self.wander
        return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)

    def spectrum(self) -> torch.Tensor:
        """The message's positive frequencies, [B, K]: of harmonics 1 to K of the period, unit power of the message.

        m(t) = Re sum over k of  c_k exp(2 pi j k t / period),  E|c_k|^2 the same within the band and 0 above

        A stationary Gaussian process with a flat spectrum from zero to `message_band`: sums of harmonics have no
        transients, and their quadrature and their integral are exact.
        """
        harmonic = torch.arange(1, self.harmonics.shape[1] + 1)
        edge = (self.message_band * self.clock() * self.period).unsqueeze(1)
        # A harmonic stands for the frequencies within half a step of it; the last may lie partly in the band.
        share = (edge + 0.5 - harmonic).clamp(0.0, 1.0)
        return self.harmonics * (2 * share / share.sum(dim=1, keepdim=True)).sqrt()

    def message(self, spectrum: torch.Tensor) -> torch.Tensor:
        """The analytic signal of a spectrum, [B, T]: the message, and its quadrature as imaginary part."""
        padded = torch.nn.functional.pad(spectrum, (1, self.period - 1 - spectrum.shape[1]))
        return torch.fft.ifft(padded, norm="forward").roll(-self.first_sample, dims=1)[:, : self.samples]


def wandering(frames: int, length: int, lead: int, chance: Chance) -> torch.Tensor:
    """A random walk of unit normal steps that is zero at the frame's first sample, [B, lead + length]."""
    after = torch.randn((frames, length), generator=chance.of("after").generator(), dtype=torch.float64)
    after[:, 0] = 0.0
    if not lead:
        return after.cumsum(dim=1)
    before = torch.randn((frames, lead), generator=chance.of("before").generator(), dtype=torch.float64)
    return torch.cat((before.cumsum(dim=1).flip(1), after.cumsum(dim=1)), dim=1)
