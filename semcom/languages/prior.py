"""Prior: what a language says of a sentence before anything is heard, weighted to stand beside a signal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semcom.languages.language import BOUNDARY, Language
from semcom.languages.settings import Weights


def unigram_of(encoded: Iterable[Sequence[int]], outputs: int) -> Tensor:
    """Log-probability of every token number in a text [outputs], double [nats]; each sentence ends in one BOUNDARY.

    Every number is counted once more than it occurs, so that none is impossible.
    """
    counts = torch.ones(outputs, dtype=torch.double)
    for ids in encoded:
        counts += torch.bincount(torch.tensor([*ids, BOUNDARY]), minlength=outputs)
    return (counts / counts.sum()).log()


@dataclass(frozen=True, eq=False)
class Prior:
    """What is added to the evidence of a token: language log p_LM(t_i | t_<i) - alpha log p_1(t_i) (see `Weights`).

    Without a language there is nothing to add, and alpha does not count either.

    Args:
        unigram: log-probability of every token number in the text that the receiver was trained on [outputs].
    """

    language: Language | None
    unigram: Tensor | None
    weights: Weights

    def __post_init__(self) -> None:
        floored = self.weights.floor is not None and self.weights.language > 0
        needs = self.language is not None and (self.weights.alpha > 0 or floored)
        if needs and self.unigram is None:
            raise ValueError("alpha and floor need the unigram, got None; count it with unigram_of, or do without both")
        if self.unigram is not None and self.language is not None and len(self.unigram) != self.language.outputs:
            raise ValueError(
                f"unigram must have the language's {self.language.outputs} token numbers, got {len(self.unigram)}; "
                "count it with the same tokenizer"
            )

    @property
    def memory(self) -> int | None:
        """How many last tokens the language looks at; 0 where it does not count."""
        return 0 if (asked := self._asked) is None else asked.memory

    @property
    def _asked(self) -> Language | None:
        return self.language if self.weights.language else None

    def begin(self, rows: int) -> Any:
        """The language's state of so many empty beginnings."""
        return None if (asked := self._asked) is None else asked.begin(rows)

    def extend(self, state: Any, parents: Tensor, tokens: Tensor) -> Any:
        """The language's state one token on.

        Args:
            parents: which of its sentence's hypotheses each new one goes on from [batch, hypotheses].
            tokens: what stands behind it [batch, hypotheses].
        """
        if (asked := self._asked) is None:
            return None
        first_row = torch.arange(len(parents), device=parents.device)[:, None] * parents.shape[1]
        return asked.extend(state, (first_row + parents).flatten(), tokens.flatten())

    def scores(self, state: Any, tokens: Tensor, hypotheses: int) -> Tensor:
        """What is added for next tokens, of each sentence the same ones [batch, C] for all its hypotheses.

        Returns: [batch, hypotheses, C] double; [batch, 1, C] where no language tells hypotheses apart.
        """
        alpha = self.weights.alpha if self.language is not None else 0.0
        added = self._unigram(tokens) * -alpha if alpha else torch.zeros_like(tokens, dtype=torch.double)
        if self._asked is None:
            return added[:, None]
        return added[:, None] + self._language(state, tokens, hypotheses)

    def end(self, state: Any, hypotheses: Tensor) -> Tensor:
        """What is added for the end of the sentence here, double, in the form of `hypotheses` [batch, hypotheses]."""
        if self._asked is None:
            return torch.zeros_like(hypotheses, dtype=torch.double)
        return self._language(state, torch.full_like(hypotheses[:, :1], BOUNDARY), hypotheses.shape[1])[..., 0]

    def _language(self, state: Any, tokens: Tensor, hypotheses: int) -> Tensor:
        assert self._asked is not None
        # Asked about all tokens, in order, a language need not look each of them up.
        each = None if tokens.shape[1] == self._asked.outputs else tokens.repeat_interleave(hypotheses, dim=0)
        told = self._asked.scores(state, each).double()
        told = told.unflatten(0, (len(tokens), hypotheses))
        if self.weights.floor is not None:
            told = told.maximum(self._unigram(tokens)[:, None] - self.weights.floor)
        return self.weights.language * told

    def _unigram(self, tokens: Tensor) -> Tensor:
        assert self.unigram is not None
        return self.unigram.to(tokens.device)[tokens].double()
