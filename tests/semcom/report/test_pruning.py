"""Pruned codecs in a report: their table is read without trust, the figure shows what was chosen, seeds are counted."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from semcom.mistakes import UserMistake
from semcom.report.drawing import report, save
from semcom.report.pruned import Pruned, read_pruned, seeds_of
from semcom.report.pruning import KEPT, layers_kept
from semcom.report.pruning_table import FULL, pruning_table
from semcom.report.sheet import WIDTH
from semcom.report.tables import to_csv, to_markdown

COLUMNS = (
    "codec", "seed", "start", "kind", "criterion", "parameters_before", "parameters", "multiply_adds_before",
    "multiply_adds", "stack", "layer", "kept", "segment", "column_sum", "similarity",
)  # fmt: skip
Rows = list[dict[str, object]]


def rows(
    codec: str = "pruned", *, seed: int = 1, stacks: dict[str, tuple[int, set[int], set[int]]], told: bool = True
) -> Rows:
    """Rows of one codec: of each stack its depth, the layers that stay, and those that a segment begins with."""
    about = {"codec": codec, "seed": seed, "start": "full", "kind": "layers", "criterion": "psr"}
    about |= {"parameters_before": 1000, "parameters": 400, "multiply_adds_before": 2000, "multiply_adds": 500}
    found = []
    for stack, (depth, kept, begins) in stacks.items():
        apart = np.abs(np.subtract.outer(np.arange(depth), np.arange(depth)))
        matrix = (1 - 0.6 * apart / depth).round(4)
        for layer in range(1, depth + 1):
            chosen = {
                "segment": sum(first <= layer for first in {1, *begins}),
                "column_sum": float(matrix[layer - 1].sum()),
                "similarity": ";".join(map(repr, matrix[layer - 1].tolist())),
            }
            found.append(
                {**about, "stack": stack, "layer": layer, "kept": int(layer in kept), **(chosen if told else {})}
            )
    return found


TEXT = {"transmitter": (8, {1, 3, 8}, {2, 7}), "receiver": (6, {1, 5}, {2})}
OTHER = {"transmitter": (8, {1, 4, 8}, {2, 7}), "receiver": (6, {1, 5}, {2})}


def write(folder: Path, lines: Rows) -> Path:
    path = folder / "pruning.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(lines)
    return path


def read(folder: Path, lines: Rows) -> list[Pruned]:
    write(folder, lines)
    return read_pruned(folder)


# Reading


def test_a_table_tells_of_every_codec_and_seed(tmp_path):
    channels = {"codec": "narrow", "seed": 1, "start": "full", "kind": "channels", "criterion": "l1_channels"}
    lines = [*rows(stacks=TEXT), *rows(seed=2, stacks=OTHER), channels, *rows("blind", stacks=TEXT, told=False)]
    found = read(tmp_path, lines)
    assert [(each.codec, each.seed, each.is_partition) for each in found] == [
        *(("pruned", 1, True), ("pruned", 2, True), ("narrow", 1, False), ("blind", 1, False))
    ]
    sending, hearing = found[0].stacks
    assert (sending.name, sending.depth, sending.kept) == ("transmitter", 8, (1, 3, 8))
    assert sending.segments == ((1, 1), (2, 6), (7, 8)) and hearing.segments == ((1, 1), (2, 6))
    assert found[2].stacks == () and found[2].savings.parameters is None
    assert found[0].savings.multiply_adds == 500
    assert list(seeds_of(found)) == ["pruned", "narrow", "blind"]


def test_without_a_table_there_is_nothing(tmp_path):
    assert read_pruned(tmp_path) == []
    assert pruning_table([]) is None


WRONG = {
    "no number": {"layer": "one"},
    "a gap": {"layer": 3},
    "kept by half": {"kept": "0.5"},
    "not a number": {"column_sum": "nan"},
    "endless": {"similarity": ";".join(["inf"] * 8)},
    "huge": {"similarity": ";".join(["1e300"] * 8)},
    "too few": {"similarity": "1.0;0.5"},
    "none": {"similarity": ""},
    "a sum less": {"column_sum": ""},
    "leaping": {"segment": 3},
    "back": {"segment": 0},
    "another criterion": {"criterion": "random"},
    "another cost": {"parameters": 5},
    "a negative cost": {"parameters": -5},
    "no seed": {"seed": ""},
    "no codec": {"codec": ""},
    "elsewhere": {"stack": "receiver"},
    "nowhere": {"stack": ""},
}


@pytest.mark.parametrize("cells", WRONG.values(), ids=WRONG)
def test_what_no_run_writes_is_refused(tmp_path, cells):
    lines = rows(stacks=TEXT)
    lines[1] |= cells
    with pytest.raises(
        UserMistake, match=r"pruning\.csv must be the table of pruned codecs that a run writes, got .*;"
    ):
        read(tmp_path, lines)


@pytest.mark.parametrize(
    "content",
    [b"", b"codec,seed\na\n", b"codec,seed\na,1,2,3\n", b"\xff\xfe", b'codec,seed\n"' + b"a" * 200_000 + b'",1\n'],
    ids=["empty", "short", "long", "bytes", "a huge cell"],
)
def test_what_is_no_table_is_refused(tmp_path, content):
    (tmp_path / "pruning.csv").write_bytes(content)
    if not content:
        assert read_pruned(tmp_path) == []
        return
    with pytest.raises(UserMistake, match=r"pruning\.csv must be the table"):
        read_pruned(tmp_path)


def test_more_than_anybody_draws_is_not_read(tmp_path, monkeypatch):
    lines = rows(stacks={"receiver": (9, {1}, set())}, told=False)
    for limit, value in (("MOST_BYTES", 100), ("MOST_ROWS", 8), ("MOST_LAYERS", 8)):
        with monkeypatch.context() as patch, pytest.raises(UserMistake, match="at most"):
            patch.setattr(f"semcom.report.pruned.{limit}", value)
            read(tmp_path, lines)
    assert read(tmp_path, lines)


def test_codecs_that_stand_apart_are_refused(tmp_path):
    with pytest.raises(UserMistake, match="must stand together"):
        read(tmp_path, [*rows(stacks=TEXT), *rows(seed=2, stacks=TEXT), *rows(stacks=TEXT)])


# The figure


def insets(figure):
    """The drawings in the panels by kind: matrices, column sums, strips."""
    found = [axes for panel in figure.axes for axes in panel.child_axes]
    matrices = [axes for axes in found if axes.images]
    strips = [axes for axes in found if axes.patches]
    return matrices, [axes for axes in found if axes not in (*matrices, *strips)], strips


def test_a_figure_shows_matrix_segments_and_what_stays(tmp_path):
    figure = layers_kept(read(tmp_path, rows(stacks=TEXT)))
    matrices, sums, strips = insets(figure)
    assert len(matrices) == len(sums) == 2 and not strips, "one seed has nothing to be counted"
    for axes, (depth, kept, begins) in zip(matrices, TEXT.values(), strict=True):
        image = axes.images[0]
        assert image.get_array().shape == (depth, depth) and image.get_array()[0, 0] == 1
        assert image.get_clim() == (pytest.approx(0.475), 1.0), "one scale for both"
        above, beside = (line for line in axes.lines if line.get_color() == KEPT)
        assert set(above.get_xdata()) == set(beside.get_ydata()) == kept
        across = [line for line in axes.lines if line.get_color() != KEPT and tuple(line.get_xdata()) == (0, 1)]
        assert [line.get_ydata()[0] for line in across] == sorted(first - 0.5 for first in begins)
        labels = {label.get_text() for label in axes.get_yticklabels() if to_hex(label.get_color()) == KEPT}
        assert labels == set(map(str, kept))
    title, caption = (" ".join(figure.texts[index].get_text().split()) for index in (0, 1))
    assert title == "Layers that pruned keeps of full, chosen by PSR: 3 of 8 and 2 of 6, seed 1"
    assert "unbiased CKA" in caption and "numbered as in full" in caption
    assert "unbiased CKA" in figure.get_supxlabel()
    assert figure.get_figwidth() == WIDTH


def test_the_line_under_a_matrix_is_its_column_sums(tmp_path):
    (seed,) = read(tmp_path, rows(stacks=TEXT))
    _, sums, _ = insets(layers_kept([seed]))
    for axes, stack in zip(sums, seed.stacks, strict=True):
        assert any(tuple(line.get_ydata()) == stack.sums for line in axes.lines)
        means = [line.get_ydata()[0] for line in axes.lines if line.get_linewidth() == 1.6]
        assert means == [pytest.approx(np.mean(stack.sums[first - 1 : last])) for first, last in stack.segments]


def test_several_seeds_are_counted_beside_the_matrix_of_the_first(tmp_path):
    deeper = {"transmitter": (9, {1, 4, 8}, {2}), "receiver": (6, {1, 5}, {2})}
    lines = [*rows(stacks=TEXT), *rows(seed=2, stacks=OTHER), *rows(seed=3, stacks=deeper)]
    figure = layers_kept(read(tmp_path, lines))
    _, _, (sending, hearing) = insets(figure)
    assert [bar.get_width() for bar in sending.patches] == [2, 0, 1, 1, 0, 0, 0, 2], "one of another depth is no vote"
    assert [bar.get_width() for bar in hearing.patches] == [2, 0, 0, 0, 2, 0]
    assert "seeds 1, 2" in figure.texts[1].get_text()


def test_one_stack_has_a_figure_too_and_a_tall_one_numbers_some_of_its_layers(tmp_path):
    tall = {"receiver": (54, set(range(1, 55, 6)), {10, 30})}
    figure = layers_kept(read(tmp_path, rows("$x_{1}$ " + "long" * 30, stacks=tall)))
    (matrix,), _, _ = insets(figure)
    assert [label.get_text() for label in matrix.get_yticklabels()] == ["1", *map(str, range(4, 55, 4))]
    box = matrix.get_window_extent()
    assert box.width == pytest.approx(box.height, rel=1e-3)
    assert box.x0 > 0 and box.x1 < figure.bbox.width and box.y1 < figure.bbox.height


def test_without_a_partition_there_is_no_figure(tmp_path):
    assert layers_kept(read(tmp_path, rows(stacks=TEXT, told=False))) is None


def test_layers_that_are_all_alike_have_a_figure(tmp_path):
    lines = rows(stacks={"receiver": (3, {1}, set())})
    for line in lines:
        line |= {"similarity": "1.0;1.0;1.0", "column_sum": 3.0}
    figure = layers_kept(read(tmp_path, lines))
    assert insets(figure)[0][0].images[0].get_clim() == (0.0, 1.0)


def test_drawing_twice_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("semcom.report.drawing.FORMATS", {"svg": {"Date": None}})
    found = read(tmp_path, [*rows(stacks=TEXT), *rows(seed=2, stacks=OTHER)])
    one, two = (save(layers_kept(found), tmp_path / name) for name in ("one", "two"))
    assert [each.read_bytes() for each in one] == [each.read_bytes() for each in two]


# The table


def test_a_table_tells_what_was_kept_saved_and_agreed_on(tmp_path):
    channels = {"codec": "narrow", "seed": 1, "start": "full", "kind": "channels", "criterion": "l1_channels"}
    channels |= {"parameters_before": 1000, "parameters": 750}
    table = pruning_table(read(tmp_path, [*rows(stacks=TEXT), *rows(seed=2, stacks=OTHER), channels]))
    pruned, narrow = table.rows
    kept = "transmitter 1 (2), 3 (1), 4 (1), 8 (2) of 8; receiver 1 (2), 5 (2) of 6"
    costs = ("1,000", "400", "60.0 %", "2,000", "500", "75.0 %")
    # Four of five in common; drawn blindly 3 x 3 / 8 and 2 x 2 / 6 of five would be.
    assert pruned == ("pruned", "full", "layers", "PSR", kept, *costs, "0.80 (0.36 by chance)")
    costs = ("1,000", "750", "25.0 %", "", "", "")
    assert narrow == ("narrow", "full", "channels", "L1 norm of channels", "all", *costs, "")
    lines = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert tuple(lines[0]) == FULL and len(lines) == 8 + 6 + 1
    shares = {(line["stack"], line["layer"]): line["kept_share"] for line in lines}
    assert shares["transmitter", "3"] == "0.5" and shares["receiver", "5"] == "1.0" and shares["receiver", "2"] == "0.0"
    assert lines[0]["overlap"] == "0.8" and lines[0]["seeds"] == "1;2"


def test_one_seed_agrees_with_nobody(tmp_path):
    table = pruning_table(read(tmp_path, rows(stacks=TEXT)))
    assert table.header[-1] == "removed" and table.rows[0][4] == "transmitter 1, 3, 8 of 8; receiver 1, 5 of 6"
    assert "Agreement" not in table.caption


def test_odd_names_are_shown_and_not_obeyed(tmp_path):
    table = pruning_table(read(tmp_path, rows("a|b\x1b[31m", stacks=TEXT)))
    assert r"a\|b\\x1b" in to_markdown(table)


def test_a_report_draws_and_writes_both_and_forgets_them_with_the_table(made, monkeypatch):
    monkeypatch.setattr("semcom.report.drawing.FORMATS", {"png": {"Software": None}})
    path = made.table(made.sweep(snrs=(0.0,), counts=(0,), metrics=("bleu_4",), pairs=()))
    pruning = write(path.parent, [*rows("pruned A", stacks=TEXT), *rows("pruned-a", stacks=TEXT)])
    names = {file.relative_to(path.parent).as_posix() for file in report(path, path.parent)}
    for name in ("layers_kept__pruned_a", "layers_kept__pruned-a"):
        assert f"figures/{name}.png" in names
    assert {f"tables/pruning.{ending}" for ending in ("md", "tex", "csv")} <= names
    pruning.unlink()
    report(path, path.parent)
    assert not list(path.parent.glob("figures/layers_kept__*")) and not list(path.parent.glob("tables/pruning.*"))
