"""Which class is taken for which: confusion matrices of one codec, a panel per SNR."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from semcom.report.curves import MOST_PANELS
from semcom.report.naming import file_name
from semcom.report.results import WANTED, Condition, evenly, in_order
from semcom.report.sheet import LINE, Sheet, Words
from semcom.report.style import GREY, INK, SIZES, in_house_style, typeset
from semcom.report.wording import SNR_SHORT, air_of, snr_title
from semcom.store.confusions import Confusion
from semcom.words import counted

__all__ = ["confusion_drawings", "confusion_matrices"]

# From white through the lighter to the darker blue of the house: in grey as dark as in color.
BLUES = LinearSegmentedColormap.from_list("semcom blues", ["#ffffff", "#56b4e9", "#08306b"])
# Above this share a number is white on blue.
DARK = 0.6
# Points: below the first a number cannot be read, and names of classes have no smaller size than the second.
SMALLEST_NUMBER, SMALLEST_NAME = 4.6, 4.5
# Inches: a single matrix need not fill the page.
TALLEST = 4.4
LONGEST_NAME = 18
NONE = "(none)"


def confusion_drawings(confusions: Iterable[Confusion]) -> Iterator[tuple[str, Callable[[], Figure | None]]]:
    """Every drawing with a file name of its own, one for each codec in each air and crowd; nothing is drawn yet."""
    parts: dict[tuple[object, ...], list[Confusion]] = {}
    for each in confusions:
        loud = (each.interferers, each.level_db) if each.interferers else (0, None)
        parts.setdefault((each.codec, each.user or WANTED, _air(each), *loud, each.classes), []).append(each)
    airs = in_order(_air(part[0]) for part in parts.values())
    taken: set[str] = set()
    for part in parts.values():
        first = part[0]
        told = ["confusion", first.codec, counted(first.interferers, "interferer")]
        told += [f"user {first.user}"] * (first.user not in ("", WANTED))
        told += [f"{first.level_db} dB"] * (first.interferers > 0)
        told += [f"air {airs.index(_air(first)) + 1}"] * (len(airs) > 1)
        name = file_name(told, taken)
        taken.add(name)
        yield name, partial(confusion_matrices, part)


def confusion_matrices(part: Sequence[Confusion]) -> Figure | None:
    """What each class is taken for, rows as sent and columns as recognized, a panel per SNR.

    The color of a field is its share of the row, so that classes sent seldom are read like those sent often. Seeds are
    added up. At most six SNRs are shown, evenly picked; the caption tells how many there are.

    Args:
        part: of one codec and user in one air and crowd, with the same classes.

    Returns:
        None when no message was sent.

    Raises:
        ValueError: more than one codec, crowd or set of classes.
    """
    if len({(each.codec, each.interferers, each.level_db, each.user, each.classes) for each in part}) > 1:
        raise ValueError("a picture must hold one codec in one crowd with one set of classes; see confusion_drawings")
    added: dict[float, NDArray[np.int64]] = {}
    for each in part:
        added[each.snr_db] = added.get(each.snr_db, np.zeros_like(each.counts)) + each.counts
    added = {snr_db: counts for snr_db, counts in added.items() if counts.sum()}
    if not added:
        return None
    shown = {snr_db: added[snr_db] for snr_db in evenly(added, MOST_PANELS)}
    names = [_short(each) for each in part[0].classes]
    if any(counts[:, -1].any() for counts in shown.values()):
        names.append(NONE)
    with in_house_style():
        sheet = Sheet([f"{snr_title(snr_db)}: {100 * _right(counts):.0f} % right" for snr_db, counts in shown.items()])
        # Smaller print where classes are many: their names share the room of a panel.
        size = max(SMALLEST_NAME, SIZES["tick"] * min(1.0, 14 / len(names)))
        longest = max(sheet.width_of(each, size) for each in names)
        sheet.left = longest + 0.08
        sheet.tall = min(sheet.wide(), TALLEST)
        field = _Field(72 * sheet.wide() / len(names), 72 * sheet.tall / len(part[0].classes))
        for axes, counts in zip(sheet.panels, shown.values(), strict=True):
            _draw(axes, counts[:, : len(names)] / np.maximum(counts.sum(axis=1, keepdims=True), 1), field)
        _name_classes(sheet.panels, names, field, size)
        turned = 72 * longest > 0.9 * field.wide
        for axes in sheet.panels:
            axes.tick_params(axis="x", labelrotation=90 if turned else 0)
        tick_lines = 72 * longest / SIZES["tick"] / LINE if turned else 1
        words = Words(_title(part[0]), "Recognized as", "Sent", _caption(part, shown, of=len(added), field=field))
        return sheet.finish(words, _scale(), tick_lines=tick_lines)


@dataclass(frozen=True)
class _Field:
    """The size of one field of a matrix [points]."""

    wide: float
    tall: float

    @property
    def number(self) -> float:
        """The size of a number of three digits that fits into it, 0 where none can be read."""
        fits = min(SIZES["tick"], 0.62 * self.tall, self.wide / 2.1)
        return fits if fits >= SMALLEST_NUMBER else 0.0


def _draw(axes: Axes, shares: NDArray[np.float64], field: _Field) -> None:
    """One matrix of shares of its rows, the first class at the top."""
    rows, columns = shares.shape
    axes.grid(visible=False)
    # Fields as shapes, not as a picture, stay sharp in print; the hairlines part them.
    axes.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        shares,
        cmap=BLUES,
        vmin=0.0,
        vmax=1.0,
        edgecolor="#e3e3e3",
        linewidth=0.3,
    )
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    for spine in axes.spines.values():
        spine.set_visible(True)
    if not field.number:
        return
    for (row, column), share in np.ndenumerate(shares):
        if share:
            axes.text(
                column,
                row,
                f"{100 * share:.0f}",
                ha="center",
                va="center_baseline",
                fontsize=field.number,
                color="white" if share > DARK else INK,
            )


def _name_classes(panels: Sequence[Axes], names: Sequence[str], field: _Field, size: float) -> None:
    """Names at the edges; where fields are lower than print, every second class has its name, or every third."""
    for axis, room, count in (
        (panels[0].xaxis, field.wide, len(names)),
        (panels[0].yaxis, field.tall, len(names) - (names[-1] == NONE)),
    ):
        step = math.ceil(0.95 * size / room)
        axis.set_ticks(range(0, count, step), [names[each] for each in range(0, count, step)])
    for axes in panels:
        axes.tick_params(labelsize=size, length=1.5, pad=2)


def _scale() -> list[Line2D]:
    """What the colors say, as legend entries."""
    return [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="s",
            markersize=7,
            markerfacecolor=BLUES(share),
            markeredgecolor=GREY,
            markeredgewidth=0.5,
            label=typeset(f"{100 * share:.0f} %{' of the messages of a class' if share == 1 else ''}"),
        )
        for share in (0.0, 0.25, 0.5, 1.0)
    ]


def _right(counts: NDArray[np.int64]) -> float:
    return float(np.trace(counts) / counts.sum())


def _short(name: str) -> str:
    """A class's name as far as there is room for it, its end included, where names that begin alike differ."""
    shown = typeset(name)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 7]}...{shown[-4:]}"


def _title(first: Confusion) -> str:
    """Whose matrix it is, and in what crowd."""
    crowd = counted(first.interferers, "interferer") if first.interferers else "no interferers"
    loud = first.interferers and first.sir_db is not None and math.isfinite(first.sir_db)
    sir = f", SIR {round(first.sir_db or 0.0, 1) + 0.0:g} dB" if loud else ""
    user = f", user {first.user}" if first.user not in ("", WANTED) else ""
    return f"Confusion matrix of {first.codec} ({first.role}){user}, {crowd}{sir}"


def _caption(part: Sequence[Confusion], shown: dict[float, NDArray[np.int64]], *, of: int, field: _Field) -> str:
    """How to read it, and on what it rests."""
    said = ["A row holds the messages of one class and adds up to 100 %"]
    if field.number:
        said.append("Numbers are percent of the row; a field without one is empty, 0 is less than half a percent")
    if any(counts[:, -1].any() for counts in shown.values()):
        said.append(f"{NONE}: nothing was recognized")
    if len(shown) < of:
        said.append(f"{len(shown)} of {of} SNRs shown")
    of_class = [int(each) for counts in shown.values() for each in counts.sum(axis=1)]
    low, high = min(of_class), max(of_class)
    seeds = sorted({each.seed for each in part if each.seed is not None})
    added = f", seeds {', '.join(map(str, seeds))} added up" if len(seeds) > 1 else ""
    said.append(f"{low if low == high else f'{low} to {high}'} messages per class and panel{added}")
    return " ".join(f"{each}." for each in [*said, SNR_SHORT, air_of(_condition(part[0])), _crowd(part[0])] if each)


def _crowd(first: Confusion) -> str:
    """What the interferers send and how loud each is; nothing where there are none."""
    if not first.interferers:
        return ""
    levels = first.level_db if isinstance(first.level_db, tuple) else (first.level_db,)
    loud = ", ".join(f"{each:g}" for each in levels if each is not None)
    told = [first.interference, f"at {loud} dB relative to the wanted user" if loud else ""]
    return f"Interferers: {', '.join(each for each in told if each)}"


def _air(each: Confusion) -> Condition:
    """What tells one air from another; an interference counts only where somebody interferes."""
    told = _condition(each)
    return told if each.interferers else told.air


def _condition(each: Confusion) -> Condition:
    names = ("fading", "coherence", "interference", "equalizer", "csi", "antennas", "crowd")
    return Condition(**{name: getattr(each, name) for name in names})
