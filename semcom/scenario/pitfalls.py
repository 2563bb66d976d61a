"""Warn about settings that are allowed but hardly ever meant, before hours of work are spent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from semcom.distillation.components import Components
from semcom.scenario.neighbor_supply import kept_messages
from semcom.training.settings import TrainingSettings
from semcom.words import counted

if TYPE_CHECKING:
    from semcom.distillation.catalog import AnyMethod
    from semcom.scenario.scenario import Scenario
    from semcom.tasks.task import Counts, Task


def pitfalls(scenario: Scenario) -> tuple[str, ...]:
    """One sentence for each, with the way out; none of them is a mistake in every case."""
    return (*_short_trainings(scenario), *_long_waits(scenario), *_strange_codes(scenario))


def scarce(scenario: Scenario, goal: Task, counts: Counts) -> tuple[str, ...]:
    """One sentence for every training on a task's messages that do not fill a single batch."""
    there, message = counts.training, goal.message
    more = "text" if message == "sentence" else f"{message}s"
    found = []
    for where, names, settings in _trainings(scenario, lambda each: kept_messages(each, counts) < each.batch, goal):
        kept = kept_messages(settings, counts)
        what = f"{where}.batch of {settings.batch} is more than the {counted(there, f'training {message}')} there are"
        if settings.share < 1:
            what = f"{where}.share of {settings.share:g} leaves {kept} of {counted(there, f'training {message}')}, "
            what += f"fewer than the batch of {settings.batch}"
        found.append(f"{what}: every step of {names} trains on the same {kept}; use a smaller batch or more {more}")
    return tuple(found)


def _trainings(
    scenario: Scenario, is_odd: Callable[[TrainingSettings], bool], goal: Task | None = None
) -> Iterator[tuple[str, str, TrainingSettings]]:
    """The trainings that are odd: the key they are typed under, the codecs that share it, the settings.

    Args:
        goal: the task of the codecs that are asked; without it all are.
    """
    found: dict[tuple[str, TrainingSettings], list[str]] = {}
    for name in scenario.needed_codecs:
        settings = scenario.resolved(name).training
        if goal not in (None, scenario.goal_of(name)):
            continue
        if is_odd(settings) and scenario.resolved(name).spec.learns:
            where = f"codecs.{name}.training" if scenario.codecs[name].training else "training"
            found.setdefault((where, settings), []).append(name)
    for (where, settings), names in found.items():
        yield where, ", ".join(names), settings


def _short_trainings(scenario: Scenario) -> Iterator[str]:
    """A warm-up that the training ends in the midst of."""
    for where, names, settings in _trainings(scenario, lambda each: each.warmup > each.steps):
        steps, peak = settings.steps, settings.learning_rate
        yield (
            f"{where}.warmup of {settings.warmup} is longer than the {counted(steps, 'step')} of {names}: the learning "
            f"rate ends at {settings.learning_rate_at(steps - 1):.2g} and never reaches {peak:g}; "
            f"set {where}.warmup: {max(1, steps // 10)}, or train for more steps"
        )


def _long_waits(scenario: Scenario) -> Iterator[str]:
    """A validation rarer than the training is long, where somebody typed it."""

    def is_odd(settings: TrainingSettings) -> bool:
        return settings.steps < settings.validate_every != TrainingSettings.validate_every

    for where, names, settings in _trainings(scenario, is_odd):
        yield (
            f"{where}.validate_every of {settings.validate_every} is longer than the "
            f"{counted(settings.steps, 'step')} of {names}: validated once, at the end; set it lower to see more"
        )


def _strange_codes(scenario: Scenario) -> Iterator[str]:
    """Teachers that read the signal of a student who sends in a code they never learned."""
    for name in scenario.needed_codecs:
        plan = scenario.codecs[name].distill
        if plan is None or plan.hears == "own":
            continue
        methods = [method for method in plan.methods if method.weight]
        listening = [method.kind for method in methods if method.sees & {"heard", "stages", "logits"}]
        strangers = [each for each in plan.teachers if not _is_understood(scenario, name, by=each)]
        if listening and strangers and not any(map(_matches_symbols, methods)):
            teacher = strangers[0]
            yield (
                f"codecs.{name}.distill: the receiver of {' and '.join(strangers)} reads what {name} sends, in a code "
                f"it never learned, so {' and '.join(listening)} may leave it worse than no teacher; "
                f"use adopt: {{transmitter: {teacher}}}, add {{kind: symbols}} or {{kind: components}} to the methods, "
                "or set hears: own"
            )


def _is_understood(scenario: Scenario, student: str, *, by: str) -> bool:
    """Whether the student sends as this teacher does, begins with it, has its receiver or is plugged into it."""
    if scenario.resolved(student).spec.side("transmitter") is None:
        return True  # the message goes on the air as it is
    if (adopt := scenario.codecs[student].adopt) and adopt.around == by:
        return True  # its symbols are made by that codec's own channel encoder
    if _origin(scenario, student, "receiver") == _origin(scenario, by, "receiver"):
        return True
    sender: str | None = student
    while sender:
        sender = _origin(scenario, sender, "transmitter")
        if sender == _origin(scenario, by, "transmitter"):
            return True
        sender = scenario.codecs[sender].start
    return False


def _origin(scenario: Scenario, name: str, side: Literal["transmitter", "receiver"]) -> str:
    """The codec that a side was trained in, whoever has adopted it since."""
    while (adopt := scenario.codecs[name].adopt) and adopt.side == side:
        name = adopt.donor
    return name


def _matches_symbols(method: AnyMethod) -> bool:
    """Whether it makes the student send what its teacher would."""
    if isinstance(method, Components):
        return method.channel_encoder > 0
    return bool(method.sees & {"received"}) or method.kind == "symbols"
