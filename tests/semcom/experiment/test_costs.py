"""costs.csv: a row a codec and seed, numbers that follow from the shape, times that touch nothing else."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from semcom.compression.latency import Latency
from semcom.experiment import timing
from semcom.experiment.costs import COLUMNS, cost_rows
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.folder import RunFolder
from semcom.store.store import Finished, Store

TIMES = ("step_ms", "train_seconds", "latency_ms", "latency_low_ms", "latency_high_ms")


def table(folder: Path) -> list[dict[str, str]]:
    with RunFolder(folder).costs_file.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_codec_of_the_sweep_has_its_row(finished: Path) -> None:
    rows = table(finished)
    assert tuple(rows[0]) == COLUMNS
    assert [(row["codec"], row["role"], row["seed"]) for row in rows] == [
        ("big", "teacher", "3"),
        ("small", "student", "3"),
    ]
    for row in rows:
        languages = {name: row.pop(name) for name in list(row) if name.startswith("language")}
        assert set(languages.values()) == {"", "0"}, "nobody knows one"
        assert all(row.values()), "nothing is missing"
        assert int(row["transmitter_multiply_adds"]) + int(row["receiver_multiply_adds"]) == int(row["multiply_adds"])
        sides = int(row["transmitter_body_parameters"]) + int(row["receiver_body_parameters"])
        assert sides == int(row["body_parameters"]) < int(row["parameters"])
        assert float(row["latency_low_ms"]) <= float(row["latency_ms"]) <= float(row["latency_high_ms"])
        assert all(float(row[name]) > 0 for name in TIMES)
        assert (row["steps"], row["threads"]) == ("6", "1")
    weights = RunFolder(finished).models.glob("*/weights.safetensors")
    assert sorted(int(row["size_bytes"]) for row in rows) == sorted(path.stat().st_size for path in weights)


def test_it_agrees_with_the_table_of_results(finished: Path) -> None:
    with (finished / "results.csv").open(encoding="utf-8", newline="") as file:
        told = {
            row["codec"]: (row["parameters"], row["body_parameters"], row["size_bytes"]) for row in csv.DictReader(file)
        }
    assert {
        row["codec"]: (row["parameters"], row["body_parameters"], row["size_bytes"]) for row in table(finished)
    } == told


def test_seeds_have_rows_of_their_own(carry_out, tmp_path: Path) -> None:
    carry_out(tmp_path, "sweep={codec: [plain], seed: [1, 2], snr_db: [6]}", "measure.metrics=[bleu_1]")
    assert [(row["codec"], row["seed"]) for row in table(tmp_path)] == [("plain", "1"), ("plain", "2")]


def test_a_second_call_writes_the_same_times(carry_out, finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "tiny"))
    RunFolder(folder).costs_file.unlink()
    carry_out(folder)
    assert table(folder) == table(finished)


def test_results_do_not_depend_on_times(carry_out, finished: Path, tmp_path: Path, monkeypatch) -> None:
    """Another machine, ten thousand times as slow: another costs.csv, the same results.csv."""
    monkeypatch.setattr(timing, "latencies", lambda shapes, **_: dict.fromkeys(shapes, Latency(1e5, 1e4, 1e6, 64)))
    carry_out(tmp_path / "slow")
    assert (tmp_path / "slow" / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()
    slow, fast = table(tmp_path / "slow"), table(finished)
    assert [row["latency_ms"] for row in slow] == ["100000.0"] * 2
    fixed = [name for name in COLUMNS if name not in (*TIMES, "threads")]
    assert [[row[name] for name in fixed] for row in slow] == [[row[name] for name in fixed] for row in fast]


def test_records_of_an_earlier_version_leave_times_empty(finished: Path, tiny_yaml: Path) -> None:
    sweep = expand(load_scenario(tiny_yaml)[0])
    with Store(RunFolder(finished).store_file, reading=True) as store:
        builds = store.builds()
    new = (
        "step_ms",
        "threads",
        "latency",
        *(name for name in COLUMNS if name.startswith(("latency", "transmitter", "receiver"))),
    )
    older = {
        key: Finished(key, each.name, "done", "", {k: v for k, v in each.record.items() if k not in new})
        for key, each in builds.items()
    }
    for now, then in zip(cost_rows(sweep, builds), cost_rows(sweep, older), strict=True):
        assert (then.step_ms, then.latency_ms, then.threads) == (None, None, None)
        assert then.receiver_multiply_adds == now.receiver_multiply_adds, "follows from the shape"
        assert then.transmitter_body_parameters == now.transmitter_body_parameters
        assert then.train_seconds == now.train_seconds


def test_what_was_not_trained_has_no_numbers(tiny_yaml: Path) -> None:
    sweep = expand(load_scenario(tiny_yaml)[0])
    big, _ = cost_rows(sweep, {sweep.builds[0].identity: Finished(sweep.builds[0].identity, "big", "failed", "", {})})
    assert (big.codec, big.steps) == ("big", 6)
    assert {big.parameters, big.multiply_adds, big.size_bytes, big.step_ms, big.train_seconds} == {None}


@pytest.mark.parametrize("plug", [3])
def test_a_build_that_was_stopped_counts_all_its_steps(carry_out, tmp_path: Path, monkeypatch, plug: int) -> None:
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)
    from semcom.training.pace import Pace

    seen: list[int] = []
    end, property_of = Pace.end, Pace.step_ms.fget

    def stopping(pace: Pace) -> None:
        end(pace)
        if len(pace.seconds) == plug + 1 and not seen:
            seen.append(plug)
            raise KeyboardInterrupt

    monkeypatch.setattr(Pace, "end", stopping)
    monkeypatch.setattr(Pace, "step_ms", property(lambda pace: seen.append(len(pace.seconds)) or property_of(pace)))
    words = ("sweep={codec: [plain], snr_db: [6]}", "measure.metrics=[bleu_1]")
    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path, *words)
    carry_out(tmp_path, *words)
    assert seen == [plug, 6], "three before the plug was pulled, three after"


def test_codecs_made_alike_have_a_row_each(tiny_yaml: Path) -> None:
    twins = ("codecs.twin={size: tiny, symbols_per_token: 2}", "sweep.codec=[plain, twin]")
    sweep = expand(load_scenario(tiny_yaml, twins)[0])
    assert len(sweep.builds) == 1
    assert [row.codec for row in cost_rows(sweep, {})] == ["plain", "twin"]
