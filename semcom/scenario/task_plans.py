"""What a person types under `task`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from semcom.scenario.plan import any_of
from semcom.tasks.catalog import TASKS
from semcom.tasks.task import Task
from semcom.tasks.text import Text


@dataclass(frozen=True)
class TextTask:
    """Sentences are sent, and the receiver wants them back; `corpus` and `tokenizer` at the top say which and how."""

    kind: Literal["text"] = "text"


# Text is typed in keys of its own, which were there before there were other tasks.
TYPED: tuple[type, ...] = (TextTask, *(each for each in TASKS if each is not Text))

if TYPE_CHECKING:
    AnyTaskPlan = TextTask | Task
else:
    AnyTaskPlan = any_of(TYPED, "kind")
