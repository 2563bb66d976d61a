"""How close generated layers come to a teacher's, drawn against the number of the layer: a line for each codec."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from semcom.report.closeness import SIDES, Closeness
from semcom.report.curves import ASIDE, ASIDE_TOLD, MOST_BANDS
from semcom.report.naming import file_name
from semcom.report.results import System, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.style import Look, handle, in_house_style, look
from semcom.report.wording import millions
from semcom.words import counted

__all__ = ["closeness_drawings", "interval_told", "layers_against_depth"]

# What is drawn of each number, so that less is closer in both.
DRAWN = {"cosine": "1 \u2212 cosine", "l1_share": "Mean absolute difference over the layer's mean absolute value"}
TITLES = {"cosine": "Cosine distance of generated layers", "l1_share": "L1 distance of generated layers"}
PANELS = {"transmitter": "Encoder (transmitter)", "receiver": "Decoder (receiver)"}
# From this ratio of largest to smallest on, small values cannot be told apart on a plain axis.
FAR_APART = 8.0


def closeness_drawings(
    found: Sequence[Closeness], systems: Sequence[System]
) -> Iterator[tuple[str, Callable[[], Figure | None]]]:
    """The drawings of all teachers' layers, each with a file name of its own; nothing is drawn yet.

    Args:
        systems: of the table of results, which give every codec the look it has in other figures.
    """
    taken: set[str] = set()
    for around in in_order(each.around for each in found):
        for metric in DRAWN:
            name = file_name(("layers", metric, around), taken)
            taken.add(name)
            yield name, partial(layers_against_depth, _values(found, around, metric), systems)


def layers_against_depth(values: Sequence[Closeness], systems: Sequence[System]) -> Figure | None:
    """One number of every generated layer against the number of the layer, a panel for each side that is generated.

    Args:
        values: of one number and the layers of one codec, no differences.

    Returns:
        None without any of a codec of the table.
    """
    by_name = {each.codec: each for each in systems if not each.is_published}
    codecs = [codec for codec in in_order(each.codec for each in values) if codec in by_name]
    drawn = [each for each in values if each.codec in by_name]
    if not drawn:
        return None
    looks = {codec: look(by_name[codec], tuple(systems)) for codec in codecs}
    sides = [side for side in SIDES if any(each.stack == side for each in drawn)]
    first, is_banded = drawn[0], len(codecs) <= MOST_BANDS
    with in_house_style():
        sheet = Sheet([PANELS[side] for side in sides])
        edge = _scale(sheet.panels[0], drawn)
        for axes, side in zip(sheet.panels, sides, strict=True):
            for turn, codec in enumerate(codecs):
                line = [each for each in drawn if (each.codec, each.stack) == (codec, side)]
                aside = 0.0 if is_banded else (turn - (len(codecs) - 1) / 2) * ASIDE / len(codecs)
                _draw(axes, line, looks[codec], aside=aside, edge=edge, is_banded=is_banded)
        _number_layers(sheet.panels[0], drawn)
        title = f"{TITLES[first.metric]} from those of {first.around}"
        words = Words(title, f"Layer of {first.around}", DRAWN[first.metric], _caption(drawn, is_banded, edge))
        return sheet.finish(words, [handle(looks[codec], _label(codec, drawn)) for codec in codecs])


def interval_told(found: Sequence[Closeness]) -> str:
    """What the intervals hold; empty where there are none."""
    told = [each for each in found if math.isfinite(each.low)]
    if not told:
        return ""
    messages = counted(min(each.count for each in told), "message")
    several = [each for each in told if len(each.seeds) > 1]
    if not several:
        return f"95 % interval over {messages}; one seed, so the spread between trainings is not in it"
    if all(each.is_crossed for each in several):
        seeds = counted(len(several[0].seeds), "seed")
        return (
            f"95 % interval of the mean over {seeds}: Student-t spread over seeds and, of what {messages} leave "
            "uncertain, the part that all seeds have in common"
        )
    return f"interval of the mean over seeds, 95 % or more: spread over seeds and over {messages}, added in squares"


def _values(found: Sequence[Closeness], around: str, metric: str) -> list[Closeness]:
    return [each for each in found if (each.around, each.metric, each.against) == (around, metric, "")]


def _ends(each: Closeness) -> tuple[float, float, float]:
    """Value, low and high as they are drawn."""
    if each.metric == "cosine":
        return 1 - each.value, 1 - each.high, 1 - each.low
    return each.value, each.low, each.high


def _scale(axes: Axes, drawn: Sequence[Closeness]) -> float:
    """Choose a plain axis from 0, or a logarithmic one; the lower edge of that, below which nothing is drawn, or 0."""
    values = [value for value, _, _ in map(_ends, drawn)]
    tops = [value if math.isnan(high) else high for value, _, high in map(_ends, drawn)]
    above = [value for value in values if value > 0]
    if not above or max(values) < FAR_APART * min(above):
        axes.set_ylim(0, 1.06 * max(*tops, 1e-9))
        return 0.0
    lows = [low for _, low, _ in map(_ends, drawn) if low > 0.3 * min(above)]
    edge = 0.8 * min((*above, *lows))
    axes.set_yscale("log")
    axes.set_ylim(edge, 1.25 * max(tops))
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    return edge


def _draw(axes: Axes, line: Sequence[Closeness], how: Look, *, aside: float, edge: float, is_banded: bool) -> None:
    """One codec on one side: a band where there is room for it, or else bars beside the number of the layer."""
    ordered = sorted(line, key=lambda each: each.layer)
    if not ordered:
        return
    x = np.array([each.layer + aside for each in ordered])
    value, low, high = (np.maximum(column, edge) for column in zip(*map(_ends, ordered), strict=True))
    axes.plot(
        x, value, color=how.color, marker=how.marker, linestyle=how.line, markerfacecolor=how.face,
        markeredgecolor=how.color, zorder=3,
    )  # fmt: skip
    known = np.isfinite(low)
    if is_banded and len(ordered) > 1:
        axes.fill_between(x, low, high, where=list(known), color=how.color, alpha=0.16, linewidth=0, zorder=2)
    else:
        axes.vlines(x[known], low[known], high[known], color=how.color, linewidth=1.0, zorder=2)


def _number_layers(axes: Axes, drawn: Sequence[Closeness]) -> None:
    layers = sorted({each.layer for each in drawn})
    axes.set_xlim(layers[0] - 0.5, layers[-1] + 0.5)
    axes.xaxis.set_major_locator(FixedLocator(layers) if len(layers) <= 12 else MaxNLocator(integer=True))


def _label(codec: str, drawn: Sequence[Closeness]) -> str:
    """Name, family and the size of what makes the layers."""
    first = next(each for each in drawn if each.codec == codec)
    size = f"{millions(first.own_parameters)} of its own" if first.own_parameters else ""
    told = ", ".join(each for each in (first.family, size) if each)
    return f"{codec} ({told})" if told else codec


def _caption(drawn: Sequence[Closeness], is_banded: bool, edge: float) -> str:
    seeds = sorted({seed for each in drawn for seed in each.seeds})
    told = interval_told(drawn)
    said = [
        "Less is closer",
        "Each codec runs free and hears its own transmitter; what it makes of a message is compared with what "
        f"{drawn[0].around} makes of it in the same air",
        "The vertical axis is logarithmic" if edge else "",
        "Intervals that go below its lower edge end there"
        if any(low < edge for _, low, _ in map(_ends, drawn))
        else "",
        "" if is_banded else ASIDE_TOLD,
        f"{'Bands and bars' if is_banded else 'Bars'}: {told}" if told else "The table tells no intervals",
        f"Seed{'s' * (len(seeds) > 1)}: {', '.join(map(str, seeds))}"
        if len(seeds) <= 8
        else counted(len(seeds), "seed"),
    ]
    return " ".join(f"{each}." for each in said if each)
