"""Teaching: whom a student learns from, and how; checked once, wherever it is written down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from semcom.distillation.catalog import AnyMethod
from semcom.distillation.method import check_methods, needs_teacher
from semcom.distillation.share import check_share

Hears = Literal["student", "own"]
Interferers = Literal["same", "none"]


@dataclass(frozen=True, kw_only=True)
class Teaching:
    """Whom a codec learns from, and how.

    The teacher is frozen. Both go through one shared draw of the air at every step.

    Args:
        teacher: the codec to learn from; a list teaches the mean of their probabilities, with methods on logits alone.
            Left out where no method needs one.
        methods: the losses that compare student and teacher, each named once.
        label_weight: factor of the plain loss, the cross-entropy to the true answers; 0 leaves it out.
        hears: whose signal the teacher's receiver reads: the student's, or its `own` transmitter's.
        cleaner_db: how much less noise the teacher meets than the student [dB].
        teacher_interferers: whether the teacher meets the `same` interferers as its student or `none`.
        above_sinr_db: the methods count only in air of at least this mean SINR [dB].
        rises_over_db: the methods count from 0 at the first mean SINR to in full at the second [dB]; the first may be
            the higher one.

    Raises:
        ValueError: nothing would be taught, or the parts do not fit together.

    Source: privileged teachers (`cleaner_db`, `teacher_interferers`), Lopez-Paz, Bottou, Schoelkopf and Vapnik,
    Unifying Distillation and Privileged Information, ICLR 2016, on generalized distillation; the same draw in cleaner
    air is our reconstruction.
    """

    teacher: str | tuple[str, ...] = ()
    methods: tuple[AnyMethod, ...]
    label_weight: float = 1.0
    hears: Hears = "student"
    cleaner_db: float = 0.0
    teacher_interferers: Interferers = "same"
    above_sinr_db: float | None = None
    rises_over_db: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_share(self.above_sinr_db, self.rises_over_db)
        self._check_need()
        check_methods(self.methods, transmitter_is_frozen=False, teachers=len(self.teachers))
        if not 0 <= self.cleaner_db < math.inf:
            raise ValueError(f"cleaner_db must be at least 0 and finite, got {self.cleaner_db}")
        if not self.label_weight and not any(method.weight for method in self.methods):
            raise ValueError("label_weight or the weight of a method must be above 0, got 0 for all; raise one of them")
        if len(set(self.teachers)) < len(self.teachers):
            raise ValueError(f"teacher names a codec twice: {', '.join(self.teachers)}")

    def _check_need(self) -> None:
        """Refuse methods without the teacher that they need, and a teacher whom no method needs."""
        needy = [method.kind for method in self.methods if needs_teacher(method)]
        if needy and not self.teachers:
            raise ValueError(f"teacher must name a codec for method {needy[0]} to learn from, got none; name one")
        if self.methods and not needy and self.teachers:
            raise ValueError(
                f"teacher must be left out where no method needs one, got {', '.join(self.teachers)}; leave it out, or "
                "add a method that learns from it"
            )
        if not self.teachers and (self.hears == "own" or self.is_privileged):
            raise ValueError("hears, cleaner_db and teacher_interferers must be left out without a teacher")

    @property
    def teachers(self) -> tuple[str, ...]:
        """The names of all teachers."""
        return (self.teacher,) if isinstance(self.teacher, str) else self.teacher

    @property
    def is_privileged(self) -> bool:
        """Whether the teacher meets better air than its student."""
        return self.cleaner_db > 0 or self.teacher_interferers == "none"

    def is_heard_by(self, receiver: str | None) -> bool:
        """Whether the only teacher is this receiver's codec, and hears just what its student does."""
        return self.teachers == (receiver,) and self.hears == "student" and not self.is_privileged
