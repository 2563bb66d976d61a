"""From an equalized signal to tokens: all at once, greedily one after another, or with a beam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from semcom.models.evidence import START, Apart, Evidence, InTurn, Turn
from semcom.models.sides import Receiver
from semcom.sources.batches import SentenceBatch


def shifted(tokens: Tensor) -> Tensor:
    """The token before each token; START before the first."""
    return torch.cat((torch.full_like(tokens[:, :1], START), tokens[:, :-1]), dim=1)


def listen(receiver: Receiver, equalized: Tensor, batch: SentenceBatch) -> Evidence:
    """What a receiver makes of an equalized signal [batch, K], for a search that knows more than the receiver.

    Args:
        batch: only its mask and lengths are read, never its tokens.
    """
    if receiver.autoregressive:
        return InTurn(receiver, equalized, batch)
    return Apart(receiver(equalized, batch).logits)


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


def _greedy(receiver: Receiver, equalized: Tensor, batch: SentenceBatch) -> Tensor:
    evidence = InTurn(receiver, equalized, batch)
    turn = evidence.begin(1)
    tokens = [turn.logits.argmax(dim=-1)]
    for _ in range(1, batch.mask.shape[1]):
        turn = evidence.follow(turn, tokens[-1])
        tokens.append(turn.logits.argmax(dim=-1))
    return torch.stack(tokens, dim=1)


def _beam(receiver: Receiver, equalized: Tensor, batch: SentenceBatch, beam: int) -> Tensor:
    def log_p(turn: Turn) -> Tensor:
        return turn.logits.log_softmax(dim=-1).unflatten(0, (len(batch), beam))

    return beam_search(InTurn(receiver, equalized, batch), log_p, batch, beam)


def beam_search(evidence: Evidence, log_p: Callable[[Any], Tensor], batch: SentenceBatch, beam: int) -> Tensor:
    """Keep the `beam` likeliest beginnings of each sentence; log-probabilities add up over real tokens alone.

    Args:
        log_p: of a state of the evidence, log-probabilities [batch, beam, vocabulary].

    Returns: the tokens [batch, length].
    """
    turn = evidence.begin(beam)
    rows, length = batch.mask.shape
    device = batch.mask.device
    tokens = torch.zeros((rows, beam, length), dtype=torch.long, device=device)
    # All copies start alike, so only the first may win the first round.
    totals = torch.full((rows, beam), -torch.inf, device=device)
    totals[:, 0] = 0.0
    for position in range(length):
        scores = log_p(turn)
        vocabulary = scores.shape[-1]
        candidates = totals[..., None] + scores
        best, index = candidates.flatten(1).topk(beam, dim=-1)
        real = batch.mask[:, position, None]
        # Past a sentence's end the ranking is settled: keep every hypothesis where it is.
        totals = torch.where(real, best, totals)
        stay = torch.arange(beam, device=device).expand(rows, beam)
        parents = torch.where(real, index // vocabulary, stay)
        tokens = tokens.gather(1, parents[..., None].expand_as(tokens))
        tokens[..., position] = index % vocabulary
        if position + 1 < length:
            turn = evidence.extend(turn, parents, tokens[..., position])
    return tokens[:, 0]
