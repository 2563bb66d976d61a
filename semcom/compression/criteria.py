"""The ways of choosing layers that a scenario may name."""

from __future__ import annotations

from semcom.compression.layer_baselines import DropLast, DropOne, Exhaustive, RandomLayers
from semcom.compression.probes import LinearProbes
from semcom.compression.psr import Psr

CRITERIA = (Psr, RandomLayers, DropLast, DropOne, LinearProbes, Exhaustive)

AnyCriterion = Psr | RandomLayers | DropLast | DropOne | LinearProbes | Exhaustive
