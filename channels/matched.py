"""matched_filter: the symbols of a frame as a receiver finds them that knows carrier, clock and pulse."""

from __future__ import annotations

import torch

from channels.emission import REACH, Emission
from channels.modulation import window
from channels.pulses import root_raised_cosine

__all__ = ["matched_filter"]


def matched_filter(
    received: torch.Tensor, emission: Emission, *, late: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Correlate frames with the pulse of every symbol, after turning the carrier back.

    r_k = (1/s) sum over n of  y_n exp(-j carrier_n) p(t_n - k),  s the samples per symbol by the receiver's clock

    r_k = a_k + noise of power (noise per sample) / s, where the pulse of symbol k lies wholly in the frame and the
    channel is flat with gain 1; another gain stays in r_k. Interference between symbols is that of a pulse cut off at
    `REACH` symbols.

    Args:
        received: [B, N] complex, without the gain of a level control.
        late: symbols by which to listen later, as for the imaginary part of OQPSK.

    Returns: r [B, S], a place for each of the emission's `numbers`; and [B, S], True where the pulse is wholly heard.
    """
    length = received.shape[1]
    baseband = received * emission.carrier()[:, -length:].conj()
    times = emission.times()[:, -length:] - late
    offsets, index = window(emission, times, REACH)
    pulses = root_raised_cosine(offsets, emission.rolloff[:, None, None]).float()
    parts = (baseband.unsqueeze(2) * pulses).flatten(1)
    symbols = torch.zeros(emission.numbers.shape, dtype=parts.dtype).scatter_add_(1, index.flatten(1), parts)
    symbol = emission.first_symbol + torch.arange(symbols.shape[1])
    whole = (symbol - REACH >= times[:, :1]) & (symbol + REACH <= times[:, -1:])
    return symbols * (emission.clock() / emission.samples_per_symbol).float().unsqueeze(1), whole
