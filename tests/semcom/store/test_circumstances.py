"""Circumstances: every number has its own beside it, and a folder that mixes them is said to."""

from __future__ import annotations

import importlib.metadata
import io
import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from semcom.experiment.conduct import conduct
from semcom.experiment.preview import preview
from semcom.experiment.workers import Means
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.circumstances import NAMES, Circumstances, Made, circumstances, foreseen, made, otherwise
from semcom.store.folder import RunFolder
from semcom.store.store import Finished, Store

NOW = circumstances("cpu", threads=1)
MIXED = "not all made alike"


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run, made with one thread."""
    return Path(shutil.copytree(finished, tmp_path / "tiny"))


@pytest.fixture
def with_threads(tiny_yaml: Path) -> Callable[..., str]:
    """Hand out `with_threads(2, folder, "seed=4")`: what carrying the tiny scenario out says, as one line."""

    def call(threads: int, folder: Path, *changes: str, workers: int = 1, lenders: tuple[Path, ...] = ()) -> str:
        scenario, text = load_scenario(tiny_yaml, changes)
        said, means = io.StringIO(), Means(threads=threads, workers=workers)
        conduct(scenario, text, folder, means=means, console=Console(file=said), lenders=lenders)
        return " ".join(said.getvalue().split())

    return call


def rewrite(folder: Path, **facts: object) -> None:
    """Put facts into the records of the builds and runs; None takes one out."""
    with Store(RunFolder(folder).store_file) as store:

        def changed(record: dict) -> dict:
            return {name: fact for name, fact in {**record, **facts}.items() if fact is not None}

        for build in store.builds().values():
            store.finish_build(build.identity, name=build.name, record=changed(build.record))
        for key, run in store.runs().items():
            rows = store.rows(key)
            statistics = {family: store.statistics(key, family) for family in store.families(key)}
            store.finish_run(key, rows, statistics, changed(run.record))


def test_every_build_and_every_run_records_its_own(finished: Path) -> None:
    record = json.loads(RunFolder(finished).record_file.read_text())
    ended = [each["record"] for kind in ("builds", "runs") for each in record[kind].values()]
    assert len(ended) == 2 + 12
    expected = {"threads": 1, "device": "cpu", "torch": torch.__version__, "arithmetic": NOW.arithmetic}
    assert all({name: each[name] for name in NAMES} == expected for each in ended)
    assert record["made"] == [{**expected, "codecs": ["big", "small"], "points": 12}]


def test_what_was_made_alike_is_passed_over(with_threads, folder: Path) -> None:
    assert MIXED not in with_threads(1, folder, "sweep.snr_db=[0, 6, 9, 12]")


@pytest.mark.exhaustive
def test_workers_are_no_circumstance(with_threads, finished: Path, tmp_path: Path) -> None:
    """And the latencies of codecs that workers trained are measured by the one who is left."""
    place = RunFolder(tmp_path / "new")
    with_threads(1, place.path, workers=2)
    assert place.results_file.read_bytes() == (finished / "results.csv").read_bytes()
    record = json.loads(place.record_file.read_text())
    assert record["made"] == json.loads(RunFolder(finished).record_file.read_text())["made"]
    assert all(build["record"]["latency"]["threads"] == 1 for build in record["builds"].values())
    assert MIXED not in with_threads(1, place.path, "sweep.snr_db=[0, 6, 9, 12]")


def test_other_threads_are_said_before_any_work_and_ever_after(with_threads, folder: Path, tiny_yaml: Path) -> None:
    more = "sweep.snr_db=[0, 6, 9, 12]"
    said = with_threads(2, folder, more)
    line = "which can change numbers: big, small and their 12 points with 1 thread; now asked for: 2 threads."
    assert f"{MIXED}, {line} Use --threads 1 as before, or another --out" in said
    assert said.index(MIXED) < said.index("measuring")
    both = "big, small and their 12 points with 1 thread; 4 points of big, small with 2 threads"
    assert f"{both}; now asked for: 1 thread. Begin again with another --out" in with_threads(1, folder, more)
    assert f"{both}; now" in preview(load_scenario(tiny_yaml, (more,))[0], folder)
    kept = json.loads(RunFolder(folder).record_file.read_text())["made"]
    assert [(each["threads"], each["codecs"], each["points"]) for each in kept] == [
        (1, ["big", "small"], 12),
        (2, [], 4),
    ]


def test_borrowed_codecs_are_said_to_be_of_other_threads(with_threads, folder: Path, tmp_path: Path) -> None:
    said = with_threads(2, tmp_path / "new", lenders=(folder,))
    assert "big, small with 1 thread; now asked for: 2 threads. Use --threads 1 as before" in said
    with Store(RunFolder(tmp_path / "new").store_file, reading=True) as store:
        assert {build.record["threads"] for build in store.builds().values()} == {1}
        assert {run.record["threads"] for run in store.runs().values()} == {2}


@pytest.mark.parametrize(
    ("facts", "told", "advice"),
    [
        ({"threads": 4}, "with 4 threads; now asked for: 1 thread", "Use --threads 4 as before"),
        ({"device": "cuda"}, "with device cuda; now asked for: device cpu", "Use --device cuda as before"),
        ({"torch": "2.1.0"}, f"with torch 2.1.0; now asked for: torch {torch.__version__}", "Use torch 2.1.0 as"),
        ({"arithmetic": "abacus"}, "with abacus; now", "Use a machine that computes with abacus as before"),
        (
            {"threads": 4, "torch": "2.1.0"},
            f"with 4 threads, torch 2.1.0; now asked for: 1 thread, torch {torch.__version__}",
            "Use --threads 4 and torch 2.1.0 as before",
        ),
    ],
)
def test_each_kind_of_circumstance_is_named(with_threads, folder: Path, facts: dict, told: str, advice: str) -> None:
    rewrite(folder, **facts)
    said = with_threads(1, folder)
    assert f"big, small and their 12 points {told}" in said
    assert f"{advice}" in said and "or another --out" in said


@pytest.mark.parametrize("facts", [{"torch": None, "device": None, "arithmetic": None}, dict.fromkeys(NAMES)])
def test_what_an_earlier_version_did_not_record_agrees_with_anything(with_threads, folder: Path, facts: dict) -> None:
    rewrite(folder, **facts)
    assert MIXED not in with_threads(1, folder)


def test_what_an_earlier_version_did_record_counts(with_threads, folder: Path) -> None:
    rewrite(folder, torch=None, device=None, arithmetic=None, threads=2)
    assert "big, small and their 12 points with 2 threads; now asked for: 1 thread" in with_threads(1, folder)


@pytest.mark.parametrize("facts", [{"threads": "two"}, {"torch": ["2.1"]}, {"device": {"a": 1}, "arithmetic": 3.5}])
def test_records_of_strangers_break_nothing(with_threads, folder: Path, facts: dict) -> None:
    rewrite(folder, **facts)
    assert MIXED not in with_threads(1, folder)


def test_text_of_strangers_is_shown_and_not_obeyed(with_threads, folder: Path) -> None:
    rewrite(folder, torch="2.1\x1b[31m")
    assert "torch 2.1\\x1b[31m; now" in with_threads(1, folder)


def test_weights_that_will_be_made_again_do_not_count(with_threads, folder: Path) -> None:
    rewrite(folder, threads=2)
    shutil.rmtree(folder / "models")
    said = with_threads(1, folder, "sweep.snr_db=[9]")
    assert MIXED not in said and "2 of 2 codecs to train" in said


def test_a_plan_says_what_is_done_otherwise(folder: Path, tiny_yaml: Path) -> None:
    scenario = load_scenario(tiny_yaml)[0]
    assert MIXED not in preview(scenario, folder)
    rewrite(folder, threads=2, device="cuda")
    assert "12 points with 2 threads; now asked for: 1 thread. Use --threads 2 as before" in preview(scenario, folder)


def test_a_plan_passes_over_weights_that_will_be_made_again(folder: Path, tiny_yaml: Path) -> None:
    scenario = load_scenario(tiny_yaml)[0]
    rewrite(folder, threads=2)
    assert "alike, which can change numbers: big, small and their 12 points with 2 threads" in preview(scenario, folder)
    shutil.rmtree(folder / "models")
    assert "alike, which can change numbers: 12 points of big, small with 2 threads" in preview(scenario, folder)


def test_a_plan_knows_torch_as_torch_knows_itself(monkeypatch) -> None:
    """The package of the usual index is called 2.13.0, and torch in it 2.13.0+cu130."""
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.13.0")
    assert foreseen(1).torch == torch.__version__


def test_seeds_are_told_apart_and_long_lists_cut(tiny_yaml: Path) -> None:
    sweep = expand(
        load_scenario(tiny_yaml, ("sweep={codec: [plain], seed: [1, 2, 3, 4, 5, 6, 7, 8], snr_db: [6]}",))[0]
    )

    ended = {each.identity: Finished(each.identity, each.name, "done", "", {"threads": 2}) for each in sweep.builds}
    said = str(otherwise(made(sweep, ended, {}), NOW))
    assert "plain (seed 1), plain (seed 2)" in said and "plain (seed 6) and 2 more with 2 threads" in said


# Every pair of unlike things, in whatever part they differ


KNOWN = Circumstances(1, "cpu", "2.13.0", "x86_64 AVX2")


@pytest.mark.parametrize(("name", "other"), [*zip(NAMES, (2, "cuda", "2.12.0", "aarch64 SVE256"), strict=True)])
def test_one_difference_is_enough(name: str, other: object) -> None:
    unlike = replace(KNOWN, **{name: other})
    assert otherwise([Made(KNOWN, ["a"])], KNOWN) is None
    assert otherwise([Made(KNOWN, ["a"]), Made(unlike, ["b"])], replace(KNOWN, **{name: None}))
    said = otherwise([Made(unlike, ["b"])], KNOWN)
    assert said and str(other) in said and str(getattr(KNOWN, name)) in said
    for rest in set(NAMES) - {name}:
        assert rest == "threads" or str(getattr(KNOWN, rest)) not in said, "only what differs is told"


def test_groups_that_differ_in_nothing_told_are_one() -> None:
    groups = [Made(Circumstances(2), ["a"], 3, ["a"]), Made(Circumstances(2, torch="2.13.0"), ["b"], 4, ["a", "b"])]
    said = otherwise(groups, Circumstances(1, torch="2.13.0"))
    assert said and "a, b and their 7 points with 2 threads; now asked for: 1 thread" in said


def test_threads_do_change_trained_numbers() -> None:
    """Why all this is recorded: the same sums in another order."""
    chance = torch.Generator().manual_seed(1)
    numbers = torch.randn(2**20, generator=chance)
    try:
        sums = {}
        for threads in (1, 2):
            torch.set_num_threads(threads)
            sums[threads] = [float(numbers[: len(numbers) - cut].sum()) for cut in range(0, 4096, 64)]
    finally:
        torch.set_num_threads(1)
    assert any(one != two for one, two in itertools.zip_longest(sums[1], sums[2]))


@pytest.mark.exhaustive
def test_processes_that_train_one_codec_have_the_threads_asked_for(with_threads, tmp_path: Path) -> None:
    """Rather than as many as whoever starts them sees fit."""
    with_threads(2, tmp_path, "training.devices=2", "sweep={codec: [plain], snr_db: [6]}")
    made_with = json.loads(RunFolder(tmp_path).record_file.read_text())["made"]
    assert [each["threads"] for each in made_with] == [2]
