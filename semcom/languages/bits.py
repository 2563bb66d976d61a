"""Bits per token: how well a language knows a text."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from semcom.languages.language import Language
from semcom.sources.batches import SentenceBatch


def bits_per_token(language: Language, batches: Iterable[SentenceBatch], *, ends: bool = False) -> float:
    """Mean surprise of a language at the tokens of a text [bits per token].

    Args:
        ends: the end of each sentence is a token too. Without, ends count neither in the sum nor in the mean, as a
            receiver is told where a sentence ends.

    Raises:
        ValueError: there is no batch.
    """
    nats, tokens = 0.0, 0
    for batch in batches:
        told = language.tell(batch).double()
        nats -= float(told.sum() if ends else torch.where(batch.mask, told[:, :-1], 0.0).sum())
        tokens += int(batch.lengths.sum()) + ends * len(batch)
    if not tokens:
        raise ValueError("bits per token need at least one batch, got none; give a text that is not empty")
    return nats / tokens / math.log(2)
