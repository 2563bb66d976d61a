"""A fourth task is at most four new files and one line in a catalog; everything else finds it by itself.

The files of `tests/fourth_task` are such a task: tiny pictures that a small network sends straight as symbols. They are
laid into a copy of the source tree, which then is used as anybody would use it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from semcom.store.results import read_csv

ROOT = Path(__file__).resolve().parents[1]
TASK = Path(__file__).with_name("fourth_task")
NEW = sorted(path.relative_to(TASK) for path in TASK.rglob("*.py"))
OLD, LINE = "(Text, Modulation, Pictures, Speech)", "(Text, Modulation, Pictures, Speech, Stripes)"
SCENARIO = """\
# Which way do the stripes run?
name: stripes
task: {kind: stripes, pictures: {test: 60}}
codecs:
  big: {size: stripes_large}
  small: {size: stripes_small, hidden: 16, distill: {teacher: big, methods: [soft_logits, symbols]}}
  begun: {start: small, training: {steps: 5}}
  taken: {adopt: {transmitter: big}, size: stripes_large}
training: {steps: 60, batch: 16, warmup: 2, snr_db: [0, 12], interferers: [0, 1], validate_every: 30}
link: {interference: {level_db: -10}, crowd: [small]}
sweep: {codec: [taken], snr_db: [0, 12], interferers: 1}
measure: {sentences: 60, batch: 16, resamples: 100}
"""

pytestmark = pytest.mark.slow
Python = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source tree with one task more."""
    tree = tmp_path_factory.mktemp("fourth") / "tree"
    passed_over = shutil.ignore_patterns("__pycache__", "fourth_task", ".*")
    for name in ("semcom", "channels", "scenarios", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=passed_over)
    shutil.copy(ROOT / "pyproject.toml", tree)
    for path in NEW:
        assert not (tree / "semcom" / path).exists()
        shutil.copy(TASK / path, tree / "semcom" / path)
    catalog = tree / "semcom" / "tasks" / "catalog.py"
    text = catalog.read_text(encoding="utf-8")
    assert text.count(OLD) == 1
    imported = "from semcom.tasks.stripes import Stripes\n"
    catalog.write_text(text.replace("TASKS", f"{imported}\nTASKS", 1).replace(OLD, LINE), encoding="utf-8")
    return tree


@pytest.fixture(scope="module")
def python(tree: Path) -> Python:
    """Hand out `python("-m", "semcom", "list")`: a process that knows the tree alone."""

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
        command = [sys.executable, *map(str, words)]
        return subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    return call


def test_it_takes_four_files_and_says_nothing_elsewhere() -> None:
    assert len(NEW) <= 4
    assert all((ROOT / "semcom" / path.parent).is_dir() for path in NEW), "and no new package"


def test_it_is_listed_and_in_the_schema(python: Python) -> None:
    listed = python("-m", "semcom", "list")
    assert listed.returncode == 0, listed.stderr
    assert "  stripes     Pictures of stripes; a codec learns what to send of them.  (pictures)\n" in listed.stdout
    assert "32 -> 32, 4 symbols a picture (task stripes)" in listed.stdout
    schema = json.loads(python("-m", "semcom", "schema").stdout)
    plans = schema["$defs"]
    assert plans["Stripes"]["properties"]["pictures"]["description"] == "what they are like."
    keys = plans["PerceptronPlan"]["properties"]
    assert {"kind", "size", "hidden", "symbols_per_picture", "distill", "adopt"} <= keys.keys()
    assert keys["symbols_per_picture"]["description"] == "complex symbols sent for each picture [symbols]."
    assert "stripes" in schema["properties"]["task"]["anyOf"][0]["enum"]


def test_it_is_checked_carried_out_and_drawn(python: Python, tmp_path: Path) -> None:
    path, out = tmp_path / "stripes.yaml", tmp_path / "out"
    path.write_text(SCENARIO)
    checked = python("-m", "semcom", "check", path)
    assert checked.returncode == 0, checked.stderr
    assert "128 -> 128, 4 symbols a picture, trained, transmitter adopted, 60 steps" in checked.stdout
    # One codec is measured alone: pictures of every comparison take long to draw.
    done = python("-m", "semcom", "run", path, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = read_csv(out / "results.csv")
    assert {row.status for row in rows} == {"done"}
    values = {(row.codec, row.snr_db): row.value for row in rows if row.kind == "value" and row.metric == "accuracy"}
    # Four directions: chance is 0.25.
    assert 0.7 < values["taken", 12.0] >= values["taken", 0.0]
    shutil.rmtree(out / "tables")
    drawn = python("-m", "semcom", "report", out)
    assert drawn.returncode == 0, drawn.stderr
    assert (out / "figures" / "accuracy__against_snr.svg").is_file()
    assert "symbols per message" in (out / "tables" / "codecs.md").read_text(encoding="utf-8")
    refused = python("-m", "semcom", "send", out, "a sentence")
    assert refused.returncode == 2
    assert "must be a run of task text, got task stripes" in " ".join(refused.stderr.split())


REFUSED = {
    "task.pictures.tset=5": "did you mean 'test'?",
    "codecs.big.kind=semantic": "codecs.big.size: must be one of tiny,",
    "codecs.more={size: teacher}": "codecs.more must carry pictures, which task stripes sends, got a codec of sent",
    "codecs.begun.prune={kind: layers, keep: 1}": "codecs.begun.prune must be of a codec of kind semantic or",
    "codecs.begun={kind: semantic, start: big}": "codecs.begun.start must name a codec of kind semantic, as begun is",
    "codecs.small.symbols_per_picture=2": "must send as many symbols a picture as its student",
    "codecs.taken.hidden=7": "codecs.taken.hidden must be 128, as in 'big', whose transmitter is adopted as it is",
    "measure.metrics=[bleu_4]": "metrics must score classes",
    "corpus=docstrings": "corpus belongs to task text, got it with task stripes",
}
EXPLAIN = """
import json, sys
from pathlib import Path
from semcom.mistakes import UserMistake
from semcom.scenario.load import load_scenario

told = []
for change in sys.argv[2:]:
    try:
        load_scenario(Path(sys.argv[1]), (change,))
        told.append("nothing")
    except UserMistake as mistake:
        told.append(str(mistake))
print(json.dumps(told))
"""


def test_what_does_not_fit_it_is_refused(python: Python, tmp_path: Path) -> None:
    path = tmp_path / "stripes.yaml"
    path.write_text(SCENARIO)
    done = python("-c", EXPLAIN, path, *REFUSED)
    assert done.returncode == 0, done.stderr
    told = dict(zip(REFUSED, json.loads(done.stdout), strict=True))
    assert {change: words for change, words in REFUSED.items() if words not in told[change]} == {}, told


def test_the_contracts_and_the_floors_hold_for_it(python: Python) -> None:
    tests = ("tests/contracts/test_tasks_contracts.py", "tests/test_floors.py")
    # Of the contracts those of the new task and those between tasks; of the floors those of the new files.
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "stripes or not text and tasks", *tests)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.rpartition(" passed")[0].split()[-1]) >= 20, done.stdout
