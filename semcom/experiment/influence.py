"""keys.csv: which of its teacher's features every student kept through training, and what influence they had."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcom.scenario.work import Build, Sweep
from semcom.store.results import rewrite_table
from semcom.store.store import Finished


@dataclass(frozen=True, kw_only=True)
class InfluenceRow:
    """One line of keys.csv, one feature of a teacher at one validation of one student; the fields are its columns.

    Args:
        teacher: the codec whose feature it is.
        method: that keeps or drops it.
        step: of the training, after which it was noted.
        feature: its number among all features of the teacher, from 1 on.
        influence: mean over the training messages of the steps before, from 0 to 1; 1 / features is even attention.
        kept: share of those messages that kept it.
    """

    codec: str
    seed: int
    teacher: str
    method: str
    step: int
    feature: int
    influence: float
    kept: float


COLUMNS = tuple(each.name for each in dataclasses.fields(InfluenceRow))


def influence_rows(sweep: Sweep, builds: Mapping[str, Finished]) -> list[InfluenceRow]:
    """Rows for every codec and seed of the sweep that was taught by a method which chooses among features.

    Args:
        builds: what the store remembers, by identity.
    """
    names = {build.identity: build.name for build in sweep.builds}
    known = {key: each.record for key, each in builds.items() if each.status == "done"}
    taught = [build for build in sweep.builds if build.lesson is not None]
    return [row for build in taught for row in _rows(build, known.get(build.identity, {}), names)]


def write_influence(rows: Sequence[InfluenceRow], path: Path) -> None:
    """Replace the table by these rows; without any there is no table.

    Raises:
        UserMistake: the disk refuses.
    """
    rewrite_table(rows, COLUMNS, path)


def _rows(build: Build, record: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[InfluenceRow]:
    assert build.lesson is not None
    # Records of earlier versions tell nothing of it.
    history = record.get("history", {})
    for step, told in zip(history.get("steps", ()), history.get("told", ()), strict=False):
        for method, account in told.items():
            for feature, (influence, kept) in enumerate(zip(account["influence"], account["kept"], strict=True), 1):
                yield InfluenceRow(
                    codec=build.name,
                    seed=build.seed,
                    teacher=names.get(build.lesson.teachers[0], ""),
                    method=method,
                    step=step,
                    feature=feature,
                    influence=influence,
                    kept=kept,
                )
