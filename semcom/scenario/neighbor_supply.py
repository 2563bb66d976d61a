"""Whether there are enough messages for the crowds that a scenario asks for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Literal

from channels import Neighbors
from semcom.mistakes import UserMistake
from semcom.scenario.scenario import Scenario
from semcom.tasks.neighbors import in_turn, neighbors_in, strangers_in
from semcom.tasks.task import Counts, Task
from semcom.training.settings import TrainingSettings, bounds


def most_neighbors(settings: TrainingSettings) -> int:
    """The largest crowd of codec neighbors in training; made-up interferers need no messages."""
    return int(bounds(settings.interferers)[1]) if isinstance(settings.interference, Neighbors) else 0


def kept_messages(settings: TrainingSettings, there: Counts) -> int:
    """How many training messages the settings' share comes to."""
    return max(1, round(settings.share * there.training))


def check_counts(scenario: Scenario, goal: Task, there: Counts) -> None:
    """Refuse crowds with more members than a task has messages, before anything is written.

    Raises:
        UserMistake: see above, or no message is left to measure.
    """
    for name in scenario.needed_codecs:
        settings = scenario.resolved(name).training
        if scenario.goal_of(name) == goal:
            _compare(goal, "training", most_neighbors(settings), kept_messages(settings, there))
    skip = scenario.measure.skip
    if skip >= there.test:
        raise UserMistake(
            f"measure.skip: must leave some of {there.test} test {messages(goal)}, got {skip}; skip fewer"
        )
    most = scenario.most_neighbors
    _compare(goal, "sweep", most, min(scenario.measure.sentences, there.test - skip))


def check_exam(scenario: Scenario, lengths: Mapping[Task, Sequence[int]]) -> None:
    """See that the test messages, sent back to back, are long enough for the largest crowd of the sweep.

    Args:
        lengths: the units of every test message that is measured, for each task.

    Raises:
        UserMistake: they are not.
    """
    most = scenario.most_neighbors
    cells = itertools.product(scenario.sweep.codec, scenario.crowds)
    supply, talking = min(
        ((_supply(scenario, name, crowd or (name,), lengths), crowd or (name,)) for name, crowd in cells),
        key=lambda found: found[0],
    )
    if most > supply:
        goals = scenario.goals_of(talking)
        there = " and ".join(f"{len(lengths[goal])} {messages(goal)}" for goal in goals)
        what = " or ".join(map(messages, goals))
        stuff = " or ".join(_stuff(messages(goal)) for goal in goals)
        raise UserMistake(
            f"sweep.interferers: {most} interferers must find other test {what} to take turns from, got enough for "
            f"{supply} in {there}; use fewer interferers, more measure.sentences or more {stuff}"
        )


def check_cells(scenario: Scenario, goal: Task, batches: Sequence[Sequence[int]]) -> None:
    """See that every batch of a task's exam has a message for each user of a cell.

    Args:
        batches: one entry for every message of each batch.

    Raises:
        UserMistake: some batch is too small, which otherwise would show after the training.
    """
    fewest, users = min(map(len, batches)), 1 + scenario.most_neighbors
    if fewest < users:
        what = messages(goal)
        raise UserMistake(
            f"measure.users: a cell of {users} users must find as many {what} in every batch, got a batch of {fewest}; "
            f"use fewer interferers, a larger measure.batch (no batch is below half of it) or more {what}"
        )


def _supply(scenario: Scenario, name: str, talking: Sequence[str], lengths: Mapping[Task, Sequence[int]]) -> int:
    """The most neighbors that find messages, of this codec's task or others, to send through these codecs in turn."""
    goal, ours = scenario.goal_of(name), scenario.resolved(name).spec.symbols_per_unit
    longest, rooms, turns = max(lengths[goal]), dict[tuple[Task, int], int](), []
    for each in talking:
        theirs, rate = scenario.goal_of(each), scenario.resolved(each).spec.symbols_per_unit
        # Whether messages of one kind are the very same ones shows later: until then a wanted one is among them.
        are_alike = (theirs.carries, theirs.unit) == (goal.carries, goal.unit)
        find = neighbors_in if are_alike else strangers_in
        rooms[theirs, rate] = find(lengths[theirs], longest, rates=(ours, rate))
        turns.append((theirs, rate))
    return in_turn(rooms, turns, wanted=scenario.most_neighbors)


def _compare(goal: Task, where: Literal["training", "sweep"], most: int, there: int) -> None:
    if there <= most:
        what, split = messages(goal), "training" if where == "training" else "test"
        raise UserMistake(
            f"{where}.interferers: {most} interferers need at least {most + 1} {split} {what} to take their turns "
            f"from, got {there}; use fewer interferers or more {_stuff(what)}"
        )


def messages(goal: Task) -> str:
    """What the messages of a task are called, in the plural."""
    return f"{goal.message}s"


def _stuff(what: str) -> str:
    """What messages are made from, to ask for more of it."""
    return "text" if what == "sentences" else what
