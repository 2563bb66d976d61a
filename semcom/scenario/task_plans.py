"""What a person types under `task`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from semcom.scenario.plan import by
from semcom.tasks.modulation import Modulation


@dataclass(frozen=True)
class TextTask:
    """Sentences are sent, and the receiver wants them back; `corpus` and `tokenizer` at the top say which and how."""

    kind: Literal["text"] = "text"


AnyTaskPlan = Annotated[TextTask | Modulation, by("kind")]
