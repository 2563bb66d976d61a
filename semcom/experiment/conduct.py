"""conduct: carry a scenario out from start to results.csv, and go on where an earlier attempt stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from semcom.experiment.calibrations import write_bins
from semcom.experiment.confusions import write_matrices
from semcom.experiment.costs import cost_rows, write_costs
from semcom.experiment.estimate import sweep_seconds
from semcom.experiment.examples import keep_examples
from semcom.experiment.failures import failure_of
from semcom.experiment.influence import influence_rows, write_influence
from semcom.experiment.layer_rows import layer_rows, write_layers
from semcom.experiment.layers import without_messages
from semcom.experiment.limits import unread, write_bounds
from semcom.experiment.messages import check_exams, read_messages
from semcom.experiment.off_label import off_label, place_of
from semcom.experiment.progress import Board
from semcom.experiment.pruning import pruning_rows, write_pruning
from semcom.experiment.repair import mend, note_tokenizers, sealed
from semcom.experiment.run import Outcome, metrics_of
from semcom.experiment.sample import keep_sample
from semcom.experiment.tabulate import measured_rows, tabulate, with_language
from semcom.experiment.telling import told_of
from semcom.experiment.timing import time_codecs
from semcom.experiment.workers import Alone, Job, Means, Several, crew_of
from semcom.files import digest, digest_of, write_atomically
from semcom.mistakes import UserMistake
from semcom.scenario.expand import expand
from semcom.scenario.pitfalls import pitfalls
from semcom.scenario.scenario import Scenario
from semcom.scenario.unused_keys import unused_keys
from semcom.scenario.work import AnyBuild, Build, LanguageBuild, Run, Sweep, Tuning
from semcom.store.borrowing import borrow, check_lenders
from semcom.store.circumstances import Made, circumstances, made, otherwise
from semcom.store.folder import RunFolder, record, write_record
from semcom.store.ownership import check_owner, left_out
from semcom.store.results import write_csv
from semcom.store.store import Store
from semcom.words import counted, lasting


def conduct(
    scenario: Scenario,
    text: str,
    folder: Path,
    *,
    means: Means,
    console: Console,
    lenders: tuple[Path, ...] = (),
    replace: bool = False,
) -> int:
    """Build what is not built, run what is not run, and write results.csv, and the other tables beside it.

    Everything that is finished is in the store at once, so that a kill at any instant costs only work in progress;
    training in progress is in its own checkpoint.

    Args:
        text: the scenario as YAML, kept in the run folder.
        lenders: run folders whose finished codecs are taken over instead of being trained again.
        replace: whether the folder may be that of another scenario.

    Returns:
        How many builds and runs failed; the others are finished all the same.

    Raises:
        UserMistake: the scenario cannot be carried out as it is.
    """
    began = time.perf_counter()
    means = Means(workers=means.workers, device=_device(means.device), threads=means.threads)
    place = RunFolder(folder)
    check_owner(scenario, place, replace=replace)
    _check_processes(scenario, means)
    check_lenders(lenders)
    # Found out now rather than after the training: can every metric be computed here?
    provenance = {metric.name: metric.provenance() for metric in metrics_of(scenario.measure)}
    sweep = expand(scenario)
    with Board(console) as board:
        # A text that is no use leaves no folder behind.
        told = None if place.store_file.is_file() else read_messages(scenario, board)
        place.prepare()
        with Store(place.store_file) as store:
            place.tidy()
            lost = mend(sweep, place, store, board.say)
            if borrowed := borrow(sweep, place, store, lenders=lenders):
                board.say(f"borrowed: {', '.join(borrowed)}")
            work = _Work(sweep, place, store, means, lost=lost)
            if lenders and work.builds and not borrowed:
                board.say("borrowed: nothing; the lenders hold no codec that is missing here")
            board.say(_opening(scenario, sweep, work, means))
            for line in _remarks(scenario, sweep, work):
                board.say(line)
            if work.builds or work.runs:
                for line in read_messages(scenario, board) if told is None else told:
                    board.say(line)
                check_exams(scenario, [work.sealed(each) for each in sweep.builds], folder, board)
                work.seal()
            keep_sample(sweep, place, store)
            store.noted.note_file(place.scenario_file.name, digest(text.encode()))
            write_atomically(place.scenario_file, text)
            with crew_of(board, means) as crew:
                work.carry_out(crew, board)
            if note := off_label(sweep.runs, store.runs()):
                board.say(note)
            # Record and costs tell of one table: until the new one's are complete there are none.
            for each in (place.record_file, *place.all_tables[1:]):
                each.unlink(missing_ok=True)
            write_csv(tabulate(scenario, sweep, store), place.results_file)
            write_matrices(sweep, store, place)
            write_bins(sweep, store, place)
            write_bounds(sweep, store, place, device=means.device)
            keep_examples(sweep, store, place, work.sealed, device=means.device)
            # After everything that cannot be had again in a minute: whoever stops it here loses none of that.
            time_codecs(sweep, store, board, folder=folder, device=means.device, threads=means.threads)
            builds = store.builds()
            write_costs(cost_rows(sweep, builds), place.costs_file)
            write_pruning(pruning_rows(sweep, builds), place.pruning_file)
            write_influence(influence_rows(sweep, builds), place.keys_file)
            write_layers(layer_rows(scenario, sweep, builds), place.layers_file)
            facts = _record(scenario, store, means, {"this call": time.perf_counter() - began})
            alike = [each.facts() for each in work.made(sweep)]
            tables = {path.name: digest_of(path) for path in place.tables_written}
            write_record(place, facts | {"metrics": provenance, "made": alike, "digests": tables})
            store.check_place()
    return work.failures


def _remarks(scenario: Scenario, sweep: Sweep, work: _Work) -> Iterator[str]:
    """What whoever asked may want to know before hours of work are spent."""
    yield from unused_keys(scenario)
    yield from pitfalls(scenario)
    if gone := left_out(sweep, work.place, done=work.store.done_runs()):
        yield gone
    if mixed := otherwise(work.made(sweep), circumstances(work.means.device, threads=work.means.threads)):
        yield mixed


def _check_processes(scenario: Scenario, means: Means) -> None:
    """Refuse workers that would have to start processes of their own, which they may not."""
    most = max(scenario.resolved(name).training.devices for name in scenario.needed_codecs)
    if means.workers > 1 and most > 1:
        raise UserMistake(
            f"--workers must be 1 where training.devices is above 1, got {means.workers} workers and {most} devices; "
            "spread either the codecs over workers or one codec over devices"
        )


class _Work:
    """What is left to do, and the order in which it can be done."""

    def __init__(self, sweep: Sweep, place: RunFolder, store: Store, means: Means, *, lost: set[str]) -> None:
        self.place = place
        self.store = store
        self.means = means
        self.known = sealed(sweep.everything, place, store)
        self.built = {each for each in store.done_builds() if place.weights(each).is_file()}
        for each in self.built:
            # A kill may have come between the last two lines of `_note_build`.
            place.checkpoint(each).unlink(missing_ok=True)
        done = store.done_runs()
        self.runs = {run.identity: run for run in sweep.runs if run.identity not in done}
        self.total_runs = len({run.identity for run in sweep.runs})
        self.ended_runs = self.total_runs - len(self.runs)
        measured = {identity for run in self.runs.values() for identity in run.needs} | unread(sweep, done)
        # A codec that was forgotten while its points are all measured, then or in an earlier attempt, is wanted too.
        forgotten = {run.build.identity for run in sweep.runs} - store.done_builds()
        needed = self._needed((measured | forgotten | lost) & set(self.known))
        self.builds = {key: build for key, build in self.known.items() if key in needed and key not in self.built}
        self.failures = 0

    def _needed(self, wanted: set[str]) -> set[str]:
        """These builds and all that they are made from, as far as that is not there yet."""
        found: set[str] = set()
        waiting = list(wanted)
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                if key not in self.built:
                    waiting.extend(self.known[key].needs)
        return found

    def seal(self) -> None:
        """Note what the tokenizers are, now that they are there, and hand that out with every job."""
        note_tokenizers(self.known.values(), self.place, self.store)
        self.known = sealed(self.known.values(), self.place, self.store)

    def made(self, sweep: Sweep) -> list[Made]:
        """What is done of the sweep, by the circumstances."""
        builds = {key: build for key, build in self.store.builds().items() if key not in self.builds}
        return made(sweep, builds, self.store.runs())

    def carry_out(self, crew: Alone | Several, board: Board) -> None:
        """Hand out whatever has all it needs, until nothing is left or can be done."""
        measured = board.tick("measuring") if self.runs else None
        self._hand_out(crew)
        while crew.busy:
            job, outcome = crew.finished()
            if isinstance(outcome, UserMistake):
                # If the whole folder is gone, that is to be told, and not what was missed first.
                self.store.check_place()
                raise outcome
            if not isinstance(job.work, Run):
                self._note_build(job.work, outcome, board)
                self._hand_out(crew)
            else:
                self._note_run(job.work, outcome, board)
                self.ended_runs += 1
                if measured:
                    measured(self.ended_runs, self.total_runs, place_of(job.work))
        for build in self.builds.values():
            self.failures += 1
            message = "what it is built from failed"
            self.store.finish_build(build.identity, name=build.name, status="failed", message=message)

    def _hand_out(self, crew: Alone | Several) -> None:
        for key, build in list(self.builds.items()):
            if set(build.needs) <= self.built:
                crew.take(self._job(self.builds.pop(key)))
        for key, run in list(self.runs.items()):
            if run.needs <= self.built:
                crew.take(self._job(self.runs.pop(key)))

    def _job(self, work: AnyBuild | Run) -> Job:
        if isinstance(work, Build):
            return Job(self.sealed(work), dict(self.known), self.place.path, self.means)
        if not isinstance(work, Run):
            # What it is made from is finished by now, so that all digests are known.
            (ready,) = sealed([work], self.place, self.store).values()
            return Job(ready, self._languages(), self.place.path, self.means)
        run = replace(
            work,
            build=self.sealed(work.build),
            crowd=work.crowd and tuple(map(self.sealed, work.crowd)),
            tuning=self._tuning(work.tuning),
            crowd_tunings=tuple(map(self._tuning, work.crowd_tunings)),
        )
        return Job(run, self._languages() if run.tuning or run.crowd_tunings else {}, self.place.path, self.means)

    def _languages(self) -> dict[str, AnyBuild]:
        return {key: each for key, each in self.known.items() if isinstance(each, LanguageBuild)}

    def sealed(self, build: Build) -> Build:
        """The build under its own name with what its files must be."""
        known = self.known[build.identity]
        assert isinstance(known, Build)
        return replace(build, digests=known.digests, languages=known.languages)

    def _tuning(self, tuning: Tuning | None) -> Tuning | None:
        """The same of a tuning, and of all that it is made from."""
        found = tuning and self.known[tuning.identity]
        assert found is None or isinstance(found, Tuning)
        return found

    def _note_build(self, build: AnyBuild, outcome: Any, board: Board) -> None:
        if isinstance(outcome, Exception):
            self.failures += 1
            self.store.finish_build(build.identity, name=build.name, status="failed", message=failure_of(outcome))
            board.say(f"{build.name} failed: {failure_of(outcome)}")
            return
        self.store.finish_build(build.identity, name=build.name, record=outcome)
        self.place.checkpoint(build.identity).unlink(missing_ok=True)
        self.built.add(build.identity)
        self.known |= sealed([build], self.place, self.store)
        board.say(f"{build.name}: {told_of(build, outcome)} in {lasting(outcome['seconds'])}")

    def _note_run(self, run: Run, outcome: Outcome | Exception, board: Board) -> None:
        if isinstance(outcome, Exception):
            self.failures += 1
            self.store.finish_run(run.identity, status="failed", message=failure_of(outcome))
            board.say(f"{place_of(run)} failed: {failure_of(outcome)}")
            return
        builds = self.store.builds()
        language = builds[run.language.identity].record if run.language else {}
        built = with_language(builds[run.build.identity].record, language)
        try:
            rows = measured_rows(run, built, outcome.record, outcome.intervals)
        except ValueError as error:
            # Whatever made no number of it, the other points have theirs.
            self._note_run(run, error, board)
            return
        self.store.finish_run(run.identity, rows, outcome.statistics, outcome.record)


def _record(scenario: Scenario, store: Store, means: Means, seconds: dict[str, float]) -> dict[str, Any]:
    """How the numbers came to be: versions and machine, and of every build and run its own record."""
    return {
        **record(seeds=scenario.seeds, threads=means.threads, device=means.device, seconds=seconds),
        "workers": means.workers,
        "builds": {
            key: {**vars(build), "record": without_messages(build.record)} for key, build in store.builds().items()
        },
        "runs": {key: vars(run) for key, run in store.runs().items()},
    }


def _opening(scenario: Scenario, sweep: Sweep, work: _Work, means: Means) -> str:
    left = sweep_seconds(sweep, work.built | ({run.identity for run in sweep.runs} - set(work.runs)))
    by = f"{counted(means.workers, 'worker')} with {counted(means.threads, 'thread')} on {means.device}"
    codecs = sum(isinstance(each, Build) for each in work.builds.values())
    languages = sum(isinstance(each, LanguageBuild) for each in work.builds.values())
    also = f"{languages} of {counted(len(sweep.languages), 'language')} to make, " if sweep.languages else ""
    return (
        f"{scenario.question}\n"
        f"{codecs} of {counted(len(sweep.builds), 'codec')} to train, {also}"
        f"{len(work.runs)} of {counted(work.total_runs, 'point')} to measure, "
        f"about {lasting(left / means.workers)} on {by}; {work.place.path}"
    )


def _device(name: str) -> str:
    import torch

    if name not in ("auto", "cpu", "cuda"):
        raise UserMistake(f"--device must be auto, cpu or cuda, got {name}")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserMistake("--device cuda needs a GPU that torch can use, and there is none; leave it at auto")
    return "cuda" if name != "cpu" and torch.cuda.is_available() else "cpu"
