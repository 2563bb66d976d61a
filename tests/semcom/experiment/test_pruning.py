"""What a run says of its pruning: in its plan, on the board, and in pruning.csv."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from semcom.compression.layer_pruning import LayerPruning
from semcom.compression.psr import Psr
from semcom.compression.width_pruning import ChannelPruning
from semcom.experiment.preview import preview
from semcom.experiment.pruning import saved_by
from semcom.files import digest_of
from semcom.report import drawing
from semcom.report.pruned import read_pruned
from semcom.scenario.load import load_scenario
from semcom.store.folder import RunFolder

CHANGES = (
    "codecs.full={size: tiny, symbols_per_token: 2, transmitter: {layers: 4}, receiver: {layers: 3}}",
    "codecs.pruned={start: full, prune: {kind: layers, keep: [2, 1], batches: 2}}",
    "codecs.first={start: full, prune: {kind: layers, keep: 1, choose: {kind: drop_last}}}",
    "codecs.narrow={start: full, prune: {kind: channels, multiply_adds: 0.7}}",
    "codecs.on={start: pruned, fresh: true}",
    *("training.steps=2", "sweep.snr_db=[6]", "sweep.interferers=[0]", "sweep.codec=[on, first, narrow]"),
)


@pytest.fixture(scope="module")
def ran(carry_out, tmp_path_factory) -> tuple[Path, str]:
    """A folder of pruned codecs, and what was said while it was made."""
    folder = tmp_path_factory.mktemp("ran") / "out"
    carried = carry_out(folder, *CHANGES)
    assert carried.failures == 0
    return folder, carried.said


def rows(folder: Path) -> list[dict[str, str]]:
    with RunFolder(folder).pruning_file.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_plan_says_what_will_be_pruned(tiny_yaml, tmp_path) -> None:
    text = preview(load_scenario(tiny_yaml, CHANGES)[0], tmp_path / "out")
    lines = {line.split()[1]: line for line in text.splitlines() if " steps, seed" in line}
    assert "trained, begun from full, pruned to 2 and 1 layers by psr, 2 steps" in lines["pruned"]
    assert "trained, begun from full, pruned to 1 layer a stack by drop_last, 2 steps" in lines["first"]
    assert "trained, begun from full, channels down to 70 % of the multiply-adds, 2 steps" in lines["narrow"]
    assert "trained, in the shape of pruned, 2 steps" in lines["on"]
    assert "prune" not in lines["full"]


@pytest.mark.parametrize(
    ("prune", "aim"),
    [
        (LayerPruning(4), "pruned to 4 layers a stack by psr"),
        (LayerPruning((3,), choose=Psr()), "pruned to 3 layers by psr"),
        (ChannelPruning(0.205), "channels down to 20.5 % of the multiply-adds"),
    ],
)
def test_an_aim_is_told_in_words(prune: LayerPruning | ChannelPruning, aim: str) -> None:
    assert prune.aim == aim


def test_the_board_says_in_one_line_what_was_kept_and_saved(ran) -> None:
    folder, said = ran
    lines = {line.partition(":")[0]: line for line in said.splitlines() if ", trained in " in line}
    assert re.search(
        r"parameters, kept layers 1 of 4 and 1 of 3, \d+ % of the multiply-adds went, trained", lines["first"]
    )
    kept = [row["layer"] for row in rows(folder) if row["codec"] == "pruned" and row["kept"] == "1"]
    assert f"kept layers {kept[0]}, {kept[1]} of 4 and {kept[2]} of 3, " in lines["pruned"]
    assert re.search(r"parameters, 3\d % of the multiply-adds went, trained", lines["narrow"])
    assert "multiply-adds" not in lines["full"] + lines["on"]
    assert saved_by({"multiply_adds": 3}) == ""


def test_every_layer_of_every_pruned_codec_has_a_row(ran) -> None:
    folder, _ = ran
    found = rows(folder)
    assert [(row["codec"], row["stack"], row["layer"]) for row in found] == [
        *(("first", "transmitter", str(layer)) for layer in range(1, 5)),
        *(("first", "receiver", str(layer)) for layer in range(1, 4)),
        ("narrow", "", ""),
        *(("pruned", "transmitter", str(layer)) for layer in range(1, 5)),
        *(("pruned", "receiver", str(layer)) for layer in range(1, 4)),
    ], "those of the table first, then those that others are made from"
    built = {
        each["name"]: each["record"] for each in json.loads((folder / "record.json").read_text())["builds"].values()
    }
    for row in found:
        ours, full = built[row["codec"]], built["full"]
        assert (row["start"], row["seed"]) == ("full", "3")
        for cost in ("parameters", "multiply_adds"):
            assert (int(row[f"{cost}_before"]), int(row[cost])) == (full[cost], ours[cost])
    assert {row["criterion"] for row in found} == {"drop_last", "l1_channels", "psr"}
    account = built["pruned"]["pruning"]["stacks"][0]
    ours = [row for row in found if (row["codec"], row["stack"]) == ("pruned", "transmitter")]
    assert [[float(each) for each in row["similarity"].split(";")] for row in ours] == account["similarity"]
    assert [float(row["column_sum"]) for row in ours] == account["sums"]
    assert [int(row["layer"]) - 1 for row in ours if row["kept"] == "1"] == account["kept"]
    assert [[int(row["layer"]) - 1 for row in ours if row["segment"] == str(number)] for number in (1, 2)] == [
        *account["segments"],
        *[[]] * (2 - len(account["segments"])),
    ]
    assert all(row["similarity"] == row["segment"] == "" for row in found if row["codec"] == "first")


def test_a_report_reads_what_a_run_wrote(ran, monkeypatch, tmp_path, semcom) -> None:
    folder, _ = ran
    assert [(each.codec, each.is_partition) for each in read_pruned(folder)] == [
        *(("first", False), ("narrow", False), ("pruned", True))
    ]
    saved: list[str] = []
    monkeypatch.setattr(drawing, "drawings", lambda *_: iter(()))
    monkeypatch.setattr(drawing, "save", lambda figure, path: saved.append(path.name) or [])
    assert semcom("report", folder, "--out", tmp_path / "paper").code == 0
    assert saved == ["layers_kept__pruned"]
    assert {path.name for path in (tmp_path / "paper" / "tables").glob("pruning.*")} == {
        *("pruning.md", "pruning.tex", "pruning.csv")
    }


def test_the_table_is_sealed_and_goes_with_the_last_pruned_codec(carry_out, ran, semcom, tmp_path) -> None:
    folder = Path(shutil.copytree(ran[0], tmp_path / "out"))
    place = RunFolder(folder)
    noted = json.loads(place.record_file.read_text())["digests"]
    assert noted["pruning.csv"] == digest_of(place.pruning_file)
    place.pruning_file.write_text(place.pruning_file.read_text().replace("transmitter", "receiver"))
    answer = semcom("report", folder)
    assert answer.code == 2 and "pruning.csv: must be the table" in " ".join(answer.err.split())
    assert carry_out(folder, *CHANGES, "sweep.codec=[full]").failures == 0
    assert not place.pruning_file.exists()
    assert "pruning.csv" not in json.loads(place.record_file.read_text())["digests"]
