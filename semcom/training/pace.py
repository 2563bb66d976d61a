"""Pace: how much of the processor one step of a training took."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field


@dataclass
class Pace:
    """Process-CPU time of every step [s], those before a kill included.

    CPU time rather than wall time, because a step that waits for its turn on a shared core is not slower. It is no part
    of what a training gives: two trainings that end with the same weights differ in it.
    """

    seconds: list[float] = field(default_factory=list)
    began: float = 0.0

    def begin(self) -> None:
        """A step begins."""
        self.began = time.process_time()

    def end(self) -> None:
        """It ends; one that fails before this is none."""
        self.seconds.append(time.process_time() - self.began)

    @property
    def step_ms(self) -> float | None:
        """The median of a step [ms]; None without any."""
        return round(1e3 * statistics.median(self.seconds), 4) if self.seconds else None
