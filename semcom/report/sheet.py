"""The sheet every picture is drawn on: title, legend, panels of one size, axis labels, caption; nothing overlaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text

from semcom.report.style import FONT, GREY, SIZES, typeset

__all__ = ["Sheet", "Words"]

# Inches. The width is that of two journal columns; the height follows from what the sheet holds.
WIDTH = 7.16
EDGE = 0.10
LEFT = 0.42
GAP = 0.16
PANEL_HEIGHTS = {1: 3.0, 2: 1.95, 3: 1.75}
BETWEEN = 0.10
LINE = 1.3
POINT = 1 / 72
# How much wider than the regular font, in which all text is measured, the bold one of titles may run.
BOLD = 1.15


@dataclass(frozen=True)
class Words:
    """What is written around the panels."""

    title: str
    x_label: str
    y_label: str
    caption: str


class Sheet:
    """A figure with a grid of equal panels, whose surroundings are measured rather than guessed.

    Text is set first and the sheet made as high as it then needs to be; panels keep their size whatever is around them.
    `left`, inches for what stands beside the ticks of the vertical axis, and `tall` may be set until it is finished.

    Args:
        titles: one per panel; a single panel may go untitled with an empty one.
        tall: inches of a panel, where its content decides.
    """

    def __init__(self, titles: Sequence[str], *, tall: float | None = None) -> None:
        self.titles = tuple(titles)
        self.columns = {1: 1, 2: 2, 4: 2}.get(len(titles), 3)
        self.left = LEFT
        self.tall = tall or PANEL_HEIGHTS[self.columns]
        self.rows = math.ceil(len(titles) / self.columns)
        self.figure = Figure(figsize=(WIDTH, WIDTH))
        self._renderer = FigureCanvasAgg(self.figure).get_renderer()  # type: ignore[no-untyped-call,unused-ignore]
        self.panels: list[Axes] = []
        for index in range(len(titles)):
            first = self.panels[0] if self.panels else None
            axes = self.figure.add_subplot(self.rows, self.columns, index + 1, sharex=first, sharey=first)
            # Shared axes write their numbers once: at the left, and under the lowest panel of each column.
            axes.tick_params(labelleft=index % self.columns == 0, labelbottom=index + self.columns >= len(titles))
            self.panels.append(axes)

    def finish(self, words: Words, handles: Sequence[Line2D], *, tick_lines: float = 1) -> Figure:
        """Write what surrounds the panels, give everything its place, and hand the figure over.

        From top to bottom: title, legend, panels under their own titles, axis label, caption.

        Args:
            handles: legend entries with their texts; long texts are broken.
            tick_lines: lines of text under each tick of the horizontal axis, or as many as it is high.
        """
        tall = self.tall
        y_label = self.balanced(words.y_label, SIZES["axis"], self.rows * tall)
        left, wide = self._beside(len(y_label)), self.wide(len(y_label))
        names = [self.wrap(title, SIZES["panel"], wide) for title in self.titles]
        heads = [
            0.08 + max(_height(name, "panel") for name in names[first : first + self.columns])
            for first in range(0, len(names), self.columns)
        ]
        title = self.wrap(words.title, BOLD * SIZES["title"], WIDTH - 2 * EDGE)
        x_label = self.balanced(words.x_label, SIZES["axis"], WIDTH - left - EDGE)
        caption = self.wrap(words.caption, SIZES["caption"], WIDTH - 2 * EDGE)
        legend = self._legend(handles)

        # From here on down the sheet, in inches from its top.
        legend_top = EDGE + _height(title, "title") + 0.02
        panels_top = legend_top + self._height_of(legend) + 0.04
        panels_bottom = panels_top + sum(heads) + self.rows * tall + (self.rows - 1) * BETWEEN
        label_top = panels_bottom + (tick_lines * SIZES["tick"] * LINE + 7) * POINT
        caption_top = label_top + _height(x_label, "axis") + 0.10
        height = caption_top + _height(caption, "caption") + EDGE

        self.figure.set_size_inches(WIDTH, height)
        for index, (axes, name) in enumerate(zip(self.panels, names, strict=True)):
            row, column = divmod(index, self.columns)
            bottom = height - panels_top - sum(heads[: row + 1]) - (row + 1) * tall - row * BETWEEN
            place = (left + column * (wide + GAP)) / WIDTH, bottom / height, wide / WIDTH, tall / height
            axes.set_position(place)
            axes.set_title("\n".join(name), loc="left", fontsize=SIZES["panel"], pad=4)
        edge = EDGE / WIDTH
        _write(self.figure, title, edge, 1 - EDGE / height, size="title").set_fontweight("bold")
        _write(self.figure, caption, edge, 1 - caption_top / height, size="caption").set_color(GREY)
        if legend:
            legend.set_bbox_to_anchor((edge, 1 - legend_top / height), transform=self.figure.transFigure)
        middle = (left + WIDTH - EDGE) / 2 / WIDTH, 1 - (panels_top + heads[0] + panels_bottom) / 2 / height
        look = {"fontsize": SIZES["axis"], "multialignment": "center", "rotation_mode": "default"}
        self.figure.supxlabel("\n".join(x_label), x=middle[0], y=1 - label_top / height, va="top", **look)
        self.figure.supylabel("\n".join(y_label), x=edge, y=middle[1], ha="left", va="center", **look)
        return self.figure

    def wide(self, lines: int = 1) -> float:
        """Inches of a panel, beside so many lines of the vertical axis's label."""
        return (WIDTH - self._beside(lines) - EDGE - (self.columns - 1) * GAP) / self.columns

    def _beside(self, lines: int) -> float:
        """Inches left of the panels."""
        return EDGE + self.left + _height([""] * lines, "axis")

    def _height_of(self, legend: Legend | None) -> float:
        """Inches, none for no legend."""
        return legend.get_window_extent(self._renderer).height / self.figure.dpi if legend else 0.0

    def _legend(self, handles: Sequence[Line2D]) -> Legend | None:
        """The legend in as many columns as fit, which is how it takes the least height; a long one in smaller print."""
        if not handles:
            return None
        for each in handles:
            each.set_label("\n".join(self.wrap(str(each.get_label()), SIZES["legend"], WIDTH - 1.0)))
        small = SIZES["legend"] - 1
        choices = [(columns, SIZES["legend"]) for columns in (4, 3, 2) if columns <= len(handles)]
        choices += [(columns, small) for columns in (3, 2) if len(handles) > 4]
        for columns, size in choices:
            legend = _legend_of(self.figure, handles, columns, size)
            if legend.get_window_extent(self._renderer).width <= (WIDTH - 2 * EDGE) * self.figure.dpi:
                return legend
            legend.remove()
        return _legend_of(self.figure, handles, 1, SIZES["legend"])

    def wrap(self, text: str, size: float, width: float) -> list[str]:
        """Break a text into lines of at most the width [inches], measured in the font it will be set in."""
        lines: list[str] = []
        for word in typeset(text).split(" "):
            for piece in self._pieces(word, size, width):
                longer = f"{lines[-1]} {piece}" if lines else piece
                if lines and self._fits(longer, size, width):
                    lines[-1] = longer
                else:
                    lines.append(piece)
        return lines

    def balanced(self, text: str, size: float, width: float) -> list[str]:
        """The same, with as many lines but of even length."""
        lines = self.wrap(text, size, width)
        while len(lines) > 1:
            width *= 0.95
            narrower = self.wrap(text, size, width)
            if len(narrower) > len(lines):
                break
            lines = narrower
        return lines

    def _pieces(self, word: str, size: float, width: float) -> list[str]:
        """The word itself, or parts of it where it is too long for a line of its own."""
        if self._fits(word, size, width):
            return [word]
        pieces = [""]
        for letter in word:
            if pieces[-1] and not self._fits(pieces[-1] + letter, size, width):
                pieces.append("")
            pieces[-1] += letter
        return pieces

    def _fits(self, text: str, size: float, width: float) -> bool:
        """Whether a line is narrow enough, as the font has it."""
        return self.width_of(text, size) <= width

    def width_of(self, text: str, size: float) -> float:
        """Inches that a line takes in the font it will be set in."""
        font = FontProperties(family=FONT, size=size)
        wide, _, _ = self._renderer.get_text_width_height_descent(text, font, False)
        return float(wide / self.figure.dpi)


def _write(figure: Figure, lines: Sequence[str], x: float, y: float, *, size: str) -> Text:
    """Lines of text, the upper left corner given in parts of the figure."""
    return figure.text(x, y, "\n".join(lines), va="top", linespacing=LINE, fontsize=SIZES[size])


def _legend_of(figure: Figure, handles: Sequence[Line2D], columns: int, size: float) -> Legend:
    return figure.legend(
        handles=list(handles),
        loc="upper left",
        ncols=columns,
        fontsize=size,
        borderaxespad=0.0,
        borderpad=0.3,
        handlelength=3.2,
        columnspacing=1.4,
    )


def _height(lines: Sequence[str], size: str) -> float:
    """Inches that so many lines of a kind of text take."""
    return len(lines) * SIZES[size] * LINE * POINT
