"""Example pictures as they arrive: a row for each codec, a column for each SNR."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from semcom.metrics.pictures import Psnr
from semcom.report.naming import file_name
from semcom.report.results import evenly
from semcom.report.spectra import spectra_of_word
from semcom.report.style import GREY, INK, SIZES, in_house_style, typeset
from semcom.store.examples import Arrival, Examples, Pixels
from semcom.words import counted

__all__ = ["example_drawings", "example_pictures"]

MOST_COLUMNS, MOST_ROWS = 6, 10
WIDTH, LEFT, TOP, BOTTOM, WORDS = 7.2, 0.95, 0.45, 0.3, 0.34  # inches
RIGHT, WRONG = "#0072b2", "#d55e00"
LINE = 130  # letters of a line of the caption
GAP = 1  # pixels between the pictures of a field


def example_drawings(examples: Examples) -> Iterator[tuple[str, Callable[[], Figure | None]]]:
    """Every drawing with a file name of its own, one for each crowd, of spectra for each word; nothing is drawn yet."""
    taken: set[str] = set()
    for interferers in sorted({each.interferers for each in examples.arrivals}):
        for place, word in enumerate(examples.spectra.words if examples.spectra else ()):
            name = file_name(["examples", counted(interferers, "interferer"), word], taken)
            taken.add(name)
            yield name, partial(spectra_of_word, examples, place, interferers)
        if examples.spectra:
            continue
        name = file_name(["examples", counted(interferers, "interferer")], taken)
        taken.add(name)
        yield name, partial(example_pictures, examples, interferers)


def example_pictures(examples: Examples, interferers: int) -> Figure | None:
    """What became of the same few pictures with every codec, at every SNR, in one crowd.

    Where the picture itself is wanted it is shown as rebuilt, with its PSNR. Where its class is wanted, the pixels are
    shown as they were received, or as they were sent where a codec sends something else, with the class that was
    recognized.

    Returns:
        None where nothing arrived in such a crowd.
    """
    arrivals = [each for each in examples.arrivals if each.interferers == interferers]
    if not arrivals:
        return None
    codecs = list(dict.fromkeys(each.codec for each in arrivals))[:MOST_ROWS]
    snrs = evenly(sorted({each.snr_db for each in arrivals}), MOST_COLUMNS)
    found = {(each.codec, each.snr_db): each for each in arrivals}
    rows, columns = len(codecs) + 1, len(snrs)
    wide = (WIDTH - LEFT) / columns
    strip = _strip(examples.sent)
    tall = 0.94 * wide * strip.shape[0] / strip.shape[1]
    height = TOP + BOTTOM + rows * (tall + WORDS)
    with in_house_style():
        figure = Figure(figsize=(WIDTH, height))
        for row, codec in enumerate(["", *codecs]):
            for column, snr_db in enumerate(snrs):
                if not codec and column:
                    continue
                bottom = height - TOP - (row + 1) * (tall + WORDS) + WORDS
                corner = (LEFT + column * wide) / WIDTH, bottom / height
                axes = figure.add_axes((*corner, 0.94 * wide / WIDTH, tall / height))
                _draw(axes, examples, found.get((codec, snr_db)) if codec else None, is_sent=not codec)
                if row == 1:
                    axes.set_title(f"SNR {snr_db:g} dB", loc="left", fontsize=SIZES["panel"], pad=3)
            middle = height - TOP - (row + 1) * (tall + WORDS) + WORDS + tall / 2
            figure.text(
                0.08 / WIDTH, middle / height, typeset(codec[:18]) or "sent", va="center", fontsize=SIZES["tick"]
            )
        crowd = counted(interferers, "interferer") if interferers else "no interferers"
        title = f"Example pictures as they arrive, {crowd}"
        figure.text(0.08 / WIDTH, 1 - 0.28 / height, title, fontsize=SIZES["title"], color=INK)
        figure.text(0.08 / WIDTH, 0.14 / height, _caption(examples, arrivals), fontsize=SIZES["caption"], color=GREY)
        return figure


def _draw(axes: Axes, examples: Examples, arrival: Arrival | None, *, is_sent: bool) -> None:
    """One field: the pictures side by side, and under each what was made of it."""
    axes.set_axis_off()
    if arrival is None and not is_sent:
        return
    pictures = None if arrival is None else arrival.pictures
    strip = _strip(examples.sent if pictures is None else pictures)
    # Where no picture arrives, the one that was sent is shown pale.
    faint = arrival is not None and pictures is None
    axes.imshow(
        strip, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto", alpha=0.35 if faint else 1
    )
    count = len(examples.sent)
    for place, (words, color) in enumerate(_words(examples, arrival)):
        axes.text((place + 0.5) / count, -0.05, words, transform=axes.transAxes, ha="center", va="top", color=color,
                  fontsize=5.5)  # fmt: skip


def _words(examples: Examples, arrival: Arrival | None) -> list[tuple[str, str]]:
    """What stands under each picture, and in which color."""
    if arrival is None:
        return [(_short(each), INK) for each in examples.classes]
    if arrival.classes:
        pairs = zip(arrival.classes, examples.classes, strict=True)
        return [(_short(told), RIGHT if told == true else WRONG) for told, true in pairs]
    if arrival.pictures is None:
        return []
    decibels = Psnr().statistics(list(examples.sent), list(arrival.pictures))[:, 0]
    return [(f"{each:.1f} dB", INK) for each in decibels]


def _short(name: str) -> str:
    return typeset(name if len(name) <= 11 else f"{name[:10]}.")


def _strip(pictures: Pixels) -> Pixels:
    """Pictures side by side as one: [rows, columns] in grey, or [rows, columns, 3]."""
    parts: list[Pixels] = []
    for picture in pictures:
        parts += [np.full((*picture.shape[:2], GAP), 255, dtype=np.uint8), picture]
    joined = np.concatenate(parts[1:], axis=2)
    return joined[0] if len(joined) == 1 else joined.transpose(1, 2, 0)


def _caption(examples: Examples, arrivals: Sequence[Arrival]) -> str:
    """How to read it."""
    said = [f"One trip of the first test pictures through the codecs of seed {examples.seed}."]
    if examples.classes:
        said.append("Below each: the class recognized, blue if right, orange if wrong.")
        if any(each.pictures is None for each in arrivals):
            said.append("Pale: no pixels are sent, only symbols made of them.")
    else:
        said.append("Below each: PSNR of that picture.")
    return textwrap.fill(" ".join(said), LINE)
