"""Files that are not what they should be, disks that are full, sentences that cannot be sent: one message, no harm."""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
import torch

from semcom.experiment.run import encoded_exam
from semcom.models.make import initialize
from semcom.models.semantic_spec import symmetric
from semcom.report.drawing import FORMATS, report
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.folder import RunFolder
from semcom.store.results import read_csv, write_csv
from semcom.tasks.text_data import load_text
from semcom.training.checkpoint import save_weights

WHOLE = (
    r"results\.sqlite(\.lock|-wal|-shm)?|scenario\.yaml|sample\.json|[0-9a-f]{16}\.json|weights\.safetensors"
    r"|checkpoint\.pt"
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in a folder of its own, so that whatever is left behind is seen."""
    monkeypatch.chdir(tmp_path)
    # What was read once is remembered under its path, and `out` is another folder in every test.
    for remembered in (load_text, encoded_exam):
        remembered.cache_clear()
    return tmp_path


# Weights and checkpoints that are not what they should be


class Payload:
    """Unpickled, it leaves a mark."""

    def __reduce__(self):
        return (Path.touch, (Path("marked").absolute(),))


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path):
    path.write_bytes(b"")


def pickled(path):
    path.write_bytes(pickle.dumps({"embedding.weight": Payload()}))


def promising(path):
    """A header that announces more than any disk holds."""
    path.write_bytes((2**62).to_bytes(8, "little") + path.read_bytes()[8:])


def misshapen(path):
    save_weights(initialize(symmetric(24, 1, heads=2), 50, seed=0), path, about={"build": path.parent.name})


def foreign(path):
    save_weights(torch.nn.Linear(2, 2), path, about={"build": path.parent.name})


def exchanged(path):
    """Another codec's file, which may well fit."""
    other = next(each for each in path.parent.parent.iterdir() if each != path.parent)
    shutil.copyfile(other / path.name, path)


def older(folder):
    """As a version left it that knew no digests."""
    store = folder / "results.sqlite"
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("DROP TABLE digests")
        connection.execute("UPDATE builds SET record = json_remove(record, '$.weights_digest')")


def said(carry_out):
    """What is said where the folder `out` is gone on with."""
    carried = carry_out(Path("out"))
    assert carried.failures == 0
    return carried.said


@pytest.fixture
def with_weights(finished):
    """Hand out `with_weights(damage)`: a finished folder whose teacher's weights were changed so."""

    def copy(damage):
        shutil.copytree(finished, "out")
        build = expand(load_scenario(Path("out/scenario.yaml"))[0]).builds[0]
        damage(RunFolder(Path("out")).weights(build.identity))
        return Path("out")

    return copy


DAMAGES = [truncated, emptied, pickled, promising, misshapen, foreign, exchanged]


@pytest.mark.parametrize("damage", DAMAGES)
def test_weights_that_are_not_ours_are_not_sent_with_and_are_trained_again(
    refused, carry_out, finished, with_weights, damage
) -> None:
    folder = with_weights(damage)
    message = refused("send", folder, "the cat sees a dog", "--codec", "big", whole=WHOLE)
    assert re.search("weights.safetensors: must be as the training saved it", message), message
    assert re.search(r"weights\.safetensors: damaged, edited or exchanged .*; big is trained\s+again", said(carry_out))
    assert Path("out/results.csv").read_bytes() == (finished / "results.csv").read_bytes()
    assert not Path("marked").exists()


@pytest.mark.parametrize("damage", DAMAGES)
def test_weights_that_are_not_ours_in_a_folder_that_knows_no_digests(refused, with_weights, damage) -> None:
    folder = with_weights(damage)
    older(folder)
    told = (
        "weights.safetensors: (not a readable safetensors file|.* must have shape|these weights belong to another"
        "|must hold the weights of build)"
    )
    message = refused("send", folder, "the cat sees a dog", "--codec", "big", whole=WHOLE)
    assert re.search(told, message), message
    assert not Path("marked").exists()


def test_a_checkpoint_with_a_payload_runs_nothing_and_costs_nothing(finished, carry_out) -> None:
    shutil.copytree(finished / "tokenizers", "out/tokenizers")
    for build in expand(load_scenario(finished / "scenario.yaml")[0]).builds:
        path = RunFolder(Path("out")).model(build.identity) / "checkpoint.pt"
        path.parent.mkdir(parents=True)
        torch.save({"identity": build.identity, "step": 4, "weights": Payload()}, path)
    assert carry_out(Path("out")).failures == 0
    assert not Path("marked").exists()
    assert Path("out/results.csv").read_bytes() == (finished / "results.csv").read_bytes()


@pytest.mark.parametrize("damage", [truncated, emptied, pickled])
def test_a_damaged_tokenizer_is_trained_again_or_refused_where_nobody_knows_what_it_was(
    refused, tiny_yaml, carry_out, finished, damage
) -> None:
    for each in ("out", "old"):
        shutil.copytree(finished, each)
        damage(next(Path(each, "tokenizers").iterdir()))
    assert re.search(r"[0-9a-f]{16}\.json: damaged or edited .*trained\s+again", said(carry_out))
    older(Path("old"))
    message = refused("run", tiny_yaml, "--out", "old", "--set", "sweep.snr_db=[9]", whole=WHOLE)
    assert "must be a tokenizer that semcom wrote" in message


def test_a_damaged_store(refused, tiny_yaml, finished) -> None:
    shutil.copytree(finished, "out")
    Path("out/results.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    for command in ("check", "run"):
        assert "out/results.sqlite: must be" in refused(command, tiny_yaml, "--out", "out", whole=WHOLE)


# Disks that are full


@pytest.fixture
def small_disk():
    """Hand out `small_disk(size)`: from then on no file may grow beyond it, as when the disk is full."""
    resource = pytest.importorskip("resource", reason="limits of file sizes are POSIX")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["weights.safetensors", "checkpoint.pt"])
def test_a_disk_that_fills_up_in_training(
    refused, tiny_yaml, finished, carry_out, small_disk, monkeypatch, name: str
) -> None:
    if name == "weights.safetensors":
        # Checkpoints are the larger ones and come first.
        monkeypatch.setattr("semcom.training.checkpoint.Checkpoint.save", lambda self, state: None)
    small_disk(100_000)
    message = refused("run", tiny_yaml, "--out", "out", whole=WHOLE)
    assert f"{name}: the disk must have room for this file" in message
    assert not Path("out/results.csv").exists()
    small_disk(-1)
    assert carry_out(Path("out")).failures == 0
    assert Path("out/results.csv").read_bytes() == (finished / "results.csv").read_bytes()


@pytest.mark.parametrize("size", [2_000, 60_000])
def test_a_disk_that_fills_up_in_measuring(refused, tiny_yaml, finished, carry_out, small_disk, size) -> None:
    shutil.copytree(finished, "out")
    small_disk(size)
    message = refused("run", tiny_yaml, "--out", "out", "--set", "sweep.seed=[3,4,5]", whole=WHOLE)
    assert "disk must" in message
    assert Path("out/results.csv").read_bytes() == (finished / "results.csv").read_bytes(), "untouched"
    small_disk(-1)
    carry_out(Path("out"))
    assert Path("out/results.csv").read_bytes() == (finished / "results.csv").read_bytes()


def test_a_disk_that_fills_up_in_drawing(refused, finished, small_disk) -> None:
    shutil.copyfile(finished / "results.csv", "results.csv")
    small_disk(9_000)
    assert "the disk must have room for this file" in refused("report", ".", whole=r".*\.(png|svg|pdf)")
    assert all(path.stat().st_size < 9_000 for path in Path("figures").iterdir()), "whole ones alone"
    assert not list(Path("figures").glob(".*"))


@pytest.fixture
def few_rows(finished) -> None:
    """A table in the folder that is soon drawn."""
    rows = [row for row in read_csv(finished / "results.csv") if (row.metric, row.kind) == ("bleu_4", "value")]
    write_csv(rows, Path("results.csv"))


def test_what_was_written_before_the_disk_was_full_stays(refused, few_rows, monkeypatch) -> None:
    """Where half of a file is written and no more, the files before it are whole, and there is no other."""
    monkeypatch.setattr("semcom.report.drawing.FORMATS", {each: FORMATS[each] for each in ("svg", "pdf")})
    files = report(Path("results.csv"), Path("whole"))
    write, drawn = Path.write_bytes, {path.name: path.read_bytes() for path in files}
    for full in ("bleu_4__against_interferers.pdf", "codecs.tex", "bleu_4__quality.csv"):

        def half(path: Path, data: bytes, full: str = full) -> int:
            if not path.name.startswith(f".{full}."):
                return write(path, data)
            write(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_bytes", half)
            message = refused("report", ".", "--out", full, whole=r"[a-z].*")
        assert f"{full}: the disk must have room for this file, got: {os.strerror(errno.ENOSPC)}; free" in message
        left = {path.name: path.read_bytes() for path in Path(full).rglob("*") if path.is_file()}
        assert left == {name: drawn[name] for name in list(drawn)[: list(drawn).index(full)]}


@pytest.mark.parametrize("ending", FORMATS)
def test_a_disk_that_is_full_under_a_figure(refused, few_rows, small_disk, monkeypatch, ending: str) -> None:
    """However a format is written: matplotlib closes a PDF that it could not write, and fails once more."""
    monkeypatch.setattr("semcom.report.drawing.FORMATS", {ending: FORMATS[ending]})
    small_disk(5_000)
    message = refused("report", ".")
    assert re.fullmatch(
        rf"figures/\w+\.{ending}: the disk must have room for this file, got: .*; free some space", message
    )


def test_a_file_where_figures_should_be(refused, finished) -> None:
    Path("taken").write_text("mine")
    assert "taken/figures/" in refused("report", finished, "--out", "taken")
    assert Path("taken").read_text() == "mine"


# Sending


SENDINGS = {
    ("a sentence", "--codec", "tiny"): "codec must be one of big, small, got tiny",
    ("a sentence", "--codec", "smal"): "codec must be one of big, small, got smal; did you mean 'small'?",
    ("",): "the sentence must hold letters or . ! ?, got ''; write a sentence",
    ("1234 --",): "the sentence must hold letters or . ! ?",
    (
        "\u041e\u043d\u0438 \u0431\u044b\u043b\u0438 IEEE",
    ): "the sentence must be in the letters a-z, as the text that the codecs",
    ("word " * 40,): "must have at most 20 words (marks count), as those the codecs were trained on, got 40; cut it",
    ("the cat plays the saxophone",): "must be made of words from the training text, got plays, saxophone; use other",
    ("the cat sees a dog", "--snr-db", "nan"): "snr_db must be a finite number",
    ("the cat sees a dog", "--snr-db", "1e9"): "snr_db must be between -100 and 100",
    ("the cat sees a dog", "--interferers", "500"): "interferers must be at most",
    ("the cat sees a dog", "--interferers", "-1"): "greater than or equal to 0",
    ("the cat sees a dog", "--repeats", "0"): "greater than or equal to 1",
}


@pytest.mark.parametrize("words", SENDINGS, ids=lambda words: " ".join(words)[:40])
def test_a_sentence_that_cannot_be_sent(refused, finished, words) -> None:
    assert SENDINGS[words] in refused("send", finished, *words)


def test_a_folder_that_was_never_trained(refused, finished) -> None:
    Path("out").mkdir()
    shutil.copyfile(finished / "scenario.yaml", "out/scenario.yaml")
    message = refused("send", "out", "the cat sees a dog", whole=WHOLE)
    assert "big must be trained in out on the text as it is now, got no such weights" in message
