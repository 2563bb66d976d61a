"""keys.csv: from the records of trainings to the table, and from it to a picture and a table by feature."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from semcom.experiment.influence import COLUMNS, influence_rows, write_influence
from semcom.mistakes import UserMistake
from semcom.report.influences import read_kept
from semcom.report.keys_kept import FULL, keys_drawings, keys_table

TOLD = [
    {"influence": [0.5, 0.3, 0.2], "kept": [1.0, 0.8, 0.4]},
    {"influence": [0.6, 0.38, 0.02], "kept": [1.0, 0.9, 0.0]},
]


def finished(told, status="done"):
    history = {"steps": [10, 20], "losses": [{}, {}], "validation": [1.0, 0.5]}
    if told:
        history["told"] = [{"representative_keys": each} for each in told]
    return SimpleNamespace(status=status, record={"history": history})


def sweep(*seeds):
    lesson = SimpleNamespace(teachers=("t",))
    builds = [SimpleNamespace(name="big", identity="t", seed=1, lesson=None)]
    builds += [SimpleNamespace(name="small", identity=f"s{seed}", seed=seed, lesson=lesson) for seed in seeds]
    return SimpleNamespace(builds=builds)


def table(folder: Path) -> Path:
    other = [{"influence": [0.7, 0.3, 0.0], "kept": [1.0, 0.6, 0.0]}] * 2
    rows = influence_rows(sweep(1, 2), {"s1": finished(TOLD), "s2": finished(other)})
    write_influence(rows, folder / "keys.csv")
    return folder / "keys.csv"


def test_what_trainings_told_becomes_one_row_a_feature_step_and_seed(tmp_path: Path) -> None:
    lines = table(tmp_path).read_text().splitlines()
    assert lines[0].split(",") == list(COLUMNS)
    assert lines[1] == "small,1,big,representative_keys,10,1,0.5,1.0"
    assert len(lines) == 1 + 2 * 2 * 3


def test_records_without_an_account_make_no_table(tmp_path: Path) -> None:
    path = table(tmp_path)
    builds = {"s1": finished(None), "s2": finished(TOLD, status="failed")}
    write_influence(influence_rows(sweep(1, 2, 3), builds), path)
    assert not path.exists()
    assert read_kept(tmp_path) == [] and keys_table([]) is None


def test_seeds_are_averaged_and_influence_is_told_in_units_of_even_attention(tmp_path: Path) -> None:
    table(tmp_path)
    (kept,) = read_kept(tmp_path)
    assert (kept.codec, kept.teacher, kept.seeds, kept.features) == ("small", "big", (1, 2), 3)
    assert kept.noted[20][1] == pytest.approx((0.34, 0.75))
    made = keys_table([kept])
    assert made.rows[1] == ("small", "big", "2", "0.90", "1.02", "0.70", "0.75")
    assert made.full[0] == FULL and len(made.full) == 1 + 2 * 3


def test_the_picture_holds_a_row_for_every_feature(tmp_path: Path) -> None:
    table(tmp_path)
    ((name, draw),) = keys_drawings(read_kept(tmp_path))
    figure = draw()
    assert name == "keys_kept__small__representative_keys"
    (mesh,) = figure.axes[0].collections
    assert mesh.get_array().shape == (3, 2)
    assert mesh.get_array()[1].tolist() == pytest.approx([0.7, 0.75])


@pytest.mark.parametrize(
    "line",
    [
        "small,1,big,representative_keys,10,1,nan,1.0",
        "small,1,big,representative_keys,10,1,0.5,7",
        "small,1,big,representative_keys,10,9,0.5,1.0",
        "small,1,big",
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "keys.csv").write_text(f"{','.join(COLUMNS)}\n{line}\n")
    with pytest.raises(UserMistake, match="must be the table of keys that a run writes"):
        read_kept(tmp_path)
