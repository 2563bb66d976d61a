"""The likelihood classifier of linear modulations: how often one can be right who knows everything but the class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import torch

from channels.chance import Chance, complex_gaussian
from channels.constellations import Points
from channels.modulation import Linear, modulation_named
from channels.ranges import draw_range
from channels.units import db_to_ratio
from channels.waveform import Waveform

__all__ = ["Recognition", "likelihood_accuracy", "log_likelihoods"]

# Frames judged at a time: what keeps distances to every point of every symbol within some tens of megabytes.
TOGETHER = 512


@dataclass(frozen=True, eq=False)
class Recognition:
    """How a classifier did.

    Args:
        counts: [C, C] frames of each class (row) that were taken for each class (column).
    """

    counts: torch.Tensor

    @property
    def accuracy(self) -> float:
        """Share of frames that were recognised."""
        return self.counts.trace().item() / self.counts.sum().item()

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Wilson's interval of the accuracy.

        Source: Wilson, Probable inference, the law of succession, and statistical inference, Journal of the American
        Statistical Association 22(158), 1927.
        """
        z, n, p = NormalDist().inv_cdf(0.5 + level / 2), self.counts.sum().item(), self.accuracy
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return middle - half, middle + half


def log_likelihoods(
    symbols: torch.Tensor, noise_power: torch.Tensor, constellations: Sequence[Points], heard: torch.Tensor
) -> torch.Tensor:
    """Log likelihood of every constellation, [B, C], each symbol being any of its points equally likely.

    log L = sum over k of  log( mean over points a of exp(-|r_k - a|^2 / N0) ),  up to a constant of all of them

    Args:
        symbols: [B, K] complex, r_k = a_k + w_k.
        noise_power: [B] N0, the power of w_k.
        heard: [B, K] True for the symbols that count.

    Source: Wei and Mendel, Maximum-likelihood classification for digital amplitude-phase modulations, IEEE
    Transactions on Communications 48(2), 2000.
    """
    columns = []
    for points in constellations:
        distance = (symbols.unsqueeze(2) - torch.tensor(points, dtype=symbols.dtype)).abs().square()
        each = torch.logsumexp(-distance / noise_power[:, None, None], dim=2) - math.log(len(points))
        columns.append((each * heard).sum(dim=1))
    return torch.stack(columns, dim=1)


def likelihood_accuracy(waveform: Waveform, *, frames: int, chance: Chance) -> Recognition:
    """Monte Carlo accuracy of the likelihood classifier on equally many frames of every class: a bound for recognisers.

    It knows carrier, clock, pulse, channel gain and noise power, hears through a matched filter, and chooses the
    likeliest class: with classes equally likely nobody is right more often. Frames hold length / samples_per_symbol
    symbols, rounded; symbols that straddle an edge are counted as if just so many were heard whole. Drawn as symbols,
    which is all that the filter leaves: E|w|^2 = noise per sample / samples per symbol.

    Args:
        waveform: linear modulations alone, one path, no interferers.
        frames: of each class.

    Raises:
        ValueError: where symbols after a matched filter are not all there is to know.
    """
    constellations = [points_of(name) for name in waveform.modulations]
    if waveform.multipath.paths > 1 or waveform.most_interferers:
        raise ValueError(
            f"waveform must have one path and no interferers for the likelihood bound, got {waveform.multipath.paths} "
            f"paths and up to {waveform.most_interferers} interferers; set multipath.paths to 1 and interferers to 0"
        )
    counts = torch.zeros((len(constellations), len(constellations)), dtype=torch.long)
    for label, points in enumerate(constellations):
        for part, start in enumerate(range(0, frames, TOGETHER)):
            few = min(TOGETHER, frames - start)
            symbols, noise_power, heard = receive(waveform, points, few, chance.of(label, part))
            found = log_likelihoods(symbols, noise_power, constellations, heard).argmax(dim=1)
            counts[label] += torch.bincount(found, minlength=len(constellations))
    return Recognition(counts)


def receive(
    waveform: Waveform, points: Points, frames: int, chance: Chance
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Symbols after the matched filter [B, K], scaled to gain 1; their noise power [B]; which of them a frame holds."""
    duration = draw_range(
        waveform.emitter.samples_per_symbol, frames, generator=chance.of("samples_per_symbol").generator()
    )
    snr_db = draw_range(waveform.snr_db, frames, generator=chance.of("snr").generator())
    gain = waveform.multipath.fading.draw((frames,), generator=chance.of("fading").generator()).abs().square()
    noise_power = 1 / (db_to_ratio(snr_db) * duration * gain)
    count = (waveform.length / duration).round().clamp_min(1).long()
    heard = torch.arange(int(count.max())) < count.unsqueeze(1)
    numbers = torch.randint(len(points), heard.shape, generator=chance.of("symbols").generator())
    noise = complex_gaussian(heard.shape, generator=chance.of("noise").generator())
    symbols = torch.tensor(points, dtype=torch.complex128)[numbers] + noise * noise_power.sqrt().unsqueeze(1)
    return symbols, noise_power, heard


def points_of(name: str) -> Points:
    """The constellation of a linear modulation."""
    modulation = modulation_named(name)
    if not isinstance(modulation, Linear) or modulation.late:
        raise ValueError(
            f"modulations must be linear and sent on both axes at once for the likelihood bound, got {name!r}; "
            "leave it out"
        )
    return modulation.points
