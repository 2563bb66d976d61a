"""The standing conditions of a link: fading, SNR, how many interferers and how loud."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

from channels.coherence import Coherence, PerSentence
from channels.fading import Fading, NoFading
from channels.interference import Interference, Neighbors
from channels.receiver import Csi, Equalizer, Mmse, PerfectCsi
from channels.standard import Cdl, Tdl
from channels.units import db_to_ratio, ratio_to_db

__all__ = ["Link", "mean_sinr_db", "mean_sir_db"]


@dataclass(frozen=True)
class Link:
    """Everything about the air that does not change from batch to batch.

    y_a = h_{0,a} x_0 + sum_k sqrt(p_k) h_{k,a} x_k + n_a,  n_a ~ CN(0, N0),  N0 = 10^(-snr_db/10)

    SNR is the wanted user's mean received power over the receiver's noise power, per complex symbol and antenna,
    averaged over fading. It assumes that the codec sends unit power and is never measured from a batch. A link has
    one SNR: to train at many, make many links (`dataclasses.replace` is cheap).

    Args:
        snr_db: see above [dB].
        fading: how the wanted user arrives, and the interferers unless `interference` says otherwise.
        coherence: how long one gain lasts, for every user; of `Tdl` and `Cdl` one channel, whose gains vary within it.
        interferers: how many others send at the same time.
        interference: what they send, and how loud each is.
        csi: what the receiver knows of the gains.
        equalizer: what it does with that.
        antennas: receive antennas, fading independently but under `Cdl`; each has its own noise.
    """

    snr_db: float = 12.0
    fading: Fading = field(default_factory=NoFading)
    coherence: Coherence = field(default_factory=PerSentence)
    interferers: int = 0
    interference: Interference = field(default_factory=Neighbors)
    csi: Csi = field(default_factory=PerfectCsi)
    equalizer: Equalizer = field(default_factory=Mmse)
    antennas: int = 1

    def __post_init__(self) -> None:
        if not math.isfinite(self.snr_db):
            raise ValueError(
                f"snr_db must be a finite number of decibels, got {self.snr_db}; 100 is as good as no noise"
            )
        if self.interferers < 0:
            raise ValueError(f"interferers must be at least 0, got {self.interferers}; 0 is the single-user link")
        if self.antennas < 1:
            raise ValueError(f"antennas must be at least 1, got {self.antennas}; a receiver needs one to hear")
        levels = self.interference.level_db
        if isinstance(levels, tuple) and len(levels) < self.interferers:
            raise ValueError(
                f"level_db must name a level for each of {self.interferers} interferers, got {len(levels)}; "
                "add the missing ones, or give a single number for all"
            )

    @cached_property
    def noise_power(self) -> float:
        """N0, the receiver's noise power per complex symbol on each antenna."""
        return db_to_ratio(-self.snr_db)

    @cached_property
    def interferer_powers(self) -> tuple[float, ...]:
        """p_k, the mean power of each interferer relative to the wanted user; a crowd really gets louder."""
        levels = self.interference.level_db
        # A tuple may name more levels than there are interferers, so that one scenario can sweep their number.
        each = levels if isinstance(levels, tuple) else (levels,) * self.interferers
        return tuple(db_to_ratio(level) for level in each[: self.interferers])

    @cached_property
    def amplitudes(self) -> tuple[float, ...]:
        """sqrt(p_u) of every user, the wanted one's 1 first."""
        return (1.0, *(math.sqrt(power) for power in self.interferer_powers))

    @cached_property
    def csi_error_power(self) -> float:
        """Mean power of what the receiver's estimate of each gain is wrong by; 0 if it estimates nothing."""
        return self.csi.error_power(self.noise_power)

    @cached_property
    def is_steady(self) -> bool:
        """Whether nobody fades, so that every gain is known beforehand."""
        return all(isinstance(fading, NoFading) for fading in self.fadings)

    @cached_property
    def is_selective(self) -> bool:
        """Whether somebody's gains vary from carrier to carrier, so that every symbol has gains of its own."""
        return any(isinstance(fading, Tdl | Cdl) for fading in self.fadings)

    @cached_property
    def fadings(self) -> tuple[Fading, ...]:
        """How every user arrives, the wanted one first."""
        return (self.fading, *(self.interferer_fading,) * self.interferers)

    @property
    def interferer_fading(self) -> Fading:
        """How the interferers arrive."""
        return self.fading if self.interference.fading is None else self.interference.fading


def mean_sinr_db(link: Link) -> float:
    """Mean wanted power over mean interference and noise power, on one antenna [dB].

    sinr = 1 / (N0 + sum_k p_k)

    In closed form: it belongs to the link, whatever a batch happened to draw and whatever the equalizer does.
    """
    # Not a minus sign: that would turn 0 dB into "-0.0" in every table.
    return 0.0 - ratio_to_db(link.noise_power + sum(link.interferer_powers))


def mean_sir_db(link: Link) -> float:
    """Mean wanted power over the interferers' total mean power [dB]; infinite when there are none.

    sir = 1 / sum_k p_k
    """
    return 0.0 - ratio_to_db(float(sum(link.interferer_powers)))
