"""Book: the symbols of every token, drawn at random; with memory also of every few tokens before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from channels import Chance, complex_gaussian
from semcom.models.codebook_spec import ROWS, CodebookSpec
from semcom.models.evidence import START

LOW = 0xFFFFFFFF  # 32 bits
SCATTER = 0x9E3779B1  # an odd number, so that multiplying by it exchanges numbers below any power of two


class Book(nn.Module):
    """Rows of n complex Gaussian symbols, each scaled to an energy of exactly n; which one is sent follows from tokens.

    Without memory token t has row t. With memory m the row is

        hash(t_(i-m) .. t_(i-1), i)  xor  scattered(t_i)      of 2^16 rows or more

    so that after one past no two tokens share a row, and after pasts that differ in one token all rows are others: a
    code in the manner of Perry, Iannucci, Fleming, Balakrishnan and Shah, Spinal codes, SIGCOMM 2012.

    Every row has the same energy, so that every sentence has unit power, and a receiver knows at which scale it came.

    Args:
        outputs: how many token numbers there are, the vocabulary.
    """

    rows: Tensor

    def __init__(self, spec: CodebookSpec, outputs: int) -> None:
        super().__init__()
        self.spec, self.outputs = spec, outputs
        count = max(ROWS, 1 << (outputs - 1).bit_length()) if spec.memory else outputs
        # Drawn where there are numbers, whatever stands without memory around here.
        with torch.device("cpu"):
            drawn = complex_gaussian(
                (count, spec.symbols_per_token), generator=Chance(spec.book).of("codebook").generator()
            )
            rows = torch.view_as_real(drawn)
        if spec.learned:
            self.rows = nn.Parameter(rows)
        else:
            self.register_buffer("rows", rows)

    def table(self) -> Tensor:
        """All rows at unit power [rows, n], complex."""
        return self._at_unit_power(self.rows)

    def forward(self, tokens: Tensor) -> Tensor:
        """The symbols of sentences [batch, length] of token numbers: [batch, length, n] complex."""
        return self._at_unit_power(self.rows[self.places(tokens)])

    def _at_unit_power(self, rows: Tensor) -> Tensor:
        energy = rows.square().sum(dim=(-2, -1), keepdim=True)
        return torch.view_as_complex(rows * (self.spec.symbols_per_token / energy).sqrt())

    def places(self, tokens: Tensor) -> Tensor:
        """Which row each token of sentences is sent as [batch, length]."""
        memory, length = self.spec.memory, tokens.shape[1]
        if not memory:
            return tokens
        before = torch.cat((tokens.new_full((len(tokens), memory), START), tokens), dim=1)
        recent = before.unfold(1, memory, 1)[:, :length]
        return self.hashed(recent, torch.arange(length, device=tokens.device)) ^ self.scattered(tokens)

    def hashed(self, recent: Tensor, position: Tensor) -> Tensor:
        """What the past does to a token's row.

        Args:
            recent: the last tokens [..., memory], the oldest first, START before the first of a sentence.
            position: the place of the token in its sentence, from 0, in any form that fits [...].
        """
        state = _mixed(position + 1)
        for token in recent.unbind(dim=-1):
            state = _mixed((state + (token + 1) * SCATTER) & LOW)
        return state & (len(self.rows) - 1)

    def scattered(self, tokens: Tensor) -> Tensor:
        """Token numbers, each exchanged for another below the number of rows."""
        return (tokens * SCATTER) & (len(self.rows) - 1)


def _mixed(number: Tensor) -> Tensor:
    """A scrambled number of 32 bits, the same on every machine: each bit depends on all of those that come in.

    Multiply and shift, with the constants of lowbias32 (Wellons, hash-prospector, 2018); no product leaves the 63 bits
    that a signed whole number has.
    """
    number = number ^ (number >> 16)
    number = (number * 0x7FEB352D) & LOW
    number = number ^ (number >> 15)
    # The second constant has 32 bits: half by half, or the product would have 64.
    low, high = number & 0xFFFF, number >> 16
    number = (low * 0x846CA68B + ((high * 0x846CA68B & 0xFFFF) << 16)) & LOW
    return number ^ (number >> 16)
