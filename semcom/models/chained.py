"""Chained: the evidence of a code with memory, whose likelihoods hang on the last tokens of each hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from semcom.models.book import Book
from semcom.models.evidence import START
from semcom.models.likelihoods import spoken_by


@dataclass(frozen=True, eq=False)
class Standing:
    """Hypotheses before a position, by their last tokens [batch, hypotheses, memory]."""

    position: int
    recent: Tensor


class Chained:
    """Exact log-likelihoods [nats] of tokens after the past of each hypothesis; absolute, for pasts compete.

    The signal of a position is held against all rows of the book at once, in one product of matrices. What a hypothesis
    says of a token is then one number of these: cheaper than to put symbols together for every hypothesis and token.

    Args:
        heard: what the signal says (`heard_in`) [batch, length, 3 n + 1].
    """

    sifts = False

    def __init__(self, book: Book, heard: Tensor) -> None:
        self.vocabulary, self.remembers = book.outputs, book.spec.memory
        self._book, self._heard = book, heard.float()
        self._rows = spoken_by(book.table()).float()
        self._scattered = book.scattered(torch.arange(book.outputs, device=heard.device))

    def begin(self, hypotheses: int) -> Standing:
        """The first position, behind nothing but STARTs."""
        shape = (len(self._heard), hypotheses, self.remembers)
        return Standing(0, torch.full(shape, START, device=self._heard.device))

    def scores(self, state: Standing) -> Tensor:
        """Log-likelihoods [batch, hypotheses, vocabulary] of one position, double."""
        of_rows = self._heard[:, state.position] @ self._rows
        position = torch.tensor(state.position, device=of_rows.device)
        places = self._book.hashed(state.recent, position)[..., None] ^ self._scattered
        return of_rows.gather(1, places.flatten(1)).unflatten(1, places.shape[1:]).double()

    def extend(self, state: Standing, parents: Tensor, tokens: Tensor) -> Standing:
        """The next position, each hypothesis behind the tokens of its parent."""
        recent = state.recent.gather(1, parents[..., None].expand_as(state.recent))
        return Standing(state.position + 1, torch.cat((recent[..., 1:], tokens[..., None]), dim=2))
