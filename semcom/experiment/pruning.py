"""pruning.csv: what was taken away from every pruned codec of a run, layer by layer, and what that saved."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcom.scenario.work import Build, Sweep
from semcom.store.results import rewrite_table
from semcom.store.store import Finished

# What the stacks of a codec are called, by how many it has; a recognizer has a receiver alone.
STACKS = {1: ("receiver",), 2: ("transmitter", "receiver")}


@dataclass(frozen=True, kw_only=True)
class PruningRow:
    """One line of pruning.csv, one layer of a pruned codec of one seed; the fields are its columns.

    A codec whose channels were pruned has one line, without a layer. What a criterion does not look at is empty.

    Args:
        start: the codec that was pruned.
        kind: what was taken away: layers or channels.
        criterion: by which it was chosen.
        parameters_before: of the codec that was pruned; then those that are left, and the same of multiply-adds (per
            token at 20 tokens a sentence, or per frame).
        stack: transmitter or receiver, where the layers stand.
        layer: its number in the codec that was pruned, from 1 on. (record.json counts from 0.)
        kept: 1 where it stays, 0 where it went.
        segment: which run of alike layers it is in, from 1 on.
        column_sum: its similarity to all layers of the stack, summed up; what the segments are cut by.
        similarity: its unbiased CKA with each layer of the stack in turn.
    """

    codec: str
    seed: int
    start: str
    kind: str
    criterion: str
    parameters_before: int | None = None
    parameters: int | None = None
    multiply_adds_before: int | None = None
    multiply_adds: int | None = None
    stack: str = ""
    layer: int | None = None
    kept: int | None = None
    segment: int | None = None
    column_sum: float | None = None
    similarity: tuple[float, ...] | None = None


COLUMNS = tuple(each.name for each in dataclasses.fields(PruningRow))


def pruning_rows(sweep: Sweep, builds: Mapping[str, Finished]) -> list[PruningRow]:
    """Rows for every pruned codec and seed of the sweep, those that others are made from included.

    Args:
        builds: what the store remembers, by identity.
    """
    named: dict[tuple[str, int], Build] = {}
    for build in (*(run.build for run in sweep.runs), *sweep.builds):
        if build.prune is not None:
            named.setdefault((build.name, build.seed), build)
    names = {build.identity: build.name for build in sweep.builds}
    known = {key: each.record for key, each in builds.items() if each.status == "done"}
    return [
        row
        for build in named.values()
        if "pruning" in (record := known.get(build.identity, {}))
        for row in _rows(build, record, start=names.get(build.start or "", ""))
    ]


def write_pruning(rows: Sequence[PruningRow], path: Path) -> None:
    """Replace the table by these rows; without any there is no table.

    Raises:
        UserMistake: the disk refuses.
    """
    rewrite_table(rows, COLUMNS, path)


def saved_by(record: Mapping[str, Any]) -> str:
    """What the pruning of a build came to, for a line on the board; empty of a codec that was not pruned."""
    account = record.get("pruning")
    if not account:
        return ""
    before, after = account["before"]["multiply_adds"], record["multiply_adds"]
    saved = f"{100 * (1 - after / before):.0f} % of the multiply-adds went"
    if "stacks" not in account:
        return f", {saved}"
    stacks = zip(account["stacks"], account["depths"], strict=True)
    kept = [f"{', '.join(str(number + 1) for number in stack['kept'])} of {depth}" for stack, depth in stacks]
    return f", kept layers {' and '.join(kept)}, {saved}"


def _rows(build: Build, record: Mapping[str, Any], *, start: str) -> Iterator[PruningRow]:
    account = record["pruning"]
    assert build.prune is not None
    # Records of other versions may tell nothing of before.
    before = account.get("before", {})
    about = PruningRow(
        codec=build.name,
        seed=build.seed,
        start=start,
        kind=build.prune.kind,
        criterion=build.prune.told.split()[0],
        parameters_before=before.get("parameters"),
        parameters=record.get("parameters"),
        multiply_adds_before=before.get("multiply_adds"),
        multiply_adds=record.get("multiply_adds"),
    )
    if "stacks" not in account:
        yield about
        return
    for name, stack, depth in zip(_names(account), account["stacks"], account["depths"], strict=True):
        segment_of = {layer: number for number, each in enumerate(stack.get("segments", ()), 1) for layer in each}
        for layer in range(depth):
            yield dataclasses.replace(
                about,
                stack=name,
                layer=layer + 1,
                kept=int(layer in stack["kept"]),
                segment=segment_of.get(layer),
                column_sum=stack["sums"][layer] if "sums" in stack else None,
                similarity=tuple(stack["similarity"][layer]) if "similarity" in stack else None,
            )


def _names(account: Mapping[str, Any]) -> Sequence[str]:
    count = len(account["depths"])
    return STACKS.get(count) or [f"stack {number}" for number in range(1, count + 1)]
