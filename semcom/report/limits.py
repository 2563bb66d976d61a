"""The table of limits: at which SNR sentences arrive whole, and how many decibels that is from what any code could."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group
from rich.text import Text

from semcom.report.airs import METRIC, Air, air_of_limit, air_of_point, varied
from semcom.report.fitting import Column, Fitted
from semcom.report.reading import read_results
from semcom.report.results import WANTED, Point, Results, in_order
from semcom.report.tables import Table, exact
from semcom.report.thresholds import Threshold, threshold
from semcom.report.wording import SNR_SHORT
from semcom.store.limits import Limit, read_limits
from semcom.words import counted, visible

__all__ = ["Distance", "distances_of", "limit_summary", "limit_table"]

FULL = (
    "codec", "role", "language", "symbols_per_token", "bits_per_token", "fading", "coherence", "interference", "csi",
    "equalizer", "antennas", "crowd", "detector", "interferers", "level_db", "whole", "snr_db", "low", "high",
    "limit_snr_db", "distance_db", "distance_low", "distance_high", "where", "why", "seeds",
)  # fmt: skip
MOST_ROWS = 24  # of the printed summary


@dataclass(frozen=True)
class Distance:
    """One codec's threshold in one air beside its limit.

    Args:
        limit: [dB], mean over seeds; inf where interference alone forbids it, NaN where there is none.
        why: why there is none.
    """

    point: Point  # any of the codec's in that air
    seeds: tuple[int, ...]
    told: Limit
    found: Threshold
    limit: float
    why: str

    @property
    def away(self) -> tuple[float, float, float]:
        """The distance and its ends [dB]; the limit is of these very sentences, and so has no interval of its own."""
        if not math.isfinite(self.limit):
            return math.nan, math.nan, math.nan
        return tuple(each - self.limit for each in (self.found.snr_db, self.found.low, self.found.high))  # type: ignore[return-value]

    @property
    def words(self) -> str:
        """The distance as it is read."""
        value, low, high = self.away
        if math.isnan(self.limit) or math.isinf(self.limit):
            return ""
        if self.found.where == "not reached":
            return f"over {self.found.last - self.limit:.1f}" if self.found.last > self.limit else ""
        if self.found.where == "below":
            return f"under {self.found.first - self.limit:.1f}"
        if self.found.where != "reached":
            return ""
        if math.isnan(low) or math.isnan(high):
            return f"{value:.1f}"
        least = f"{low:.1f}" if math.isfinite(low) else f"under {self.found.first - self.limit:.1f}"
        most = f"{high:.1f}" if math.isfinite(high) else f"over {self.found.last - self.limit:.1f}"
        return f"{value:.1f} [{least}, {most}]"

    @property
    def limit_words(self) -> str:
        """The limit as it is read."""
        if math.isinf(self.limit):
            return "interference forbids it"
        return "none" if math.isnan(self.limit) else f"{self.limit:.1f}"


def distances_of(results: Results, limits: Sequence[Limit]) -> list[Distance]:
    """Every codec in every air that both tables tell of, at every share that was asked for; the wanted user's."""
    wanted = [limit for limit in limits if limit.use == "table"]
    by_place: dict[tuple[str, Air, float], list[Limit]] = {}
    for limit in wanted:
        by_place.setdefault((visible(limit.codec), air_of_limit(limit), limit.whole), []).append(limit)
    shares = in_order(limit.whole for limit in wanted)
    curves: dict[tuple[object, ...], list[Point]] = {}
    for point in results.absolute:
        if (point.metric, point.user) == (METRIC, WANTED) and not point.system.is_published:
            curves.setdefault((point.system, point.condition, point.interferers, point.level), []).append(point)
    found = []
    for points in curves.values():
        seeds = tuple(sorted({seed for point in points for seed in point.seeds}))
        for share in shares:
            told = by_place.get((points[0].system.codec, air_of_point(points[0]), share), [])
            reached = threshold(points, share)
            if told and reached:
                known = [limit.limit_snr_db for limit in told if limit.limit_snr_db is not None]
                mean = math.fsum(known) / len(known) if len(known) == len(told) else math.nan
                found.append(Distance(points[0], seeds, told[0], reached, mean, visible(told[0].why)))
    return found


def limit_table(found: Sequence[Distance]) -> Table | None:
    """A row per codec, air and share; None without any."""
    if not found:
        return None
    columns = _columns(found)
    rows = tuple(zip(*columns.values(), strict=True))
    full = (FULL, *(_full(each) for each in found))
    names = list(columns).index("whole")
    return Table("limits", _caption(found), tuple(columns), rows, full, names=names)


def limit_summary(results_csv: Path) -> Group | None:
    """The same for the terminal; None where nobody asked for limits.

    Raises:
        UserMistake: a file is missing or not what its name says.
    """
    limits = read_limits(results_csv.parent / "limits.csv")
    found = distances_of(read_results(results_csv), limits) if limits else []
    if not found:
        return None
    shown = found[:MOST_ROWS]
    columns = _columns(shown)
    spare = {"language": 3, "bits a token": 2, "symbols a token": 1}
    fitted = [
        Column(name, tuple(map(Text, cells)), is_name=name in ("codec", "language"), spare=spare.get(name, 0))
        for name, cells in columns.items()
    ]
    notes = [Text(_caption(shown), style="dim")]
    if len(found) > len(shown):
        notes.append(Text(f"{len(shown)} of {len(found)} rows shown; all are in tables/limits.md", style="dim"))
    return Group(Fitted(fitted, lambda _: "Whole sentences, and how far the limit of any code is"), *notes)


def _columns(found: Sequence[Distance]) -> dict[str, list[str]]:
    """Header and cells; what is the same in every row is left out."""
    points = [each.point for each in found]
    fields = varied((point.condition, point.interferers) for point in points)
    columns = {"codec": [point.system.codec for point in points]}
    columns |= {"language": [visible(each.told.language) for each in found]}
    columns |= {name: [str(getattr(point.condition, name) or "none") for point in points] for name in fields}
    if len({(point.interferers, point.level) for point in points}) > 1:
        columns["interferers"] = [str(point.interferers) for point in points]
        columns["level [dB]"] = ["; ".join(f"{each:g}" for each in point.level) for point in points]
    columns |= {
        "symbols a token": [f"{each.told.symbols_per_token:g}" for each in found],
        "bits a token": [f"{each.told.bits_per_token:.2f}" for each in found],
        "whole": [f"{100 * each.told.whole:g} %" for each in found],
        "SNR [dB]": [each.found.told for each in found],
        "limit [dB]": [each.limit_words for each in found],
        "distance [dB]": [each.words for each in found],
    }
    return {name: cells for name, cells in columns.items() if name != "level [dB]" or any(cells)}


def _caption(found: Sequence[Distance]) -> str:
    """What the numbers are."""
    said = [
        "SNR from which on a share of the sentences arrives whole, straight lines between swept points on the probit "
        "scale, with the SNRs at which the share's 95 % interval holds it; nothing beyond the sweep is told",
        "Limit: the SNR at which the normal approximation of Polyanskiy, Poor and Verdu (2010) lets any code deliver "
        "as many of these very sentences, each with its own number of symbols and its own bits under the language, to "
        "a receiver that knows lengths and gains and takes interference for Gaussian noise; under fading averaged over "
        "the gains, one a sentence",
    ]
    reasons = in_order(each.why for each in found if each.why)
    said += [f"No limit: {'; '.join(reasons)}"] if reasons else []
    most = max(len(each.seeds) for each in found)
    said += [f"Means over {counted(most, 'seed')}"] if most > 1 else []
    return " ".join(f"{each}." for each in [*said, SNR_SHORT])


def _full(each: Distance) -> tuple[str, ...]:
    """One row under FULL."""
    point, told, reached = each.point, each.point.condition, each.found
    return (
        point.system.codec,
        point.system.role,
        visible(each.told.language),
        exact(each.told.symbols_per_token),
        exact(each.told.bits_per_token),
        *(told.fading, told.coherence, told.interference, told.csi, told.equalizer),
        "" if told.antennas is None else str(told.antennas),
        *(told.crowd, told.detector),
        str(point.interferers),
        "; ".join(f"{level:g}" for level in point.level),
        exact(each.told.whole),
        *map(exact, (reached.snr_db, reached.low, reached.high, each.limit, *each.away)),
        reached.where,
        each.why,
        ";".join(map(str, each.seeds)),
    )
