"""Linear probes: how well a linear classifier reads the answer off each layer, and the choice made by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from semcom.compression.evidence import Evidence, Kept, highest, layers_to_keep
from semcom.compression.similarity import rows_of

if TYPE_CHECKING:
    from torch import Tensor

    from semcom.compression.evidence import Seen

RIDGE = 1e-3  # beside features of variance 1


@dataclass(frozen=True)
class LinearProbes:
    """Keep the layers that add most to what a linear classifier can read; of equals the earlier one.

    A layer adds what its probe scores above the probe of the layer before it; the first one, above always guessing the
    commonest class.

    Source: Chen and Zhao, Shallowing Deep Networks: Layer-wise Pruning Based on Feature Representations, IEEE TPAMI 41,
    2019. Its classifiers are logistic and trained by gradient; here they are ridge regressions in closed form.
    """

    kind: Literal["linear_probes"] = "linear_probes"

    def choose(self, evidence: Evidence, keep: tuple[int, ...]) -> Kept:
        """See the class."""
        keep = layers_to_keep(keep, evidence.depths)
        chosen = []
        for number, (guess, *scores) in zip(keep, probe_scores(evidence.observe()), strict=True):
            gains = [score - before for score, before in zip(scores, [guess, *scores], strict=False)]
            chosen.append(highest(gains, number))
        return tuple(chosen)


def probe_scores(batches: Iterable[Seen]) -> tuple[tuple[float, ...], ...]:
    """For each stack the accuracy of guessing the commonest class, and then that of each layer's probe.

    Every other row is fitted on, the rest tested. What a layer holds at several places of one example is averaged over
    them first.
    """
    rows: list[list[list[Tensor]]] = []
    targets = []
    for seen in batches:
        rows = rows or [[[] for _ in stack] for stack in seen.layers]
        for found, stack in zip(rows, seen.layers, strict=True):
            for gathered, layer in zip(found, stack, strict=True):
                gathered.append(_summed_up(layer, seen.mask))
        targets.append(seen.targets.flatten() if seen.mask is None else seen.targets[seen.mask])
    if not targets:
        raise ValueError("linear probes need at least one batch of activations, got none")
    return tuple(_scores([torch.cat(gathered) for gathered in stack], torch.cat(targets)) for stack in rows)


def _summed_up(layer: Tensor, mask: Tensor | None) -> Tensor:
    """A row for each example, or for each real token."""
    has_places = mask is None and layer.ndim > 2
    return rows_of(layer.flatten(2).mean(dim=2) if has_places else layer, mask)


def _scores(layers: Sequence[Tensor], targets: Tensor) -> tuple[float, ...]:
    _, classes, counts = targets.unique(return_inverse=True, return_counts=True)
    fitted, tested = slice(0, None, 2), slice(1, None, 2)
    if len(targets) < 2:
        raise ValueError(f"linear probes need at least two rows, got {len(targets)}")
    guess = float((classes[tested] == counts.argmax()).double().mean())
    wanted = torch.nn.functional.one_hot(classes[fitted], len(counts)).double()
    scores = [guess]
    for layer in layers:
        mean, spread = layer[fitted].mean(dim=0), layer[fitted].std(dim=0, correction=0)
        inputs = torch.nn.functional.pad((layer - mean) / spread.clamp(min=1e-12), (0, 1), value=1.0)
        known = inputs[fitted]
        normal = known.T @ known + RIDGE * len(known) * torch.eye(
            known.shape[1], dtype=known.dtype, device=known.device
        )
        weights = torch.linalg.solve(normal, known.T @ wanted)
        right = (inputs[tested] @ weights).argmax(dim=1) == classes[tested]
        scores.append(float(right.double().mean()))
    return tuple(scores)
