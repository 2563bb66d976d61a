"""Language: what every language model promises: how likely a token is after a given beginning of a sentence."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from semcom.sources.batches import SentenceBatch

BOUNDARY = 1
"""The token before the first and after the last of a sentence: START of every tokenizer, which no sentence holds."""


class Language(Protocol):
    """Log-probabilities of tokens after beginnings of sentences, many beginnings at a time.

    A language chooses among all token numbers. BOUNDARY says that the sentence ends here; padding and unknown pieces
    have whatever little probability the model leaves them. Over all token numbers the probabilities sum to one.

    A state stands for rows of beginnings. It belongs to the language that made it; nobody else looks inside.
    """

    @property
    def outputs(self) -> int:
        """The vocabulary: how many token numbers there are."""

    @property
    def memory(self) -> int | None:
        """How many last tokens of a beginning matter; None where all do.

        Beginnings of one length that agree in so many last tokens have the same future, so a search keeps one of them.
        """

    def begin(self, rows: int) -> Any:
        """The state of so many empty beginnings, before the first token."""

    def scores(self, state: Any, candidates: Tensor | None = None) -> Tensor:
        """Log-probabilities of next tokens [nats].

        Args:
            candidates: token numbers [rows, C], long; None means all of the vocabulary in order.

        Returns: [rows, C], or [rows, vocabulary].
        """

    def extend(self, state: Any, parents: Tensor, tokens: Tensor) -> Any:
        """The state of new rows: row i is row `parents[i]` of the old state, with `tokens[i]` behind it.

        Args:
            parents: [new rows], long; a row may go on several times, or not at all.
            tokens: [new rows], long.
        """

    def tell(self, batch: SentenceBatch) -> Tensor:
        """Log-probability of every token of whole sentences after those before it, and of the end [nats].

        Returns: [batch, longest + 1]; behind the last token of each sentence stands the BOUNDARY's, behind that zeros.
        """
