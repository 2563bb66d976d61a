"""costs.csv: what every codec of a run costs in parameters, arithmetic, training and waiting."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from semcom.compression.cost import count
from semcom.experiment.build import recorded_spec
from semcom.experiment.timing import known_latency
from semcom.models.make import make
from semcom.scenario.work import Build, Run, Sweep
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
    return [_row(run, known.get(run.build.identity, {})) for run in first.values()]


def write_costs(rows: list[CostRow], path: Path) -> None:
    """Replace the table by these rows.

    Raises:
        UserMistake: the disk refuses.
    """
    write_table(rows, COLUMNS, path)


def _row(run: Run, record: dict[str, Any]) -> CostRow:
    build = run.build
    return CostRow(
        codec=build.name,
        role=run.role,
        method=build.method,
        seed=build.seed,
        steps=build.steps,
        train_seconds=record.get("seconds"),
        **{name: record.get(name) for name in RECORDED},
        **_counted(build, record),
        **(vars(found) if (found := known_latency(record)) else {}),
    )


def _counted(build: Build, record: dict[str, Any]) -> dict[str, int]:
    """What follows from the shape, of a codec that was trained; the record has the last word where it has one."""
    if "vocabulary" not in record:
        return {}
    # Without memory behind it. Records of earlier versions do not tell the sides apart.
    with torch.device("meta"):
        cost = vars(count(make(recorded_spec(build, record), record["vocabulary"])))
    return {name: record.get(name, value) for name, value in cost.items()}
