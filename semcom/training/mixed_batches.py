"""MixedBatches: batches of two kinds in turn, in a fixed proportion."""

from __future__ import annotations

from semcom.sources.batch import Batch
from semcom.training.fit import Batches


class MixedBatches:
    """The batches of one and of another, so that after any number of steps the share is kept as nearly as it can be.

    Each kind is taken from its first step on, without gaps: what is learned depends on the step alone.

    Args:
        share: of the steps that take a batch of `second`, from 0 to 1.
    """

    def __init__(self, first: Batches, second: Batches, share: float) -> None:
        self._first, self._second, self._share = first, second, share

    def at(self, step: int) -> Batch:
        """The batch of a step, counted from 0."""
        before, after = int(step * self._share), int((step + 1) * self._share)
        return self._second.at(before) if after > before else self._first.at(step - before)
