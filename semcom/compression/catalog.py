"""The ways of pruning that a scenario may name, and the kinds of codec whose layers are known well enough for it."""

from __future__ import annotations

from semcom.compression.layer_pruning import LayerPruning
from semcom.compression.width_pruning import ChannelPruning

PRUNINGS = (LayerPruning, ChannelPruning)

AnyPruning = LayerPruning | ChannelPruning

# By kind of codec, who looks at its layers: `module:function`, found when something is pruned.
EVIDENCE: dict[str, str] = {
    "semantic": "semcom.compression.codec_layers:codec_evidence",
    "recognizer": "semcom.compression.recognizer_layers:recognizer_evidence",
}
