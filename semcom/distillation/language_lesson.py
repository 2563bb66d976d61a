"""LanguageLesson: from whom a language model learns, and on which text."""

from __future__ import annotations

import math
from dataclasses import dataclass

from semcom.distillation.method import Method
from semcom.distillation.soft_logits import SoftLogits


@dataclass(frozen=True)
class LanguageLesson:
    """What a language learns from another one.

    Args:
        teacher: the language that teaches; a larger one, counts, or a mixture.
        methods: what is compared with the teacher at every position of the text; those that look at logits alone. An
            empty list with `made_up` above 0 learns from the teacher's sentences alone.
        label_weight: factor of the loss on the text itself, 0 or more.
        made_up: share of the training batches that are sentences which the teacher makes up, from 0 to 1; the others
            are of the student's own text.
    """

    teacher: str
    methods: tuple[Method, ...] = (SoftLogits(temperature=1.0),)
    label_weight: float = 1.0
    made_up: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.made_up <= 1:
            raise ValueError(f"made_up must be a share from 0 to 1, got {self.made_up}")
        if not 0 <= self.label_weight < math.inf:
            raise ValueError(f"label_weight must be at least 0 and finite, got {self.label_weight}")
        for method in self.methods:
            if method.sees != frozenset({"logits"}):
                raise ValueError(
                    f"methods must look at logits alone to teach a language, got {method.kind}, which looks at "
                    f"{', '.join(sorted(method.sees))}; leave it out"
                )
        if not self.methods and not self.made_up:
            raise ValueError("methods must name one at least, or made_up be above 0, got neither; nothing is taught")
        if not self.label_weight and not any(method.weight for method in self.methods):
            raise ValueError("label_weight or the weight of a method must be above 0, got 0 for all; raise one of them")
