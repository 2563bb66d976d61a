"""MixtureSpec: two languages as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class MixtureSpec:
    """Two languages interpolated, p = w p_1 + (1 - w) p_2, with the weight that suits validation text best."""

    kind: ClassVar[str] = "mixture"

    @property
    def told(self) -> str:
        """The kind in a few words, for a plan."""
        return "a mixture"
