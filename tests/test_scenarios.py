"""Every shipped scenario asks a question, can be expanded without its corpus, and is found from an installed wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from semcom.experiment.preview import preview
from semcom.scenario.expand import expand
from semcom.scenario.load import find_scenario, load_scenario, names
from semcom.scenario.scenario import Scenario
from semcom.sources.docstrings import Docstrings
from semcom.sources.europarl import Europarl
from semcom.store.results import read_csv
from semcom.words import counted

ROOT = Path(__file__).resolve().parents[1]
each_scenario = pytest.mark.parametrize("name", names())


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


def shipped(name: str, *changes: str) -> Scenario:
    return load_scenario(find_scenario(name), changes)[0]


def test_there_are_some() -> None:
    assert {"quickstart", "snr", "interferers", "model_size"} <= set(names())


@each_scenario
def test_its_first_line_is_a_question_and_its_name_is_its_file_s(name: str) -> None:
    scenario = shipped(name)
    assert scenario.question.endswith("?")
    assert scenario.name == name


@each_scenario
def test_it_uses_plain_keys_alone(name: str) -> None:
    text = find_scenario(name).read_text(encoding="utf-8")
    assert text.isascii()
    assert not re.search(r"[&*]\w|<<:|!!", text)


@each_scenario
def test_it_expands_and_can_be_previewed_without_its_corpus(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SEMCOM_CACHE", str(tmp_path / "nothing"))
    for corpus in (Docstrings, Europarl):
        monkeypatch.setattr(corpus, "load", lambda *_: pytest.fail("looked for the corpus"))
    scenario = shipped(name)
    sweep = expand(scenario)
    assert len({run.identity for run in sweep.runs}) == len(sweep.runs) > 1
    text = preview(scenario, Path("out"))
    assert f"{counted(len(sweep.builds), 'codec')} ({len(sweep.builds)} to train)" in text
    assert not Path("out").exists()


@each_scenario
def test_every_student_has_its_control(name: str) -> None:
    roles = {run.build.name: run.role for run in expand(shipped(name)).runs}
    assert "student" not in roles.values() or "control" in roles.values()


@each_scenario
def test_a_scenario_with_a_student_compares_it_with_its_control(name: str) -> None:
    scenario = shipped(name)
    roles = {run.build.name: run.role for run in expand(scenario).runs}
    against = {(roles[one], roles[other]) for one, other in scenario.measure.compare}
    assert "student" not in roles.values() or ("student", "control") in against


def test_quickstart_needs_no_download() -> None:
    assert isinstance(shipped("quickstart").corpus, Docstrings)


# Carried out


def semcom(*words: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "semcom", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done


@pytest.mark.slow
def test_quickstart_runs_whole(tmp_path) -> None:
    """From the command line to the figures, at a hundredth of its budget; then again, and what can be asked later."""
    scenario = shipped("quickstart")
    budget = ["training.steps=20", "training.warmup=5", "training.validate_every=10", "measure.sentences=6"]
    budget += ["sweep.snr_db=[0, 12]", "sweep.interferers=[0, 2]", "corpus.sentences=3000", "measure.resamples=100"]
    budget += ["measure.metrics=[similarity]"]
    budget += [f"codecs.{name}.training.steps=20" for name, codec in scenario.codecs.items() if codec.training]
    changes = [word for change in budget for word in ("--set", change)]
    first = semcom("run", "quickstart", *changes, folder=tmp_path)
    out = tmp_path / "runs" / "quickstart"
    rows = read_csv(out / "results.csv")
    codecs = set(scenario.sweep.codec)
    assert {row.codec for row in rows} == codecs
    assert {row.metric for row in rows} == {"similarity"}
    assert {row.status for row in rows} == {"done"}
    assert len([row for row in rows if not row.against]) == len(codecs) * 2 * 2
    for made in ("record.json", "scenario.yaml", "results.sqlite", "tokenizers"):
        assert (out / made).exists(), made
    figures, tables = ({path.suffix for path in (out / made).iterdir()} for made in ("figures", "tables"))
    assert figures == {".png", ".svg", ".pdf"}
    assert {".md", ".tex", ".csv"} <= tables
    assert "to train" in first.stdout

    table = (out / "results.csv").read_bytes()
    weights = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    again = semcom("run", "quickstart", *changes, folder=tmp_path)
    built = f"0 of {len(expand(scenario).builds)} codecs to train, 0 of 1 language to make, "
    assert f"{built}0 of {4 * len(codecs)} points" in again.stdout
    assert (out / "results.csv").read_bytes() == table
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")} == weights

    svg = next((out / "figures").glob("*.svg"))
    drawn = svg.read_bytes()
    svg.unlink()
    semcom("report", out, folder=tmp_path)
    assert svg.read_bytes() == drawn
    sent = semcom("send", out, "This function returns the sum of all values.", "--interferers", 1, folder=tmp_path)
    assert all(name in sent.stdout for name in codecs)
    assert "what arrived" in sent.stdout


@pytest.mark.slow
def test_an_installed_wheel_finds_the_scenarios(tmp_path) -> None:
    """Built from the tree, unpacked elsewhere, and asked from a third place."""
    pytest.importorskip("build", reason="needs the build package")
    pytest.importorskip("hatchling", reason="needs the build back end")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)],
        check=True,
        capture_output=True,
    )
    wheel = next((tmp_path / "dist").glob("semcom-*.whl"))
    installed, cwd = tmp_path / "installed", tmp_path / "cwd"
    cwd.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    done = semcom("list", "scenarios", folder=cwd, PYTHONPATH=str(installed))
    assert all(name in done.stdout for name in names())
    where = "import semcom.cli, semcom.scenario.scenario as s; print(s.__file__); print(s.find_scenario('quickstart'))"
    told = subprocess.run(
        [sys.executable, "-c", where],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=True,
    ).stdout.splitlines()
    assert all(line.startswith(str(installed)) for line in told), told
    assert "quickstart: " in semcom("check", "quickstart", folder=cwd, PYTHONPATH=str(installed)).stdout
