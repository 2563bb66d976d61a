"""The air between users as a library in bare torch: fading, interference, noise, receivers, closed forms, waveforms."""

from __future__ import annotations

from channels.arrived import Arrived, arrive, join
from channels.catalog import COHERENCE, CSI, EQUALIZERS, FADING, INTERFERENCE
from channels.cell import as_heard_for, link_for, seen_from, sentence_shifts
from channels.chance import Chance, complex_gaussian
from channels.coherence import Coherence, PerBlock, PerSentence, PerSymbol
from channels.emission import Emitter
from channels.fading import Fading, Nakagami, NoFading, RandomPhase, Rayleigh, Rician
from channels.interference import Bursts, Crowd, Gaussian, Interference, Jammer, Neighbors, Qam, Tone
from channels.likelihood import Recognition, likelihood_accuracy, log_likelihoods
from channels.limits import joint_capacity, outage_capacity, share_that_arrives, snr_db_for_share, symmetric_capacity
from channels.link import Link, mean_sinr_db, mean_sir_db
from channels.matched import matched_filter
from channels.modulation import MODULATIONS, RML2016, RML2018, modulation_named
from channels.multipath import Multipath
from channels.power import normalize_power, to_reals, to_symbols
from channels.realization import (
    Energies,
    Realization,
    draw,
    equalize,
    everyone,
    known_gains,
    measured_powers,
    superpose,
)
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
from channels.standard import Cdl, Tdl
from channels.subtraction import Guesses, arrive_without
from channels.theory import (
    bit_error_rate,
    ergodic_capacity,
    finite_length_error_rate,
    finite_length_rate,
    outage_probability,
)
from channels.units import db_to_ratio, deepsc_to_snr_db, ebno_to_snr_db, ratio_to_db, snr_to_ebno_db
from channels.waveform import Frames, Waveform, make_frames

__all__ = [
    "COHERENCE",
    "CSI",
    "EQUALIZERS",
    "FADING",
    "INTERFERENCE",
    "MODULATIONS",
    "RML2016",
    "RML2018",
    "Arrived",
    "Bursts",
    "Cdl",
    "Chance",
    "Coherence",
    "Crowd",
    "Csi",
    "Emitter",
    "Energies",
    "Equalizer",
    "Fading",
    "Frames",
    "Gaussian",
    "Guesses",
    "Interference",
    "InterferenceRejecting",
    "Jammer",
    "Link",
    "Mmse",
    "Multipath",
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
    "Recognition",
    "Rician",
    "Tdl",
    "Tone",
    "Waveform",
    "ZeroForcing",
    "arrive",
    "arrive_without",
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
    "join",
    "joint_capacity",
    "known_gains",
    "likelihood_accuracy",
    "link_for",
    "log_likelihoods",
    "make_frames",
    "matched_filter",
    "mean_sinr_db",
    "mean_sir_db",
    "measured_powers",
    "modulation_named",
    "normalize_power",
    "outage_capacity",
    "outage_probability",
    "ratio_to_db",
    "seen_from",
    "sentence_shifts",
    "share_that_arrives",
    "snr_db_for_share",
    "snr_to_ebno_db",
    "superpose",
    "symmetric_capacity",
    "to_reals",
    "to_symbols",
]
