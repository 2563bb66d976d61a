"""The messages of a scenario: obtained, counted and held against what is asked of them, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semcom.experiment.data import data_of, exam_of
from semcom.experiment.progress import Board, named
from semcom.scenario.metric_checks import check_metrics
from semcom.scenario.neighbor_supply import check_cells, check_counts, check_exam, messages
from semcom.scenario.pitfalls import scarce
from semcom.scenario.scenario import Scenario
from semcom.scenario.work import Build
from semcom.tasks.task import Exam


def read_messages(scenario: Scenario, board: Board) -> tuple[str, ...]:
    """Obtain the messages, which may take minutes the first time, see that there are enough, and tell of them."""
    told: list[str] = []
    for goal in scenario.goals_of(scenario.needed_codecs):
        there = goal.count(named(board.tick(f"reading {goal.source_name}")))
        check_counts(scenario, goal, there)
        told += [*([there.account] if there.account else []), *scarce(scenario, goal, there)]
    return tuple(told)


def check_exams(scenario: Scenario, builds: Sequence[Build], folder: Path, board: Board) -> None:
    """Ask for the test messages of every task before the training rather than after it.

    Args:
        builds: all of the scenario, with what their files must be.
    """
    sample = {build.task: build for build in reversed(builds)}
    exams = {goal: _exam(scenario, sample[goal], folder, board) for goal in scenario.goals_of(scenario.heard_codecs)}
    measured = {scenario.goal_of(name): scenario.measure_of(name) for name in scenario.sweep.codec}
    for goal, measure in measured.items():
        for each in check_metrics(measure, exams[goal].messages) if goal.carries == "sentences" else ():
            board.say(each)
    lengths = {goal: [batch.lengths.tolist() for batch in exam.batches] for goal, exam in exams.items()}
    if scenario.measure.users == "all":
        for goal in measured:
            check_cells(scenario, goal, lengths[goal])
    else:
        check_exam(scenario, {goal: [each for batch in found for each in batch] for goal, found in lengths.items()})


def _exam(scenario: Scenario, build: Build, folder: Path, board: Board) -> Exam:
    """The test messages of one task; fewer than are asked for are told."""
    measure, what = scenario.measure, messages(build.task)
    data = data_of(build, folder)
    questions = exam_of(data, measure.sentences, measure.batch, skip=measure.skip, foreign=measure.corpus)
    there, wanted = len(questions.messages), measure.sentences
    if there < wanted:
        skipped = f" behind {measure.skip} skipped ones" if measure.skip else ""
        board.say(f"measure.sentences asks for {wanted}, there are {there} test {what}{skipped}: all are measured")
    return questions
