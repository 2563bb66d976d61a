"""Distiller: the objective that holds a frozen teacher and weighted methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from channels import Chance, Link, draw
from semcom.distillation.method import Method
from semcom.models.codec import SemanticCodec
from semcom.models.trace import Trace
from semcom.sources.batches import SentenceBatch
from semcom.tasks.text import overhear, rehearse
from semcom.training.objective import Losses, hard_labels

Hears = Literal["student", "own"]


class Distiller(nn.Module):
    """Train a student on its teacher's view of the same sentences in the same air.

    A posterior is a sound target only for the signal it was computed from. So by default the teacher's frozen
    receiver reads the *student's* received signal (`hears="student"`); with `hears="own"` each codec hears its
    own transmitter through one shared draw of the air, the naive form, whose low-SNR confusions are about
    another observation.

    Args:
        student: trained.
        teacher: frozen; its weights are never part of what is saved or stepped.
        methods: each adds its weighted loss under its `kind`.
        label_weight: weight of the plain cross-entropy to the true tokens; 0 leaves it out.
        hears: whose signal the teacher's receiver reads.

    Raises:
        ValueError: student and teacher put different numbers of symbols on the air, so no draw can be shared.
    """

    def __init__(
        self,
        student: SemanticCodec,
        teacher: SemanticCodec,
        methods: Sequence[Method],
        *,
        label_weight: float = 1.0,
        hears: Hears = "student",
    ) -> None:
        super().__init__()
        ours, theirs = student.spec.symbols_per_token, teacher.spec.symbols_per_token
        if ours != theirs:
            raise ValueError(
                f"student and teacher must send equally many symbols a token to share the air, got {ours} and {theirs}"
            )
        if student.vocabulary != teacher.vocabulary:
            raise ValueError(
                f"student and teacher must share a vocabulary, got {student.vocabulary} and {teacher.vocabulary} tokens"
            )
        kinds = [method.kind for method in methods]
        if len(set(kinds)) < len(kinds):
            raise ValueError(
                f"each method must be of another kind, got {', '.join(kinds)}; losses are told apart by it"
            )
        self.student = student
        self.methods = tuple(methods)
        self.adapters = nn.ModuleList(method.adapters(student.spec, teacher.spec) for method in methods)
        self.label_weight = label_weight
        self.hears = hears
        # In a tuple the teacher is no sub-module: it is neither trained, nor saved, nor switched to training mode.
        self._teacher = (teacher.eval().requires_grad_(False),)

    @property
    def teacher(self) -> SemanticCodec:
        """The frozen teacher."""
        return self._teacher[0]

    def forward(self, batch: SentenceBatch, link: Link, chance: Chance) -> Losses:
        """Named, weighted losses of one batch."""
        air = draw(link, self.student.symbols(batch), chance).to(batch.tokens.device)
        ours = rehearse(self.student, batch, link, air)
        with torch.no_grad():
            theirs = rehearse(self.teacher, batch, link, air) if self.hears == "own" else self._listen_in(ours, batch)
        losses: Losses = {}
        if self.label_weight:
            losses["hard_labels"] = self.label_weight * hard_labels(ours)
        for method, adapters in zip(self.methods, self.adapters, strict=True):
            losses[method.kind] = method.weight * method.loss(ours, theirs, adapters)
        return losses

    def _listen_in(self, ours: Trace, batch: SentenceBatch) -> Trace:
        """The teacher's own transmitter, and its receiver on the signal that the student's receiver holds."""
        return Trace(
            targets=batch.tokens,
            mask=batch.mask,
            sent=self.teacher.transmitter(batch),
            equalized=ours.equalized.detach(),
            heard=overhear(self.teacher, ours.equalized, batch),
        )
