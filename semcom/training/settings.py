"""TrainingSettings: how long, how fast, on how much text and in what air a codec is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from channels import (
    Coherence,
    Csi,
    Equalizer,
    Fading,
    Interference,
    Link,
    Mmse,
    Neighbors,
    NoFading,
    PerfectCsi,
    PerSentence,
)
from channels.chance import Chance
from semcom.training.recipe import Recipe

Range = float | tuple[float, float]
MOST_ANTENNAS = 64


def bounds(value: Range) -> tuple[float, float]:
    """The ends of a range; a single number is a range of one point."""
    return value if isinstance(value, tuple) else (value, value)


def _check_range(name: str, value: Range) -> None:
    low, high = bounds(value)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name} must be finite, got [{low:g}, {high:g}]")
    if low > high:
        raise ValueError(f"{name} must run from low to high, got [{low:g}, {high:g}]; swap the two")


@dataclass(frozen=True)
class TrainingSettings(Recipe):
    """One recipe of training, and the air that it happens in.

    The defaults are the recipe that learned fastest on one core: many small steps, a high rate, a short
    warm-up, then a straight line down to zero.

    Args:
        steps: length of the training [optimizer steps].
        batch: size of a batch [sentences].
        learning_rate: peak of the learning rate (AdamW).
        warmup: steps over which the rate rises; after them it falls in a straight line to zero [steps].
        weight_decay: decoupled weight decay, on matrices alone.
        clip: largest norm of the gradient.
        share: share of the training sentences that is used, above 0, at most 1; smaller shares are subsets of larger
            ones.
        own_share: whether each seed takes a share of its own, instead of all the same sentences; so that what a claim
            says of a share of a text is not said of one handful of sentences.
        validate_every: time between two validations [steps].
        precision: `32` on any machine; `bf16` where the accelerator has it.
        devices: processes that train one codec together, each on its own batches, gradients averaged.
        snr_db: SNR of a step, one value or drawn evenly from [low, high] [dB].
        interferers: interferers of a step, one number or drawn evenly from [low, high].
        level_db: interferer level of a step, one value or drawn evenly from [low, high] [dB]; without it the level of
            `interference` stands.
        fading: how users arrive.
        coherence: how long a gain lasts.
        interference: what the other users send.
        csi: what the receiver knows of the gains.
        equalizer: what the receiver does with the gains before it decodes.
        antennas: antennas of the receiver, from 1 to 64.
        airs: parts of a batch for which SNR, interferers and level are drawn anew; without it one for the whole step.
            Several give networks with batch normalization the mixture of airs in training that they meet afterwards.
    """

    snr_db: Range = (0.0, 18.0)
    interferers: int | tuple[int, int] = 0
    level_db: Range | None = None
    fading: Fading = NoFading()
    coherence: Coherence = PerSentence()
    interference: Interference = Neighbors()
    csi: Csi = PerfectCsi()
    equalizer: Equalizer = Mmse()
    antennas: int = 1
    airs: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.antennas < 1:
            raise ValueError(f"antennas must be at least 1, got {self.antennas}")
        if self.antennas > MOST_ANTENNAS:
            raise ValueError(f"antennas must be at most {MOST_ANTENNAS}, got {self.antennas}; use fewer")
        if self.airs is not None and self.airs < 1:
            raise ValueError(f"airs must be at least 1, got {self.airs}; 1 is one air for the whole step")
        if self.airs == 1:
            object.__setattr__(self, "airs", None)  # said or not, it is the same training, so one identity
        _check_range("snr_db", self.snr_db)
        _check_range("interferers", self.interferers)
        if self.level_db is not None:
            _check_range("level_db", self.level_db)
        if bounds(self.interferers)[0] < 0:
            raise ValueError(f"interferers must not be negative, got {self.interferers}")
        if bounds(self.interferers)[1] >= self.batch:
            needed = int(bounds(self.interferers)[1]) + 1
            raise ValueError(
                f"{needed - 1} interferers in training need a batch of at least {needed} messages, got {self.batch}"
            )

    def links(self, chance: Chance, rows: int) -> tuple[Link, ...]:
        """The airs of one step, one for each part of a batch of so many rows, of which none may be empty."""
        if self.airs is None:
            return (self.link(chance),)
        return tuple(self.link(chance.of("part", index)) for index in range(min(self.airs, rows)))

    def link(self, chance: Chance) -> Link:
        """One draw of the air: a Link has one SNR, so a range is a new Link every time."""
        low, high = bounds(self.interferers)
        crowd = int(low) + min(int(_uniform(chance.of("interferers")) * (high - low + 1)), int(high - low))
        interference = self.interference
        if self.level_db is not None:
            interference = replace(interference, level_db=_between(self.level_db, chance.of("level")))
        return Link(
            snr_db=_between(self.snr_db, chance.of("snr")),
            fading=self.fading,
            coherence=self.coherence,
            interferers=crowd,
            interference=interference,
            csi=self.csi,
            equalizer=self.equalizer,
            antennas=self.antennas,
        )


def extreme_links(settings: TrainingSettings) -> tuple[Link, Link]:
    """The worst and the best air that a step can meet, by mean SINR."""
    links = []
    for end, other in ((0, 1), (1, 0)):
        interference = settings.interference
        if settings.level_db is not None:
            interference = replace(interference, level_db=bounds(settings.level_db)[other])
        crowd = int(bounds(settings.interferers)[other])
        links.append(Link(snr_db=bounds(settings.snr_db)[end], interferers=crowd, interference=interference))
    return links[0], links[1]


def _uniform(chance: Chance) -> float:
    """One number in [0, 1), from a stream of its own."""
    import torch

    return float(torch.rand((), generator=chance.generator(), dtype=torch.float64))


def _between(value: Range, chance: Chance) -> float:
    low, high = bounds(value)
    return low + (high - low) * _uniform(chance)
