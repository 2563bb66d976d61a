"""Which keys were kept through training: a picture of each student, and a table by feature of its teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from semcom.report.confusion import BLUES
from semcom.report.influences import Kept
from semcom.report.naming import file_name
from semcom.report.sheet import Sheet, Words
from semcom.report.style import GREY, in_house_style
from semcom.report.tables import Table, exact
from semcom.words import counted

__all__ = ["keys_drawings", "keys_kept", "keys_table"]

HEADER = ("codec", "teacher", "feature", "influence at first", "at last", "kept at first", "at last")
FULL = ("codec", "teacher", "method", "seeds", "step", "feature", "influence", "even_attention", "kept")
TALLEST, ROW = 4.0, 0.22  # inches


def keys_drawings(found: Sequence[Kept]) -> Iterator[tuple[str, Callable[[], Figure | None]]]:
    """The drawings of all students, each with a file name of its own; nothing is drawn yet."""
    taken: set[str] = set()
    for each in found:
        name = file_name((keys_kept.__name__, each.codec, each.method), taken)
        taken.add(name)
        yield name, partial(keys_kept, each)


def keys_kept(kept: Kept) -> Figure | None:
    """The share of messages that kept each feature of the teacher, a row for each, through the steps of a training.

    Returns:
        None of a training that was looked at once alone.
    """
    steps = list(kept.noted)
    if len(steps) < 2:
        return None
    shares = np.array([[share for _, share in kept.noted[step]] for step in steps]).T
    with in_house_style():
        sheet = Sheet([""], tall=min(TALLEST, max(1.2, ROW * kept.features)))
        (axes,) = sheet.panels
        edges = np.array([0, *steps], dtype=float)
        numbers = np.arange(kept.features + 1) + 0.5
        axes.pcolormesh(edges, numbers, shares, cmap=BLUES, vmin=0, vmax=1, rasterized=True)
        axes.set(xlim=(0, steps[-1]), ylim=(kept.features + 0.5, 0.5))
        step = -(-kept.features // 16)
        axes.set_yticks(range(1, kept.features + 1, step))
        axes.grid(visible=False)
        title = f"Features of {kept.teacher} that {kept.codec} keeps through training"
        over = f" and over {counted(len(kept.seeds), 'seed')}" if len(kept.seeds) > 1 else ""
        caption = (
            "Mean over the training messages of the last 50 steps before each mark"
            f"{over}. "
            "Features are numbered from the teacher's first on."
        )
        words = Words(title, "Training step", f"Feature of {kept.teacher}", caption)
        return sheet.finish(words, _scale())


def _scale() -> list[Line2D]:
    return [
        Line2D([], [], linestyle="none", marker="s", markersize=7, markeredgecolor=GREY, markerfacecolor=BLUES(share),
               label=f"kept by {100 * share:.0f} % of messages")
        for share in (0.0, 0.5, 1.0)
    ]  # fmt: skip


def keys_table(found: Sequence[Kept]) -> Table | None:
    """A row for each feature of a teacher under each student; None without any.

    Influence is in multiples of even attention, as `threshold` is.
    """
    if not found:
        return None
    rows: list[tuple[str, ...]] = []
    full: list[tuple[str, ...]] = [FULL]
    for each in found:
        first, *_, last = *each.noted.values(), *list(each.noted.values())[-1:]
        for number, ((began, kept), (ended, keeps)) in enumerate(zip(first, last, strict=True), 1):
            influences = (f"{each.features * value:.2f}" for value in (began, ended))
            rows.append((each.codec, each.teacher, str(number), *influences, f"{kept:.2f}", f"{keeps:.2f}"))
        seeds, even = ";".join(map(str, each.seeds)), exact(1 / each.features)
        full += [
            (each.codec, each.teacher, each.method, seeds, str(step), str(number), exact(one), even, exact(share))
            for step, features in each.noted.items()
            for number, (one, share) in enumerate(features, 1)
        ]
    told = (
        "Features of teachers by their influence on students, in multiples of even attention, and the share of "
        "messages that kept them; at the first and the last validation of a training, means over its last 50 steps "
        "and over seeds."
    )
    return Table("keys", told, HEADER, tuple(rows), tuple(full), names=3)
