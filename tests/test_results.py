"""Committed results: every figure beside a table can be drawn again from the table alone."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import itertools
import json
import math
import re
from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pytest

from semcom.making import MAKING
from semcom.report.ablation import ablation_lines
from semcom.report.calibration import calibration_drawings
from semcom.report.closeness import read_closeness
from semcom.report.closeness_figures import closeness_drawings
from semcom.report.costs import by_codec, read_costs
from semcom.report.drawing import drawings, pruning_drawings
from semcom.report.examples import example_drawings
from semcom.report.influences import read_kept
from semcom.report.keys_kept import keys_drawings
from semcom.report.pruned import read_pruned
from semcom.report.reading import read_rows, results_of
from semcom.store.calibrations import read_calibrations
from semcom.store.examples import read_examples
from semcom.store.results import KINDS, Row, kind_of, read_csv, write_csv

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "scenarios" / "results"
# Of every table as its run wrote it, before the columns LATER_PUT_IN were.
MEASURED = json.loads((ROOT / "tests" / "golden" / "tables.json").read_text(encoding="utf-8"))
# `snr`, joined of older tables, has the kinds alone; how its codecs were made is read in the phrase.
LATER_PUT_IN = ("kind", *MAKING, "language", "beam", "detector")
# What only a run's own statistics tell, and those of the committed ones are gone.
NEVER_PUT_IN = ("common",)
FOLDERS = sorted(path.parent for path in RESULTS.glob("*/results.csv"))


def test_there_are_results() -> None:
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_committed_figure_is_drawn_from_its_tables(folder: Path) -> None:
    rows, costs = read_rows(folder / "results.csv"), read_costs(folder)
    results = dataclasses.replace(results_of(rows), costs=by_codec(costs))
    committed = {path.stem for path in (folder / "figures").glob("*.png")}
    possible = itertools.chain(
        drawings(results, ablation_lines(rows, results, costs)),
        pruning_drawings(read_pruned(folder)),
        calibration_drawings(read_calibrations(folder / "calibration.csv"), results.systems),
        keys_drawings(read_kept(folder)),
        closeness_drawings(read_closeness(folder), results.systems),
        example_drawings(read_examples(folder / "examples.json")) if (folder / "examples.json").is_file() else (),
    )
    drawn = {name for name, draw in possible if name in committed and draw() is not None}
    assert committed
    assert drawn == committed


def without(names: Collection[str], path: Path) -> bytes:
    """A table less these columns, as a run would write it."""
    lines = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))
    kept, text = [name not in names for name in lines[0]], io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(itertools.compress(cells, kept) for cells in lines)
    return text.getvalue().encode()


@pytest.mark.parametrize("name", MEASURED)
def test_every_committed_table_is_the_one_measured_but_for_later_columns(name: str) -> None:
    """What is in those: for the kinds, here; for how codecs were made, in test_shipped_identities.py."""
    path = RESULTS / name / "results.csv"
    assert hashlib.sha256(without((*LATER_PUT_IN, *NEVER_PUT_IN), path)).hexdigest() == MEASURED[name]
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["kind"] for row in rows} <= set(KINDS)
    assert all(row["kind"] == kind_of(row["against"], row.get("gap_to", "")) for row in rows)


@pytest.mark.parametrize("name", [name for name in MEASURED if name != "snr"])
def test_a_run_would_write_every_committed_table_as_it_stands(name: str, tmp_path: Path) -> None:
    """But for `snr`, joined of older ones that lack columns."""
    write_csv(read_csv(RESULTS / name / "results.csv"), tmp_path / "results.csv")
    # `quickstart` has the column, empty: whoever runs it compares byte by byte.
    written, kept = (without(NEVER_PUT_IN, folder / "results.csv") for folder in (tmp_path, RESULTS / name))
    assert written == kept


def test_the_averages_that_the_readme_takes_are_of_values_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "scenarios" / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^`(pandas\.read_csv.*)`$", page, re.MULTILINE)
    monkeypatch.chdir(RESULTS / "quickstart")
    means = eval(code, {"pandas": pd})
    rows = [row for row in read_csv(Path("results.csv")) if not row.against]
    assert len(means) == len({(row.metric, row.codec, row.snr_db, row.interferers) for row in rows})
    for place, value in means.items():
        of_place = [row.value for row in rows if (row.metric, row.codec, row.interferers, row.snr_db) == place]
        assert value == pytest.approx(math.fsum(of_place) / len(of_place))


@pytest.mark.parametrize("name", [name for name in MEASURED if name != "snr"])
def test_a_committed_table_is_drawn_alike_without_the_columns_of_how_codecs_were_made(
    name: str, tmp_path: Path
) -> None:
    """An older table tells it in a phrase alone."""
    (tmp_path / "results.csv").write_bytes(without(MAKING, RESULTS / name / "results.csv"))
    assert read_rows(tmp_path / "results.csv") == read_rows(RESULTS / name / "results.csv")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_results_say_what_they_mean_and_how_to_get_them(folder: Path) -> None:
    words = (folder / "README.md").read_text(encoding="utf-8")
    assert words.startswith("# ")
    assert "semcom run " in words
    assert list(folder.glob("record*.json"))


def deviations(row: Row) -> float:
    """How many standard errors the measured SINR lies from the closed form, about.

    Interference power I averages one exponential gain per interferer and sentence where it fades, sentences of unequal
    length counting 1.3 times; noise and interference of some 90 symbols a sentence add theirs, bursts twenty times. A
    frame has several samples a symbol, or a bare carrier: of its interference hardly 8 are independent. Where the
    wanted user's gain fades, its power is a mean over sentences too, and others fade as it does unless told otherwise.
    """
    disturbance, noise = 10 ** (-row.sinr_db / 10), 10 ** (-row.snr_db / 10)
    interference, sentences = disturbance - noise, row.count
    # A word that is named is as short as a picture; one whose spectrum is rebuilt has some twenty frames.
    frames = 20 if row.metric == "log_spectral_distance" else 1
    symbols = row.symbols_per_token * frames if row.task in ("pictures", "speech") else 90
    variance = (noise**2 + 2 * interference * noise) / (symbols * sentences)
    fades = row.fading.startswith(("rayleigh", "tdl", "cdl"))
    # Pixels that are sent as they are have unit power over all pictures, not one by one.
    varies = 1.0 if symbols > 300 else 0.0
    variance += disturbance**2 * ((1.3 if fades else 0.0) + varies) / sentences
    if row.interferers:
        within = (200 if row.interference.startswith("bursts") else 2) / (90 if row.task == "text" else 8)
        gains = 1.3 if "rayleigh" in row.interference or (fades and "fading" not in row.interference) else 0.0
        variance += interference**2 * (gains + within) / (row.interferers * sentences)
    error_db = 10 / math.log(10) * math.sqrt(variance) / disturbance
    return abs(row.measured_sinr_db - row.sinr_db) / error_db


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_measured_sinr_is_that_of_the_closed_form_in_every_row(folder: Path) -> None:
    rows = [row for row in read_csv(folder / "results.csv") if row.measured_sinr_db is not None and not row.against]
    assert rows
    # Of some 2,000 points the farthest is at 2.5.
    assert max(map(deviations, rows)) < 4
