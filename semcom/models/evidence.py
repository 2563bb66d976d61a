"""Evidence: what a receiver makes of one signal, token by token, under several hypotheses at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from semcom.models.layers import KeysAndValues
from semcom.models.sides import Receiver, attention_mask
from semcom.sources.batches import SentenceBatch

START = 1  # the token before the first; every tokenizer of semcom.sources keeps it at 1


class Evidence(Protocol):
    """Log-probabilities of tokens given the signals of a batch, position after position.

    A search holds equally many hypotheses of each sentence, all of one length. A state stands for them; it belongs to
    the evidence that made it and is never changed, so that one evidence serves any number of searches.
    """

    @property
    def vocabulary(self) -> int:
        """How many token numbers there are."""

    @property
    def remembers(self) -> int | None:
        """How many last tokens of a hypothesis its scores depend on: 0 where none do, None where all do."""

    @property
    def sifts(self) -> bool:
        """Whether its scores alone tell which tokens are worth trying.

        They do not where every past makes a code of its own: among many hypotheses any token then fits one of them.
        """

    def begin(self, hypotheses: int) -> Any:
        """The state of so many empty hypotheses of each sentence, before the first position."""

    def scores(self, state: Any) -> Tensor:
        """Log-probabilities at the position behind the hypotheses [nats], a constant apart where only that is known.

        Returns: [batch, hypotheses, vocabulary], double; [batch, 1, vocabulary] where all hypotheses share them.
        """

    def extend(self, state: Any, parents: Tensor, tokens: Tensor) -> Any:
        """The state one position on; not to be asked for behind the last position.

        Args:
            parents: which of its sentence's hypotheses each new one goes on from [batch, hypotheses], long.
            tokens: what stands behind it there [batch, hypotheses], long.
        """


class Apart:
    """The evidence of a parallel receiver: whatever stands elsewhere, a position's scores are the same.

    Args:
        logits: [batch, length, vocabulary].
    """

    remembers: int | None = 0
    sifts = True

    def __init__(self, logits: Tensor) -> None:
        self.vocabulary = logits.shape[-1]
        self._logits = logits
        self._normalizers = logits.logsumexp(dim=-1, keepdim=True)

    def begin(self, hypotheses: int) -> int:
        """The first position; hypotheses make no difference."""
        return 0

    def scores(self, state: int) -> Tensor:
        """Log-probabilities [batch, 1, vocabulary] of one position."""
        return _normalized(self._logits[:, state, None], self._normalizers[:, state, None])

    def extend(self, state: int, parents: Tensor, tokens: Tensor) -> int:
        """The next position."""
        return state + 1

    def likeliest(self) -> tuple[Tensor, Tensor]:
        """The likeliest token of every position, and its probability [batch, length].

        It is what a search without language would find, exactly: where nothing ties positions together, there is
        nothing to search.
        """
        best = self._logits.max(dim=-1)
        return best.indices, (best.values - self._normalizers[..., 0]).exp()


@dataclass(frozen=True, eq=False)
class _Signal:
    """The features of a signal, as many times as there are hypotheses, and what every layer remembers of them."""

    heard: Tensor
    received: list[KeysAndValues]
    mask: Tensor | None


@dataclass(frozen=True, eq=False)
class Turn:
    """One position of an autoregressive receiver: logits [batch * hypotheses, vocabulary], and the past so far."""

    signal: _Signal
    past: list[KeysAndValues | None]
    logits: Tensor
    position: int


class InTurn:
    """The evidence of an autoregressive receiver: scores depend on every token before.

    Hypotheses of one sentence are neighboring rows.

    Args:
        equalized: [batch, K] complex.
        batch: only its mask is read, never its tokens.
    """

    remembers: int | None = None
    sifts = True

    def __init__(self, receiver: Receiver, equalized: Tensor, batch: SentenceBatch) -> None:
        self.vocabulary = receiver.output.out_features
        self._receiver = receiver
        self._heard = receiver.hear(equalized)
        self._mask = attention_mask(batch)

    def begin(self, hypotheses: int) -> Turn:
        """The first position, behind START."""
        heard = self._heard.repeat_interleave(hypotheses, dim=0)
        mask = None if self._mask is None else self._mask.repeat_interleave(hypotheses, dim=0)
        layers = self._receiver.layers
        received = [layer.across.remember(heard) for layer in layers]  # type: ignore[union-attr,operator]
        start = torch.full((len(heard),), START, device=heard.device)
        return self._at(_Signal(heard, received, mask), [None] * len(layers), start, position=0)

    def scores(self, state: Turn) -> Tensor:
        """Log-probabilities [batch, hypotheses, vocabulary] of one position."""
        logits = state.logits.unflatten(0, (len(self._heard), -1))
        return _normalized(logits, logits.logsumexp(dim=-1, keepdim=True))

    def extend(self, state: Turn, parents: Tensor, tokens: Tensor) -> Turn:
        """The next position, each hypothesis with the past of its parent."""
        first_row = torch.arange(len(parents), device=parents.device)[:, None] * parents.shape[1]
        rows = (first_row + parents).flatten()
        past = [None if each is None else (each[0][rows], each[1][rows]) for each in state.past]
        return self._at(state.signal, past, tokens.flatten(), position=state.position + 1)

    def follow(self, state: Turn, tokens: Tensor) -> Turn:
        """The next position where every row goes on, which copies no past; `tokens` [batch * hypotheses]."""
        return self._at(state.signal, state.past, tokens, position=state.position + 1)

    def _at(self, signal: _Signal, past: list[KeysAndValues | None], previous: Tensor, *, position: int) -> Turn:
        receiver, grown = self._receiver, list(past)
        features = receiver.start(previous[:, None], signal.heard[:, position : position + 1], first=position)
        for index, layer in enumerate(receiver.layers):
            features, grown[index] = layer.step(  # type: ignore[operator]
                features, signal.received[index], past[index], signal.mask
            )
        return Turn(signal, grown, receiver.output(receiver.norm(features))[:, 0], position)


def _normalized(logits: Tensor, normalizers: Tensor) -> Tensor:
    """Log-probabilities, in double precision: two logits that differ at all must never come out alike."""
    return logits.double() - normalizers.double()
