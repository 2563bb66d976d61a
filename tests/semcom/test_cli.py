"""The command line: what each command says, its exit codes, and that only work loads what work needs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semcom.scenario.load import names
from semcom.scenario.scenario import Scenario

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch._C", "pandas", "matplotlib", "scipy", "sentence_transformers", "distributed", "lightning_fabric")
COMMANDS = ("run", "check", "report", "send", "prepare", "list", "schema")

# What was loaded by the end of a command, told on the last line of stderr.
DRIVER = """
import atexit, sys
atexit.register(lambda: print(*sorted(name for name in sys.modules if name in HEAVY), file=sys.stderr))
sys.argv[0] = "semcom"
from semcom.cli import main
main()
"""


def elsewhere(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", DRIVER.replace("HEAVY", repr(HEAVY)), *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
    )


# What is said


def test_help_names_every_command(semcom) -> None:
    answer = semcom("--help")
    assert answer.code == 0
    assert all(re.search(rf"^\W*{command} ", answer.out, flags=re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(semcom, command: str) -> None:
    answer = semcom(command, "--help")
    assert answer.code == 0
    assert "Usage:" in answer.out


def test_check_prints_the_plan(semcom, tiny_yaml, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = semcom("check", tiny_yaml, "--set", "training.steps=9")
    assert answer.code == 0
    assert "2 codecs (2 to train)" in answer.out
    assert "9 steps, seed 3" in answer.out
    assert f"results in {Path('runs') / 'tiny'}" in answer.out
    assert not list(tmp_path.iterdir())


def test_changes_are_laid_over_one_after_another(semcom, tiny_yaml) -> None:
    answer = semcom("check", tiny_yaml, "--set", "training.steps=9", "--set", "seed=5", "--set", "training.steps=8")
    assert "8 steps, seed 5" in answer.out


def test_a_change_may_be_one_field_or_one_name(semcom, tiny_yaml) -> None:
    for change in (
        "link.interference.level_db=-6",
        "link.fading=rayleigh",
        "tokenizer.vocabulary=300",
        "link.csi=noisy",
    ):
        answer = semcom("check", tiny_yaml, "--set", change)
        assert answer.code == 0, answer


def test_schema_is_json_for_editors(semcom) -> None:
    answer = semcom("schema")
    assert answer.code == 0
    told, whole = json.loads(answer.out), Scenario.model_json_schema()
    assert {**told, "required": None} == {**whole, "required": None}
    # The question is the first comment of the file: an editor would mark every scenario if it were a key to miss.
    assert set(told["required"]) == set(whole["required"]) - {"question"}


def test_list_names_what_a_scenario_may_name(semcom) -> None:
    assert "rayleigh" in semcom("list", "fading").out
    everything = semcom("list").out
    assert all(name in everything for name in (*names(), "neighbors", "soft_logits", "bleu_4", "deepsc_code_awgn"))


def test_prepare_counts_sentences(semcom, text_file) -> None:
    answer = semcom("prepare", text_file)
    assert answer.code == 0
    assert "training" in answer.out


def test_send_prints_a_table(semcom, finished) -> None:
    answer = semcom("send", finished, "the cat sees a dog", "--codec", "small", "--repeats", "2", "--snr-db", "3")
    assert answer.code == 0
    assert "what arrived" in answer.out
    assert "SNR 3 dB, fading none, 0 interferers" in answer.out
    assert "big" not in answer.out


def test_report_draws_from_the_table_alone(semcom, finished, tmp_path) -> None:
    rows = (finished / "results.csv").read_text().splitlines()
    # One metric of one codec is enough to see it drawn.
    alone = [rows[0], *(row for row in rows if row.startswith("text,big,") and ",bleu_1,value," in row)]
    (tmp_path / "results.csv").write_text("\n".join(alone) + "\n")
    answer = semcom("report", tmp_path)
    assert answer.code == 0
    told = [Path(line) for line in answer.out.splitlines()]
    assert told
    assert all(path.is_file() for path in told)
    assert {path.suffix for path in told} == {".png", ".svg", ".pdf", ".md", ".tex", ".csv"}


def test_run_goes_from_scenario_to_figures(semcom, tiny_yaml, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("--set", "measure.metrics=[bleu_1]", "--set", "sweep.codec=[plain]", "--set", "sweep.snr_db=[0, 6]")
    answer = semcom("run", tiny_yaml, *small)
    assert answer.code == 0, answer
    out = Path("runs/tiny")
    for name in ("scenario.yaml", "results.csv", "record.json", "figures", "tables", "models", "tokenizers"):
        assert (out / name).exists(), name
    assert list((out / "figures").glob("*.png"))
    assert "BLEU-1" in answer.out
    assert f"figures in {out / 'figures'}" in answer.out


def test_run_with_a_failure_finishes_the_rest_and_says_1(semcom, tiny_yaml, tmp_path) -> None:
    small = ("--set", "measure.metrics=[bleu_1]", "--set", "sweep.snr_db=[0, 6]", "--set", "sweep.codec=[plain, lost]")
    lost = "codecs.lost={size: tiny, symbols_per_token: 2, training: {learning_rate: 1.0e+30}}"
    answer = semcom("run", tiny_yaml, *small, "--set", lost, "--out", tmp_path / "out")
    assert answer.code == 1, answer
    assert "lost failed: Diverged" in answer.out
    assert "Traceback" not in answer.err
    table = (tmp_path / "out" / "results.csv").read_text()
    assert ",failed," in table
    assert ",done," in table
    assert list((tmp_path / "out" / "figures").glob("*.png"))


def test_a_run_in_which_everything_fails_is_reported_too(semcom, tiny_yaml, tmp_path) -> None:
    small = ("--set", "sweep.codec=[plain]", "--set", "sweep.snr_db=6", "--set", "training.learning_rate=1.0e+30")
    answer = semcom("run", tiny_yaml, *small, "--out", tmp_path / "out")
    assert answer.code == 1, answer
    assert "Traceback" not in answer.err
    assert "failed" in answer.out


# What is loaded, and how long that takes


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("check", "quickstart"),
        ("check", "snr"),
        ("list",),
        ("schema",),
        ("check", "nope"),
        ("run", "nope"),
    ],
    ids=" ".join,
)
def test_what_needs_no_torch_loads_none(tmp_path, words: tuple[str, ...]) -> None:
    began = os.times()
    answer = elsewhere(*words, cwd=tmp_path)
    ended = os.times()
    assert answer.returncode == (2 if "nope" in words else 0), answer.stderr
    assert answer.stderr.splitlines()[-1] == "", f"loaded: {answer.stderr.splitlines()[-1]}"
    # Under a second on any machine of this decade; a factor of four for what else may be going on.
    spent = (ended.children_user - began.children_user) + (ended.children_system - began.children_system)
    assert spent < 4.0


def test_the_watch_sees_what_is_loaded(tmp_path) -> None:
    answer = elsewhere("report", "nowhere", cwd=tmp_path)
    assert answer.returncode == 2, answer.stderr
    assert {"matplotlib", "pandas"} <= set(answer.stderr.splitlines()[-1].split())


def test_the_package_is_a_command_too(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "semcom", "list", "metrics"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert "bleu_1" in done.stdout


# Being stopped


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="interrupts are POSIX")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_says_how_to_go_on(tiny_yaml, tmp_path, workers: int) -> None:
    """Sent to the whole group of processes, as a terminal does."""
    words = ("run", tiny_yaml, "--out", tmp_path / "out", "--set", "training.steps=100000", "--workers", workers)
    process = subprocess.Popen(
        [sys.executable, "-m", "semcom", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
        # Whoever is started in the background by a shell ignores interrupts, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None
        # It trains as soon as it counts steps.
        assert any("/100000" in line for line in process.stdout)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert process.returncode == 130
    assert said.strip() == "stopped; run the same command again to go on where it stopped"
    assert not (tmp_path / "out" / "results.csv").exists()


def test_a_pipe_that_closes_is_no_mistake(tmp_path) -> None:
    """As in `semcom list | head -1`."""
    if shutil.which("head") is None:
        pytest.skip("needs head")
    done = subprocess.run(
        f"{sys.executable} -m semcom schema | head -1",
        shell=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.stdout == "{\n"
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", [("schema",), ("list",), ("check", "snr")])
def test_what_a_command_is_for_is_not_lost_in_silence(tmp_path, command: tuple[str, ...]) -> None:
    """As in `semcom schema > schema.json` on a full disk."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "semcom", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.split("; ")[0] == (
        "standard output: the disk must have room for this file, got: No space left on device"
    )


# Output that ends early, and memory that runs out


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("head") is None, reason="needs head")
def test_a_reader_who_leaves_stops_no_run(tiny_yaml, tmp_path) -> None:
    """As in `semcom run ... | head -1`."""
    out, code = tmp_path / "out", tmp_path / "code"
    done = subprocess.run(
        f"({sys.executable} -m semcom run {tiny_yaml} --out {out}; echo $? > {code}) | head -1",
        shell=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.stdout == "Does the whole chain hold, from text to table?\n"
    assert (code.read_text(), done.stderr) == ("0\n", "")
    assert (out / "results.csv").is_file()
    assert list((out / "figures").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_finished_run_ends_well_in_any_encoding(finished, encoding: str) -> None:
    """What a run says at its end has more than ASCII in it."""
    code = (
        "import sys; from pathlib import Path; from semcom.cli import console; "
        "from semcom.report.summary import summary_table; console.print(summary_table(Path(sys.argv[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, finished / "results.csv"],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode(encoding)
    assert ("+-" if encoding == "ascii" else "\xb1") + " half the interval" in said


@pytest.mark.parametrize(
    ("where", "command"),
    [
        ("semcom.experiment.preview.preview", ("check", "quickstart")),
        ("semcom.scenario.inventory.inventory", ("list",)),
        ("semcom.report.drawing.report", ("report", ".")),
    ],
)
def test_memory_that_runs_out_is_one_message(monkeypatch, semcom, where: str, command: tuple[str, ...]) -> None:
    def without_room(*_, **__):
        raise MemoryError

    monkeypatch.setattr(where, without_room)
    answer = semcom(*command)
    assert answer.code == 1
    assert answer.err.startswith("the work must fit into memory, and there was not enough;")
    assert "Traceback" not in answer.err
