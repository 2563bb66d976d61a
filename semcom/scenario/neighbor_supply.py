"""Whether there are enough messages for the crowds that a scenario asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from channels import Neighbors
from semcom.mistakes import UserMistake
from semcom.scenario.scenario import Scenario
from semcom.tasks.neighbors import neighbors_in_turn
from semcom.tasks.task import Counts
from semcom.training.settings import TrainingSettings, bounds


def most_neighbors(settings: TrainingSettings) -> int:
    """The largest crowd of codec neighbors in training; made-up interferers need no messages."""
    return int(bounds(settings.interferers)[1]) if isinstance(settings.interference, Neighbors) else 0


def kept_messages(settings: TrainingSettings, there: Counts) -> int:
    """How many training messages the settings' share comes to."""
    return max(1, round(settings.share * there.training))


def check_counts(scenario: Scenario, there: Counts) -> None:
    """Refuse crowds with more members than there are messages, before anything is written.

    Raises:
        UserMistake: see above, or no message is left to measure.
    """
    for name in scenario.needed_codecs:
        settings = scenario.resolved(name).training
        _compare(scenario, "training", most_neighbors(settings), kept_messages(settings, there))
    skip = scenario.measure.skip
    if skip >= there.test:
        raise UserMistake(
            f"measure.skip: must leave some of {there.test} test {messages(scenario)}, got {skip}; skip fewer"
        )
    most = scenario.most_neighbors
    _compare(scenario, "sweep", most, min(scenario.measure.sentences, there.test - skip))


def check_exam(scenario: Scenario, lengths: Sequence[int]) -> None:
    """See that the test messages, sent back to back, are long enough for the largest crowd of the sweep.

    Args:
        lengths: the units of every test message that is measured.

    Raises:
        UserMistake: they are not.
    """
    most = scenario.most_neighbors
    supply = min(_supply(scenario, name, lengths, crowd) for name in scenario.sweep.codec for crowd in scenario.crowds)
    if most > supply:
        what = messages(scenario)
        raise UserMistake(
            f"sweep.interferers: {most} interferers must find other test {what} to take turns from, got enough for "
            f"{supply} in {len(lengths)} {what}; use fewer interferers, more measure.sentences or more {_stuff(what)}"
        )


def check_cells(scenario: Scenario, batches: Sequence[Sequence[int]]) -> None:
    """See that every batch of the exam has a message for each user of a cell.

    Args:
        batches: one entry for every message of each batch.

    Raises:
        UserMistake: some batch is too small, which otherwise would show after the training.
    """
    fewest, users = min(map(len, batches)), 1 + scenario.most_neighbors
    if fewest < users:
        what = messages(scenario)
        raise UserMistake(
            f"measure.users: a cell of {users} users must find as many {what} in every batch, got a batch of {fewest}; "
            f"use fewer interferers, a larger measure.batch (no batch is below half of it) or more {what}"
        )


def _supply(scenario: Scenario, name: str, lengths: Sequence[int], crowd: tuple[str, ...] | None) -> int:
    """The most neighbors that find messages in this crowd."""
    rates = [scenario.resolved(each).spec.symbols_per_unit for each in crowd or (name,)]
    ours = scenario.resolved(name).spec.symbols_per_unit
    return neighbors_in_turn(lengths, max(lengths), ours=ours, theirs=rates, wanted=scenario.most_neighbors)


def _compare(scenario: Scenario, where: Literal["training", "sweep"], most: int, there: int) -> None:
    if there <= most:
        what, split = messages(scenario), "training" if where == "training" else "test"
        raise UserMistake(
            f"{where}.interferers: {most} interferers need at least {most + 1} {split} {what} to take their turns "
            f"from, got {there}; use fewer interferers or more {_stuff(what)}"
        )


def messages(scenario: Scenario) -> str:
    """What the messages of a scenario are called, in the plural."""
    return f"{scenario.goal.message}s"


def _stuff(what: str) -> str:
    """What messages are made from, to ask for more of it."""
    return "text" if what == "sentences" else what
