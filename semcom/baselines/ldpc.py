"""LDPC: the data channel's code of 5G, and its checksums, as Sionna computes them; imported only when one is asked for.

Sionna seeds torch's generator when it is imported and when its parts are made, so both happen apart from it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

HIGHEST_RATE = 948 / 1024
MOST_BITS, FEWEST_BITS = 8448, 16
REPEATED = 5  # times as many coded bits as bits at most come out of the code; more are repeated
ITERATIONS = 4  # between looks at whether a block is done
HOPELESS = 0.9  # of a block's bits: where less is heard of them no code gets them across, and nobody tries for long


@contextlib.contextmanager
def as_it_was() -> Iterator[None]:
    """Leave torch's generators as they were, whatever happens inside."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        yield


@lru_cache(maxsize=64)
def checksum(crc: int, payload: int) -> Callable[[Tensor], Tensor]:
    """What appends a checksum of so many bits to so many bits [B, payload].

    Source: 3GPP TS 38.212, section 5.1.
    """
    with as_it_was():
        from sionna.phy.fec.crc import CRCEncoder

        encoder: Callable[[Tensor], Tensor] = CRCEncoder(f"CRC{crc}" if crc < 24 else "CRC24A", device="cpu")
    return encoder


class Ldpc:
    """A code of k bits, of which so many coded ones are sent; what the code does not give is repeated from its start.

    Source: 3GPP TS 38.212, sections 5.3.2 and 5.4.2.

    Args:
        sent: coded bits, a multiple of `bits_per_symbol`, which the interleaver goes by.
    """

    def __init__(self, bits: int, sent: int, bits_per_symbol: int) -> None:
        with as_it_was():
            from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

            self._coded = min(sent, REPEATED * bits // bits_per_symbol * bits_per_symbol)
            self._sent = sent
            self._encoder: Any = LDPC5GEncoder(bits, self._coded, bits_per_symbol, device="cpu", check_input=False)
            self._decoder: Any = LDPC5GDecoder(self._encoder, return_state=True, device="cpu")

    def encode(self, bits: Tensor) -> Tensor:
        """Coded bits [B, sent] of bits [B, k]."""
        coded = self._encoder(bits)
        return coded[:, torch.arange(self._sent) % self._coded]

    def decode(self, ratios: Tensor, iterations: int, passes: Callable[[Tensor], Tensor]) -> Tensor:
        """Bits [B, k] of log-likelihood ratios [B, sent], by belief propagation; hopeless blocks are soon given up.

        Args:
            iterations: at most.
            passes: which of some blocks [.., k] are right as far as anybody can see; those are done.
        """
        heard = torch.zeros(len(ratios), self._coded).index_add_(1, torch.arange(self._sent) % self._coded, ratios)
        left, state, hopeless = torch.arange(len(ratios)), None, information(heard) < HOPELESS * self._encoder.k
        found = torch.zeros(len(ratios), self._encoder.k)
        while iterations > 0 and len(left):
            step = min(ITERATIONS, iterations)
            bits, state = self._decoder(heard[left], num_iter=step, msg_v2c=state)
            found[left] = bits
            going = ~passes(bits) & ~hopeless[left]
            left, state, iterations = left[going], state[going], iterations - step
        return found


def information(ratios: Tensor) -> Tensor:
    """What log-likelihood ratios [B, n] say of the bits sent, of all together [B] [bits]: n less their entropies."""
    size = ratios.abs().double()
    # log(1 + e^-L) + L / (1 + e^L), in nats.
    entropy = torch.log1p(torch.exp(-size)) + size * torch.sigmoid(-size)
    return (1 - entropy / math.log(2)).sum(dim=1)


@lru_cache(maxsize=1024)
def ldpc(bits: int, sent: int, bits_per_symbol: int) -> Ldpc:
    """The same code for whoever asks for it in this process: making one takes as long as decoding a few blocks."""
    return Ldpc(bits, sent, bits_per_symbol)
