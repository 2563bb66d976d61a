"""costs.csv: what every codec of a run costs in parameters, arithmetic, training and waiting."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from semcom.compression.cost import count, language_multiply_adds
from semcom.experiment.build import recorded_spec
from semcom.experiment.timing import known_latency
from semcom.languages.mixture_spec import MixtureSpec
from semcom.models.make import make
from semcom.scenario.work import Build, LanguageBuild, Run, Sweep
from semcom.store.results import write_table
from semcom.store.store import Finished


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """One line of costs.csv, one codec of one seed; the fields are its columns.

    Parameters and multiply-adds follow from the shape. Times belong to the machine and to what else it did, so this
    table is outside the promise that the same seed gives the same bytes, and nothing in results.csv depends on it.
    What was not measured here is empty.

    Args:
        body_parameters: without embeddings and output layer; then the same for each side.
        multiply_adds: per token, at 20 tokens a sentence, of the whole trip; then of each side.
        step_ms: median process-CPU time of one optimizer step, its teacher's part included; empty for a borrowed codec,
            whose training was another run's, perhaps on another machine.
        train_seconds: wall time of the training; of its last attempt, if it was killed and begun again; or empty alike.
        latency_ms: least wall time of one sentence of 20 tokens through transmitter and receiver, all codecs of the
            scenario in turn; then the lowest and the highest of what each quarter of the measurement found. Tables of
            earlier versions hold median and quartiles, each codec timed right after its training.
        threads: of torch, when the latency was measured.
        language: what the receiver knows; all that it costs is counted into the other columns, and told apart by the
            last four. Its multiply-adds are those of every hypothesis of the search; an n-gram, which is looked up, has
            none. Its time is the latency less that of the receiver without it.
    """

    codec: str
    role: str
    method: str
    seed: int
    parameters: int | None = None
    body_parameters: int | None = None
    transmitter_body_parameters: int | None = None
    receiver_body_parameters: int | None = None
    size_bytes: int | None = None
    multiply_adds: int | None = None
    transmitter_multiply_adds: int | None = None
    receiver_multiply_adds: int | None = None
    steps: int
    step_ms: float | None = None
    train_seconds: float | None = None
    latency_ms: float | None = None
    latency_low_ms: float | None = None
    latency_high_ms: float | None = None
    threads: int | None = None
    language: str = ""
    language_parameters: int = 0
    language_bytes: int = 0
    language_multiply_adds: int = 0
    language_ms: float | None = None


COLUMNS = tuple(each.name for each in dataclasses.fields(CostRow))
RECORDED = ("size_bytes", "step_ms")


def cost_rows(sweep: Sweep, builds: Mapping[str, Finished]) -> list[CostRow]:
    """A row for every codec and seed of the sweep, in the order of the table.

    Args:
        builds: what the store remembers, by identity.
    """
    first: dict[tuple[str, int], Run] = {}
    for run in sweep.runs:
        first.setdefault((run.build.name, run.build.seed), run)
    known = {key: build.record for key, build in builds.items() if build.status == "done"}
    specs = {each.identity: each for each in sweep.languages}
    return [_with_language(_row(run, known.get(run.build.identity, {})), run, known, specs) for run in first.values()]


def write_costs(rows: list[CostRow], path: Path) -> None:
    """Replace the table by these rows.

    Raises:
        UserMistake: the disk refuses.
    """
    write_table(rows, COLUMNS, path)


def _row(run: Run, record: dict[str, Any]) -> CostRow:
    build = run.build
    known: dict[str, Any] = {name: record.get(name) for name in RECORDED} | _counted(build, record)
    known |= vars(found) if (found := known_latency(record)) else {}
    return CostRow(
        codec=build.name,
        role=run.role,
        method=build.method,
        seed=build.seed,
        steps=build.steps,
        train_seconds=record.get("seconds"),
        **known,
    )


def _with_language(
    row: CostRow, run: Run, known: Mapping[str, dict[str, Any]], languages: Mapping[str, LanguageBuild]
) -> CostRow:
    """The row with what the receiver's language adds, where it knows one that is made."""
    tuning = run.tuning
    if tuning is None:
        return row
    language, timed = known.get(tuning.language.identity), known_latency(known.get(tuning.identity, {}))
    outputs = known.get(run.build.identity, {}).get("vocabulary")
    # Without its times the codec's alone would pass for those of the whole.
    untold = dict.fromkeys(("latency_ms", "latency_low_ms", "latency_high_ms", "threads"))
    row = dataclasses.replace(
        row, language=tuning.language.name, **(vars(timed) if timed else untold), language_ms=None
    )
    if language is None or outputs is None:
        return row
    parts = _parts(tuning.language, languages)
    arithmetic = sum(language_multiply_adds(each.spec, outputs, beam=tuning.search.beam) for each in parts)
    added = {
        **dict.fromkeys(("parameters", "body_parameters", "receiver_body_parameters"), language["parameters"]),
        **dict.fromkeys(("multiply_adds", "receiver_multiply_adds"), arithmetic),
        "size_bytes": language["size_bytes"],
    }
    alone = known_latency(known[run.build.identity])
    return dataclasses.replace(
        row,
        **{name: getattr(row, name) + more for name, more in added.items() if getattr(row, name) is not None},
        language_parameters=language["parameters"],
        language_bytes=language["size_bytes"],
        language_multiply_adds=arithmetic,
        language_ms=round(timed.latency_ms - alone.latency_ms, 4) if timed and alone else None,
    )


def _parts(language: LanguageBuild, languages: Mapping[str, LanguageBuild]) -> Iterator[LanguageBuild]:
    """What is asked for every token: the language, or the two of a mixture and theirs."""
    if isinstance(language.spec, MixtureSpec):
        for each in language.needs:
            yield from _parts(languages[each], languages)
    else:
        yield language


def _counted(build: Build, record: dict[str, Any]) -> dict[str, int]:
    """What follows from the shape, of a codec that was trained; the record has the last word where it has one."""
    if "vocabulary" not in record:
        return {}
    # Without memory behind it. Records of earlier versions do not tell the sides apart.
    with torch.device("meta"):
        cost = vars(count(make(recorded_spec(build, record), record["vocabulary"])))
    return {name: record.get(name, value) for name, value in cost.items()}
