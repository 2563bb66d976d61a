"""The promises of the whole: killed at any instant, with any number of workers, the same table; codecs that learn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from semcom.store.results import read_csv

ROOT = Path(__file__).resolve().parents[1]
# Long enough to be killed in its middle many times, short enough to be waited for.
KILLED = ("training.steps=60", "training.validate_every=20", "measure.repeats=8")

# One process imports everything once and forks; each child goes on with the run until it is killed or done. Times
# until the kill are drawn so that some children die while they read, most in training or measuring, few at the end.
DRIVER = """
import json, os, random, signal, sys, time
from pathlib import Path
from rich.console import Console
import semcom.training.fit as fit
from semcom.experiment.conduct import conduct
from semcom.experiment.workers import Means
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.store import Store

fit.CHECKPOINT_SECONDS = 0.02
path, folder, seed, *changes = sys.argv[1:]
folder = Path(folder)
scenario, text = load_scenario(Path(path), tuple(changes))
chance = random.Random(int(seed))
kills = {"before": 0, "training": 0, "measuring": 0}

def state():
    if not (folder / "results.sqlite").is_file():
        return "before"
    with Store(folder / "results.sqlite", reading=True) as store:
        return "measuring" if len(store.done_builds()) == len(expand(scenario).builds) else "training"

while True:
    child = os.fork()
    if not child:
        try:
            failures = conduct(scenario, text, folder, means=Means(), console=Console(quiet=True))
        except BaseException as error:
            print(type(error).__name__, error, file=sys.stderr, flush=True)
            os._exit(9)
        os._exit(1 if failures else 0)
    # Patience grows, so that there is an end on a slow machine too.
    patience = chance.uniform(0.0, 0.3) * 1.05 ** sum(kills.values())
    until, ended = time.monotonic() + patience, 0
    while not ended and time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.002)
    if ended:
        break
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    kills[state()] += 1
print(json.dumps(kills))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def python(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=300,
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Every tensor of every model; the files' headers list their strings in any order."""
    files = sorted(folder.rglob("*.safetensors"))
    return {f"{path.parent.name} {name}": value for path in files for name, value in load_file(path).items()}


def table(folder: Path) -> bytes:
    return (folder / "results.csv").read_bytes()


def test_the_same_seed_gives_the_same_table_and_another_seed_another(carry_out, finished, tmp_path) -> None:
    carry_out(tmp_path / "again")
    assert table(tmp_path / "again") == table(finished)
    carry_out(tmp_path / "other", "seed=4")
    ours, others = (read_csv(folder / "results.csv") for folder in (finished, tmp_path / "other"))
    assert len(ours) == len(others)
    assert not {row.run_id for row in ours} & {row.run_id for row in others}
    assert [row.value for row in ours] != [row.value for row in others]


def test_codecs_learned_together_or_apart_are_the_same(carry_out, finished, tmp_path) -> None:
    """In two calls, the student first: what else is asked for changes nobody's numbers."""
    carry_out(tmp_path / "apart", "sweep.codec=[small]", "sweep.snr_db=[12]")
    carry_out(tmp_path / "apart")
    assert table(tmp_path / "apart") == table(finished)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_instant_a_run_ends_with_the_same_table(carry_out, tmp_path, tiny_yaml, seed: int) -> None:
    carry_out(tmp_path / "straight", *KILLED)
    (tmp_path / "driver.py").write_text(DRIVER)
    done = python(tmp_path / "driver.py", tiny_yaml, tmp_path / "killed", seed, *KILLED)
    assert done.returncode == 0, done.stderr
    kills = json.loads(done.stdout)
    assert kills["training"] >= 2, kills
    assert sum(kills.values()) >= 4, kills
    assert table(tmp_path / "killed") == table(tmp_path / "straight")
    straight, killed = (weights(tmp_path / name) for name in ("straight", "killed"))
    assert killed.keys() == straight.keys()
    assert all(torch.equal(killed[name], straight[name]) for name in straight), "bit for bit"
    assert not list((tmp_path / "killed").rglob("*.partial"))
    assert not list((tmp_path / "killed").rglob("checkpoint.pt"))


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_table(tmp_path, tiny_yaml) -> None:
    small = ("--set", "sweep.codec=[big, plain, small]", "--set", "measure.metrics=[bleu_1]")
    for workers in (1, 3):
        out = tmp_path / str(workers)
        done = python("-m", "semcom", "run", tiny_yaml, "--out", out, "--workers", workers, *small)
        assert done.returncode == 0, done.stderr
        assert not done.stderr, "workers are quiet"
        assert json.loads((out / "record.json").read_text())["workers"] == workers
    assert table(tmp_path / "1") == table(tmp_path / "3")
    assert {row.status for row in read_csv(tmp_path / "3" / "results.csv")} == {"done"}


@pytest.mark.slow
def test_a_codec_learns_to_repeat_and_noise_drowns_it(carry_out, tmp_path) -> None:
    learn = ("training={steps: 1500, batch: 16, interferers: 0, snr_db: [5, 20]}", "codecs.plain.size=student_quarter")
    points = ("codecs.plain.symbols_per_token=4", "sweep={codec: [plain], snr_db: [-10, 18]}")
    carry_out(tmp_path / "out", *learn, *points)
    values = {(row.metric, row.snr_db): row.value for row in read_csv(tmp_path / "out" / "results.csv")}
    assert values["exact_match", 18.0] > 0.9
    assert values["bleu_1", -10.0] < 0.5
    assert values["exact_match", -10.0] == 0.0
