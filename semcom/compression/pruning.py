"""Pruning: what every way of taking something away from a trained codec promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import nn

    from semcom.compression.evidence import Evidence
    from semcom.models.spec import Spec


@dataclass(frozen=True, eq=False)
class Pruned:
    """A smaller network, and how it was chosen.

    Args:
        network: what is left; that it was made from stays as it is.
        account: plain data for the record: what was kept, and what led to it.
    """

    network: nn.Module
    account: dict[str, Any]


class Pruning(Protocol):
    """One way of taking something away; its fields are its YAML, `kind` is its name."""

    @property
    def kind(self) -> str: ...

    @property
    def told(self) -> str:
        """The criterion in one word, and how much is taken away or kept, for tables."""

    @property
    def aim(self) -> str:
        """What will be taken away and how it is chosen, for a plan."""

    def planned(self, spec: Spec) -> Spec:
        """The shape that will be left, as far as it is known before any weights are."""

    def prune(self, evidence: Evidence) -> Pruned:
        """Make the smaller network.

        Raises:
            UserMistake: there is not as much to take away.
        """
