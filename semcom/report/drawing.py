"""Draw every figure and write every table of a results.csv: what semcom report does."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from matplotlib.figure import Figure

from semcom.files import write_atomically
from semcom.report.ablation import Line, ablation_lines, ablation_table
from semcom.report.calibration import calibration_drawings
from semcom.report.closeness import read_closeness
from semcom.report.closeness_figures import closeness_drawings
from semcom.report.closeness_tables import closeness_tables
from semcom.report.confusion import confusion_drawings
from semcom.report.costs import by_codec, read_costs
from semcom.report.crossovers import crossover_table, leads_of
from semcom.report.examples import example_drawings
from semcom.report.figures import ACROSS_LEVELS, FIGURES, OF_CELLS, OF_KINDS, OF_PAIRS_AND_KINDS
from semcom.report.gains import gains_of_students
from semcom.report.genuine import check_genuine
from semcom.report.influences import read_kept
from semcom.report.keys_kept import keys_drawings, keys_table
from semcom.report.limits import distances_of, limit_table
from semcom.report.naming import file_name
from semcom.report.pruned import Pruned, read_pruned, seeds_of
from semcom.report.pruning import layers_kept
from semcom.report.pruning_table import pruning_table
from semcom.report.reading import read_rows, results_of
from semcom.report.results import DIFFERENCE, Results
from semcom.report.style import in_house_style
from semcom.report.tables import tables_of, write_table
from semcom.store.calibrations import read_calibrations
from semcom.store.confusions import read_confusions
from semcom.store.examples import read_examples
from semcom.store.limits import read_limits

__all__ = ["FORMATS", "Progress", "draw_all", "drawings", "pruning_drawings", "report", "save"]

# What a file says about its making besides the picture. A date would make two drawings of one table differ.
FORMATS: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


class Progress(Protocol):
    """Called after a file or figure: how many are done, of how many, and what to say."""

    def __call__(self, done: int, total: int, message: str) -> None: ...


def draw_all(results_csv: Path | str, out_dir: Path | str) -> list[Path]:
    """Redraw all from the tables alone: the same as `report`, in silence."""
    return report(Path(results_csv), Path(out_dir))


def report(results_csv: Path, out_dir: Path, progress: Progress | None = None) -> list[Path]:
    """Write figures (png, svg, pdf) to out_dir/figures and tables (md, tex, csv) to out_dir/tables.

    In the table's own folder figures and tables of an earlier table are removed; elsewhere nothing ever is. The same
    table gives the same bytes again with the same matplotlib. What needs a costs.csv or a pruning.csv is
    drawn where one lies beside the table.

    Returns:
        The paths written, figures first.

    Raises:
        UserMistake: the file is missing, empty, no results table, or not as its run wrote it, or the disk refuses.
    """
    folder = results_csv.parent
    confusion_csv, calibration_csv = folder / "confusion.csv", folder / "calibration.csv"
    examples_json = folder / "examples.json"
    beside = ("costs.csv", "pruning.csv", "keys.csv", "layers.csv", "limits.csv")
    check_genuine(results_csv, *(folder / name for name in beside), confusion_csv, calibration_csv, examples_json)
    rows, costs, pruned, kept = read_rows(results_csv), read_costs(folder), read_pruned(folder), read_kept(folder)
    close = read_closeness(folder)
    limits = tuple(read_limits(folder / "limits.csv"))
    results = dataclasses.replace(results_of(rows), costs=by_codec(costs), limits=limits)
    lines = ablation_lines(rows, results, costs)
    work = [*drawings(results, lines), *pruning_drawings(pruned), *keys_drawings(kept)]
    if confusion_csv.is_file():
        work += confusion_drawings(read_confusions(confusion_csv))
    work += closeness_drawings(close, results.systems)
    work += calibration_drawings(read_calibrations(calibration_csv), results.systems)
    if examples_json.is_file():
        work += example_drawings(read_examples(examples_json))
    special = [ablation_table(lines), pruning_table(pruned), keys_table(kept), *closeness_tables(close)]
    special += [limit_table(distances_of(results, limits)), crossover_table(leads_of(results))]
    tables = tables_of(results) + [each for each in special if each]
    total, written = len(work) + len(tables), list[Path]()
    for done, (name, draw) in enumerate(work, start=1):
        figure = draw()
        if figure is not None:
            written.extend(save(figure, out_dir / "figures" / name))
        if progress is not None:
            progress(done, total, name)
    for done, table in enumerate(tables, start=len(work) + 1):
        written.extend(write_table(table, out_dir / "tables"))
        if progress is not None:
            progress(done, total, table.name)
    # Elsewhere than beside its table a folder may hold anybody's files.
    if out_dir.resolve() == results_csv.parent.resolve():
        _forget_others(out_dir, set(written))
    return written


def _forget_others(out_dir: Path, written: set[Path]) -> None:
    """Remove figures and tables of an earlier table of results, which would be taken for this one's."""
    # Two underscores are in the name of every figure and table but eight, and hardly in anybody's own file.
    tables = ("md", "tex", "csv")
    for folder, name, endings in (
        ("figures", "*__*", FORMATS),
        ("tables", "*__*", tables),
        ("tables", "ablation", tables),
        ("tables", "pruning", tables),
        ("tables", "keys", tables),
        ("tables", "layers", tables),
        ("tables", "layer_differences", tables),
        ("tables", "limits", tables),
        ("tables", "crossovers", tables),
    ):
        for file in (out_dir / folder).glob(f"{name}.*"):
            if file.suffix.removeprefix(".") in endings and file not in written:
                file.unlink()


def save(figure: Figure, path: Path) -> list[Path]:
    """Write one figure in every format, each under the path with that format's ending.

    Each is drawn in memory first: matplotlib does not take it well when a disk refuses in the middle of a file.
    """
    written = []
    with in_house_style():
        for ending, metadata in FORMATS.items():
            # A suffix would be cut from a name with a dot in it, such as one that holds a level of 1.5 dB.
            file = path.parent / f"{path.name}.{ending}"
            drawn = io.BytesIO()
            figure.savefig(drawn, format=ending, metadata=metadata)
            write_atomically(file, drawn.getvalue())
            written.append(file)
    return written


def drawings(results: Results, lines: Sequence[Line] = ()) -> Iterator[tuple[str, Callable[[], Figure | None]]]:
    """Every drawing with a file name of its own; nothing is drawn yet.

    Args:
        lines: of the ablation, if there is one.
    """
    taken: set[str] = set()
    every = (
        (FIGURES, results.parts()),
        (ACROSS_LEVELS, results.parts(levels_apart=False)),
        (OF_KINDS, results.kinds()),
        (OF_PAIRS_AND_KINDS, results.kinds(DIFFERENCE)),
        (OF_CELLS, results.cells()),
    )
    for draws, parts in every:
        for part in parts:
            for draw in draws:
                yield _name(draw.__name__, part, taken), partial(draw, part)
    for part in results.parts(levels_apart=False) if lines else ():
        yield _name(gains_of_students.__name__, part, taken), partial(gains_of_students, part, lines)


def pruning_drawings(pruned: Sequence[Pruned]) -> Iterator[tuple[str, Callable[[], Figure | None]]]:
    """The drawings of pruned codecs, each with a file name of its own."""
    taken: set[str] = set()
    for codec, seeds in seeds_of(pruned).items():
        name = file_name((layers_kept.__name__, codec), taken)
        taken.add(name)
        yield name, partial(layers_kept, seeds)


def _name(what: str, part: Results, taken: set[str]) -> str:
    """A file name of metric, figure and whatever tells the part from its sisters."""
    name = file_name((part.metric, what, *part.distinction), taken)
    taken.add(name)
    return name
