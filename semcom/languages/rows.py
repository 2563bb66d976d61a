"""Whole sentences in the eyes of a language: what follows every beginning, and how likely all tokens are there."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional as F

from semcom.languages.language import BOUNDARY, Language
from semcom.sources.batches import SentenceBatch
from semcom.sources.tokenizer import PAD


@runtime_checkable
class Overall(Protocol):
    """A language that knows a faster way than token by token."""

    def everything(self, batch: SentenceBatch) -> Tensor:
        """Log-probabilities of all tokens at every position of whole sentences [batch, longest + 1, vocabulary]."""


def following(batch: SentenceBatch) -> tuple[Tensor, Tensor]:
    """What follows each beginning of whole sentences, BOUNDARY behind the last token; and where anything does.

    Returns: token numbers, PAD behind the end, and True up to the end; [batch, longest + 1] both.
    """
    places = torch.arange(batch.tokens.shape[1] + 1, device=batch.tokens.device)
    ends = batch.lengths[:, None]
    tokens = F.pad(batch.tokens, (0, 1), value=PAD).masked_fill(places == ends, BOUNDARY)
    return tokens, places <= ends


def rows_of(language: Language, batch: SentenceBatch) -> Tensor:
    """Log-probabilities of all tokens at every position of whole sentences [batch, longest + 1, vocabulary].

    Row i stands behind the first i tokens; what rows behind a sentence's end say means nothing.
    """
    if isinstance(language, Overall):
        return language.everything(batch)
    state = language.begin(len(batch))
    everybody = torch.arange(len(batch), device=batch.tokens.device)
    rows = [language.scores(state)]
    for tokens in batch.tokens.unbind(dim=1):
        state = language.extend(state, everybody, tokens)
        rows.append(language.scores(state))
    return torch.stack(rows, dim=1)
