"""Recipe: how long and how fast anything is trained, whatever it learns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from channels import Chance, Link


@dataclass(frozen=True)
class Recipe:
    """One recipe of training.

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
    """

    steps: int = 3000
    batch: int = 32
    learning_rate: float = 3e-3
    warmup: int = 100
    weight_decay: float = 0.01
    clip: float = 1.0
    share: float = 1.0
    own_share: bool | None = None
    validate_every: int = 500
    precision: str = "32"
    devices: int = 1

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "validate_every", "devices"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.own_share is False:
            object.__setattr__(self, "own_share", None)  # said or not, it is the same training, so one identity
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be in (0, 1], got {self.share}")
        # Written so that a NaN, which no comparison holds for, is refused as well.
        if not (0 < self.learning_rate < math.inf and 0 < self.clip < math.inf):
            raise ValueError(f"learning_rate and clip must be positive, got {self.learning_rate} and {self.clip}")
        if not (self.warmup >= 0 and 0 <= self.weight_decay < math.inf):
            raise ValueError(f"warmup and weight_decay must not be negative, got {self.warmup}, {self.weight_decay}")
        if self.precision not in ("32", "bf16"):
            raise ValueError(f"precision must be '32' or 'bf16', got {self.precision!r}")

    def learning_rate_at(self, step: int) -> float:
        """Up in a straight line for `warmup` steps, then down in one, reaching zero after the last step."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        return self.learning_rate * (self.steps - step) / max(1, self.steps - self.warmup)

    def links(self, chance: Chance, rows: int) -> Sequence[Link]:
        """The airs of one step, for as many parts of a batch of so many rows; none, as nothing is sent."""
        return ()
