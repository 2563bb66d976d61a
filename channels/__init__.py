"""The air between users as a library in bare torch: fading, interference, noise, receivers and closed forms."""

from __future__ import annotations

from channels.catalog import COHERENCE, CSI, EQUALIZERS, FADING, INTERFERENCE
from channels.cell import as_heard_for, link_for, seen_from, sentence_shifts
from channels.chance import Chance, complex_gaussian
from channels.coherence import Coherence, PerBlock, PerSentence, PerSymbol
from channels.fading import Fading, Nakagami, NoFading, RandomPhase, Rayleigh, Rician
from channels.interference import Bursts, Crowd, Gaussian, Interference, Neighbors, Qam, Tone
from channels.link import Link, mean_sinr_db, mean_sir_db
from channels.power import normalize_power, to_reals, to_symbols
from channels.realization import Energies, Realization, draw, equalize, everyone, measured_powers, superpose
from channels.receiver import (
    Csi,
    Equalizer,
    InterferenceRejecting,
    Mmse,
    NoCsi,
    NoEqualizer,
    NoisyCsi,
    PerfectCsi,
    ZeroForcing,
)
from channels.theory import (
    bit_error_rate,
    ergodic_capacity,
    finite_length_error_rate,
    finite_length_rate,
    outage_probability,
)
from channels.units import db_to_ratio, deepsc_to_snr_db, ebno_to_snr_db, ratio_to_db, snr_to_ebno_db

__all__ = [
    "COHERENCE",
    "CSI",
    "EQUALIZERS",
    "FADING",
    "INTERFERENCE",
    "Bursts",
    "Chance",
    "Coherence",
    "Crowd",
    "Csi",
    "Energies",
    "Equalizer",
    "Fading",
    "Gaussian",
    "Interference",
    "InterferenceRejecting",
    "Link",
    "Mmse",
    "Nakagami",
    "Neighbors",
    "NoCsi",
    "NoEqualizer",
    "NoFading",
    "NoisyCsi",
    "PerBlock",
    "PerSentence",
    "PerSymbol",
    "PerfectCsi",
    "Qam",
    "RandomPhase",
    "Rayleigh",
    "Realization",
    "Rician",
    "Tone",
    "ZeroForcing",
    "as_heard_for",
    "bit_error_rate",
    "complex_gaussian",
    "db_to_ratio",
    "deepsc_to_snr_db",
    "draw",
    "ebno_to_snr_db",
    "equalize",
    "ergodic_capacity",
    "everyone",
    "finite_length_error_rate",
    "finite_length_rate",
    "link_for",
    "mean_sinr_db",
    "mean_sir_db",
    "measured_powers",
    "normalize_power",
    "outage_probability",
    "ratio_to_db",
    "seen_from",
    "sentence_shifts",
    "snr_to_ebno_db",
    "superpose",
    "to_reals",
    "to_symbols",
]
