"""Identities of every shipped scenario: pinned, and equal to those beside the committed numbers.

An identity that moves says that every finished run of every user is to be done again.
`SEMCOM_REWRITE_GOLDEN=1 pytest tests/test_shipped_identities.py` writes the golden file anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from semcom.experiment.tabulate import making_of
from semcom.making import MAKING
from semcom.scenario import expand as expanding
from semcom.scenario.expand import expand
from semcom.scenario.load import find_scenario, load_scenario, names
from semcom.scenario.scenario import Scenario
from semcom.scenario.work import NOTHING, Sweep
from semcom.sources.docstrings import Docstrings
from semcom.sources.europarl import Europarl
from semcom.store.results import read_csv

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden" / "shipped.json"
# Of the Europarl sample that the committed tables were measured on, and of the docstrings of the pinned packages.
EUROPARL = "fe5e3e7ad9967c67087e5194c4683fa8"
ALL_EUROPARL = "ebd6bf70d8622d1bc0f85737842af8d2"  # what languages of ten times that text were made from
DOCSTRINGS = "66c4e463fe3c397867a989573d23996b"
LONGER_DOCSTRINGS = "c35c9e5505496f8a9289ab51949e98af"  # sentences of up to 30 words, not 24
# Its table is of four trainings with other keys, which its README names.
BY_OTHER_KEYS = {"snr"}


def shipped(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Scenario, Sweep]:
    """A shipped scenario on the text of its committed table."""
    scenario = load_scenario(find_scenario(name))[0]
    found = LONGER_DOCSTRINGS if name in ("pruned_codec", "foreign_text") else DOCSTRINGS
    monkeypatch.setattr(Docstrings, "fingerprint", lambda self: found)
    monkeypatch.setattr(Europarl, "fingerprint", lambda self: EUROPARL if self.sentences else ALL_EUROPARL)
    return scenario, expand(scenario)


def identities(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Of its builds and runs."""
    sweep = shipped(name, monkeypatch)[1]
    return {
        "builds": sorted({build.identity for build in sweep.builds}),
        "runs": sorted({run.identity for run in sweep.runs}),
    }


@pytest.mark.parametrize("name", names())
def test_identities_of_shipped_scenarios_are_pinned(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = identities(name, monkeypatch)
    # Thousands of runs: a digest says as well as a list that one of them moved.
    together = hashlib.blake2b(" ".join(found["runs"]).encode(), digest_size=8).hexdigest()
    brief = {"builds": found["builds"], "runs": f"{len(found['runs'])}: {together}"}
    pinned = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.is_file() else {}
    if os.environ.get("SEMCOM_REWRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps({**pinned, name: brief}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    assert brief == pinned[name]


@pytest.mark.parametrize("name", [each for each in names() if each not in BY_OTHER_KEYS])
def test_every_committed_number_is_one_that_its_scenario_asks_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = ROOT / "scenarios" / "results" / name / "results.csv"
    if not table.is_file():
        pytest.skip("not run yet")
    scenario, sweep = shipped(name, monkeypatch)
    runs = {run.identity: run for run in sweep.runs}
    rows = [row for row in read_csv(table) if row.run_id]
    assert {row.run_id for row in rows} == set(runs)
    # And how each codec was made is told as a run would tell it today.
    for row in rows:
        build = runs[row.run_id].build
        making = making_of(build, scenario)
        assert [getattr(row, each) for each in MAKING] == [getattr(making, each) for each in MAKING]
        assert row.method == build.method
        # Columns tell how a codec was trained; that one learns nothing stands in the phrase alone.
        assert build.method == (making.phrase if build.spec.learns else NOTHING)


def test_identities_hang_on_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identities("quickstart", monkeypatch)
    monkeypatch.setattr(expanding, "identity", lambda **parts: "0")
    assert identities("quickstart", monkeypatch) != before
