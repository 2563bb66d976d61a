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
        methods: what is compared with the teacher at every position of the text, that which somebody made up too;
            those that look at logits alone.
        label_weight: factor of the loss on the text itself, 0 or more.
    """

    teacher: str
    methods: tuple[Method, ...] = (SoftLogits(temperature=1.0),)
    label_weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_weight < math.inf:
            raise ValueError(f"label_weight must be at least 0 and finite, got {self.label_weight}")
        for method in self.methods:
            if method.sees != frozenset({"logits"}):
                raise ValueError(
                    f"methods must look at logits alone to teach a language, got {method.kind}, which looks at "
                    f"{', '.join(sorted(method.sees))}; leave it out"
                )
        if not self.methods:
            raise ValueError("methods must name one at least, got none; to learn from its sentences take made_up")
        if not self.label_weight and not any(method.weight for method in self.methods):
            raise ValueError("label_weight or the weight of a method must be above 0, got 0 for all; raise one of them")
