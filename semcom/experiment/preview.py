"""preview: the plan of a scenario in words, before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from semcom.experiment.estimate import build_seconds, language_seconds, sweep_seconds
from semcom.scenario.air import NAMES, air_lines, in_words, phase_note
from semcom.scenario.expand import expand
from semcom.scenario.neighbor_supply import check_counts
from semcom.scenario.pitfalls import pitfalls, scarce
from semcom.scenario.scenario import Scenario
from semcom.scenario.unused_keys import unused_keys
from semcom.scenario.work import Build, LanguageBuild, Run, Sweep
from semcom.store.circumstances import foreseen, made, otherwise
from semcom.store.folder import RunFolder
from semcom.store.ownership import check_owner, left_out
from semcom.store.store import Finished, Store
from semcom.tasks.task import Counts, Task
from semcom.words import counted, lasting


def preview(scenario: Scenario, folder: Path, *, replace: bool = False) -> str:
    """What will be built and run, what is done already in the folder, and about how long the rest takes.

    Args:
        replace: whether the folder may be that of another scenario.

    Raises:
        UserMistake: the scenario cannot be carried out, as far as that shows without any work.
    """
    place = RunFolder(folder)
    check_owner(scenario, place, replace=replace)
    sweep = expand(scenario)
    there = {goal: goal.count() for goal in scenario.goals_of(scenario.needed_codecs) if goal.is_at_hand}
    for goal, counts in there.items():
        check_counts(scenario, goal, counts)
    short = [line for goal, counts in there.items() for line in scarce(scenario, goal, counts)]
    built, ran = _done(place)
    runs = {run.identity: run for run in sweep.runs}
    left = [build for build in sweep.builds if build.identity not in built]
    waiting = [run for run in runs.values() if run.identity not in ran]
    seconds = sweep_seconds(sweep, built.keys() | ran.keys())
    names = {build.identity: build.name for build in sweep.builds}
    lines = [
        f"{scenario.name}: {scenario.question}",
        "",
        f"{counted(len(sweep.builds), 'codec')} ({len(left)} to train)",
    ]
    lines += [_build_line(build, names, build.identity in built) for build in sweep.builds]
    names |= {language.identity: language.name for language in sweep.languages}
    lines += [_language_line(each, names, each.identity in built) for each in sweep.languages]
    if unweighed := dict.fromkeys(each.name for each in sweep.tunings if each.identity not in built):
        lines += [f"  weights of signal and language to fit for {', '.join(unweighed)}"]
    lines += ["", f"{counted(len(runs), 'point')} ({len(waiting)} to measure), {_exams(scenario, there)}"]
    lines += _run_lines(scenario, list(runs.values()))
    gone = left_out(sweep, place, done=ran.keys())
    # As `semcom run` without options would go on.
    mixed = otherwise(made(sweep, built, ran), foreseen(scenario.threads))
    if notes := (*short, *_notes(scenario, sweep), *(each for each in (mixed, gone) if each)):
        lines += ["", *notes]
    lines += ["", f"about {lasting(seconds)} of one core to go; results in {folder}"]
    return "\n".join(lines)


def _done(place: RunFolder) -> tuple[dict[str, Finished], dict[str, Finished]]:
    """Builds and runs that are there already, and sound as far as the store can tell."""
    if not place.store_file.is_file():
        return {}, {}
    with Store(place.store_file, reading=True) as store:
        unsound = {*store.noted.damaged("build"), *store.noted.damaged("run")}
        builds, runs = (
            {key: each for key, each in found.items() if each.status == "done" and key not in unsound}
            for found in (store.builds(), store.runs())
        )
    return {key: each for key, each in builds.items() if place.weights(key).is_file()}, runs


def _notes(scenario: Scenario, sweep: Sweep) -> tuple[str, ...]:
    """What whoever typed the scenario may not have meant."""
    return *unused_keys(scenario), *pitfalls(scenario), *phase_note(scenario, (run.link for run in sweep.runs))


def _exams(scenario: Scenario, there: Mapping[Task, Counts]) -> str:
    """By how many metrics points are measured and on how many messages, task by task."""
    measured = {scenario.goal_of(name): len(scenario.measure_of(name).metrics) for name in scenario.sweep.codec}
    return "; ".join(
        f"{counted(metrics, 'metric')} each, on {_exam(scenario, goal, there.get(goal))}"
        for goal, metrics in measured.items()
    )


def _exam(scenario: Scenario, goal: Task, there: Counts | None) -> str:
    """How many messages a point is measured on, of how many where that is known."""
    measure, message = scenario.measure, f"test {goal.message}"
    skipped = f", behind {measure.skip}" if measure.skip else ""
    if there is None:
        return f"{counted(measure.sentences, message)}{skipped}"
    count = min(measure.sentences, there.test - measure.skip)
    fewer = f" (not {measure.sentences})" if count < measure.sentences else ""
    return f"{count} of {counted(there.test, message)}{fewer}{skipped}"


def _build_line(build: Build, names: dict[str, str], done: bool) -> str:
    teachers = [names[each] for each in build.lesson.teachers] if build.lesson else []
    taught = f", taught by {' and '.join(teachers) or 'itself'}" if build.lesson else ""
    begun = f", {'in the shape of' if build.fresh else 'begun from'} {names[build.start]}" if build.start else ""
    pruned = f", {build.prune.aim}" if build.prune else ""
    steps = f", {build.steps} steps" if build.steps else ""
    state = "done" if done else f"about {lasting(build_seconds(build))}"
    return (
        f"  {build.identity}  {build.name:<20} {build.spec.told}, "
        f"{build.lessons}{taught}{begun}{pruned}{steps}, seed {build.seed}"
        f"{f', draw {build.draw}' if build.draw else ''}  [{state}]"
    )


def _language_line(language: LanguageBuild, names: dict[str, str], done: bool) -> str:
    share = "" if language.share == 1 else f"{100 * language.share:g} % of "
    text = f"{share}{language.corpus.source if language.corpus else 'the text'}"
    parts = [
        f"{language.spec.told} of {' and '.join(names[each] for each in language.needs)}"
        if language.spec.kind in ("mixture", "made_up")
        else f"{language.spec.told}, {text}",
        names[language.made_up] if language.made_up else "",
        f"taught by {names[language.lesson.teacher]}" if language.lesson else "",
        f"{language.recipe.steps} steps" if language.recipe else "",
        f"seed {language.seed}" if language.seed is not None else "",
    ]
    told = ", ".join(each for each in parts if each)
    seconds = language_seconds(language)
    state = "  [done]" if done else f"  [about {lasting(seconds)}]" if seconds else ""
    return f"  {language.identity}  {language.name:<20} {told}{state}"


def _run_lines(scenario: Scenario, runs: list[Run]) -> list[str]:
    """The air that the runs meet beside that of the training, and who meets it."""
    axes = {"crowd": in_turn(runs)}
    detectors = list(dict.fromkeys(in_words(run.detector) for run in runs if run.link.interferers))
    axes["detector"] = detectors if detectors != ["noise"] else []
    if any(run.measure.users == "all" for run in runs):
        axes["users"] = [
            f"all: 0 to {max(run.link.interferers for run in runs)} of each cell are scored, and their sum"
        ]
    axes["points"] = [f"{name} {count}" for name, count in Counter(run.build.name for run in runs).items()]
    lines = air_lines(scenario, [run.link for run in runs])
    return lines + [f"  {name:<{NAMES}}  {', '.join(points)}" for name, points in axes.items() if points]


def in_turn(runs: list[Run]) -> list[str]:
    """The crowds of other codecs, each by its names."""
    return list(dict.fromkeys("+".join(build.name for build in run.crowd) for run in runs if run.crowd))
