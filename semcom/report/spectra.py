"""Example spectra as they arrive: of one word, a row for each codec, a column for each SNR."""

from __future__ import annotations

import math
import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from semcom.metrics.score import score
from semcom.metrics.spectra import RANGE_DB, LogSpectralDistance
from semcom.report.results import evenly
from semcom.report.style import GREY, INK, SIZES, in_house_style, typeset
from semcom.store.examples import Examples, Spectra
from semcom.words import counted

__all__ = ["spectra_of_word"]

MOST_COLUMNS, MOST_ROWS = 5, 8
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 7.2, 1.35, 0.75, 0.5, 0.66  # inches
TALL, BETWEEN, BESIDE, HEAD = 0.85, 0.24, 0.08, 0.14
LINE = 130  # letters of a line of the caption
TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000)
ROOM = 0.85  # of a field, for numbers below it
MARGIN = 1.05  # a tick at the very edge has no room

Decibels = NDArray[np.float64]


def spectra_of_word(examples: Examples, place: int, interferers: int) -> Figure | None:
    """What became of the spectrum of one word with every codec, at every SNR, in one crowd.

    Below each stands its log-spectral distance from what was sent.

    Args:
        place: of the word among the examples.

    Returns:
        None where nothing arrived in such a crowd.
    """
    shape = examples.spectra
    arrivals = [each for each in examples.arrivals if each.interferers == interferers and each.pictures is not None]
    if not arrivals or shape is None:
        return None
    codecs = list(dict.fromkeys(each.codec for each in arrivals))[:MOST_ROWS]
    snrs = evenly(sorted({each.snr_db for each in arrivals}), MOST_COLUMNS)
    found = {(each.codec, each.snr_db): each.pictures for each in arrivals}
    sent = shape.decibels(examples.sent[place], place)
    height = TOP + BOTTOM + HEAD + (len(codecs) + 1) * (TALL + BETWEEN)
    wide = (WIDTH - LEFT - RIGHT) / len(snrs)
    with in_house_style():
        figure = Figure(figsize=(WIDTH, height))

        def field(row: int, column: int) -> Axes:
            corner = LEFT + column * wide, _bottom(row, height)
            inches = (*corner, wide - BESIDE, TALL)
            across, up, right, tall = (each / (height if index % 2 else WIDTH) for index, each in enumerate(inches))
            return figure.add_axes((across, up, right, tall))

        image = _draw(field(0, 0), sent, shape, edges=(True, False))
        _name(figure, 0, height, "sent")
        for row, codec in enumerate(codecs, start=1):
            _name(figure, row, height, typeset(codec[:18]))
            for column, snr_db in enumerate(snrs):
                pictures = found.get((codec, snr_db))
                if pictures is None:
                    continue
                axes = field(row, column)
                heard = shape.decibels(pictures[place], place)
                _draw(axes, heard, shape, edges=(column == 0, row == len(codecs)))
                if row == 1:
                    axes.set_title(f"SNR {snr_db:g} dB", loc="left", fontsize=SIZES["panel"], pad=12)
                (away,) = score([LogSpectralDistance()], [sent], [heard])
                axes.text(1, 1.03, f"{away:.1f} dB", transform=axes.transAxes, ha="right", fontsize=6, color=INK)
        _finish(figure, image, examples, place=place, interferers=interferers, height=height)
        return figure


def _draw(axes: Axes, decibels: Decibels, shape: Spectra, *, edges: tuple[bool, bool]) -> AxesImage:
    """One spectrum, time to the right and bands upwards.

    Args:
        edges: whether it stands at the left and at the lower edge, where there are numbers.
    """
    frames, bands = decibels.shape
    image = axes.imshow(
        decibels.T,
        cmap="magma",
        vmin=-RANGE_DB,
        vmax=0,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0, frames * shape.hop / shape.rate, -0.5, bands - 0.5),
    )
    axes.grid(visible=False)
    ticks = {hertz: _band(hertz, shape.rate, bands) for hertz in TICKS_HZ if hertz * MARGIN < shape.rate / 2}
    left, lower = edges
    axes.set_yticks(list(ticks.values()), [f"{each:,}" for each in ticks] if left else [""] * len(ticks), fontsize=6)
    axes.tick_params(axis="x", labelsize=6, labelbottom=lower, bottom=lower)
    axes.set_xticks(_moments(frames * shape.hop / shape.rate))
    return image


def _moments(seconds: float) -> list[float]:
    """Two or three round moments, none so near to the end that its number meets the next field's."""
    step = 10.0 ** math.floor(math.log10(seconds))
    step = next(each for each in (step, step / 2, step / 5, step / 10) if seconds * ROOM > 2 * each)
    return [number * step for number in range(1 + int(seconds * ROOM / step))]


def _band(hertz: float, rate: int, bands: int) -> float:
    """Where a frequency lies among the bands, whose middles are evenly spaced on the mel scale (`LogMel`)."""
    mel, highest = (math.log10(1 + each / 700) for each in (hertz, rate / 2))
    return mel / highest * (bands + 1) - 1


def _bottom(row: int, height: float) -> float:
    """Of a row of fields, in inches from below; between the first and the others SNRs are told."""
    return height - TOP - row * (TALL + BETWEEN) - TALL - (HEAD if row else 0)


def _name(figure: Figure, row: int, height: float, name: str) -> None:
    middle = _bottom(row, height) + TALL / 2
    figure.text(0.08 / WIDTH, middle / height, name, va="center", fontsize=SIZES["tick"])


def _finish(
    figure: Figure, image: AxesImage, examples: Examples, *, place: int, interferers: int, height: float
) -> None:
    """Title, axes, the bar of colors, and how to read it."""
    assert examples.spectra is not None
    tall = height - TOP - BOTTOM - BETWEEN
    corner = (WIDTH - RIGHT + 0.12) / WIDTH, (BOTTOM + BETWEEN) / height
    bar = figure.colorbar(image, cax=figure.add_axes((*corner, 0.11 / WIDTH, tall / height)))
    bar.set_label("Level (dB, loudest band of the word as sent: 0)", fontsize=SIZES["tick"])
    bar.ax.tick_params(labelsize=6)
    middle = (BOTTOM + BETWEEN + tall / 2) / height
    told = "Frequency (Hz, on the mel scale)"
    figure.text((LEFT - 0.48) / WIDTH, middle, told, rotation=90, va="center", ha="center", fontsize=SIZES["tick"])
    across = (LEFT + (WIDTH - LEFT - RIGHT) / 2) / WIDTH
    figure.text(across, (BOTTOM - 0.12) / height, "Time (s)", ha="center", fontsize=SIZES["tick"])
    crowd = counted(interferers, "interferer") if interferers else "no interferers"
    title = f"Log-mel spectrum of \u201c{typeset(examples.spectra.words[place][:24])}\u201d as it arrives, {crowd}"
    figure.text(0.08 / WIDTH, 1 - 0.24 / height, title, fontsize=SIZES["title"], color=INK)
    caption = (
        f"One trip of a test word through the codecs of seed {examples.seed}. Above each: log-spectral distance from "
        "what was sent, mean over frames."
    )
    figure.text(0.08 / WIDTH, 0.14 / height, textwrap.fill(caption, LINE), fontsize=SIZES["caption"], color=GREY)
