"""Timing: all codecs together, after everything else, once; and never another run's times."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from semcom.compression.latency import Latency
from semcom.experiment import timing
from semcom.report.drawing import report
from semcom.store.folder import RunFolder
from semcom.store.store import Store

TWINS = "sweep.codec=[big, small, plain]"  # of which the last two are of one shape
LATENCIES = ("latency_ms", "latency_low_ms", "latency_high_ms", "threads")


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return Path(shutil.copytree(finished, tmp_path / "tiny"))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many codecs were measured together, each time."""
    counts: list[int] = []
    real = timing.latencies

    def noted(shapes, **options):
        counts.append(len(shapes))
        return real(shapes, **options)

    monkeypatch.setattr(timing, "latencies", noted)
    return counts


def costs(folder: Path) -> list[dict[str, str]]:
    with RunFolder(folder).costs_file.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def change(folder: Path, name: str, alter) -> None:
    """What `alter` makes of a build's record."""
    with Store(RunFolder(folder).store_file) as store:
        (found,) = (each for each in store.builds().values() if each.name == name)
        store.finish_build(found.identity, name=name, record=alter(dict(found.record)))


def older(record: dict) -> dict:
    """As an earlier version wrote it, right after the training."""
    record.pop("latency")
    return record | {"latency_ms": 77.0, "latency_low_ms": 76.0, "latency_high_ms": 78.0}


def of_another_time(record: dict) -> dict:
    return record | {"latency": {**record["latency"], "together": "2001-01-01T00:00:00+00:00"}}


def damaged(record: dict) -> dict:
    return record | {"latency": "soon"}


def lost(record: dict) -> dict:
    del record["latency"]
    return record


def test_all_codecs_are_measured_together_and_once(carry_out, tmp_path: Path, measured: list[int]) -> None:
    carry_out(tmp_path / "out", TWINS)
    before = costs(tmp_path / "out")
    assert measured == [3]
    carry_out(tmp_path / "out", TWINS)
    assert measured == [3], "a second call measures nothing"
    assert costs(tmp_path / "out") == before


def test_one_more_codec_has_all_measured_again(carry_out, folder: Path, measured: list[int]) -> None:
    carry_out(folder, TWINS)
    assert measured == [3]
    carry_out(folder)
    assert measured == [3], "one less is no reason"


@pytest.mark.parametrize("alter", [older, of_another_time, damaged, lost])
def test_times_of_different_measurements_never_stand_side_by_side(
    carry_out, folder: Path, measured: list[int], alter
) -> None:
    change(folder, "small", alter)
    carry_out(folder)
    assert measured == [2]
    assert all(float(row["latency_ms"]) < 70 and row["threads"] == "1" for row in costs(folder))
    record = json.loads(RunFolder(folder).record_file.read_text())
    assert len({build["record"]["latency"]["together"] for build in record["builds"].values()}) == 1


def test_shapes_are_measured_without_their_weights(carry_out, folder: Path, measured: list[int]) -> None:
    shutil.rmtree(folder / "models")
    change(folder, "big", lost)
    carry_out(folder)
    assert measured == [2]
    assert all(row["latency_ms"] for row in costs(folder))


def test_ctrl_c_while_measuring_loses_nothing(carry_out, finished: Path, tmp_path: Path, monkeypatch) -> None:
    def stopped(*_, **__):
        raise KeyboardInterrupt

    place = RunFolder(tmp_path / "out")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(timing, "latencies", stopped)
        carry_out(place.path)
    assert place.results_file.read_bytes() == (finished / "results.csv").read_bytes()
    said = carry_out(place.path).said
    assert "0 of 2 codecs to train, 0 of 12 points to measure" in said
    assert "timing the codecs" in said
    assert all(row["latency_ms"] for row in costs(place.path))


def test_a_codec_that_failed_has_no_time(carry_out, tmp_path: Path, measured: list[int]) -> None:
    carry_out(tmp_path, "codecs.plain.training={learning_rate: 1.0e+30}", TWINS)
    assert measured == [2]
    assert [bool(row["latency_ms"]) for row in costs(tmp_path)] == [True, True, False]


# Two codecs of one shape take equally long, or the machine was busy.


@pytest.mark.parametrize(
    ("small", "plain", "is_said"),
    [
        ((0.42, 0.43), (0.92, 0.95), True),
        ((0.92, 0.95), (0.42, 0.43), True),
        ((0.42, 0.93), (0.92, 0.95), False),
        ((0.42, 0.42), (0.42, 0.42), False),
    ],
)
def test_equal_shapes_that_disagree_are_said_to(carry_out, folder: Path, monkeypatch, small, plain, is_said) -> None:
    took = {16: iter([small, plain]), 32: iter([(5.0, 5.0)])}

    def told(shapes, **_):
        found = {key: next(took[shape.spec.transmitter.width]) for key, shape in shapes.items()}
        return {key: Latency(low, low, high, 1) for key, (low, high) in found.items()}

    with monkeypatch.context() as patch:
        patch.setattr(timing, "latencies", told)
        said = " ".join(carry_out(folder, TWINS).said.split())
    assert said.count("not to be trusted") == is_said
    if is_said:
        first, second = ("small", "plain") if small < plain else ("plain", "small")
        took = "of one shape, and took 0.42 ms (to 0.43) and 0.92 ms (to 0.95)."
        assert f"{first} (seed 3) and {second} (seed 3) are {took}" in said
        assert "run the same again when it is idle" in said
    again = "timing the codecs" in carry_out(folder, TWINS).said
    assert again is is_said, "what cannot be right is measured again"


def test_different_shapes_may_differ() -> None:
    shape = timing.Shape
    from semcom.models.sizes import SIZES

    shapes = {"a": shape(SIZES["tiny"], 31), "b": shape(SIZES["tiny"], 32), "c": shape(SIZES["teacher"], 31)}
    found = {key: Latency(size, size, size, 1) for key, size in zip(shapes, (0.1, 1.0, 10.0), strict=True)}
    assert timing.implausible(shapes, found, {}) is None


# Borrowed codecs


@pytest.mark.parametrize("lender", ["now", "older"])
def test_borrowed_codecs_bring_no_times(carry_out, folder: Path, tmp_path: Path, measured: list[int], lender) -> None:
    if lender == "older":
        for name in ("big", "small"):
            change(folder, name, older)
    carry_out(tmp_path / "new", TWINS, lenders=(folder,))
    assert measured == [3]
    borrowed, own = costs(tmp_path / "new")[:2], costs(tmp_path / "new")[2]
    for row in borrowed:
        assert (row["step_ms"], row["train_seconds"]) == ("", "")
        assert row["parameters"] and row["size_bytes"] and row["steps"] == "6"
    for row in (*borrowed, own):
        assert 0 < float(row["latency_low_ms"]) <= float(row["latency_ms"]) <= float(row["latency_high_ms"]) < 70
    assert own["step_ms"] and own["train_seconds"]


def test_empty_cells_of_borrowed_codecs_are_drawn_around(carry_out, folder: Path, tmp_path: Path) -> None:
    carry_out(tmp_path / "new", TWINS, "measure.metrics=[bleu_1]", lenders=(folder,))
    drawn = {path.name for path in report(tmp_path / "new" / "results.csv", tmp_path / "new")}
    assert "codecs.md" in drawn
    assert all("nan" not in path.read_text() for path in (tmp_path / "new" / "tables").glob("*.md"))


def test_what_is_lent_on_has_no_times_either(carry_out, folder: Path, tmp_path: Path) -> None:
    carry_out(tmp_path / "one", lenders=(folder,))
    carry_out(tmp_path / "two", lenders=(tmp_path / "one",))
    assert {(row["step_ms"], row["train_seconds"]) for row in costs(tmp_path / "two")} == {("", "")}


def test_the_fields_of_a_latency_are_columns() -> None:
    assert {each.name for each in dataclasses.fields(Latency)} == set(LATENCIES)
