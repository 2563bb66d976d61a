"""Committed results: every figure beside a table can be drawn again from the table alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from semcom.report.ablation import ablation_lines
from semcom.report.costs import by_codec, read_costs
from semcom.report.drawing import drawings
from semcom.report.reading import read_rows, results_of

RESULTS = Path(__file__).parents[1] / "scenarios" / "results"
FOLDERS = sorted(path.parent for path in RESULTS.glob("*/results.csv"))


def test_there_are_results() -> None:
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_committed_figure_is_drawn_from_its_tables(folder: Path) -> None:
    rows, costs = read_rows(folder / "results.csv"), read_costs(folder)
    results = dataclasses.replace(results_of(rows), costs=by_codec(costs))
    committed = {path.stem for path in (folder / "figures").glob("*.png")}
    possible = drawings(results, ablation_lines(rows, results, costs))
    drawn = {name for name, draw in possible if name in committed and draw() is not None}
    assert committed
    assert drawn == committed


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_results_say_what_they_mean_and_how_to_get_them(folder: Path) -> None:
    words = (folder / "README.md").read_text(encoding="utf-8")
    assert words.startswith("# ")
    assert "semcom run " in words
    assert list(folder.glob("record*.json"))
