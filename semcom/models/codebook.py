"""Codebook: a codec whose symbols are looked up in a random book, and whose receiver weighs exact likelihoods."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from channels import Arrived
from semcom.models.book import Book
from semcom.models.chained import Chained
from semcom.models.codebook_spec import CodebookSpec
from semcom.models.codec import Codec
from semcom.models.evidence import Apart, Evidence
from semcom.models.likelihoods import heard_in, spoken_by
from semcom.models.search import beam_search
from semcom.models.semantic import TOKENS
from semcom.models.trace import Heard, Sent
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch, make_batch


class Codebook(Codec):
    """The control of every learned code: what does it bring that it was learned?

    Both sides hold one book, and all users of one spec the same. The receiver knows gain and noise power as far as its
    csi does, takes interference for Gaussian noise, and every token for equally likely; a language knows better.

    Args:
        spec: the shape.
        outputs: how many token numbers there are, the vocabulary.
    """

    spec: CodebookSpec
    transmitter: Book
    receiver: Book

    def __init__(self, spec: CodebookSpec, outputs: int) -> None:
        super().__init__(spec, outputs)
        self.transmitter = Book(spec, outputs)
        self.receiver = self.transmitter

    def example(self) -> SentenceBatch:
        """One sentence of 20 tokens."""
        return make_batch([[index % self.outputs for index in range(TOKENS)]])

    def stacks(self) -> tuple[nn.ModuleList, ...]:
        """No layers."""
        return ()

    def send(self, batch: Batch) -> Sent:
        """Symbols [batch, K] complex, unit power for each token, padding silent."""
        assert isinstance(batch, SentenceBatch)
        symbols = self.transmitter(batch.tokens)
        return Sent((symbols * batch.mask[..., None]).flatten(1), layers=())

    def hear(self, arrived: Arrived, batch: Batch) -> Heard:
        """Log-likelihoods of every token as logits; with memory behind the true past."""
        assert isinstance(batch, SentenceBatch)
        heard = self._heard(arrived)
        logits = self._behind_truth(Chained(self.receiver, heard), batch) if self.spec.memory else self._apart(heard)
        return Heard(features=heard.float(), layers=(), logits=logits.float())

    def decode(self, arrived: Arrived, batch: Batch, *, beam: int = 1) -> Tensor:
        """The likeliest tokens [batch, length] by the signal alone; with memory as far as a beam search looks."""
        assert isinstance(batch, SentenceBatch)
        heard = self._heard(arrived)
        if not self.spec.memory:
            return self._apart(heard).argmax(dim=-1)
        evidence = Chained(self.receiver, heard)
        return beam_search(evidence, evidence.scores, batch, beam)

    def listen(self, arrived: Arrived, batch: Batch) -> Evidence:
        """The likelihoods of every token, with memory behind any past."""
        heard = self._heard(arrived)
        return Chained(self.receiver, heard) if self.spec.memory else Apart(self._apart(heard))

    def _heard(self, arrived: Arrived) -> Tensor:
        return heard_in(arrived, self.spec.symbols_per_token)

    def _apart(self, heard: Tensor) -> Tensor:
        """Log-likelihoods of all tokens [batch, length, vocabulary], double."""
        return heard @ spoken_by(self.receiver.table())

    def _behind_truth(self, evidence: Chained, batch: SentenceBatch) -> Tensor:
        state, found = evidence.begin(1), []
        stay = torch.zeros_like(batch.tokens[:, :1])
        for position in range(batch.tokens.shape[1]):
            found.append(evidence.scores(state)[:, 0])
            state = evidence.extend(state, stay, batch.tokens[:, position, None])
        return torch.stack(found, dim=1)
