"""PSR: partition the layers into runs of alike ones, and select from each run by SynFlow."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from semcom.compression.evidence import Evidence, Kept, layers_to_keep, stacks_of
from semcom.compression.saliency import synflow
from semcom.compression.segmentation import GAIN, Cuts, Segments, segment, shares
from semcom.compression.similarity import Averaged, column_sums, similarities
from semcom.mistakes import UserMistake

if TYPE_CHECKING:
    from torch import Tensor

MOST_CANDIDATES = 20_000  # combinations of layers that are scored one by one

Score = Callable[[int, tuple[int, ...]], float]  # of some layers of a stack


@dataclass(frozen=True, eq=False)
class Partition:
    """How the layers of one stack were chosen, for a figure.

    Args:
        similarity: CKA of all pairs of layers.
        sums: its columns, summed up.
        segments: runs of layers.
        kept: the layers that stay, of each segment some.
    """

    similarity: Tensor
    sums: tuple[float, ...]
    segments: Segments
    kept: tuple[int, ...]

    def account(self) -> dict[str, Any]:
        """The same as plain data, for a record; similarities to four digits, which is more than a figure shows."""
        return {
            "kept": self.kept,
            "segments": [list(each) for each in self.segments],
            "sums": [round(each, 4) for each in self.sums],
            "similarity": [[round(float(each), 4) for each in row] for row in self.similarity],
        }


@dataclass(frozen=True)
class Psr:
    """Cut a stack where the similarity of its layers changes, and keep the layers of each with the best SynFlow score.

    A combination is scored in a network of full depth that is random but for these layers, which are the trained ones.

    Three things of the official code are odd, and are options here. It keeps the *smallest* score, while SynFlow is
    made to keep the largest. It never takes trained layers out again between combinations, so that they gather, and
    the score depends on the order of trying. And its cuts are mostly not those of the least loss. By default the
    smallest score wins, as published, every combination meets the same fresh network, and the cuts are the best ones.

    Args:
        segments: the most segments; None allows as many as layers are kept.
        gain: what one more segment must take off the loss of the segmentation.
        cuts: the `best` ones, or the `published` ones of the official code.
        averaged: how CKA is averaged over batches.
        prefer: whether the `smallest` or the `largest` score stays; of equal ones the combination that comes first.
        carried: trained layers of earlier combinations stay in the network that is scored, as in the official code.
        batch_statistics: batch normalization takes its statistics from the input of ones, as in the official code.

    Source: Lu et al., A Generic Layer Pruning Method for Signal Modulation Recognition Deep Learning Models, IEEE
    TCCN; arXiv 2406.07929, and its official code (repository yaolu-zjut/PSR).
    """

    segments: int | None = None
    gain: float = GAIN
    cuts: Cuts = "best"
    averaged: Averaged = "matrices"
    prefer: Literal["smallest", "largest"] = "smallest"
    carried: bool = False
    batch_statistics: bool = False
    kind: Literal["psr"] = "psr"

    def __post_init__(self) -> None:
        if self.segments is not None and self.segments < 1:
            raise ValueError(f"segments must be at least 1, got {self.segments}")
        if not 0 <= self.gain < 1:
            raise ValueError(f"gain must be in [0, 1), got {self.gain}")

    def choose(self, evidence: Evidence, keep: tuple[int, ...]) -> Kept:
        """See the class."""
        return tuple(each.kept for each in self.partitions(evidence, keep))

    def partitions(self, evidence: Evidence, keep: tuple[int, ...]) -> tuple[Partition, ...]:
        """The choice for each stack, with what led to it."""
        keep = layers_to_keep(keep, evidence.depths)
        score = self._scorer(evidence)
        found = []
        for index, matrix in enumerate(similarities(evidence.observe(), averaged=self.averaged)):
            sums = column_sums(matrix)
            most = keep[index] if self.segments is None else min(self.segments, keep[index])
            segments = segment(sums, most, gain=self.gain, cuts=self.cuts)
            kept = self._selected(index, segments, shares(segments, keep[index]), score)
            found.append(Partition(matrix, sums, segments, kept))
        return tuple(found)

    def _scorer(self, evidence: Evidence) -> Score:
        blank = evidence.fresh()

        def score(index: int, numbers: tuple[int, ...]) -> float:
            network = blank if self.carried else copy.deepcopy(blank)
            trained, stack = stacks_of(evidence.network)[index], stacks_of(network)[index]
            for number in numbers:
                stack[number].load_state_dict(trained[number].state_dict())
            return synflow(network, evidence.flow, batch_statistics=self.batch_statistics)

        return score

    def _selected(self, index: int, segments: Segments, counts: tuple[int, ...], score: Score) -> tuple[int, ...]:
        candidates = sum(math.comb(len(each), count) for each, count in zip(segments, counts, strict=True))
        if candidates > MOST_CANDIDATES:
            raise UserMistake(
                f"layers to choose from must have at most {MOST_CANDIDATES} combinations, got {candidates} in stack "
                f"{index}; allow more segments, or keep fewer layers"
            )
        best = min if self.prefer == "smallest" else max
        kept: tuple[int, ...] = ()
        for each, count in zip(segments, counts, strict=True):
            # A dictionary keeps the order of trying, and both min and max take the first of equals.
            scores = {numbers: score(index, numbers) for numbers in combinations(each, count)}
            kept += best(scores, key=lambda numbers: scores[numbers])
        return kept
