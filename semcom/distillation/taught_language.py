"""TaughtLanguage: the objective of a language model that learns from another language."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from channels import Arrived, Chance, Link
from semcom.distillation.ensemble import nothing_sent
from semcom.distillation.method import LOGITS, Method, check_methods
from semcom.languages.language import Language
from semcom.languages.rows import following, rows_of
from semcom.languages.transformer import TransformerLanguage
from semcom.models.trace import Heard, Trace
from semcom.sources.batch import Batch
from semcom.sources.batches import SentenceBatch
from semcom.training.language_objective import next_token
from semcom.training.objective import Losses

LEAST = -50.0  # nats: what a language rules out altogether; any divergence from it would be infinite


class TaughtLanguage(nn.Module):
    """Train a student on the text, and on what its teacher holds likely at every position of it.

    loss = label_weight * next_token + sum over methods of weight * loss

    Any language can teach: a larger one, counts, a mixture. Where the text is one that the teacher made up
    (`make_up`), the corpus is not needed at all. Ends of sentences count as tokens everywhere.

    Args:
        student: trained.
        teacher: asked only, never part of what is saved or stepped; on the device that the student trains on.
        methods: those that look at logits alone, each of which adds its weighted loss under its `kind`.
        label_weight: factor of the loss on the text itself; 0 leaves it out.

    Raises:
        ValueError: the two have not one vocabulary, or nothing would be taught.
    """

    def __init__(
        self,
        student: TransformerLanguage,
        teacher: Language,
        methods: Sequence[Method],
        *,
        label_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if student.outputs != teacher.outputs:
            raise ValueError(
                "student and teacher must have one vocabulary, "
                f"got {student.outputs} and {teacher.outputs} token numbers; make both with the same tokenizer"
            )
        for method in methods:
            if method.sees != LOGITS:
                raise ValueError(
                    f"method {method.kind} must look at logits alone to teach a language, got one that looks at "
                    f"{', '.join(sorted(method.sees))}; leave it out"
                )
        check_methods(methods, transmitter_is_frozen=False)
        if not 0 <= label_weight < math.inf:
            raise ValueError(f"label_weight must be at least 0 and finite, got {label_weight}")
        if not label_weight and not any(method.weight for method in methods):
            raise ValueError("label_weight or the weight of a method must be above 0, got 0 for all; raise one of them")
        self.student = student
        self.methods = tuple(methods)
        self.label_weight = label_weight
        # In a tuple a teacher is no sub-module: it is neither trained, nor saved, nor switched to training mode.
        self._teacher = (teacher,)

    def forward(self, batch: Batch, links: Sequence[Link], chance: Chance) -> Losses:
        """Named, weighted losses of one batch."""
        assert isinstance(batch, SentenceBatch)
        logits = self.student.logits(batch)
        losses: Losses = {}
        if self.label_weight:
            losses["next_token"] = self.label_weight * next_token(logits, batch)
        with torch.no_grad():
            known = rows_of(self._teacher[0], batch).clamp_min(LEAST)
        ours, theirs = spoken(logits.float(), batch), spoken(known, batch)
        for method in self.methods:
            losses[method.kind] = method.weight * method.loss(ours, theirs, nn.Identity())
        return losses


def spoken(logits: Tensor, batch: SentenceBatch) -> Trace:
    """What methods on logits look at, where nothing was sent: one position more than there are tokens, for the end."""
    tokens, real = following(batch)
    unseen = torch.full_like(logits[:, :, 0], math.nan)
    return Trace(
        targets=tokens,
        mask=real,
        sent=nothing_sent(unseen),
        arrived=Arrived(unseen, ()),
        heard=Heard(features=unseen, layers=(), logits=logits),
    )
