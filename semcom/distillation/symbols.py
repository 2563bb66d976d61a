"""Symbols: the student learns to send the symbols that its teacher would send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from semcom.models.spec import Part, Spec
    from semcom.models.trace import Trace


@dataclass(frozen=True)
class Symbols:
    """Squared distance between the symbols sent, per complex symbol.

    loss = mean over real tokens of (1/S) sum_i | x_s,i - x_t,i |^2,   S symbols a token

    Both sides have unit power, so the loss is 0 for equal symbols and 2 for unrelated ones. A student whose
    symbols match can be read by its teacher's receiver, and then both speak of one observation.

    Args:
        weight: factor of this loss in the sum of all losses.

    Source: our reconstruction; FitNets' hint (Romero et al., ICLR 2015) placed on the air.
    """

    weight: float = 1.0
    kind: Literal["symbols"] = "symbols"

    @property
    def sees(self) -> frozenset[Part]:
        """What the transmitters send."""
        return frozenset({"sent"})

    def adapters(self, student: Spec, teacher: Spec) -> torch.nn.Module:
        """None; the symbols must be alike in number.

        Raises:
            ValueError: student and teacher send different numbers of symbols a token.
        """
        if student.symbols_per_unit != teacher.symbols_per_unit:
            raise ValueError(
                f"method symbols needs a student with the teacher's {teacher.symbols_per_unit} symbols a token, "
                f"got {student.symbols_per_unit}"
            )
        return torch.nn.Identity()

    def loss(self, student: Trace, teacher: Trace, adapters: torch.nn.Module) -> torch.Tensor:
        """See the class."""
        from semcom.models.trace import masked_mean

        return masked_mean(squared_distance(student.sent.symbols, teacher.sent.symbols, student.mask), student.mask)


def squared_distance(ours: torch.Tensor, theirs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of |x - y|^2 over each token's symbols, [batch, length] of [batch, K]."""
    gap: torch.Tensor = (ours - theirs).abs().square()
    return gap.unflatten(1, (mask.shape[1], -1)).mean(dim=-1)
