"""Distiller: the objective that holds a frozen teacher and weighted methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from channels import Arrived, Chance, Link
from semcom.distillation.ensemble import nothing_sent, pooled
from semcom.distillation.generated_layers import is_forced
from semcom.distillation.masked_prediction import MaskedPrediction
from semcom.distillation.method import Method, check_methods, needs_teacher
from semcom.distillation.share import common_share
from semcom.distillation.sight import check_sight, settled
from semcom.distillation.teaching import Teaching
from semcom.models.codec import Codec
from semcom.models.plugged import PluggedIn
from semcom.models.spec import Part, Side
from semcom.models.trace import Sent, Trace
from semcom.sources.batch import Batch
from semcom.tasks.trip import Air, draw_parts, in_company, rehearse
from semcom.training.objective import Losses

# What a trip shows of its transmitter; where no method looks at it, the teacher's need not run.
OF_TRANSMITTER: frozenset[Part] = frozenset({"sent", "received", "stages"})


class Distiller(nn.Module):
    """Train a student on its teacher's view of the same messages in the same air.

    A posterior is a sound target only for the signal it was computed from. So by default the teacher's frozen
    receiver reads the *student's* received signal (`hears="student"`); with `hears="own"` each codec hears its
    own transmitter through one shared draw of the air, the naive form, whose low-SNR confusions are about
    another observation. The teacher reads a signal rightly only where it is one of its own: under a student that
    adopted its transmitter, or that matches its symbols while it learns (`Symbols`, `Components`). A student that
    sends as it likes is read by a receiver that never learned its code, and learns nothing from that alone.

    A privileged teacher hears the same draw with weaker noise (`cleaner_db`) or without the interference
    (`teacher_interferers="none"`). It knows more than its student can, so it is no longer the right posterior for
    what the student hears, but one that is oftener right.

    Several teachers speak as one, with the mean of their probabilities (`ensemble.pooled`), to methods that look at
    logits alone.

    Args:
        student: trained.
        teachers: frozen, one or several, none where no method needs one; their weights are never part of what is saved
            or stepped.
        teaching: the methods, each of which adds its weighted loss under its `kind`, and what goes with them; its names
            of teachers are not looked at.
        seed: of the adapters' first weights.

    Raises:
        ValueError: student and teacher cannot share the air or the answers, or a method would teach nobody.
    """

    def __init__(self, student: Codec, teachers: Sequence[Codec], teaching: Teaching, *, seed: int = 0) -> None:
        super().__init__()
        methods = settled(teaching.methods, student.spec)
        check_teachers(student, teachers, methods)
        for whose, codec in (("the student", student), *(("the teacher", each) for each in teachers)):
            check_sight(methods, codec.spec, whose=whose)
        alike = len(teachers) == 1 and teaching.hears == "student" and not teaching.is_privileged
        check_methods(
            methods,
            transmitter_is_frozen=is_frozen(student.transmitter),
            hears_alike=alike and are_alike(student, teachers[0], "receiver"),
            teachers=len(teachers),
        )
        self.student = student
        self.teaching, self.methods = teaching, methods
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.adapters = nn.ModuleList(
                method.adapters(student.spec, teachers[0].spec if needs_teacher(method) else student.outputs)
                for method in methods
            )
        self._seen = frozenset().union(*(method.sees for method in methods))
        # In a tuple a teacher is no sub-module: it is neither trained, nor saved, nor switched to training mode.
        self.teachers = tuple(each.eval().requires_grad_(False) for each in teachers)
        self._progress = 0.0
        # Who took over the teacher's transmitter for good hears what the teacher would hear of its own.
        self._own = teaching.hears == "own" and not all(are_alike(student, each, "transmitter") for each in teachers)

    def reach(self, progress: float) -> None:
        """See `Scheduled`: a student that generates layers is led by its teacher in fewer and fewer steps."""
        self._progress = progress

    def forward(self, batch: Batch, links: Sequence[Link], chance: Chance) -> Losses:
        """Named, weighted losses of one batch."""
        airs = draw_parts(links, self.student, batch, chance)
        # Never led when it is validated.
        led = self.training and is_forced(self.methods, self._progress, chance)
        if led and isinstance(self.student, PluggedIn):
            ours, theirs = self._lead(self.student, batch, airs, chance=chance)
        else:
            ours = theirs = rehearse(self.student, batch, airs)
            if self.teachers:
                theirs = self._teach(ours.sent, ours.arrived, batch, airs, chance=chance)
        if "attention" in self._seen:
            ours, theirs = self.student.with_attention(ours), self.teachers[0].with_attention(theirs)
        losses: Losses = {}
        teaching = self.teaching
        if teaching.label_weight:
            losses[self.student.goal] = teaching.label_weight * self.student.loss(ours, batch)
        # Keep losses of weight zero: every step logs the same names, and all processes must reduce the same keys.
        share = common_share(links, above_sinr_db=teaching.above_sinr_db, rises_over_db=teaching.rises_over_db)
        for method, adapters in zip(self.methods, self.adapters, strict=True):
            pair = (ours, theirs)
            if not needs_teacher(method):
                pair = (viewed(self.student, method, ours, batch, links=links, chance=chance),) * 2
            losses[method.kind] = share * method.weight * method.loss(*pair, adapters)
        return losses

    def told(self) -> dict[str, dict[str, list[float]]]:
        """By the kind of method the accounts that methods keep of their training."""
        pairs = zip(self.methods, self.adapters, strict=True)
        return {method.kind: method.told(adapters) for method, adapters in pairs if hasattr(method, "told")}

    def _lead(self, student: PluggedIn, batch: Batch, airs: Sequence[Air], *, chance: Chance) -> tuple[Trace, Trace]:
        """The trips of a student that is shown the teacher's layers, and of the teacher, who hears what was sent."""
        with torch.no_grad():
            shown = self.teachers[0].send(batch)
        sent = student.send(batch, shown)
        arrived = in_company(sent.symbols, batch, airs, codec=student)
        theirs = self._teach(sent, arrived, batch, airs, chance=chance, shown=shown)
        heard = student.hear(arrived, batch, theirs.heard)
        return Trace(targets=batch.targets, mask=batch.mask, sent=sent, arrived=arrived, heard=heard), theirs

    @torch.no_grad()
    def _teach(
        self,
        sent: Sent,
        arrived: Arrived,
        batch: Batch,
        airs: Sequence[Air],
        *,
        chance: Chance,
        shown: Sent | None = None,
    ) -> Trace:
        """The teachers' trip in the air they are granted: each its own, or their receivers on the student's signal.

        Args:
            sent: by the student.
            arrived: of it.
            shown: what the only teacher makes of the batch, where it was asked already.
        """
        links = [link for link, _ in airs]
        granted = [self.teachers_link(link) for link in links]
        privileged = granted != links
        # The same chance once more: it is the student's draw, with less noise or without the others.
        clean = draw_parts(granted, self.student, batch, chance) if privileged else airs
        if self._own:
            trips = [rehearse(each, batch, clean, sent=shown) for each in self.teachers]
        else:
            arrived = arrived.detach()
            if privileged:
                arrived = in_company(sent.symbols.detach(), batch, clean, codec=self.student)
            trips = [
                _overheard(each, arrived, batch, shown or _shown(each, sent, batch, self._seen))
                for each in self.teachers
            ]
        theirs = trips[0] if len(trips) == 1 else pooled(trips)
        if "received" in self._seen and (privileged or not self._own):
            meant = in_company(theirs.sent.symbols, batch, airs, codec=self.teachers[0])
            theirs = replace(theirs, sent_arrived=meant.symbols)
        return theirs

    def teachers_link(self, link: Link) -> Link:
        """The student's link as the teacher's receiver meets it."""
        interferers = link.interferers if self.teaching.teacher_interferers == "same" else 0
        return replace(link, snr_db=link.snr_db + self.teaching.cleaner_db, interferers=interferers)


def viewed(student: Codec, method: Any, ours: Trace, batch: Any, *, links: Sequence[Link], chance: Chance) -> Trace:
    """The student's trip with the messages as they are and transformed in all ways, each in air of its own.

    Where a method hides parts of them it is the transmitter's part of the trip alone that is made anew.

    Args:
        ours: its trip with the messages as they are, for methods that transform nothing.
    """
    if isinstance(method, MaskedPrediction):
        return replace(ours, sent=student.send(method.hide(batch, student.spec, chance.of("hidden"))))
    if not method.ways:
        return ours
    views = batch.views(method.ways)
    # As many parts for each way as for the messages alone, so that no way of them meets fewer airs.
    links = [*links] * (1 + len(method.ways))
    with statistics_kept(student):
        return rehearse(student, views, draw_parts(links, student, views, chance.of("views")))


def _shown(teacher: Codec, sent: Sent, batch: Batch, seen: frozenset[Part]) -> Sent:
    """What the teacher's transmitter makes of a batch, if somebody looks at it where the student made `sent`."""
    looked_at = seen & OF_TRANSMITTER or ("stages" in seen and sent.stages)
    return teacher.send(batch) if looked_at else nothing_sent(sent.symbols)


def _overheard(teacher: Codec, arrived: Arrived, batch: Batch, sent: Sent) -> Trace:
    """A teacher's trip on a signal that is not its own."""
    heard = teacher.hear(arrived, batch)
    return Trace(targets=batch.targets, mask=batch.mask, sent=sent, arrived=arrived, heard=heard)


@contextmanager
def statistics_kept(codec: nn.Module) -> Iterator[None]:
    """Leave running statistics of batch normalization as they are, whatever goes through meanwhile."""
    norms = [each for each in codec.modules() if isinstance(each, _BatchNorm) and each.track_running_stats]
    for each in norms:
        each.track_running_stats = False
    try:
        yield
    finally:
        for each in norms:
            each.track_running_stats = True


def is_frozen(part: nn.Module) -> bool:
    """Whether no training reaches it."""
    return not any(each.requires_grad for each in part.parameters())


def are_alike(student: Codec, teacher: Codec, side: Side) -> bool:
    """Whether a side of the student is the teacher's, to the bit and for good: adopted, frozen, without dropout.

    Dropout acts in a frozen side too, and only the student is ever in training mode.
    """
    ours, theirs = getattr(student, side), getattr(teacher, side)
    if not is_frozen(ours) or student.spec.dropout or student.spec.side(side) != teacher.spec.side(side):
        return False
    mine, its = ours.state_dict(), theirs.state_dict()
    return all(torch.equal(each, its[name].to(each.device)) for name, each in mine.items())


def check_teachers(student: Codec, teachers: Sequence[Codec], methods: Sequence[Method]) -> None:
    """Refuse teachers that share neither a draw of the air nor the answers with their student, or that are missing."""
    if not teachers and any(map(needs_teacher, methods)):
        raise ValueError("a student must have a teacher, got an empty list; for none train with HardLabels")
    for teacher in teachers:
        check_pair(student, teacher)


def check_pair(student: Codec, teacher: Codec) -> None:
    """Refuse codecs that share neither a draw of the air nor the answers."""
    ours, theirs = student.spec.symbols_per_unit, teacher.spec.symbols_per_unit
    if ours != theirs:
        raise ValueError(
            f"student and teacher must send equally many symbols a unit to share the air, got {ours} and {theirs}"
        )
    if student.outputs != teacher.outputs:
        raise ValueError(
            "student and teacher must choose from the same answers, "
            f"got {student.outputs} and {teacher.outputs} of them"
        )
