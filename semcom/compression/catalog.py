"""The ways of pruning that a scenario may name."""

from __future__ import annotations

from semcom.compression.layer_pruning import LayerPruning
from semcom.compression.width_pruning import ChannelPruning

PRUNINGS = (LayerPruning, ChannelPruning)

AnyPruning = LayerPruning | ChannelPruning
