"""Calibration: how often a receiver is right beside how sure it is, and how often a wrong sentence is fluent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from semcom.report.naming import file_name
from semcom.report.results import System, evenly, in_order
from semcom.report.sheet import Sheet, Words
from semcom.report.style import GREY, Look, handle, in_house_style, look
from semcom.report.wording import SNR_SHORT, label, snr_title
from semcom.store.calibrations import BINS, Bin
from semcom.words import counted

__all__ = ["calibration", "calibration_drawings"]

MOST_PANELS = 6
Z = 1.96  # the normal's 97.5 % point
SURE = BINS // 2  # from this bin on a sentence is held likelier than all others together


def calibration_drawings(
    bins: Sequence[Bin], systems: Sequence[System]
) -> Iterator[tuple[str, Callable[[], Figure | None]]]:
    """Every drawing with a file name of its own, one per air and crowd; nothing is drawn yet."""
    taken: set[str] = set()
    for crowd in in_order(map(_crowd, bins)):
        name = file_name(("calibration", *_told(crowd)), taken)
        taken.add(name)
        yield name, partial(calibration, [each for each in bins if _crowd(each) == crowd], systems)


def calibration(bins: Sequence[Bin], systems: Sequence[System]) -> Figure | None:
    """The share of sentences that arrived word for word against the mean confidence of their bin, a panel per SNR.

    On the diagonal a receiver is right as often as it says. Below it sentences are fluent and wrong: the search found
    nothing likelier, and they are not what was sent. Seeds are added up.

    Args:
        bins: in one air and crowd.

    Returns:
        None without a codec of the table.
    """
    known = [each for each in systems if any(each.codec == bin_.codec for bin_ in bins)]
    if not known:
        return None
    shown = evenly((each.snr_db for each in bins), MOST_PANELS)
    with in_house_style():
        sheet = Sheet([snr_title(snr_db) for snr_db in shown])
        for axes, snr_db in zip(sheet.panels, shown, strict=True):
            axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, zorder=1)
            for system in known:
                here = [each for each in bins if (each.snr_db, each.codec) == (snr_db, system.codec)]
                _draw(axes, here, look(system, tuple(systems)), label(system))
        sheet.panels[0].set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        title = ", ".join(("Calibration of whole sentences", *_told(_crowd(bins[0]))))
        told = _caption(bins, known, shown=len(shown))
        words = Words(title, "Mean confidence in a sentence", "Share that arrived word for word", told)
        return sheet.finish(words, [handle(look(each, tuple(systems)), label(each)) for each in known])


def wrong_and_sure(bins: Sequence[Bin]) -> tuple[int, int]:
    """How many sentences were wrong, and how many of these the receiver held likelier than all others together."""
    wrong = [(each.bin, each.count - each.right) for each in bins]
    return sum(count for _, count in wrong), sum(count for place, count in wrong if place >= SURE)


def _draw(axes: Axes, bins: Sequence[Bin], how: Look, name: str) -> None:
    """One codec's bins, each with Wilson's interval."""
    points = []
    for place in sorted({each.bin for each in bins}):
        here = [each for each in bins if each.bin == place]
        count, right = sum(each.count for each in here), sum(each.right for each in here)
        points.append((math.fsum(each.count * each.confidence for each in here) / count, right / count, count))
    if not points:
        return
    x, y, counts = zip(*points, strict=True)
    axes.plot(x, y, color=how.color, marker=how.marker, linestyle=how.line, markerfacecolor=how.face, label=name)
    for at, share, count in zip(x, y, counts, strict=True):
        middle = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
        half = Z * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2)) / (1 + Z**2 / count)
        axes.vlines(at, middle - half, middle + half, color=how.color, linewidth=1.0, zorder=2)


def _caption(bins: Sequence[Bin], known: Sequence[System], *, shown: int) -> str:
    """What confidence is, and how often a wrong sentence was a sure one."""
    sure = []
    for system in known:
        wrong, held = wrong_and_sure([each for each in bins if each.codec == system.codec])
        if wrong:
            sure.append(f"{system.codec} {100 * held / wrong:.0f} % of {wrong}")
    snrs = len({each.snr_db for each in bins})
    said = [
        "Confidence: the share, by score, that the sentence decided for has among all that the search kept, in tenths",
        "Below the line a receiver is surer than right",
        f"Wrong sentences that were held likelier than all others together, at all SNRs: {', '.join(sure)}"
        if sure
        else "",
        f"{shown} of {snrs} SNRs shown" if shown < snrs else "",
        f"Seeds added up: {', '.join(map(str, sorted({each.seed for each in bins})))}",
        "Bars: Wilson's 95 % intervals over sentences; the spread between trainings is not in them",
        SNR_SHORT,
    ]
    return " ".join(f"{each}." for each in said if each)


def _crowd(each: Bin) -> tuple[str, str, int, str]:
    return each.fading, each.interference, each.interferers, each.level_db


def _told(crowd: tuple[str, str, int, str]) -> list[str]:
    """An air and crowd in words."""
    fading, interference, interferers, level = crowd
    told = [f"fading {fading}"] * (fading != "none")
    if not interferers:
        return [*told, "no interferers"]
    return [*told, f"{counted(interferers, 'interferer')} ({interference}) at {level} dB"]
