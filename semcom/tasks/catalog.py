"""The tasks that a scenario may name."""

from __future__ import annotations

from semcom.tasks.modulation import Modulation
from semcom.tasks.pictures import Pictures
from semcom.tasks.speech import Speech
from semcom.tasks.task import Task
from semcom.tasks.text import Text

TASKS: tuple[type[Task], ...] = (Text, Modulation, Pictures, Speech)
