"""From an equalized signal to tokens: all at once, greedily one after another, or with a beam."""

from __future__ import annotations

import torch
from torch import Tensor

from semcom.models.layers import KeysAndValues
from semcom.models.sides import Receiver, attention_mask
from semcom.sources.batches import SentenceBatch

START = 1  # the token before the first; every tokenizer of semcom.sources keeps it at 1


def shifted(tokens: Tensor) -> Tensor:
    """The token before each token; START before the first."""
    return torch.cat((torch.full_like(tokens[:, :1], START), tokens[:, :-1]), dim=1)


def decode(receiver: Receiver, equalized: Tensor, batch: SentenceBatch, *, beam: int = 1) -> Tensor:
    """The most likely tokens [batch, length], as far as the search looks.

    The receiver is told the frame length, as a header would tell it, so the search has no end mark to find.

    Args:
        equalized: [batch, K] complex.
        batch: only its mask and lengths are read, never its tokens.
        beam: hypotheses kept per sentence; 1 is greedy. A parallel decoder decides positions apart and has
            no use for it.
    """
    if not receiver.autoregressive:
        best: Tensor = receiver(equalized, batch).logits.argmax(dim=-1)
        return best
    return _beam(receiver, equalized, batch, beam) if beam > 1 else _greedy(receiver, equalized, batch)


class _Stepper:
    """The autoregressive decoder one position at a time, over rows that may be copied and reordered."""

    def __init__(self, receiver: Receiver, equalized: Tensor, batch: SentenceBatch, copies: int) -> None:
        self.receiver = receiver
        self.heard = receiver.hear(equalized).repeat_interleave(copies, dim=0)
        mask = attention_mask(batch)
        self.mask = None if mask is None else mask.repeat_interleave(copies, dim=0)
        self.received = [layer.across.remember(self.heard) for layer in receiver.layers]  # type: ignore[union-attr,operator]
        self.past: list[KeysAndValues | None] = [None] * len(receiver.layers)

    def logits(self, previous: Tensor, position: int) -> Tensor:
        """Logits [rows, vocabulary] of one position, given the token before it [rows]."""
        here = self.heard[:, position : position + 1]
        features = self.receiver.start(previous[:, None], here, first=position)
        for index, layer in enumerate(self.receiver.layers):
            features, self.past[index] = layer.step(  # type: ignore[operator]
                features, self.received[index], self.past[index], self.mask
            )
        scores: Tensor = self.receiver.output(self.receiver.norm(features))[:, 0]
        return scores

    def reorder(self, rows: Tensor) -> None:
        """Go on with these rows of the past."""
        self.past = [None if past is None else (past[0][rows], past[1][rows]) for past in self.past]


def _greedy(receiver: Receiver, equalized: Tensor, batch: SentenceBatch) -> Tensor:
    stepper = _Stepper(receiver, equalized, batch, copies=1)
    rows, length = batch.tokens.shape
    tokens = torch.full((rows, length + 1), START, device=equalized.device)
    for position in range(length):
        tokens[:, position + 1] = stepper.logits(tokens[:, position], position).argmax(dim=-1)
    return tokens[:, 1:]


def _beam(receiver: Receiver, equalized: Tensor, batch: SentenceBatch, beam: int) -> Tensor:
    """Keep the `beam` likeliest beginnings of each sentence; log-probabilities add up over real tokens alone."""
    stepper = _Stepper(receiver, equalized, batch, copies=beam)
    rows, length = batch.tokens.shape
    tokens = torch.full((rows * beam, length + 1), START, device=equalized.device)
    # All copies start alike, so only the first may win the first round.
    totals = torch.full((rows, beam), -torch.inf, device=equalized.device)
    totals[:, 0] = 0.0
    first_row = torch.arange(rows, device=equalized.device)[:, None] * beam
    for position in range(length):
        scores = stepper.logits(tokens[:, position], position).log_softmax(dim=-1).unflatten(0, (rows, beam))
        vocabulary = scores.shape[-1]
        candidates = totals[..., None] + scores
        best, index = candidates.flatten(1).topk(beam, dim=-1)
        real = batch.mask[:, position, None]
        # Past a sentence's end the ranking is settled: keep every hypothesis where it is.
        totals = torch.where(real, best, totals)
        stay = torch.arange(beam, device=equalized.device).expand(rows, beam)
        parent = torch.where(real, index // vocabulary, stay)
        chosen = (first_row + parent).flatten()
        tokens = tokens[chosen]
        tokens[:, position + 1] = (index % vocabulary).flatten()
        stepper.reorder(chosen)
    return tokens.unflatten(0, (rows, beam))[:, 0, 1:]
