"""RunFolder: files are whole or absent, and what the disk refuses is one clear message."""

from __future__ import annotations

import errno
import getpass
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semcom.files import replacing, write_atomically
from semcom.mistakes import UserMistake
from semcom.store import folder as module
from semcom.store.folder import RunFolder, record, write_record

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="file size limits and SIGKILL are POSIX")


def refuse(code: int) -> object:
    def refusing(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return refusing


def test_a_folder_is_made_when_asked_and_not_before(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "runs" / "crowd")
    assert not run.path.exists()
    run.prepare()
    run.prepare()
    assert list(run.path.iterdir()) == []


def test_everything_lies_in_the_folder() -> None:
    run = RunFolder(Path("there"))
    files = (run.scenario_file, run.results_file, run.store_file, run.record_file, run.report_file, run.log_file)
    assert [file.name for file in files] == [
        *("scenario.yaml", "results.csv", "results.sqlite", "record.json", "report.html", "run.log")
    ]
    assert run.model("a1") == Path("there/models/a1")
    assert {run.tokenizers.name, run.figures.name, run.tables.name} == {"tokenizers", "figures", "tables"}


@pytest.mark.parametrize("below", ["", "deep/er"])
def test_a_file_in_the_way_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(UserMistake, match=r"got a file in the way at .*taken; move it or choose another --out"):
        RunFolder(tmp_path / "taken" / below).prepare()
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    # Permission bits do not bind a superuser, so the refusal is played.
    monkeypatch.setattr(Path, "write_bytes", refuse(code))
    with pytest.raises(UserMistake, match=r"must be writable, got: .*; choose another place \(--out"):
        RunFolder(tmp_path / "run").prepare()
    monkeypatch.setattr(Path, "mkdir", refuse(code))
    with pytest.raises(UserMistake, match="must be writable"):
        RunFolder(tmp_path / "other").prepare()


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    target = tmp_path / "results.csv"
    write_atomically(target, "old")
    monkeypatch.setattr(module.os, step, refuse(errno.ENOSPC))
    with pytest.raises(UserMistake, match="the disk must have room for this file, got: No space left on device"):
        write_atomically(target, "new")
    assert [each.name for each in tmp_path.iterdir()] == ["results.csv"] and target.read_text() == "old"


@posix_only
def test_a_real_limit_on_file_size_is_told_like_a_full_disk(tmp_path: Path) -> None:
    target = tmp_path / "big"
    write_atomically(target, "old")
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from semcom.files import write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "write_atomically(Path(sys.argv[1]), b'x' * 100_000)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(target)], capture_output=True, text=True)
    assert "UserMistake" in done.stderr and "the disk must have room for this file" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["big"] and target.read_text() == "old"


def test_what_is_written_is_what_was_given(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b.txt", "l\r\n\u00e9\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"l\r\n\xc3\xa9\n"
    write_atomically(tmp_path / "a" / "b.txt", b"\x00")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"\x00"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_files_are_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_atomically(tmp_path / "replaced", "")
    assert (tmp_path / "replaced").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_error_on_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyError), replacing(tmp_path / "x") as partial:
        partial.write_text("half")
        raise KeyError
    assert list(tmp_path.iterdir()) == []


@posix_only
def test_a_killed_writer_leaves_the_old_file_and_tidy_removes_the_rest(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_atomically(run.results_file, "old")
    script = (
        "import sys, time; from pathlib import Path\n"
        "from semcom.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as partial:\n"
        "    partial.write_text('half'); print('now', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(run.results_file)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"now\n"
        writer.send_signal(signal.SIGKILL)
    assert run.results_file.read_text() == "old" and len(list(tmp_path.iterdir())) == 2
    run.tidy()
    assert [each.name for each in tmp_path.iterdir()] == ["results.csv"]


def test_the_record_says_how_but_not_who(tmp_path: Path) -> None:
    facts = record(seeds=(7, 8), threads=1, device="cpu", seconds={"training": 1.23456})
    write_record(RunFolder(tmp_path), facts)
    text = (tmp_path / "record.json").read_text()
    assert json.loads(text) == facts
    assert facts["seeds"] == [7, 8] and facts["threads"] == 1 and facts["seconds"] == {"training": 1.235}
    assert facts["versions"]["torch"] and facts["machine"]["cores"] == os.cpu_count()
    for name in (socket.gethostname(), getpass.getuser(), str(Path.home())):
        assert not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)
    assert time.strptime(facts["finished"][:19], "%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize("failure", [FileNotFoundError(), subprocess.TimeoutExpired("git", 10)])
def test_no_git_is_no_failure(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(module.subprocess, "run", fail)
    assert record(seeds=(0,), threads=1, device="cpu", seconds={})["git"] is None


def test_reading_scenarios_and_writing_results_needs_no_torch() -> None:
    script = (
        "import sys, semcom.scenario.document, semcom.store.results, semcom.store.store\n"
        "from semcom.store.folder import record\n"
        "record(seeds=(0,), threads=1, device='cpu', seconds={})\n"
        "assert 'torch.nn' not in sys.modules\n"  # torch itself may stand there unfilled, for when it is used
    )
    subprocess.run([sys.executable, "-c", script], check=True)
