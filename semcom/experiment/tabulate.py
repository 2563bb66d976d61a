"""tabulate: from the store to the rows of results.csv, in the scenario's order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from channels import Link, link_for, mean_sinr_db, mean_sir_db
from semcom.experiment.run import evidence, metrics_of
from semcom.experiment.seeds import Seeds
from semcom.making import Making
from semcom.metrics.bootstrap import Array, Combine, Interval, bootstrap_difference
from semcom.metrics.crossed import share_of_gap
from semcom.metrics.metric import Metric
from semcom.scenario.air import in_words
from semcom.scenario.published import PUBLISHED, Published
from semcom.scenario.scenario import Scenario
from semcom.scenario.work import Build, Run, Sweep
from semcom.store.results import Row
from semcom.store.store import Finished, Store
from semcom.tasks.detectors import AS_NOISE

SIZES = ("parameters", "body_parameters", "size_bytes")


@dataclass(frozen=True, eq=False)
class _Known:
    """What the store holds, read once, and what the scenario calls it."""

    scenario: Scenario
    store: Store
    builds: dict[str, Finished]
    runs: dict[str, Finished]
    metrics: list[Metric]

    def metrics_of(self, run: Run) -> list[Metric]:
        """Those that score what the receiver of this run says."""
        return [metric for metric in self.metrics if metric.name in run.measure.metrics]

    def is_done(self, run: Run) -> bool:
        """Whether this run has numbers."""
        return run.identity in self.runs and self.runs[run.identity].status == "done"

    def evidence(self, runs: Sequence[Run], metric: Metric, user: str) -> tuple[list[Array], Combine]:
        """What each of these runs measured of a user, in their order, and what makes a score of it."""
        found = [evidence(run, metric, user, partial(self.store.statistics, run.identity)) for run in runs]
        return [statistics for statistics, _ in found], found[0][1]

    def seeds(self, sides: Iterable[tuple[Run, ...]]) -> Seeds:
        """Those of the runs, or pairs of them, that are finished."""

        def found(run: Run, metric: Metric, user: str) -> tuple[Array, Combine]:
            return evidence(run, metric, user, partial(self.store.statistics, run.identity))

        return Seeds((each for each in sides if all(map(self.is_done, each))), found)

    def built(self, run: Run) -> dict[str, Any]:
        """The record of the run's build; empty if it was never built."""
        found = self.builds[run.build.identity].record if run.build.identity in self.builds else {}
        spoken = self.builds.get(run.language.identity) if run.language else None
        return with_language(found, spoken.record if spoken else {})

    def facts(self, run: Run, record: dict[str, Any], user: str) -> dict[str, Any]:
        """The columns that say who and where, and how the codec was made."""
        return {**_facts(run, self.built(run), record, user), **vars(making_of(run.build, self.scenario))}

    def is_failed(self, run: Run) -> bool:
        """Whether it, or a build it needs, was tried in vain."""
        ends = (self.runs.get(run.identity), *(self.builds.get(build.identity) for build in run.builds))
        return any(end is not None and end.status == "failed" for end in ends)


def tabulate(scenario: Scenario, sweep: Sweep, store: Store) -> list[Row]:
    """Absolute rows, then paired differences, then shares of gaps, then published curves."""
    done = store.runs()
    known = _Known(scenario, store, store.builds(), done, metrics_of(scenario.measure, classes=classes_of(sweep, done)))
    runs = list(sweep.runs)
    pairs, alone = list(_pairs(scenario, runs)), known.seeds((run,) for run in runs)
    rows = [row for run in runs for row in _measured(run, known, alone)]
    paired = known.seeds(pairs)
    rows += [row for first, second in pairs for row in _paired(first, second, known, paired)]
    rows += [row for parts in _gaps(scenario, runs) for row in _shared(parts, known)]
    return rows + [row for name in scenario.overlay for row in _overlay(name, known.metrics)]


def classes_of(sweep: Sweep, runs: Mapping[str, Finished]) -> tuple[str, ...]:
    """Names of the task's classes as a finished run of the sweep noted them; none where it has no classes."""
    noted = (runs[each.identity].record.get("classes") for each in sweep.runs if each.identity in runs)
    return next((tuple(each) for each in noted if each), ())


def making_of(build: Build, scenario: Scenario) -> Making:
    """How a codec was made, those that it came from by the names that the scenario gives them."""
    plan = scenario.codecs[build.name]
    teachers = "+".join(plan.distill.teachers) if plan.distill else ""
    donor = plan.adopt.donor if plan.adopt else ""
    return replace(build.making, teachers=teachers, donor=donor, start=(plan.start or "") if build.making.start else "")


def compared(scenario: Scenario) -> list[tuple[str, str]]:
    """Names of codecs whose differences are told: the sweep's first and each other, and those that are to be compared.

    Whoever tells a student's share of a gap tells what it gained as well: tables take the two together.
    """
    first = scenario.sweep.codec[0]
    gaps = ((student, control) for student, control, _ in scenario.measure.gap or ())
    return list(
        dict.fromkeys((*((first, name) for name in scenario.sweep.codec[1:]), *scenario.measure.compare, *gaps))
    )


def _pairs(scenario: Scenario, runs: list[Run]) -> Iterator[tuple[Run, Run]]:
    """Runs of the codecs that are `compared`, and of a codec with a language and itself without, wherever they met the
    same air."""
    met = {(run.build.name, run.point): run for run in runs}
    for one, other in dict.fromkeys((*compared(scenario), *_with_and_without(runs))):
        for run in runs:
            twin = met.get((other, run.point))
            if run.build.name == one and twin and _same_air(run, twin):
                yield run, twin


def _with_and_without(runs: list[Run]) -> Iterator[tuple[str, str]]:
    """Names of one build whose receiver knows a language, and of the same where it knows none."""
    heard = {(run.build.name, run.build.identity): run.tuning is not None for run in runs}
    for (name, build), knows in heard.items():
        if knows:
            yield from ((name, other) for (other, same), does in heard.items() if same == build and not does)


def _gaps(scenario: Scenario, runs: list[Run]) -> Iterator[list[list[Run]]]:
    """Student, control and teacher at every point that all three were to meet, each as one run a seed."""
    met = {(run.build.name, run.build.seed, run.link, crowd_of(run), run.detector): run for run in runs}
    places = list(dict.fromkeys((run.link, crowd_of(run), run.detector) for run in runs))
    for names in _triples(scenario, {run.build.name: run.role for run in runs}):
        for place in places:
            yield [[met[name, seed, *place] for seed in scenario.seeds] for name in names]


def _triples(scenario: Scenario, roles: dict[str, str]) -> list[tuple[str, str, str]]:
    """Those the scenario names; or else every student that it compares with a control, with the student's teacher."""
    if scenario.measure.gap is not None:
        return list(scenario.measure.gap)
    found = []
    for student, control in scenario.measure.compare:
        lesson = scenario.codecs[student].distill
        # Of several teachers the first that is measured stands for all.
        teacher = next((name for name in lesson.teachers if name in roles), None) if lesson else None
        if teacher and roles[control] == "control":
            found.append((student, control, teacher))
    return found


def _same_air(run: Run, twin: Run) -> bool:
    """Only codecs that send equally many symbols meet the same air; otherwise a difference is not paired.

    Of sentences and pictures there is no difference.
    """
    return run.build.task == twin.build.task and run.build.spec.symbols_per_unit == twin.build.spec.symbols_per_unit


def measured_rows(
    run: Run, built: dict[str, Any], record: dict[str, Any], intervals: dict[str, dict[str, Interval]]
) -> list[Row]:
    """What a finished run adds to the table, one row a user and metric.

    How its codec was made stands in these rows as a phrase alone: the columns tell names, which are the scenario's.

    Args:
        built: the record of its build.
        record: its own.
        intervals: by user and metric name.
    """
    facts = {user: _facts(run, built, record, user) for user in intervals}
    return [
        _row(facts[user], name, interval, status="done")
        for user, each in intervals.items()
        for name, interval in each.items()
    ]


def _measured(run: Run, known: _Known, seeds: Seeds) -> Iterator[Row]:
    if known.is_done(run):
        # What people call a codec is no part of a run's identity and may have changed since.
        called: dict[str, Any] = {"codec": run.build.name, "role": run.role, "crowd": crowd_of(run)}
        called |= vars(making_of(run.build, known.scenario))
        metrics = {metric.name: metric for metric in known.metrics}
        for row in known.store.rows(run.identity):
            yield replace(row, **called, common=seeds.common((run,), metrics[row.metric], row.user))
        return
    for user, metric in itertools.product(run.users, known.metrics_of(run)):
        facts = known.facts(run, {}, user)
        yield _row(facts, metric.name, None, status="failed" if known.is_failed(run) else "skipped")


def _paired(run: Run, twin: Run, known: _Known, seeds: Seeds) -> Iterator[Row]:
    """One row a user and metric: this codec's run minus its twin's, with the interval of the difference."""
    record = known.runs[run.identity].record if known.is_done(run) else {}
    for user, metric in itertools.product(run.users, known.metrics_of(run)):
        facts = {**known.facts(run, record, user), "against": twin.build.name}
        if not (known.is_done(run) and known.is_done(twin)):
            yield _row(facts, metric.name, None, status="skipped")
            continue
        (ours, combine), (theirs, _) = (known.evidence([each], metric, user) for each in (run, twin))
        seed, resamples = _seed(run), run.measure.resamples
        difference = bootstrap_difference(ours[0], theirs[0], combine, resamples=resamples, seed=seed)
        facts["common"] = seeds.common((run, twin), metric, user)
        yield _row(facts, metric.name, difference, status="done")


def _shared(parts: list[list[Run]], known: _Known) -> Iterator[Row]:
    """One row a user and metric: the share of the gap that the student closes, over all seeds or not at all.

    Args:
        parts: runs of student, control and teacher, one a seed.
    """
    first, control, teacher = (runs[0] for runs in parts)
    are_done = all(known.is_done(run) for runs in parts for run in runs)
    record = known.runs[first.identity].record if known.is_done(first) else {}
    named = {"against": control.build.name, "gap_to": teacher.build.name, "seed": None}
    for user, metric in itertools.product(first.users, known.metrics_of(first)):
        facts = {**known.facts(first, record, user), **named}
        if not are_done:
            yield _row(facts, metric.name, None, status="skipped")
            continue
        (ours, combine), (least, _), (most, _) = (known.evidence(runs, metric, user) for runs in parts)
        yield _row(facts, metric.name, share_of_gap(ours, least, most, combine), status="done")


def with_language(built: dict[str, Any], language: dict[str, Any]) -> dict[str, Any]:
    """The record of a codec with the sizes of its receiver's language added: all of it must fit on the device."""
    if not language or not built:
        return built
    added = {"parameters": "parameters", "body_parameters": "parameters", "size_bytes": "size_bytes"}
    return {**built, **{name: built[name] + language[of] for name, of in added.items() if built.get(name) is not None}}


def _seed(run: Run) -> int:
    """Of resampling: any does that is the same each time, and half the run's identity fits every generator."""
    return int(run.identity[:12], 16)


def _facts(run: Run, built: dict[str, Any], record: dict[str, Any], user: str) -> dict[str, Any]:
    """The columns that say who and where: the wanted user's codec and point, and the user's own SINR."""
    build = run.build
    return {
        "task": build.task.kind,
        "codec": build.name,
        "role": run.role,
        "method": build.method,
        **{name: built.get(name) for name in SIZES},
        **({"language": run.language.name} if run.language else {}),
        **({"beam": run.tuning.search.beam} if run.tuning else {}),
        "symbols_per_token": build.spec.symbols_per_unit,
        **{name: record.get(name) for name in ("symbols_per_word", "measured_snr_db", "measured_sinr_db")},
        "seed": build.seed,
        "run_id": run.identity,
        **conditions(run.link),
        **({"interference": in_words(run.link.interference) + ", scrambled"} if run.scrambling else {}),
        "crowd": crowd_of(run),
        "detector": "" if run.detector == AS_NOISE else in_words(run.detector),
        "user": user,
        **_heard(run.link, record, user),
    }


def _heard(link: Link, record: dict[str, Any], user: str) -> dict[str, Any]:
    """What the user's own receiver meets; all of them together meet nothing."""
    if not user:
        return {}
    own = ("sir_db", "sinr_db", "measured_snr_db", "measured_sinr_db")
    if user == "sum":
        return dict.fromkeys(own)
    view, number = link_for(link, int(user)), int(user)
    met = record["users"][number] if record else {}
    return {**dict.fromkeys(own), "sir_db": mean_sir_db(view), "sinr_db": mean_sinr_db(view), **met}


def crowd_of(run: Run) -> str:
    """The names of what the interferers send through, in turn; empty where it is the run's own codec."""
    return "+".join(build.name for build in run.crowd or ())


def conditions(link: Link) -> dict[str, Any]:
    """The columns that say in what a run was."""
    crowded = link.interferers > 0
    return {
        "fading": in_words(link.fading),
        "coherence": in_words(link.coherence),
        "interference": in_words(link.interference) if crowded else "none",
        "equalizer": in_words(link.equalizer),
        "csi": in_words(link.csi),
        "antennas": link.antennas,
        "snr_db": link.snr_db,
        "interferers": link.interferers,
        "level_db": link.interference.level_db if crowded else None,
        "sir_db": mean_sir_db(link),
        "sinr_db": mean_sinr_db(link),
    }


def _row(facts: dict[str, Any], metric: str, interval: Interval | None, *, status: str) -> Row:
    found = {} if interval is None else {name: getattr(interval, name) for name in ("value", "low", "high", "count")}
    # One sentence has no interval and no random partner: what cannot be known stays empty.
    found = {name: None if math.isnan(number) else number for name, number in found.items()}
    return Row(**facts, metric=metric, **found, status=status)


def _overlay(name: str, metrics: list[Metric]) -> Iterator[Row]:
    """A published curve as rows of its own, on our axis."""
    curve: Published = next(each for each in PUBLISHED if each.name == name)
    for metric in metrics:
        for label, value in zip(curve.snr_db, curve.scores.get(metric.name, ()), strict=False):
            link = Link(snr_db=label + curve.offset_db)
            facts = {
                **conditions(link),
                "task": "text",
                "codec": curve.name,
                "role": "published",
                "method": curve.note,
                "symbols_per_word": curve.symbols_per_word,
                "fading": curve.fading,
            }
            yield Row(**facts, metric=metric.name, value=value, status="published")
