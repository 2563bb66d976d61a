"""layers.csv in a report: seeds brought together, tables, figures, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcom.experiment.layer_rows import COLUMNS, LayerRow, write_layers
from semcom.mistakes import UserMistake
from semcom.report.averaging import mean_interval
from semcom.report.closeness import read_closeness
from semcom.report.closeness_figures import closeness_drawings
from semcom.report.closeness_tables import FULL, closeness_tables
from semcom.report.drawing import report
from semcom.report.results import System
from semcom.report.style import look

SYSTEMS = (System("teacher", "teacher"), System("distilled", "student"), System("plain", "control"))


def row(metric: str, value: float, half: float | None = 0.002, **changed) -> LayerRow:
    told = {
        "codec": "distilled", "seed": 1, "around": "teacher", "family": "generated", "stack": "receiver", "layer": 1,
        "kind": "difference" if changed.get("against") else "value", "common": 0.5, "count": 400, "tokens": 7000,
        "own_parameters": 150_000,
    }  # fmt: skip
    ends = {} if half is None else {"low": value - half, "high": value + half}
    return LayerRow(metric=metric, value=value, **(told | ends | changed))


def rows(**changed) -> list[LayerRow]:
    """Two codecs, the later layers farther; `plain` is closer at the second and like the other at the third."""
    found = []
    for seed, moved in ((1, 0.0), (2, 0.0001)):
        for codec, apart in (("distilled", (0.004, 0.03, 0.06)), ("plain", (0.02, 0.01, 0.06))):
            for layer, each in enumerate(apart, 1):
                place = {"codec": codec, "seed": seed, "layer": layer, **changed}
                found.append(row("cosine", 1 - each - moved, **place))
                found.append(row("l1_share", 10 * each + moved, **place))
        for layer, gain in enumerate((0.016, -0.02, 0.0), 1):
            place = {"seed": seed, "layer": layer, "against": "plain", **changed}
            found += [row("cosine", gain, **place), row("l1_share", -10 * gain, **place)]
    return found


def write(folder: Path, found: list[LayerRow]) -> Path:
    write_layers(found, folder / "layers.csv")
    return folder / "layers.csv"


def test_seeds_are_averaged_with_what_they_have_in_common(tmp_path: Path) -> None:
    write(tmp_path, rows())
    first = read_closeness(tmp_path)[0]
    values = (0.996, 0.9959)
    ends = ([each - 0.002 for each in values], [each + 0.002 for each in values])
    assert (first.value, first.low, first.high) == pytest.approx(mean_interval(values, *ends, 0.5))
    assert (first.seeds, first.count, first.is_crossed, first.verdict) == ((1, 2), 400, True, "closer")


def test_tables_hold_every_layer_and_count_who_is_closer(tmp_path: Path) -> None:
    write(tmp_path, rows())
    values, differences = closeness_tables(read_closeness(tmp_path))
    assert (values.name, differences.name) == ("layers", "layer_differences")
    assert values.rows[0][:7] == (
        *("distilled", "generated", "teacher", "receiver", "1", "150,000"),
        "0.9960 [0.9945, 0.9974]",
    )
    assert len(values.rows) == 2 * 3 and values.full[0] == FULL and len(values.full) == 1 + 2 * 3 * 2
    counted, *_ = differences.rows
    assert counted == ("distilled minus plain", "closer, alike, farther", "", "1, 1, 1 of 3", "1, 1, 1 of 3")
    # Less L1 is closer, more cosine is.
    verdicts = {(line[5], line[6]): line[10] for line in differences.full[1:]}
    assert verdicts["1", "cosine"] == verdicts["1", "l1_share"] == "closer"
    assert verdicts["2", "cosine"] == verdicts["2", "l1_share"] == "farther"
    assert "all seeds have in common" in values.caption


def test_without_intervals_nobody_is_called_closer(tmp_path: Path) -> None:
    write(tmp_path, rows(low=None, high=None, common=None, count=None))
    values, differences = closeness_tables(read_closeness(tmp_path))
    assert values.rows[0][6] == "0.9960" and "interval" not in values.caption
    assert differences.rows[0][3] == "0, 0, 0 (3 without an interval)"
    for _, draw in closeness_drawings(read_closeness(tmp_path), SYSTEMS):
        assert any("tells no intervals" in text.get_text() for text in draw().texts)


def test_a_line_for_every_codec_in_the_look_it_has_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, [*rows(), *rows(stack="transmitter")])
    drawn = dict(closeness_drawings(read_closeness(tmp_path), SYSTEMS))
    assert list(drawn) == ["layers__cosine__teacher", "layers__l1_share__teacher"]
    figure = drawn["layers__cosine__teacher"]()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Encoder (transmitter)", "Decoder (receiver)"]
    ours, theirs = figure.axes[1].lines
    assert ours.get_ydata() == pytest.approx([0.00405, 0.03005, 0.06005])
    assert [each.get_color() for each in (ours, theirs)] == [look(each, SYSTEMS).color for each in SYSTEMS[1:]]
    assert figure.axes[1].get_yscale() == "log"


def test_a_codec_that_is_not_in_the_results_is_not_drawn(tmp_path: Path) -> None:
    write(tmp_path, rows())
    found = read_closeness(tmp_path)
    assert [draw() for _, draw in closeness_drawings(found, SYSTEMS[:1])] == [None, None]
    assert read_closeness(tmp_path / "elsewhere") == [] and closeness_tables([]) == []


def test_a_report_draws_and_writes_all_and_forgets_them_with_the_table(made, monkeypatch) -> None:
    monkeypatch.setattr("semcom.report.drawing.FORMATS", {"png": {"Software": None}})
    path = made.table(made.sweep(snrs=(0.0,), counts=(0,), metrics=("bleu_4",), pairs=()))
    layers = write(path.parent, rows())
    names = {file.relative_to(path.parent).as_posix() for file in report(path, path.parent)}
    assert {"figures/layers__cosine__teacher.png", "figures/layers__l1_share__teacher.png"} <= names
    assert {"tables/layers.md", "tables/layers.tex", "tables/layer_differences.csv"} <= names
    layers.unlink()
    report(path, path.parent)
    assert not list(path.parent.glob("figures/layers__*")) and not list(path.parent.glob("tables/layer*"))


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("value", "1.5"),
        ("value", "nan"),
        ("low", "0.9999"),
        ("low", ""),
        ("common", "2"),
        ("layer", "0"),
        ("layer", "99999"),
        ("stack", "nowhere"),
        ("metric", "beauty"),
        ("kind", "difference"),
        ("count", "-1"),
        ("seed", "2"),
        ("around", "another"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, column: str, cell: str) -> None:
    path = write(tmp_path, [row("cosine", 0.99), row("cosine", 0.99, seed=2)])
    assert read_closeness(tmp_path)
    head, first, *rest = path.read_text().splitlines()
    cells = first.split(",")
    cells[COLUMNS.index(column)] = cell
    path.write_text("\n".join([head, ",".join(cells), *rest]) + "\n")
    with pytest.raises(UserMistake, match=r"must be the table of layers that a run writes.*writes it anew"):
        read_closeness(tmp_path)


def test_a_table_of_before_there_were_intervals_is_named(tmp_path: Path) -> None:
    (tmp_path / "layers.csv").write_text("codec,seed,around,family,stack,layer,cosine\nmade,1,t,heads,receiver,1,0.9\n")
    with pytest.raises(UserMistake, match="KeyError: 'metric'"):
        read_closeness(tmp_path)
