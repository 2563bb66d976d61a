"""Blocks: how many bits of a sentence are protected how, so that they take exactly the symbols that there are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from channels import Chance
from semcom.baselines.ldpc import FEWEST_BITS, HIGHEST_RATE, MOST_BITS, checksum, ldpc
from semcom.baselines.separate_spec import BITS_OF, SeparateSpec

USUAL_RATE = 2 / 3
"""Up to which code rate the lowest orders of modulation are used, about as in 3GPP TS 38.214, table 5.1.3.1-2."""

GRAIN, GRAINS = 8, 32
"""Blocks are whole bytes, and above 256 bits multiples of a 32nd of the power of two below: sizes from a table, so that
a receiver is not told more of a sentence than a few bits do. About as in 3GPP TS 38.214, section 5.1.3.2."""

LONGEST = 1 << 16


@dataclass(frozen=True)
class Block:
    """One block on the air.

    Args:
        bits: of the payload, the padding behind it and the checksum.
        crc: of these the checksum's.
        symbols: that it takes.
        bits_per_symbol: of its modulation.
        code: how it is protected; None where no protection fits: only the beginning of it is sent, with none.
    """

    bits: int
    crc: int
    symbols: int
    bits_per_symbol: int
    code: str | None

    @property
    def sent(self) -> int:
        """Coded bits on the air."""
        return self.symbols * self.bits_per_symbol

    def encode(self, payload: Tensor) -> Tensor:
        """Bits on the air [B, sent] of payloads [B, bits - crc], scrambled, so that every point is equally likely."""
        bits = checksum(self.crc, payload.shape[1])(payload) if self.crc else payload
        if self.code == "ldpc":
            coded = ldpc(self.bits, self.sent, self.bits_per_symbol).encode(bits)
        else:
            coded = bits[:, torch.arange(self.sent) % self.bits]
        return (coded + _scrambling()[: self.sent]) % 2

    def decode(self, ratios: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
        """Payloads [B, bits - crc] of log-likelihood ratios [B, sent], and which of the blocks are believed [B]."""
        ratios = ratios * (1 - 2 * _scrambling()[: self.sent])
        if self.code == "ldpc":
            bits = ldpc(self.bits, self.sent, self.bits_per_symbol).decode(ratios, iterations, self._passes)
        else:
            heard = torch.zeros(len(ratios), self.bits)
            bits = (heard.index_add_(1, torch.arange(self.sent) % self.bits, ratios) > 0).float()
        believed = self._passes(bits) if self.crc else torch.full((len(bits),), self.code is not None)
        return bits[:, : self.bits - self.crc], believed

    def _passes(self, bits: Tensor) -> Tensor:
        """Whether the checksum is right [B]; without one nobody ever knows."""
        if not self.crc:
            return torch.zeros(len(bits), dtype=torch.bool)
        payload = bits[:, : -self.crc]
        return (checksum(self.crc, payload.shape[1])(payload) == bits).all(dim=1)


def block_of(spec: SeparateSpec, payload: int, symbols: int) -> Block:
    """The block for so many bits of a sentence in so many symbols, as well protected as the scheme can."""
    least = max(FEWEST_BITS, payload + spec.crc)
    grain = max(GRAIN, (1 << least.bit_length() - 1) // GRAINS)
    bits = -(-least // grain) * grain
    orders = list(BITS_OF.values()) if spec.modulation == "fit" else [BITS_OF[spec.modulation]]
    rates = {order: bits / (symbols * order) for order in orders}
    if spec.code == "none":
        fitting = [order for order, rate in rates.items() if rate <= 1]
    else:
        usual = [order for order, rate in rates.items() if rate <= USUAL_RATE]
        fitting = usual or [order for order, rate in rates.items() if rate <= HIGHEST_RATE][-1:]
        fitting = fitting if bits <= MOST_BITS else []
    order, code = (fitting[0], spec.code) if fitting else (orders[-1], None)
    return Block(bits, spec.crc, symbols, order, code)


@lru_cache(maxsize=1)
def _scrambling() -> Tensor:
    """Bits that turn any payload into one that looks random, the same for all users."""
    generator = Chance(0).of("bits of a block").generator()
    return torch.randint(0, 2, (LONGEST,), generator=generator).float()
