"""What figures by size share: how big a codec is, which codecs one line joins, and the panels they stand in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from semcom.report.results import Point, Results, System, evenly, in_order
from semcom.report.style import Look, look
from semcom.report.wording import snr_title
from semcom.words import counted

__all__ = [
    "BODY",
    "Family",
    "Place",
    "Side",
    "bodies",
    "cost_of",
    "families_of",
    "looks_of",
    "mark_sizes",
    "measured",
    "place_title",
    "places_of",
    "rounded",
    "varied_side",
]

BODY = {
    "both": "Body parameters, without embeddings, of transmitter and receiver (log scale)",
    "receiver": "Body parameters, without embeddings, of the receiver (log scale)",
    "transmitter": "Body parameters, without embeddings, of the transmitter (log scale)",
}
# What a sweep over shapes puts behind a codec's name: plain_1x32_ff64 is a plain.
SHAPE = re.compile(r"_(\d+x\d+|layers\d+|width\d+|ff\d+|ch\d+)(_(layers\d+|width\d+|ff\d+|ch\d+))*$")

Place = tuple[int, float]  # interferers, SNR
Side = Literal["both", "transmitter", "receiver"]


class Family(NamedTuple):
    """What one line joins.

    Args:
        stem: the name apart from its shape; empty if it has none.
        alike: whatever else must stand still, as a number.
        language: what the receivers know.
    """

    role: str
    method: str
    adopted: str
    stem: str
    alike: float
    language: str = ""


def varied_side(part: Results) -> Side:
    """The side whose size tells the codecs apart: where small ones adopt the other, it is the same for all of them."""
    adopting = {each.adopted for each in part.systems if each.adopted}
    known = all(
        cost_of(part, each, f"{side}_body_parameters")
        for side in ("transmitter", "receiver")
        for each in measured(part)
        if each.body_parameters
    )
    # Who took over all around its layers may differ on either side.
    if len(adopting) != 1 or adopting & {"around", "encoder"} or not known:
        return "both"
    return "receiver" if "transmitter" in adopting else "transmitter"


def bodies(part: Results) -> dict[System, float]:
    """Body parameters of every measured system that has some; of the side that varies."""
    side = varied_side(part)
    if side == "both":
        return {each: float(each.body_parameters) for each in measured(part) if each.body_parameters}
    found = {each: cost_of(part, each, f"{side}_body_parameters") for each in measured(part)}
    return {each: value for each, value in found.items() if value}


def families_of(part: Results) -> dict[System, Family]:
    """What a line joins along which only the size changes."""
    return {
        each: Family(each.role, each.method, each.adopted, _stem(each), each.symbols_per_token or 0.0, each.language)
        for each in part.systems
    }


def looks_of(families: Mapping[System, Family]) -> dict[Family, Look]:
    """How each family's line is drawn: by its turn among the families of its role, as codecs are among codecs."""
    firsts: dict[Family, System] = {}
    for system, family in families.items():
        firsts.setdefault(family, system)
    return {family: look(first, tuple(firsts.values())) for family, first in firsts.items()}


def places_of(points: Iterable[Point]) -> list[Place]:
    """At most six crowds and SNRs, a panel each, out of those with a number of our own."""
    own = [point for point in points if point.is_measured and not point.system.is_published]
    counts = evenly((point.interferers for point in own), 2)
    shown = evenly((point.snr_db for point in own), 6 // max(1, len(counts)))
    met = {(point.interferers, point.snr_db) for point in own}
    return [(count, snr_db) for count in counts for snr_db in shown if (count, snr_db) in met]


def place_title(place: Place, points: Iterable[Point]) -> str:
    """SNR and crowd, with the SINR that both make."""
    count, snr_db = place
    if not count:
        return f"{snr_title(snr_db)}, no interferers"
    here = next(point for point in points if (point.interferers, point.snr_db) == place)
    return f"{snr_title(snr_db)}, {counted(count, 'interferer')} (SINR {here.sinr_db:.1f} dB)"


def mark_sizes(axes: Axes, values: Iterable[float], told: Callable[[float], str] | None) -> None:
    """Tick round numbers only: a logarithmic axis of less than a decade has none of its own.

    Args:
        told: how a number is written; None ticks the values themselves.
    """
    seen = sorted(set(values))
    low, high = seen[0], seen[-1]
    axes.set_xlim(low / 1.18, high * 1.18)
    decades = [10.0**power for power in range(-3, 12)]
    steps = (1, 2, 5) if high / low < 10 else (1, 3)
    axes.xaxis.set_major_locator(FixedLocator([step * each for each in decades for step in steps] if told else seen))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: told(value) if told else f"{value:g}"))


def rounded(value: float) -> str:
    """A count as people say it: 12 k, 1.8 M."""
    return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value / 1e3:.3g} k" if value >= 1e3 else f"{value:.3g}"


def cost_of(part: Results, system: System, name: str) -> float | None:
    """A number of the table of costs, if there is one."""
    costs = None if system.is_published else part.costs.get(system.codec)
    found: float | None = getattr(costs, name) if costs else None
    return found


def _stem(system: System) -> str:
    """The name apart from a shape that a sweep put behind it; empty for a name without one, which tells no family."""
    return SHAPE.sub("", system.codec) if SHAPE.search(system.codec) else ""


def measured(part: Results) -> tuple[System, ...]:
    """The systems with a number to draw."""
    return in_order(point.system for point in part.absolute if point.is_measured)
