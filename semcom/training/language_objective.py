"""NextToken: the objective of a language model that learns from text alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from channels import Chance, Link
from semcom.languages.rows import following
from semcom.languages.transformer import TransformerLanguage
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch
from semcom.training.objective import Losses


def next_token(logits: Tensor, batch: SentenceBatch) -> Tensor:
    """Mean surprise at what follows each beginning, the end of each sentence included [nats per token]."""
    tokens, real = following(batch)
    kept = torch.where(real, tokens, -1)
    return F.cross_entropy(logits.flatten(0, 1), kept.flatten(), ignore_index=-1)


class NextToken(nn.Module):
    """Learn from the text alone; nothing is sent, so there are no links and no chance."""

    def __init__(self, language: TransformerLanguage) -> None:
        super().__init__()
        self.language = language

    def forward(self, batch: Batch, links: Sequence[Link], chance: Chance) -> Losses:
        assert isinstance(batch, SentenceBatch)
        return {"next_token": next_token(self.language.logits(batch), batch)}
