"""The tuples that a scenario may name: adding a variant to the air is one dataclass and one line here.

A fading brings its two closed forms to `channels.theory` as well, which the contract tests hold it to.
"""

from __future__ import annotations

from channels.coherence import PerBlock, PerSentence, PerSymbol
from channels.fading import Nakagami, NoFading, RandomPhase, Rayleigh, Rician
from channels.interference import Bursts, Gaussian, Jammer, Neighbors, Qam, Tone
from channels.receiver import InterferenceRejecting, Mmse, NoCsi, NoEqualizer, NoisyCsi, PerfectCsi, ZeroForcing
from channels.standard import Cdl, Tdl

__all__ = ["COHERENCE", "CSI", "EQUALIZERS", "FADING", "INTERFERENCE"]

FADING = (NoFading, RandomPhase, Rayleigh, Rician, Nakagami, Tdl, Cdl)
COHERENCE = (PerSymbol, PerBlock, PerSentence)
INTERFERENCE = (Neighbors, Qam, Gaussian, Tone, Bursts, Jammer)
EQUALIZERS = (NoEqualizer, ZeroForcing, Mmse, InterferenceRejecting)
CSI = (PerfectCsi, NoisyCsi, NoCsi)
