"""How layers to keep were chosen: the similarity of all pairs of layers, its segments, and what stays of each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, withStroke

from semcom.report.pruned import Pruned, Stack, alike_to, criterion_name
from semcom.report.sheet import Sheet, Words
from semcom.report.style import COLORS, GREY, INK, SIZES, in_house_style, typeset
from semcom.words import counted

__all__ = ["layers_kept"]

KEPT = COLORS["student"][0]
COLOR_MAP = "viridis"  # as even to the eye as to a color-blind one and in grey
SIMILARITY = "Similarity of two layers: unbiased CKA of what they make of the same messages"
# Inches within a panel.
LEFT = 0.34
STRIP = 0.42
LARGEST = 3.4
GAP = 0.10
SUMS = 0.72
LABELS = 0.44
BAR = 0.09
AWAY = 0.05
MOST_LABELS = 16
LONGEST = 30


def layers_kept(seeds: Sequence[Pruned]) -> Figure | None:
    """Similarity, segments and kept layers of one codec, a panel per stack, of the first seed that tells of them.

    Similarities are one color scale for all stacks. Under each matrix its column sums, which the segments are cut by;
    beside it, where there are several seeds, how many of them keep a layer.

    Args:
        seeds: one codec, as `pruned.seeds_of` gathers it.

    Returns:
        None where no seed tells how its layers were chosen.
    """
    shown = next((each for each in seeds if each.is_partition), None)
    if shown is None:
        return None
    alike = alike_to(shown, seeds)
    count = len(shown.stacks)
    strip = STRIP + GAP if len(alike) > 1 else 0.0
    side = min(LARGEST, (3.05 if count > 1 else math.inf) - LEFT - strip)
    tall = GAP + side + GAP + SUMS + LABELS + BAR
    with in_house_style():
        sheet = Sheet([_panel_title(stack) if count > 1 else "" for stack in shown.stacks], tall=tall)
        figure = sheet.finish(Words(_title(shown), SIMILARITY, "", _caption(shown, alike)), _handles())
        panels, images = sheet.panels, []
        # A panel of its own is wider than it needs to be.
        left = LEFT if count > 1 else (panels[0].get_position().width * figure.get_figwidth() - side) / 2
        for panel, stack in zip(panels, shown.stacks, strict=True):
            panel.set_axis_off()
            label = f"Layer of {shown.start}" if panel is panels[0] else ""
            images.append(_draw_stack(panel, stack, alike, place=(left, side), label=label))
        _share_colors(figure, panels, images, reach=(left, side))
    return figure


def _draw_stack(
    panel: Axes, stack: Stack, alike: Sequence[Pruned], *, place: tuple[float, float], label: str
) -> AxesImage:
    """Everything of one stack.

    Args:
        place: where the matrix begins within the panel, and its side [inches].
        label: of its rows, where the panel is the first one.
    """
    left, side = place
    matrix = _inset(panel, left, GAP, size=(side, side))
    sums = _inset(panel, left, GAP + side + GAP, size=(side, SUMS))
    image = _draw_matrix(matrix, stack, side)
    _draw_sums(sums, stack)
    _number_layers(matrix, sums, stack)
    if label:
        # A long name is in the title, where lines are broken.
        for axes, text in ((matrix, typeset(label) if len(label) < LONGEST else "Layer"), (sums, "Sum of\ncolumn")):
            axes.set_ylabel(text, fontsize=SIZES["axis"])
            axes.yaxis.set_label_coords(-0.44 / side, 0.5)
    if len(alike) > 1:
        strip = _inset(panel, left + side + GAP, GAP, size=(STRIP, side))
        _draw_strip(strip, stack, alike)
    return image


def _inset(panel: Axes, left: float, top: float, *, size: tuple[float, float]) -> Axes:
    """Axes at a place within a panel, all in inches."""
    whole = panel.get_window_extent()
    width, height = whole.width / panel.figure.dpi, whole.height / panel.figure.dpi
    wide, tall = size
    return panel.inset_axes((left / width, 1 - (top + tall) / height, wide / width, tall / height))


def _draw_matrix(axes: Axes, stack: Stack, side: float) -> AxesImage:
    """The matrix, first layer at the upper left, with the borders of its segments."""
    ends = (0.5, stack.depth + 0.5)
    image = axes.imshow(
        np.array(stack.similarity), cmap=COLOR_MAP, interpolation="nearest", aspect="auto", extent=(*ends, *ends[::-1])
    )
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)
    # Ink on light squares and a light edge on dark ones.
    edged = [withStroke(linewidth=2.0, foreground="white"), Normal()]
    for _, last in stack.segments[:-1]:
        for draw in (axes.axhline, axes.axvline):
            draw(last + 0.5, color=INK, linewidth=0.9, path_effects=edged)
    size, away = max(1.5, min(5.0, 150 / stack.depth)), AWAY / side
    above = axes.plot(stack.kept, [1 + away] * len(stack.kept), marker="v", transform=axes.get_xaxis_transform())
    beside = axes.plot([-away] * len(stack.kept), stack.kept, marker=">", transform=axes.get_yaxis_transform())
    for marks in (*above, *beside):
        marks.set(color=KEPT, linestyle="none", markersize=size, markeredgewidth=0.0, clip_on=False)
    axes.set(xlim=ends, ylim=ends[::-1])
    return image


def _draw_sums(axes: Axes, stack: Stack) -> None:
    """The column sums with the mean of each segment, which the segmentation keeps close to them."""
    layers = range(1, stack.depth + 1)
    size = max(1.5, min(4.2, 120 / stack.depth))
    for first, last in stack.segments:
        mean = math.fsum(stack.sums[first - 1 : last]) / (last - first + 1)
        axes.plot((first - 0.5, last + 0.5), (mean, mean), color=GREY, linewidth=1.6, alpha=0.6, solid_capstyle="butt")
        if last < stack.depth:
            axes.axvline(last + 0.5, color=INK, linewidth=0.9)
    axes.plot(layers, stack.sums, color=INK, linewidth=0.9, marker="o", markersize=size, markerfacecolor="white",
              markeredgewidth=0.8)  # fmt: skip
    kept = [stack.sums[layer - 1] for layer in stack.kept]
    axes.plot(stack.kept, kept, color=KEPT, linestyle="none", marker="o", markersize=size + 0.6, zorder=3)
    axes.set_xlim(0.5, stack.depth + 0.5)
    axes.margins(y=0.18)
    axes.locator_params(axis="y", nbins=3)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("Layer", fontsize=SIZES["tick"], labelpad=1.5)


def _number_layers(matrix: Axes, sums: Axes, stack: Stack) -> None:
    """Numbers at both axes, as many as fit; those of kept layers stand out."""
    step = math.ceil(stack.depth / MOST_LABELS)
    layers = [1, *range(step, stack.depth + 1, step)] if step > 1 else list(range(1, stack.depth + 1))
    matrix.set_yticks(layers, map(str, layers))
    matrix.tick_params(axis="y", length=0, pad=9)
    matrix.set_xticks([])
    sums.set_xticks(layers, map(str, layers))
    for label, layer in zip((*matrix.get_yticklabels(), *sums.get_xticklabels()), (*layers, *layers), strict=True):
        if layer in stack.kept:
            label.set(color=KEPT, fontweight="bold")


def _draw_strip(axes: Axes, stack: Stack, alike: Sequence[Pruned]) -> None:
    """How many seeds keep each layer, in line with the rows of the matrix."""
    chosen = [other.kept for each in alike for other in each.stacks if other.name == stack.name]
    layers = range(1, stack.depth + 1)
    counts = [sum(layer in kept for kept in chosen) for layer in layers]
    axes.barh(layers, counts, height=0.72, color=[KEPT if layer in stack.kept else GREY for layer in layers])
    axes.set(xlim=(0, len(chosen)), ylim=(stack.depth + 0.5, 0.5), xticks=(0, len(chosen)))
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Seeds that\nkeep it", fontsize=SIZES["tick"], labelpad=1.5)


def _share_colors(
    figure: Figure, panels: Sequence[Axes], images: Sequence[AxesImage], *, reach: tuple[float, float]
) -> None:
    """One scale for all matrices, and its bar along the lower edge of the panels, from the first matrix to the last."""
    values = np.concatenate([np.ravel(np.asarray(image.get_array())) for image in images])
    least, most = min(float(values.min()), 1.0), max(float(values.max()), 1.0)
    for image in images:
        image.set_clim(least if least < most else 0.0, most)
    left, side = reach
    first, last = panels[0].get_position(), panels[-1].get_position()
    wide, high = figure.get_size_inches()
    begin = first.x0 + left / wide
    bar = figure.add_axes((begin, first.y0, last.x0 + (left + side) / wide - begin, BAR / high))
    figure.colorbar(images[0], cax=bar, orientation="horizontal")
    bar.grid(visible=False)


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], color=KEPT, linestyle="none", marker="o", label="layer that stays"),
        Line2D([], [], color=INK, linestyle="none", marker="o", markerfacecolor="white", label="layer that goes"),
        Line2D([], [], color=INK, linewidth=0.9, label="border of a segment"),
        Line2D([], [], color=GREY, linewidth=1.6, alpha=0.6, label="mean of a segment"),
    ]


def _panel_title(stack: Stack) -> str:
    return f"{stack.name.capitalize()}: {len(stack.kept)} of {counted(stack.depth, 'layer')}"


def _title(shown: Pruned) -> str:
    kept = " and ".join(f"{len(stack.kept)} of {stack.depth}" for stack in shown.stacks)
    criterion = criterion_name(shown.criterion)
    return f"Layers that {shown.codec} keeps of {shown.start}, chosen by {criterion}: {kept}, seed {shown.seed}"


def _caption(shown: Pruned, alike: Sequence[Pruned]) -> str:
    said = [
        "Similarity: unbiased CKA of activations on training messages in training air; its column sums are cut into "
        "segments of like ones, each of which keeps some of its layers",
        f"Layers are numbered as in {shown.start}, from 1 on",
    ]
    if len(alike) > 1:
        others = ", ".join(str(each.seed) for each in alike)
        said.append(f"Matrix, segments and marks: seed {shown.seed}; bars beside a matrix: seeds {others}")
    return " ".join(f"{each}." for each in said)
