"""Received symbols: the student's symbols should arrive as its teacher's would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.distillation.symbols import Symbols, squared_distance

if TYPE_CHECKING:
    from semcom.models.spec import Part, Spec
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class ReceivedSymbols:
    """Squared distance between the symbols that come out of the equalizer, per complex symbol.

    loss = mean over real tokens of (1/S) sum_i | y_s,i - y_t,i |^2,   y = equalized, S symbols a token

    Both go through one draw of the student's air, so the noise cancels and what is left is w h (x_s - x_t): an
    error counts as far as it arrives. With the MMSE equalizer a symbol in a deep fade counts next to nothing,
    where zero forcing would count it in full, and a method on what is *sent* does so always. Neighbors send
    through the same codec as the wanted user, so their difference is in it too, without a gradient.

    Args:
        weight: factor of this loss in the sum of all losses.

    Source: our reconstruction; see Symbols.
    """

    weight: float = 1.0
    kind: Literal["received_symbols"] = "received_symbols"

    @property
    def sees(self) -> frozenset[Part]:
        """What the transmitters send, as it arrives."""
        return frozenset({"received"})

    def adapters(self, student: Spec, teacher: Spec) -> torch.nn.Module:
        """None; the symbols must be alike in number."""
        return Symbols().adapters(student, teacher)

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        from semcom.models.trace import masked_mean

        theirs = teacher.arrived.symbols if teacher.sent_arrived is None else teacher.sent_arrived
        return masked_mean(squared_distance(student.arrived.symbols, theirs, student.mask), student.mask)
