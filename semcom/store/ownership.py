"""Ownership: whose run folder it is, and what of its table a run would leave out."""

from __future__ import annotations

import contextlib
from collections.abc import Set

from semcom.mistakes import UserMistake
from semcom.scenario.document import read_document
from semcom.scenario.scenario import Scenario
from semcom.scenario.work import Sweep
from semcom.store.folder import RunFolder
from semcom.store.results import read_csv
from semcom.words import counted, visible


def check_owner(scenario: Scenario, place: RunFolder, *, replace: bool = False) -> None:
    """Refuse a folder that a scenario of another name has begun, whose table and figures would be replaced.

    The same name may come with other keys: a sweep is extended and carried out again.

    Raises:
        UserMistake: it is another's folder, and nobody said that it may be replaced.
    """
    if replace or not (place.store_file.is_file() and place.scenario_file.is_file()):
        return
    try:
        owner = read_document(place.scenario_file).data.get("name")
    except UserMistake:
        owner = None
    if owner != scenario.name:
        whose = f"that of scenario {visible(str(owner))}" if owner else "one whose scenario.yaml cannot be read"
        raise UserMistake(
            f"the run folder {place.path} must be that of scenario {scenario.name} or a new one, got {whose}; choose "
            "another --out, or type --replace to replace its table and figures"
        )


def left_out(sweep: Sweep, place: RunFolder, *, done: Set[str]) -> str | None:
    """What to say of measured points in the present table that this sweep does not ask for, if there are any.

    Args:
        done: runs that the store holds.
    """
    there: set[str] = set()
    # A table that cannot be read is replaced like any other.
    with contextlib.suppress(UserMistake):
        there = {row.run_id for row in read_csv(place.results_file) if row.status == "done"} & done
    gone = there - {run.identity for run in sweep.runs}
    if not gone:
        return None
    return (
        f"{len(gone):,} of the {counted(len(there), 'point')} now in {place.results_file} will leave it: this scenario "
        "asks for others; the run folder keeps them, and the scenario as it was brings them back without work"
    )
