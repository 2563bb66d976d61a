"""The tasks that a scenario may name."""

from __future__ import annotations

from semcom.tasks.text import Text

TASKS = (Text,)

AnyTask = Text
