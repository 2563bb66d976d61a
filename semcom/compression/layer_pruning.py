"""LayerPruning: choose the layers of a trained network that stay, and put a smaller network together from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from semcom.compression.catalog import AnyCriterion
from semcom.compression.evidence import Evidence, Kept, layers_to_keep
from semcom.compression.psr import Psr

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class LayerPruning:
    """Keep a few layers of each stack. The network is trained on afterwards, which is another step.

    Args:
        keep: layers of each stack, or a number for each.
        choose: which ones.
    """

    keep: int | tuple[int, ...]
    choose: AnyCriterion = Psr()
    kind: Literal["layers"] = "layers"

    def __post_init__(self) -> None:
        each: Sequence[int] = (self.keep,) if isinstance(self.keep, int) else self.keep
        if not each or min(each) < 1:
            raise ValueError(f"keep must be at least 1 layer of each stack, got {self.keep}")

    def kept(self, evidence: Evidence) -> Kept:
        """The layers that stay, stack by stack.

        Raises:
            UserMistake: a stack has not as many layers, or there are too many combinations to try.
        """
        return self.choose.choose(evidence, layers_to_keep(self.keep, evidence.depths))

    def prune(self, evidence: Evidence) -> tuple[nn.Module, Kept]:
        """A smaller network, and which layers of the old one it has; the old one stays as it is."""
        kept = self.kept(evidence)
        return evidence.rebuild(kept), kept
