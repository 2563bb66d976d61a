"""Mixture: two languages as one, and the weight that suits a text best."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semcom.languages.language import Language
from semcom.languages.rows import following, rows_of
from semcom.sources.batches import SentenceBatch

HALVINGS = 40  # of the range of weights; what is left is far below what any text can tell apart


@dataclass(frozen=True, eq=False)
class Mixture:
    """Linear interpolation: p = w p_first + (1 - w) p_second, everywhere with one weight.

    Args:
        weight: w, from 0 to 1.

    Source: Jelinek and Mercer, Interpolated estimation of Markov source parameters from sparse data, 1980.
    """

    first: Language
    second: Language
    weight: float

    def __post_init__(self) -> None:
        _check_alike(self.first, self.second)
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight must be from 0 to 1, got {self.weight}")

    @property
    def outputs(self) -> int:
        """The vocabulary."""
        return self.first.outputs

    @property
    def memory(self) -> int | None:
        """The longer of the two; None where one of them remembers all."""
        if self.first.memory is None or self.second.memory is None:
            return None
        return max(self.first.memory, self.second.memory)

    def begin(self, rows: int) -> Any:
        """See `Language.begin`."""
        return self.first.begin(rows), self.second.begin(rows)

    def scores(self, state: Any, candidates: Tensor | None = None) -> Tensor:
        """See `Language.scores`."""
        return self._mixed(self.first.scores(state[0], candidates), self.second.scores(state[1], candidates))

    def extend(self, state: Any, parents: Tensor, tokens: Tensor) -> Any:
        """See `Language.extend`."""
        return self.first.extend(state[0], parents, tokens), self.second.extend(state[1], parents, tokens)

    def tell(self, batch: SentenceBatch) -> Tensor:
        """See `Language.tell`."""
        _, real = following(batch)
        return torch.where(real, self._mixed(self.first.tell(batch), self.second.tell(batch)), 0.0)

    def everything(self, batch: SentenceBatch) -> Tensor:
        """See `rows_of`."""
        return self._mixed(rows_of(self.first, batch), rows_of(self.second, batch))

    def _mixed(self, first: Tensor, second: Tensor) -> Tensor:
        return torch.logaddexp(first + _log(self.weight), second + _log(1 - self.weight))


def fitted_mixture(first: Language, second: Language, batches: Iterable[SentenceBatch]) -> Mixture:
    """The mixture to which a text is likeliest, ends of sentences included; found by halving.

    The log-likelihood is concave in the weight, so its slope sum (p_1 - p_2) / (w p_1 + (1 - w) p_2) changes sign once.

    Args:
        batches: of a text that neither has learned from, or the one that knows it by heart takes all.

    Raises:
        ValueError: there is no batch, or the two have not one vocabulary.
    """
    _check_alike(first, second)
    told = [(first.tell(batch), second.tell(batch), following(batch)[1]) for batch in batches]
    if not told:
        raise ValueError("a weight must be fitted on at least one batch, got none; give a text that is not empty")
    ours, theirs = (torch.cat([each[index][each[2]] for each in told]).double() for index in (0, 1))
    # Only the ratio of the two counts; the larger becomes 1, so that neither is lost to rounding.
    larger = torch.maximum(ours, theirs)
    ours, theirs = (ours - larger).exp(), (theirs - larger).exp()
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        weight = (low + high) / 2
        rises = ((ours - theirs) / (weight * ours + (1 - weight) * theirs)).sum() > 0
        low, high = (weight, high) if rises else (low, weight)
    return Mixture(first, second, (low + high) / 2)


def _check_alike(first: Language, second: Language) -> None:
    if first.outputs != second.outputs:
        raise ValueError(
            f"languages in a mixture must have one vocabulary, got {first.outputs} and {second.outputs} token "
            "numbers; make both with the same tokenizer"
        )


def _log(share: float) -> float:
    return math.log(share) if share > 0 else -math.inf
