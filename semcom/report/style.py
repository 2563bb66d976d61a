"""Colors, markers and lines that stay with a codec's role, in color and in grey."""

from __future__ import annotations

import functools
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import matplotlib.style
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D

from semcom.report.results import System
from semcom.words import visible

__all__ = ["FONT", "GREY", "INK", "SIZES", "Look", "handle", "in_house_style", "look", "typeset"]

FONT = "DejaVu Sans"
INK = "#222222"
GREY = "#6b6b6b"

# Points in print; a figure is as wide as two columns of a journal and is not scaled.
SIZES = {"title": 10.0, "panel": 8.5, "axis": 8.5, "tick": 7.5, "legend": 8.0, "caption": 7.0}

HOUSE: dict[str, Any] = {
    "font.family": FONT,
    "font.size": SIZES["axis"],
    "text.color": INK,
    # A dollar in a codec's name is a dollar, not the beginning of a formula.
    "text.parse_math": False,
    # Hinting moves letters to whole pixels, which sets small print unevenly.
    "text.hinting": "none",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SIZES["tick"],
    "ytick.labelsize": SIZES["tick"],
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": SIZES["legend"],
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.6,
    "lines.markeredgewidth": 0.9,
    "savefig.dpi": 200,
    # Without a salt of its own an SVG names its clips by chance, and drawing twice gives two files.
    "svg.hashsalt": "semcom",
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class Look:
    """How one system is drawn wherever it appears."""

    color: str
    marker: str
    line: Any
    is_hollow: bool = False

    @property
    def face(self) -> str:
        """What fills the marker."""
        return "white" if self.is_hollow else self.color


# Okabe and Ito's colors, told apart with every common color blindness, one family per role. The first of each role
# also differ in lightness, and every role in marker and stroke, so that a grey print still tells them apart.
COLORS = {
    "teacher": ("#000000", "#4d4d4d", "#7a5c00"),
    "student": ("#d55e00", "#cc79a7", "#8c2d04", "#e69f00", "#7b3294"),
    "control": ("#56b4e9", "#0072b2", "#08306b", "#7fcdbb", "#00838f"),
    "codec": ("#009e73", "#66a61e", "#00441b", "#a6761d", "#7570b3", "#e6ab02", "#1f78b4"),
    "published": ("#7f7f7f", "#a6a6a6", "#595959"),
}
# One more marker than colors, so that the pairs come round only after all of both.
MARKERS = {
    "teacher": ("s", "D", "h", "P"),
    "student": ("o", "p", "X", "8", "H", "*"),
    "control": ("^", "v", "<", ">", "d", "P"),
    "codec": ("D", "P", "d", "h", "*", "X", "p", "8"),
    "published": ("o", "s", "^", "D"),
}
DASHED = (0, (4.5, 2.0))
LINES: dict[str, Any] = {
    "teacher": "-",
    "student": "-",
    "control": (0, (6.0, 1.4, 1.2, 1.4)),
    "codec": (0, (1.2, 1.2)),
    "published": DASHED,
}


def look(system: System, systems: tuple[System, ...]) -> Look:
    """The look of one system among all of its table: its role gives the family, its turn in the role the member.

    Only published systems are dashed and hollow.
    """
    peers = [each for each in systems if each.role == system.role]
    turn = peers.index(system) if system in peers else 0
    colors, markers = COLORS[system.role], MARKERS[system.role]
    return Look(
        color=colors[turn % len(colors)],
        marker=markers[turn % len(markers)],
        line=LINES[system.role],
        is_hollow=system.is_published,
    )


def handle(how: Look, text: str) -> Line2D:
    """A legend entry."""
    return Line2D(
        [],
        [],
        color=how.color,
        marker=how.marker,
        linestyle=how.line,
        markerfacecolor=how.face,
        markeredgecolor=how.color,
        label=text,
    )


def typeset(text: str) -> str:
    """One line with minus signs before numbers, hyphens only within words, and no break between number and unit.

    What has no glyph in the font is spelled out as \\u4f60: a box in its place would tell no two names apart.
    """
    shown = " ".join(visible(text).split())
    if not shown.isascii():
        shown = "".join(each if ord(each) in _glyphs() else each.encode("unicode_escape").decode() for each in shown)
    tied = re.sub(r"(?<=[0-9]) (?=(dB|M)\b|%)|(?<=IR|NR|s:|d:) (?=-?[0-9])", "\u00a0", shown)
    return re.sub(r"(?<![\w.])-(?=[0-9])", "\u2212", tied)


@functools.cache
def _glyphs() -> frozenset[int]:
    """The letters that the font can draw."""
    return frozenset(get_font(findfont(FONT)).get_charmap())


def in_house_style() -> AbstractContextManager[None]:
    """Matplotlib's own defaults with ours on top, whatever the user's settings file says, until the block ends."""
    return matplotlib.style.context(["default", HOUSE])  # type: ignore[no-any-return,unused-ignore]
