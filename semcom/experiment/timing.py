"""Timing: the latencies of all codecs of a scenario, measured together when everything else is done."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from semcom.baselines.separate_spec import SeparateSpec
from semcom.compression.latency import Latency, Shape, latencies
from semcom.experiment.build import recorded_spec
from semcom.experiment.memory import keep_memory
from semcom.experiment.progress import Board
from semcom.experiment.repair import sealed
from semcom.experiment.tuning import reader_of
from semcom.languages.reader import Reader
from semcom.languages.settings import SearchSettings
from semcom.scenario.work import Build, LanguageBuild, Sweep, Tuning
from semcom.store.folder import RunFolder
from semcom.store.store import Store

KEY = "latency"
NAMES = {each.name for each in dataclasses.fields(Latency)}
TOGETHER = "together"


def time_codecs(sweep: Sweep, store: Store, board: Board, *, folder: Path, device: str, threads: int) -> None:
    """Measure the latencies of a sweep's trained codecs, unless they were, and put them into the store's records.

    Those of receivers that know a language, whose search is timed with them, stand with their tuning.

    Times are compared, so they are all of one measurement: one codec without a time, or with one of another
    measurement, has all of them timed again. So has an implausible measurement when the scenario is begun again.

    Raises:
        UserMistake: the disk refuses.
    """
    builds: dict[str, Build | Tuning] = {run.build.identity: run.build for run in sweep.runs}
    tunings = {run.tuning.identity: run.tuning for run in sweep.runs if run.tuning}
    builds |= tunings
    records = {key: each.record for key, each in store.builds().items() if key in builds and each.status == "done"}
    shapes = {
        key: Shape(recorded_spec(build, records[key]), records[key]["vocabulary"])
        for key, build in builds.items()
        if isinstance(build, Build)
        and "vocabulary" in records.get(key, {})
        # One that counts bits has no use for weights that are drawn.
        and not isinstance(build.spec, SeparateSpec)
    }
    tunings = {key: each for key, each in tunings.items() if key in records and each.codec.identity in shapes}
    wanted = [*shapes, *tunings]
    known = {key: found for key in wanted if (found := known_latency(records[key]))}
    is_one = len({records[key][KEY][TOGETHER] for key in known}) <= 1
    if len(known) == len(wanted) and is_one and not implausible(shapes, known, builds):
        return
    torch.set_num_threads(threads)
    keep_memory()
    searches = _searches(tunings, shapes, sweep, store, folder=folder, device=device)
    measured = latencies({**shapes, **searches}, device=device, progress=board.tick("timing the codecs"))
    when = datetime.datetime.now(datetime.UTC).isoformat()
    for key, each in measured.items():
        # A kill between two of these leaves two measurements, and the next call makes them one.
        store.finish_build(key, name=builds[key].name, record={**records[key], KEY: {**vars(each), TOGETHER: when}})
    if said := implausible(shapes, measured, builds):
        board.say(said)


def _searches(
    tunings: Mapping[str, Tuning], shapes: Mapping[str, Shape], sweep: Sweep, store: Store, *, folder: Path, device: str
) -> dict[str, Shape]:
    """What is to be timed with a language, by identity of the tuning."""
    if not tunings:
        return {}
    everything = sealed(sweep.everything, RunFolder(folder), store)
    languages = {key: each for key, each in everything.items() if isinstance(each, LanguageBuild)}
    # One seed's language stands for all, which are of one size: they need not all be in memory at once.
    readers: dict[tuple[str, SearchSettings], Reader] = {}
    found = {}
    for key, each in tunings.items():
        which, tuning = (each.language.name, each.search), everything[key]
        assert isinstance(tuning, Tuning)
        if which not in readers:
            readers[which] = reader_of(tuning, languages, folder, device)
        found[key] = replace(shapes[each.codec.identity], reader=readers[which])
    return found


def known_latency(record: Mapping[str, Any]) -> Latency | None:
    """What a build's record says; None where it was not measured, or right after the training as it used to be."""
    found = record.get(KEY)
    if not isinstance(found, dict) or set(found) != {*NAMES, TOGETHER}:
        return None
    return Latency(**{name: found[name] for name in NAMES})


def implausible(
    shapes: Mapping[str, Shape], found: Mapping[str, Latency], builds: Mapping[str, Build | Tuning]
) -> str | None:
    """One line where codecs of one shape, which take equally long, were not measured so; None where they were.

    How long a search takes hangs on what it finds too, so receivers that know a language are not among the shapes.
    """
    alone = [key for key in found if key in shapes]
    pairs = itertools.combinations(sorted(alone, key=lambda key: found[key].latency_ms), 2)
    apart = [(one, other) for one, other in pairs if shapes[one] == shapes[other] and found[one].is_apart(found[other])]
    if not apart:
        return None
    one, other = max(apart, key=lambda pair: found[pair[1]].latency_ms / found[pair[0]].latency_ms)
    return (
        f"the latencies in costs.csv are not to be trusted: {_named(builds[one])} and {_named(builds[other])} are of "
        f"one shape, and took {_told(found[one])} and {_told(found[other])}. Something else kept the machine busy; run "
        "the same again when it is idle, and the latencies alone are measured again"
    )


def _named(build: Build | Tuning) -> str:
    return f"{build.name} (seed {(build.codec if isinstance(build, Tuning) else build).seed})"


def _told(latency: Latency) -> str:
    return f"{latency.latency_ms:.3g} ms (to {latency.latency_high_ms:.3g})"
