"""The tasks that a scenario may name."""

from __future__ import annotations

from semcom.tasks.modulation import Modulation
from semcom.tasks.text import Text

TASKS: tuple[type[Text | Modulation], ...] = (Text, Modulation)

AnyTask = Text | Modulation
