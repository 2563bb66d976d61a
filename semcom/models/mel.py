"""LogMel and MelDecibels: the log-mel spectrum of a waveform, and which of its frames belong to the word."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from semcom.metrics.spectra import RANGE_DB
from semcom.sources.speech import SpeechBatch

# Far below the noise of 16 bit recordings at the usual level, far above what would underflow.
FLOOR = 1e-6


class LogMel(nn.Module):
    """Frames of log-mel energies, at mean 0 over each word's frames in every band, and variance 1 over all bands.

        P[t, f] = | sum_n w[n] x[t hop + n] exp(-2 pi j f n / N) |^2            w: a Hann window of N samples
        E[t, m] = log( sum_f B[m, f] P[t, f] + 1e-6 )
        e[t, m] = ( E[t, m] - mean_t E[t, m] ) / s,    s^2 = mean_{t, m} of the squared numerator

    B are triangles whose corners lie evenly on the mel scale, mel(f) = 2595 log10(1 + f / 700), from 0 to half of the
    rate; each is 1 at its middle. A word's level and the microphone, which scale P, are gone from e.

    Args:
        rate: samples a second.
        window: N [samples].
        hop: from frame to frame [samples].
        mels: bands.

    Source: the mel scale after O'Shaughnessy, Speech Communication: Human and Machine, 1987, section 4.2; triangles and
    logarithm, Davis and Mermelstein, IEEE TASSP 28, 1980; the mean taken away, Atal, JASA 55, 1974.
    """

    hann: Tensor
    bands: Tensor

    def __init__(self, rate: int, *, window: int, hop: int, mels: int) -> None:
        super().__init__()
        self.window, self.hop = window, hop
        # Not learned and no part of what is kept: settings say what they are.
        self.register_buffer("hann", torch.hann_window(window), persistent=False)
        self.register_buffer("bands", triangles(rate, window, mels).to(self.hann.device), persistent=False)

    def forward(self, batch: SpeechBatch) -> tuple[Tensor, Tensor]:
        """Energies [batch, frames, mels], 0 behind the end of a word, and which frames are real [batch, frames]."""
        linear, real = self.energies(batch)
        energies = (linear + FLOOR).log()
        counted = real[..., None].to(energies)
        total = counted.sum(dim=1, keepdim=True)
        centered = (energies - (energies * counted).sum(dim=1, keepdim=True) / total) * counted
        spread = (centered.square().sum(dim=(1, 2), keepdim=True) / (total * energies.shape[2])).sqrt()
        return centered / spread.clamp(min=1e-3), real

    def energies(self, batch: SpeechBatch) -> tuple[Tensor, Tensor]:
        """sum_f B[m, f] P[t, f], [batch, frames, mels], and which frames are real [batch, frames]."""
        frames = -(-batch.longest // self.hop)
        waveform = batch.waveform
        missing = (frames - 1) * self.hop + self.window - waveform.shape[1]
        cut = F.pad(waveform, (0, max(0, missing))).unfold(1, self.window, self.hop)[:, :frames]
        power = torch.fft.rfft(cut * self.hann).abs().square()
        starts = torch.arange(frames, device=waveform.device) * self.hop
        return power @ self.bands.mT, starts < batch.durations[:, None]


class MelDecibels(nn.Module):
    """Mel energies in decibels below the loudest of the word, cut off at 60 dB, which is what a rebuilder rebuilds.

        D[t, m] = 10 log10( max(M[t, m], 10^-6 M_max) / M_max ),    M_max = max_{t, m} M[t, m], and 1e-6 at least

    with M the mel energies of `LogMel`, before its logarithm. Unlike there the mean over frames stays: the level of a
    word is gone, and nothing else of it.

    Args:
        rate: samples a second.
        window: of a frame [samples].
        hop: from frame to frame [samples].
        mels: bands.
    """

    def __init__(self, rate: int, *, window: int, hop: int, mels: int) -> None:
        super().__init__()
        self.mel = LogMel(rate, window=window, hop=hop, mels=mels)

    def forward(self, batch: SpeechBatch) -> tuple[Tensor, Tensor]:
        """Decibels [batch, frames, mels] from -60 to 0, and which frames are real [batch, frames]."""
        energies, real = self.mel.energies(batch)
        energies = energies * real[..., None]
        loudest = energies.amax(dim=(1, 2), keepdim=True).clamp(min=FLOOR)
        least = 10 ** (-RANGE_DB / 10)
        return 10 * (energies / loudest).clamp(min=least).log10().clamp(max=0), real


def triangles(rate: int, window: int, mels: int) -> Tensor:
    """B of `LogMel` [mels, window // 2 + 1], worked out on the CPU wherever modules are made."""
    cpu = torch.device("cpu")
    highest = 2595 * math.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (torch.linspace(0, highest, mels + 2, dtype=torch.float64, device=cpu) / 2595) - 1)
    tones = torch.arange(window // 2 + 1, dtype=torch.float64, device=cpu) * rate / window
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (tones - low) / (middle - low), (high - tones) / (high - middle)
    bands = torch.minimum(rising, falling).clamp(min=0)
    # The lowest bands are narrower than the distance of two tones, and may lie between them.
    nearest = (tones - middle).abs().argmin(dim=1)
    band = torch.arange(mels, device=cpu)
    bands[band, nearest] = bands[band, nearest].clamp(min=1e-2)
    return bands.float()
