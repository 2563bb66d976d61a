"""A run leaves other people's files alone, and takes away what it drew before."""

import os
import time
from pathlib import Path

import pytest

from semcom.files import PARTIAL, write_atomically
from semcom.mistakes import UserMistake
from semcom.store.folder import RunFolder


@pytest.mark.parametrize("name", ["scenario.yaml", "results.csv", "costs.csv", "sample.json", "record.json"])
def test_a_folder_with_somebody_elses_files_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserMistake, match=f"got {name} without a run's store; choose another --out"):
        RunFolder(tmp_path).prepare()
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_only_what_a_run_left_half_written_is_removed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    ours = [
        tmp_path / f".results.csv.0a1b2c3d{PARTIAL}",
        tmp_path / f".results.sqlite.0a1b2c3d{PARTIAL}-wal",
        folder.model("0123456789abcdef") / f".weights.safetensors.99ff00aa{PARTIAL}",
        folder.tokenizers / f".abc.json.99ff00aa{PARTIAL}",
    ]
    theirs = [
        tmp_path / "notes" / f".movie.0a1b2c3d{PARTIAL}",
        tmp_path / f".movie{PARTIAL}",
        tmp_path / f".holiday.avi{PARTIAL}",
        tmp_path / f".bashrc.1a2b3c4d{PARTIAL}",
        tmp_path / f".results.csv.0a1b2c3d{PARTIAL}-draft.txt",
        folder.model("mine") / f".weights.safetensors.99ff00aa{PARTIAL}",
        folder.figures / f".my_photo.png.99ff00aa{PARTIAL}",
    ]
    for each in (*ours, *theirs):
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_text("half")
    drawn = [folder.figures / f".bleu_4__{name}.png.99ff00aa{PARTIAL}" for name in ("by_a_killed_run", "just_now")]
    for each, age in zip(drawn, (3600, 0), strict=True):
        each.write_text("half")
        os.utime(each, (time.time() - age,) * 2)
    (tmp_path / f".results.csv.99ff00aa{PARTIAL}").mkdir()
    folder.tidy()
    assert [each.exists() for each in drawn] == [False, True], "a report may be writing"
    assert not any(each.exists() for each in ours)
    assert all(each.exists() for each in theirs)


def test_figures_of_an_earlier_table_do_not_stay(finished: Path, tmp_path: Path) -> None:
    from semcom.report.drawing import report

    write_atomically(tmp_path / "figures" / "bleu_9__against_snr.png", b"old")
    write_atomically(tmp_path / "figures" / "my_photo.png", b"mine")
    table = tmp_path / "results.csv"
    table.write_bytes((finished / "results.csv").read_bytes())
    written = report(table, tmp_path)
    assert not (tmp_path / "figures" / "bleu_9__against_snr.png").exists()
    assert (tmp_path / "figures" / "my_photo.png").exists()
    assert all(path.exists() for path in written)
