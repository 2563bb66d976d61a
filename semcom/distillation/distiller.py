"""Distiller: the objective that holds a frozen teacher and weighted methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from channels import Chance, Link, Realization, draw, equalize, everyone, mean_sinr_db, superpose
from semcom.distillation.method import Method, Part, check_methods
from semcom.models.codec import SemanticCodec
from semcom.models.trace import Sent, Trace
from semcom.sources.batches import SentenceBatch
from semcom.tasks.text import crowd_of, overhear, rehearse
from semcom.training.objective import Losses, hard_labels

Hears = Literal["student", "own"]
Interferers = Literal["same", "none"]

# What a trip shows of its transmitter; where no method looks at it, the teacher's need not run.
OF_TRANSMITTER: frozenset[Part] = frozenset({"sent", "received", "attention"})


class Distiller(nn.Module):
    """Train a student on its teacher's view of the same sentences in the same air.

    A posterior is a sound target only for the signal it was computed from. So by default the teacher's frozen
    receiver reads the *student's* received signal (`hears="student"`); with `hears="own"` each codec hears its
    own transmitter through one shared draw of the air, the naive form, whose low-SNR confusions are about
    another observation.

    A privileged teacher hears the same draw with weaker noise (`cleaner_db`) or without the interference
    (`teacher_interferers="none"`). It knows more than its student can, so it is no longer the right posterior for
    what the student hears, but one that is oftener right.

    Args:
        student: trained.
        teacher: frozen; its weights are never part of what is saved or stepped.
        methods: each adds its weighted loss under its `kind`.
        label_weight: weight of the plain cross-entropy to the true tokens; 0 leaves it out.
        hears: whose signal the teacher's receiver reads.
        cleaner_db: how much weaker the noise is at the teacher's receiver [dB].
        teacher_interferers: whether the teacher's receiver meets the interference.
        above_sinr_db: batches whose mean SINR at the student is lower teach by labels alone [dB]; None: all count.
        seed: of the adapters' first weights.

    Raises:
        ValueError: student and teacher cannot share the air or the tokens, or a method would teach nobody.

    Source: privileged teachers, Lopez-Paz, Bottou, Schoelkopf and Vapnik, Unifying Distillation and Privileged
    Information, ICLR 2016, section 4; the same draw in cleaner air is our reconstruction.
    """

    def __init__(
        self,
        student: SemanticCodec,
        teacher: SemanticCodec,
        methods: Sequence[Method],
        *,
        label_weight: float = 1.0,
        hears: Hears = "student",
        cleaner_db: float = 0.0,
        teacher_interferers: Interferers = "same",
        above_sinr_db: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_pair(student, teacher)
        check_methods(methods, transmitter_is_frozen=is_frozen(student.transmitter))
        if not 0 <= cleaner_db < math.inf:
            raise ValueError(f"cleaner_db must be at least 0 and finite, got {cleaner_db}")
        self.student = student
        self.methods = tuple(methods)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.adapters = nn.ModuleList(method.adapters(student.spec, teacher.spec) for method in methods)
        self.label_weight = label_weight
        self.hears = hears
        self.cleaner_db = cleaner_db
        self.teacher_interferers = teacher_interferers
        self.above_sinr_db = above_sinr_db
        self._seen = frozenset().union(*(method.sees for method in methods))
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
            theirs = self._teach(ours, batch, self.teachers_link(link), air=air, chance=chance)
            if "received" in self._seen:
                theirs = replace(theirs, arrived=arrive(theirs.sent.symbols, batch, link, air, codec=self.teacher))
        if "attention" in self._seen:
            ours, theirs = self.student.with_attention(ours), self.teacher.with_attention(theirs)
        losses: Losses = {}
        if self.label_weight:
            losses["hard_labels"] = self.label_weight * hard_labels(ours)
        # A loss that does not count keeps its name, so that every step logs alike and every process waits for none.
        counts = self.above_sinr_db is None or mean_sinr_db(link) >= self.above_sinr_db
        for method, adapters in zip(self.methods, self.adapters, strict=True):
            losses[method.kind] = counts * method.weight * method.loss(ours, theirs, adapters)
        return losses

    def _teach(self, ours: Trace, batch: SentenceBatch, link: Link, *, air: Realization, chance: Chance) -> Trace:
        """The teacher's trip in the air it is granted: its own, or its receiver on the student's signal."""
        privileged = self.cleaner_db > 0 or link.interferers < air.shape[1] - 1
        if privileged:
            # The same chance once more: it is the student's draw, with less noise or without the others.
            air = draw(link, self.student.symbols(batch), chance).to(batch.tokens.device)
        if self.hears == "own":
            return rehearse(self.teacher, batch, link, air)
        equalized = ours.equalized.detach()
        if privileged:
            equalized = arrive(ours.sent.symbols.detach(), batch, link, air, codec=self.student)
        return Trace(
            targets=batch.tokens,
            mask=batch.mask,
            sent=self.teacher.transmitter(batch) if self._seen & OF_TRANSMITTER else _unseen(equalized),
            equalized=equalized,
            heard=overhear(self.teacher, equalized, batch),
        )

    def teachers_link(self, link: Link) -> Link:
        """The student's link as the teacher's receiver meets it."""
        interferers = link.interferers if self.teacher_interferers == "same" else 0
        return replace(link, snr_db=link.snr_db + self.cleaner_db, interferers=interferers)


def _unseen(like: Tensor) -> Sent:
    """In place of what nobody looks at: a method that looks all the same gets no number rather than a wrong one."""
    return Sent(symbols=torch.full_like(like, math.nan), layers=())


def arrive(symbols: Tensor, batch: SentenceBatch, link: Link, air: Realization, *, codec: SemanticCodec) -> Tensor:
    """What comes out of the equalizer when these symbols go through this air, among neighbors that send alike."""
    signals = everyone(symbols, link, air, crowd_of(symbols, batch, codec))
    return equalize(superpose(signals, air), link, air)


def is_frozen(part: nn.Module) -> bool:
    """Whether no training reaches it."""
    return not any(each.requires_grad for each in part.parameters())


def check_pair(student: SemanticCodec, teacher: SemanticCodec) -> None:
    """Refuse codecs that share neither a draw of the air nor a language."""
    ours, theirs = student.spec.symbols_per_token, teacher.spec.symbols_per_token
    if ours != theirs:
        raise ValueError(
            f"student and teacher must send equally many symbols a token to share the air, got {ours} and {theirs}"
        )
    if student.vocabulary != teacher.vocabulary:
        raise ValueError(
            f"student and teacher must share a vocabulary, got {student.vocabulary} and {teacher.vocabulary} tokens"
        )
