"""preview: the plan of a scenario in words, before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from semcom.experiment.circumstances import foreseen, made, otherwise
from semcom.experiment.estimate import build_seconds, sweep_seconds
from semcom.experiment.expand import Build, Run, Sweep, expand
from semcom.experiment.folder import RunFolder
from semcom.experiment.scenario import Scenario
from semcom.experiment.store import Store
from semcom.experiment.supply import check_text
from semcom.experiment.unheard import unheard
from semcom.sources.textfile import TextFile
from semcom.words import counted, lasting


def preview(scenario: Scenario, folder: Path) -> str:
    """What will be built and run, what is done already in the folder, and about how long the rest takes.

    Raises:
        UserMistake: the scenario cannot be carried out, as far as that shows without any work.
    """
    sweep = expand(scenario)
    if isinstance(scenario.corpus, TextFile):
        # The only text that is at hand in any case and quick to read.
        check_text(scenario, scenario.corpus.load())
    place = RunFolder(folder)
    built, ran = _done(place)
    runs = {run.identity: run for run in sweep.runs}
    left = [build for build in sweep.builds if build.identity not in built]
    waiting = [run for run in runs.values() if run.identity not in ran]
    seconds = sweep_seconds(sweep, built | ran)
    names = {build.identity: build.name for build in sweep.builds}
    lines = [
        f"{scenario.name}: {scenario.question}",
        "",
        f"{counted(len(sweep.builds), 'codec')} ({len(left)} to train)",
    ]
    lines += [_build_line(build, names, build.identity in built) for build in sweep.builds]
    metrics = counted(len(scenario.measure.metrics), "metric")
    lines += ["", f"{counted(len(runs), 'point')} ({len(waiting)} to measure), {metrics} each"]
    lines += _run_lines(list(runs.values()))
    if notes := [*unheard(scenario), *_mixed(place, sweep, scenario.threads)]:
        lines += ["", *notes]
    lines += ["", f"about {lasting(seconds)} of one core to go; results in {folder}"]
    return "\n".join(lines)


def _done(place: RunFolder) -> tuple[set[str], set[str]]:
    """Builds and runs that are there already."""
    if not place.store_file.is_file():
        return set(), set()
    with Store(place.store_file, reading=True) as store:
        return {each for each in store.done_builds() if place.weights(each).is_file()}, store.done_runs()


def _mixed(place: RunFolder, sweep: Sweep, threads: int) -> list[str]:
    """Whether what is done was made as `semcom run` without options would go on."""
    if not place.store_file.is_file():
        return []
    with Store(place.store_file, reading=True) as store:
        said = otherwise(made(sweep, store.builds(), store.runs()), foreseen(threads))
    return [said] if said else []


def _build_line(build: Build, names: dict[str, str], done: bool) -> str:
    sides = " -> ".join(f"{side.layers}x{side.width}" for side in (build.spec.transmitter, build.spec.receiver))
    taught = f", taught by {' and '.join(names[each] for each in build.lesson.teachers)}" if build.lesson else ""
    begun = f", begun from {names[build.start]}" if build.start else ""
    state = "done" if done else f"about {lasting(build_seconds(build))}"
    return (
        f"  {build.identity}  {build.name:<20} {sides}, {build.spec.symbols_per_token} symbols a token, "
        f"{build.method}{taught}{begun}, {build.settings.steps} steps, seed {build.seed}"
        f"{f', draw {build.draw}' if build.draw else ''}  [{state}]"
    )


def _run_lines(runs: list[Run]) -> list[str]:
    """The range of every axis that moves, and the value of what stands still."""
    axes: dict[str, Sequence[object]] = {
        "snr_db": sorted({run.link.snr_db for run in runs}),
        "interferers": sorted({run.link.interferers for run in runs}),
        "fading": sorted({run.link.fading.kind for run in runs}),
        "interference": sorted({run.link.interference.kind for run in runs if run.link.interferers}),
        "crowd": in_turn(runs),
        "equalizer": sorted({run.link.equalizer.kind for run in runs}),
        "antennas": sorted({run.link.antennas for run in runs}),
    }
    if any(run.measure.users == "all" for run in runs):
        axes["users"] = [
            f"all: 0 to {max(run.link.interferers for run in runs)} of each cell are scored, and their sum"
        ]
    each = Counter(run.build.name for run in runs)
    per_codec = ", ".join(f"{name} {count}" for name, count in each.items())
    lines = [f"  {name:<12} {', '.join(_short(point) for point in points)}" for name, points in axes.items() if points]
    return [*lines, f"  points       {per_codec}"]


def in_turn(runs: list[Run]) -> list[str]:
    """The crowds of other codecs, each by its names."""
    return list(dict.fromkeys("+".join(build.name for build in run.crowd) for run in runs if run.crowd))


def _short(point: object) -> str:
    return f"{point:g}" if isinstance(point, float) else str(point)
