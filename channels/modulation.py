"""The modulations: from what chance decided for a transmitter to its complex envelope, of unit mean power in each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch

from channels.constellations import Points, apsk, ask, pam, psk, qam
from channels.emission import REACH, Emission
from channels.pulses import gaussian_step, root_raised_cosine

__all__ = [
    "MODULATIONS",
    "RML2016",
    "RML2018",
    "AmplitudeModulated",
    "FrequencyKeyed",
    "FrequencyModulated",
    "Linear",
    "Modulation",
    "SingleSideband",
    "modulation_named",
    "pulses_around",
    "window",
]


@dataclass(frozen=True)
class Linear:
    """Symbols of a constellation on root-raised-cosine pulses.

    s(t) = sum over k of  a_k p(t - k)

    Args:
        name: what the class is called.
        points: the constellation, unit mean power.
        late: how much later the imaginary part is sent [symbols]; half a symbol makes QPSK OQPSK.
    """

    name: str
    points: Points
    late: float = 0.0
    kind: Literal["linear"] = "linear"

    def envelope(self, emission: Emission) -> torch.Tensor:
        """The signal before it meets a carrier, [B, T] complex."""
        symbols = self.symbols(emission)
        if not self.late:
            return pulses_around(symbols, emission, emission.times())
        # One train of pulses for each axis.
        along = pulses_around(symbols.real, emission, emission.times())
        return torch.complex(along, pulses_around(symbols.imag, emission, emission.times() - self.late))

    def symbols(self, emission: Emission) -> torch.Tensor:
        """The points that are sent, [B, S] complex."""
        return torch.tensor(self.points, dtype=torch.complex64)[emission.numbers % len(self.points)]


@dataclass(frozen=True)
class FrequencyKeyed:
    """Symbols that turn the phase continuously: a constant envelope.

    s(t) = exp(j pi h sum over k of  a_k q(t - k)),  a_k one of -(M-1), ..., -1, 1, ..., M-1,  q from 0 to 1

    Args:
        name: what the class is called.
        index: modulation index h; a half is the least at which two frequencies are orthogonal (MSK).
        bandwidth_time: BT of the Gaussian filter that smooths the frequency; infinite is no filter.
        order: number of frequencies M.

    Source: Proakis and Salehi, Digital Communications, 5th edition, section 3.3-1.
    """

    name: str
    index: float
    bandwidth_time: float = math.inf
    order: int = 2
    kind: Literal["frequency_keyed"] = "frequency_keyed"

    def envelope(self, emission: Emission) -> torch.Tensor:
        """The signal before it meets a carrier, [B, T] complex."""
        symbols = (2 * (emission.numbers % self.order) - (self.order - 1)).double()
        # Every symbol before the window has turned the phase by all of its step, those behind it by nothing.
        offsets, index = window(emission, emission.times(), self.reach)
        earlier = symbols.cumsum(dim=1).gather(1, index[:, :, 0] - 1)
        rising = gathered(symbols, index) * gaussian_step(offsets, self.bandwidth_time)
        phase = math.pi * self.index * ((earlier + rising.sum(dim=2)) % (2 / self.index))
        return torch.polar(torch.ones_like(phase), phase).to(torch.complex64)

    @property
    def reach(self) -> int:
        """How many symbols to each side a step of the phase may take; beyond, less than 1e-6 of it is left."""
        return 1 if math.isinf(self.bandwidth_time) else math.ceil(0.5 + 0.7 / self.bandwidth_time)


@dataclass(frozen=True)
class AmplitudeModulated:
    """Both sidebands of a message, with a carrier or without: AM-DSB.

    s(t) = (1 + d m(t)) / sqrt(1 + d^2),  or m(t) alone,  m Gaussian with unit power

    Args:
        name: what the class is called.
        depth: d, rms of the message over the carrier; at a third, one sample in 740 is overmodulated. None: no carrier.
    """

    name: str
    depth: float | None = 1 / 3
    kind: Literal["amplitude_modulated"] = "amplitude_modulated"

    def envelope(self, emission: Emission) -> torch.Tensor:
        """The signal before it meets a carrier, [B, T] complex."""
        message = emission.message(emission.spectrum()).real
        if self.depth is not None:
            message = (1 + self.depth * message) / math.sqrt(1 + self.depth**2)
        return message.to(torch.complex64)


@dataclass(frozen=True)
class SingleSideband:
    """The upper sideband of a message, with a carrier or without: AM-SSB.

    s(t) = (m(t) + j m^(t)) / sqrt(2),  m^ the Hilbert transform of m;  with a carrier (1 + d s) / sqrt(1 + d^2)

    Args:
        name: what the class is called.
        depth: d, rms of the sideband over the carrier. None: no carrier.
    """

    name: str
    depth: float | None = None
    kind: Literal["single_sideband"] = "single_sideband"

    def envelope(self, emission: Emission) -> torch.Tensor:
        """The signal before it meets a carrier, [B, T] complex."""
        sideband = emission.message(emission.spectrum()) / math.sqrt(2)
        if self.depth is not None:
            sideband = (1 + self.depth * sideband) / math.sqrt(1 + self.depth**2)
        return sideband.to(torch.complex64)


@dataclass(frozen=True)
class FrequencyModulated:
    """A message that moves the frequency of the carrier: a constant envelope.

    s(t) = exp(2 pi j f integral of m),  m Gaussian with unit power,  f = index W rms deviation, W the message's band

    Args:
        name: what the class is called.
        index: rms deviation over the message's band; above one, FM is wide-band.
    """

    name: str
    index: float = 1.25
    kind: Literal["frequency_modulated"] = "frequency_modulated"

    def envelope(self, emission: Emission) -> torch.Tensor:
        """The signal before it meets a carrier, [B, T] complex."""
        spectrum = emission.spectrum()
        # The integral of harmonic k of a period P over time divides it by 2 pi j k / P.
        harmonic = torch.arange(1, spectrum.shape[1] + 1)
        message = emission.message(spectrum * (emission.period / (1j * harmonic))).real
        phase = (self.index * emission.message_band * emission.clock()).unsqueeze(1) * message
        return torch.polar(torch.ones_like(phase), phase).to(torch.complex64)


Modulation = Linear | FrequencyKeyed | AmplitudeModulated | SingleSideband | FrequencyModulated


def window(emission: Emission, times: torch.Tensor, reach: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The symbols around each time: how far from each, [B, T, 2 reach] in symbols, and their place in `numbers`."""
    now = times.floor()
    taps = torch.arange(1 - reach, reach + 1)
    return (times - now).unsqueeze(2) - taps, now.long().unsqueeze(2) + (taps - emission.first_symbol)


def gathered(values: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Those of values [B, S] at places [B, T, W]."""
    return values.gather(1, index.flatten(1)).view(index.shape)


def pulses_around(values: torch.Tensor, emission: Emission, times: torch.Tensor) -> torch.Tensor:
    """A train of root-raised-cosine pulses of these heights [B, S] at these times [B, T] of the symbol clock.

    Computed at the very times of the samples: no filter, so no transient, and no rate that must be a whole number.
    """
    offsets, index = window(emission, times, REACH)
    pulses = root_raised_cosine(offsets, emission.rolloff[:, None, None]).float()
    return (gathered(values, index) * pulses).sum(dim=2)


# The eleven classes of RML2016.10a, then what the 24 of RML2018.01a add. Indices of GFSK and CPFSK are those of the
# programs behind RML2016.10a; rings of 16APSK and 32APSK those of DVB-S2 at rate 3/4, of larger ones our choice.
MODULATIONS: tuple[Modulation, ...] = (
    Linear("8PSK", psk(8)),
    AmplitudeModulated("AM-DSB"),
    SingleSideband("AM-SSB"),
    Linear("BPSK", psk(2)),
    FrequencyKeyed("CPFSK", index=0.5),
    FrequencyKeyed("GFSK", index=0.25, bandwidth_time=0.35),
    Linear("PAM4", pam(4)),
    Linear("QAM16", qam(16)),
    Linear("QAM64", qam(64)),
    Linear("QPSK", psk(4, turn=0.5)),
    FrequencyModulated("WBFM"),
    Linear("OOK", ask(2)),
    Linear("4ASK", ask(4)),
    Linear("8ASK", ask(8)),
    Linear("16PSK", psk(16)),
    Linear("32PSK", psk(32)),
    Linear("16APSK", apsk((4, 1.0, 0.5), (12, 2.85, 0.5))),
    Linear("32APSK", apsk((4, 1.0, 0.5), (12, 2.84, 0.5), (16, 5.27, 0.0))),
    Linear("64APSK", apsk((4, 1.0, 0.5), (12, 3.0, 0.5), (20, 5.0, 0.5), (28, 7.0, 0.5))),
    Linear("128APSK", apsk((8, 1.0, 0.5), (16, 2.0, 0.5), (24, 3.0, 0.5), (32, 4.0, 0.5), (48, 5.0, 0.5))),
    Linear("QAM32", qam(32)),
    Linear("QAM128", qam(128)),
    Linear("QAM256", qam(256)),
    Linear("OQPSK", psk(4, turn=0.5), late=0.5),
    FrequencyKeyed("GMSK", index=0.5, bandwidth_time=0.3),
    AmplitudeModulated("AM-DSB-SC", depth=None),
    SingleSideband("AM-SSB-WC", depth=1.0),
)

RML2016 = tuple(each.name for each in MODULATIONS[:11])
# In the order of that set's paper; where the two sets have two names for one class, ours is that of RML2016.10a.
RML2018 = (
    *("OOK", "4ASK", "8ASK", "BPSK", "QPSK", "8PSK", "16PSK", "32PSK", "16APSK", "32APSK", "64APSK", "128APSK"),
    *("QAM16", "QAM32", "QAM64", "QAM128", "QAM256", "AM-SSB-WC", "AM-SSB", "AM-DSB", "AM-DSB-SC"),
    *("WBFM", "GMSK", "OQPSK"),
)


def modulation_named(name: str) -> Modulation:
    """The modulation of that name.

    Raises:
        ValueError: there is none; the message says which there are.
    """
    for each in MODULATIONS:
        if each.name == name:
            return each
    raise ValueError(f"a modulation must be one of {', '.join(each.name for each in MODULATIONS)}, got {name!r}")
