"""Resample: a waveform at another rate, by one fixed filter."""

from __future__ import annotations

from math import gcd

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

PASSED = 0.9  # of the lower of the two half rates: up to here nothing is taken away
REJECTED_DB = 80.0  # of what is above the lower of the two half rates


class Resample(nn.Module):
    """Brings waveforms from one rate to another.

    With U / D = rate / from_rate in lowest terms, every sample is followed by U - 1 zeros, filtered, and every D-th
    kept; of the products with zeros none is computed:

        y[n] = sum_k h[n D - k U] x[k]

    h is a linear-phase low-pass filter, a sinc under a Kaiser window, without delay, of gain U. What lies below 0.9 of
    the lower half rate passes within 0.001, what lies above that half rate is 80 dB down: from 8 to 16 kHz the band up
    to 3.6 kHz is kept, and nothing is above 4 kHz, where speech at 16 kHz has its fricatives.

    Args:
        from_rate: of what comes in [samples a second].
        rate: of what goes out [samples a second]; equal rates change nothing.

    Source: Crochiere and Rabiner, Multirate Digital Signal Processing, 1983, chapter 4; the window's length and shape
    after Kaiser, as in `scipy.signal.kaiserord`.
    """

    bank: Tensor

    def __init__(self, from_rate: int, rate: int) -> None:
        super().__init__()
        common = gcd(from_rate, rate)
        self.up, self.down = rate // common, from_rate // common
        taps = low_pass(self.up, self.down)
        half = len(taps) // 2
        # Row p makes the outputs n = p + m U, m = 0, 1, ...; they begin at sample m D - before.
        self.before = half // self.up
        count = self.before + ((self.up - 1) * self.down + half) // self.up + 1
        places = np.arange(self.up)[:, None] * self.down - (np.arange(count) - self.before) * self.up + half
        inside = (places >= 0) & (places < len(taps))
        bank = np.where(inside, taps[places.clip(0, len(taps) - 1)], 0.0)[:, None]
        # Not learned and no part of what is kept: the two rates say what it is.
        self.register_buffer("bank", torch.tensor(bank, dtype=torch.float32), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """The waveform [batch, samples] as [batch, ceil(samples U / D)]; silence is around it."""
        if self.up == self.down:
            return waveform
        length = self.length_of(waveform.shape[1])
        rounds = -(-length // self.up)
        after = (rounds - 1) * self.down + self.bank.shape[2] - self.before - waveform.shape[1]
        padded = F.pad(waveform, (self.before, max(0, after)))[:, None]
        made = F.conv1d(padded, self.bank.to(waveform), stride=self.down)[..., :rounds]
        return made.mT.flatten(1)[:, :length]

    def length_of(self, samples: int) -> int:
        """Samples that go out for so many that come in."""
        return -(-samples * self.up // self.down)


def low_pass(up: int, down: int) -> NDArray[np.float64]:
    """h of `Resample`, an odd number of taps."""
    if up == down:
        return np.ones(1)
    from scipy.signal import firwin, kaiserord

    edge = 1 / max(up, down)  # the lower half rate over half of the rate at which the filter works
    taps, beta = kaiserord(REJECTED_DB, (1 - PASSED) * edge)
    made: NDArray[np.float64] = firwin(taps | 1, (1 + PASSED) / 2 * edge, window=("kaiser", beta)) * up
    return made
