"""Crossovers: the SNR at which a paired difference changes sign, or plainly who leads and from where to where."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group
from rich.text import Text

from semcom.metrics.catalog import axis_of
from semcom.report.airs import varied
from semcom.report.fitting import Column, Fitted
from semcom.report.reading import read_results
from semcom.report.results import WANTED, Point, Results, in_order
from semcom.report.tables import Table, exact
from semcom.report.wording import SNR_SHORT
from semcom.words import counted

__all__ = ["Crossing", "Lead", "crossover_summary", "crossover_table", "leads_of"]

FULL = (
    "metric", "codec", "against", "fading", "coherence", "interference", "csi", "equalizer", "antennas", "crowd",
    "detector", "interferers", "level_db", "snr_db", "low", "high", "from_db", "to_db", "said", "seeds",
)  # fmt: skip
MOST_ROWS = 12  # of the printed summary
LEVEL = "the difference holds zero"


@dataclass(frozen=True)
class Crossing:
    """One change of sign: where the difference is zero, and between which SNRs it may be [dB].

    Args:
        snr_db: NaN where a point without a number lies between the two sides.
    """

    snr_db: float
    low: float
    high: float

    @property
    def told(self) -> str:
        """As it is read."""
        if math.isnan(self.snr_db):
            return f"between {self.low:g} and {self.high:g} dB"
        return f"at {self.snr_db:.1f} dB [{self.low:.1f}, {self.high:.1f}]"


@dataclass(frozen=True)
class Lead:
    """Two codecs in one air: who leads where.

    Args:
        points: their differences, by SNR, those without a number among them.
    """

    points: tuple[Point, ...]

    @property
    def known(self) -> list[Point]:
        """Those with a number."""
        return [point for point in self.points if point.is_measured]

    @property
    def crossings(self) -> list[Crossing]:
        """Every change of sign that the intervals on both sides of it confirm, in the order of the SNRs.

        The difference is taken for straight between points. A crossing may be wherever its interval holds zero, which
        is the same resampling as at the points.
        """
        sure = [index for index, point in enumerate(self.points) if _side(point)]
        pairs = itertools.pairwise(sure)
        return [self._crossing(*pair) for pair in pairs if _side(self.points[pair[0]]) != _side(self.points[pair[1]])]

    @property
    def said(self) -> str:
        """Who leads where, in words."""
        known = self.known
        runs = [(side, list(run)) for side, run in itertools.groupby(known, key=_side)]
        whole = f"from {known[0].snr_db:g} to {known[-1].snr_db:g} dB"
        if len(runs) == 1:
            side = runs[0][0]
            return f"{LEVEL} everywhere {whole}" if not side else f"{self._leader(side)} leads everywhere {whole}"
        parts = []
        for side, run in runs:
            one, other = run[0].snr_db, run[-1].snr_db
            where = f"at {one:g} dB" if one == other else f"from {one:g} to {other:g} dB"
            parts.append(f"{self._leader(side)} leads {where}" if side else f"{LEVEL} {where}")
        crossed = " and ".join(each.told for each in self.crossings)
        return (f"cross {crossed}: " if crossed else "") + "; ".join(parts)

    @property
    def names(self) -> tuple[str, str]:
        """The first codec, and the one that is subtracted from it."""
        point = self.points[0]
        assert point.against is not None, "differences name whom they are against"
        return point.system.codec, point.against.codec

    def _leader(self, side: int) -> str:
        better = side if axis_of(self.points[0].metric).higher_is_better else -side
        return self.names[0 if better > 0 else 1]

    def _crossing(self, start: int, end: int) -> Crossing:
        """The crossing between two points whose intervals lie on either side of zero."""
        between = self.points[start : end + 1]
        if not all(point.is_measured for point in between):
            return Crossing(math.nan, between[0].snr_db, between[-1].snr_db)
        # Turned, where need be, so that the difference falls: its lower end meets zero first.
        sign = _side(between[0])
        first, last = ("low", "high") if sign > 0 else ("high", "low")
        return Crossing(*(_zero(between, name, sign) for name in ("value", first, last)))


def leads_of(results: Results) -> list[Lead]:
    """Every pair of the table, in every metric and air where there are two numbers or more; the wanted user's."""
    found: dict[tuple[object, ...], list[Point]] = {}
    for point in results.paired:
        if point.user == WANTED:
            place = (point.metric, point.system, point.against, point.condition, point.interferers, point.level)
            found.setdefault(place, []).append(point)
    leads = [Lead(tuple(sorted(points, key=lambda each: each.snr_db))) for points in found.values()]
    return [lead for lead in leads if len(lead.known) > 1 and all(math.isfinite(each.low) for each in lead.known)]


def crossover_table(leads: Sequence[Lead]) -> Table | None:
    """A row per metric, pair and air; None without any."""
    if not leads:
        return None
    columns = _columns(leads)
    rows = tuple(zip(*columns.values(), strict=True))
    full = (FULL, *(line for lead in leads for line in _full(lead)))
    return Table("crossovers", _caption(leads), tuple(columns), rows, full, names=len(columns))


def crossover_summary(results_csv: Path) -> Group | None:
    """The same for the terminal, pairs that cross first; None where no pairs were compared at two SNRs.

    Raises:
        UserMistake: the file is missing, empty, or no results table.
    """
    leads = leads_of(read_results(results_csv))
    if not leads:
        return None
    shown = sorted(leads, key=lambda lead: not lead.crossings)[:MOST_ROWS]
    columns = [Column(name, tuple(map(Text, cells)), is_name=True) for name, cells in _columns(shown).items()]
    crossed = sum(bool(lead.crossings) for lead in leads)
    note = f"{counted(crossed, 'pair')} of {len(leads)} cross (pairs counted in every metric and air)"
    if len(shown) < len(leads):
        note += f"; {len(shown)} shown, all are in tables/crossovers.md"
    return Group(Fitted(columns, lambda _: "Who leads, by paired differences against SNR"), Text(note, style="dim"))


def _side(point: Point) -> int:
    """The sign of a difference whose interval does not hold zero; else 0."""
    if not point.is_measured:
        return 0
    return 1 if point.low > 0 else -1 if point.high < 0 else 0


def _zero(between: Sequence[Point], name: str, sign: int) -> float:
    """Where this one of the numbers of each point first falls to zero, turned by the sign."""
    for left, right in itertools.pairwise(between):
        before, after = sign * getattr(left, name), sign * getattr(right, name)
        if before > 0 >= after:
            return float(left.snr_db + before / (before - after) * (right.snr_db - left.snr_db))
    raise ValueError(f"{name} must change sign between {between[0].snr_db} and {between[-1].snr_db} dB, got none")


def _columns(leads: Sequence[Lead]) -> dict[str, list[str]]:
    """Header and cells; what is the same in every row is left out."""
    firsts = [lead.points[0] for lead in leads]
    fields = varied((point.condition, point.interferers) for point in firsts)
    columns = {"metric": [axis_of(point.metric).name for point in firsts]}
    columns |= {name: [str(getattr(point.condition, name) or "none") for point in firsts] for name in fields}
    if len({(point.interferers, point.level) for point in firsts}) > 1:
        columns["interferers"] = [str(point.interferers) for point in firsts]
        columns["level [dB]"] = ["; ".join(f"{each:g}" for each in point.level) for point in firsts]
    columns["pair"] = [" and ".join(lead.names) for lead in leads]
    columns["who leads"] = [lead.said for lead in leads]
    return {name: cells for name, cells in columns.items() if name != "level [dB]" or any(cells)}


def _caption(leads: Sequence[Lead]) -> str:
    """What a crossing is, and what it is not."""
    kinds = in_order(axis_of(lead.points[0].metric).messages for lead in leads)
    said = [
        "Who leads, by paired differences against SNR. A lead is told where the 95 % interval of the difference "
        f"(paired resampling of {', '.join(kinds)}) does not hold zero; by chance that happens at one point in twenty "
        "of two codecs that are alike",
        "A crossing is told where leads on both of its sides are; it is where the difference, straight between points, "
        "is zero, with the SNRs at which its interval holds zero. Nothing beyond the sweep is told",
        SNR_SHORT,
    ]
    return " ".join(f"{each}." for each in said)


def _full(lead: Lead) -> list[tuple[str, ...]]:
    """Lines under FULL: one for each crossing, or one without."""
    point, known = lead.points[0], lead.known
    told = point.condition
    place = (
        *(point.metric, *lead.names, told.fading, told.coherence, told.interference, told.csi, told.equalizer),
        "" if told.antennas is None else str(told.antennas),
        *(told.crowd, told.detector),
        str(point.interferers),
        "; ".join(f"{level:g}" for level in point.level),
    )
    seeds = ";".join(map(str, sorted({seed for each in known for seed in each.seeds})))
    tail = (exact(known[0].snr_db), exact(known[-1].snr_db), lead.said, seeds)
    crossings = lead.crossings or [Crossing(math.nan, math.nan, math.nan)]
    return [(*place, *map(exact, (each.snr_db, each.low, each.high)), *tail) for each in crossings]
