"""ChannelPruning: all layers stay, each narrower inside, down to a share of the multiply-adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from semcom.compression.evidence import Evidence
from semcom.compression.pruning import Pruned

if TYPE_CHECKING:
    from semcom.models.spec import Spec


@dataclass(frozen=True)
class ChannelPruning:
    """Keep in every layer the hidden channels with the largest L1 norm, as many as the budget allows.

    The baseline of layer pruning at equal multiply-adds. Recognizers lose channels inside their units, text codecs
    hidden units of their feed-forward parts.

    Args:
        multiply_adds: the share of the multiply-adds that may stay, above 0 and below 1.

    Source: Li, Kadav, Durdanovic, Samet and Graf, Pruning Filters for Efficient ConvNets, ICLR 2017.
    """

    multiply_adds: float
    kind: Literal["channels"] = "channels"

    def __post_init__(self) -> None:
        if not 0 < self.multiply_adds < 1:
            raise ValueError(f"multiply_adds must be a share above 0 and below 1, got {self.multiply_adds:g}")

    @property
    def told(self) -> str:
        """The criterion, and the share of the multiply-adds that stays: l1_channels to 0.2."""
        return f"l1_channels to {self.multiply_adds:g}"

    @property
    def aim(self) -> str:
        """Down to which share."""
        return f"channels down to {100 * self.multiply_adds:g} % of the multiply-adds"

    def planned(self, spec: Spec) -> Spec:
        """How narrow layers get is worked out when the weights are there."""
        return spec

    def prune(self, evidence: Evidence) -> Pruned:
        """See `Pruning.prune`."""
        whole = evidence.multiply_adds(evidence.network)
        network = evidence.narrow(int(self.multiply_adds * whole))
        return Pruned(network, {"multiply_adds": evidence.multiply_adds(network), "multiply_adds_before": whole})
