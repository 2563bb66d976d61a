"""Several seeds into one number with one interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from scipy.special import ndtri, stdtrit

from semcom.metrics.axis import Axis
from semcom.metrics.catalog import axis_of
from semcom.metrics.crossed import fieller, quantile
from semcom.metrics.rare import NEAR, furthest
from semcom.mistakes import UserMistake
from semcom.report.results import DIFFERENCE, SHARE, SUM, VALUE, Bound, Condition, Point, System

__all__ = ["Row", "average", "mean_interval", "ratio_interval"]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Row:
    """One line of the table: one metric of one run, of one seed.

    Args:
        number: of the line under the header, from 1, to name it in a mistake.
    """

    number: int
    system: System
    condition: Condition
    metric: str
    user: str
    snr_db: float
    interferers: int
    level: tuple[float, ...]
    sir_db: float
    sinr_db: float
    kind: str
    against: System | None
    value: float
    low: float
    high: float
    count: int | None
    seed: int | None
    status: str
    gap_to: System | None = None
    common: float = math.nan

    @property
    def place(self) -> tuple[object, ...]:
        """Everything but the seed: rows of one place are averaged, and no others."""
        at = (self.snr_db, self.interferers, self.level)
        return (self.system, self.condition, self.metric, self.kind, self.user, *at, self.against, self.gap_to)


def mean_interval(
    values: Sequence[float], lows: Sequence[float], highs: Sequence[float], common: float = math.nan
) -> tuple[float, float, float]:
    """Average over seeds: the mean, and the low and high of a 95 % interval for the mean.

    One seed keeps its own interval. Of S > 1 seeds, with e the mean distance from value to end on that side,

        half^2 = q^2 (s^2 / S + common (e / z)^2),

    s the sample standard deviation over seeds, z the normal's 97.5 % point, and q the t of `crossed.quantile`. The
    second part is not divided by S: the seeds are scored on the same sentences, whose luck does not average out.
    `common` is how much of e^2 that is: each seed draws its own air, whose luck is in s already.

    Where `common` is not known, as in tables of before it was kept, both parts stand in full with quantiles of their
    own,

        half^2 = e^2 + (t s / sqrt(S))^2,

    which counts the air twice: the interval holds the truth 95 times in a hundred at least, and up to 100 times.

    A seed without an interval (NaN) adds nothing to the sentences' part; one seed alone without an interval has none.
    """
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return mean, lows[0], highs[0]
    count, upper = len(values), (1 + CONFIDENCE) / 2
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    below = _mean_length(value - low for value, low in zip(values, lows, strict=True))
    above = _mean_length(high - value for value, high in zip(values, highs, strict=True))
    if math.isnan(common):
        among_seeds = float(stdtrit(count - 1, upper)) * spread / math.sqrt(count)
        return mean, mean - math.hypot(below, among_seeds), mean + math.hypot(above, among_seeds)
    z, among = float(ndtri(upper)), spread**2 / count
    reach = quantile(among, common * ((below + above) / 2 / z) ** 2, count, level=CONFIDENCE)
    low, high = (reach * math.sqrt(among + common * (length / z) ** 2) for length in (below, above))
    return mean, mean - low, mean + high


def ratio_interval(tops: Sequence[float], bottoms: Sequence[float], *, luck: float = 0.0) -> tuple[float, float, float]:
    """A ratio of two means over seeds: the ratio, and the low and high of Fieller's 95 % interval for it.

    r is in the interval as long as Student's t over seeds does not tell mean(top - r bottom) from zero:

        mean(top - r bottom)^2 <= t^2 var(top - r bottom) / S + luck^2,

    which is a quadratic in r. Its roots bound r only where the bottom itself is told from zero; otherwise the interval
    is (-inf, inf). What is common to all seeds, such as the luck of the test sentences, enters as that of the top
    alone, so that the interval holds 0 where `mean_interval` of the tops does. One seed alone has no interval (NaN),
    and a bottom of zero no ratio.

    Args:
        tops: one number a seed.
        bottoms: of the same seeds.
        luck: half the width of the interval of the tops for one seed, as it is.

    Source: Fieller, Some Problems in Interval Estimation, JRSS B 16, 1954; Franz, arXiv:0710.2024, 2007.
    """
    count = len(tops)
    top, bottom = math.fsum(tops) / count, math.fsum(bottoms) / count
    if bottom == 0:
        return math.nan, math.nan, math.nan
    if count == 1:
        return top / bottom, math.nan, math.nan
    allowed = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) ** 2 / count
    pairs = list(zip(tops, bottoms, strict=True))

    def shared(one: int, other: int) -> float:
        means = (top, bottom)
        products = ((pair[one] - means[one]) * (pair[other] - means[other]) for pair in pairs)
        return allowed * math.fsum(products) / (count - 1)

    both = [[shared(0, 0) + luck**2, shared(0, 1)], [shared(0, 1), shared(1, 1)]]
    return top / bottom, *fieller(top, bottom, both)


def average(rows: Iterable[Row]) -> tuple[Point, ...]:
    """Bring the rows of every place together, in order of appearance.

    Runs that failed or were skipped leave no number, only their status: where other seeds finished, the mean is theirs.

    Raises:
        UserMistake: two different numbers for the same place and seed, or numbers of which some name no seed.
    """
    places: dict[tuple[object, ...], dict[int | None, Row]] = {}
    for row in rows:
        seeds = places.setdefault(row.place, {})
        known = seeds.get(row.seed)
        if known is not None and _differ(known, row):
            raise UserMistake(
                f"each codec must have one value per point, metric and seed, but rows {known.number} and {row.number} "
                f"(codec {row.system.codec}, {row.metric}, SNR {row.snr_db:g} dB, {row.interferers} interferers, "
                f"seed {row.seed}) differ; give the codecs different names or keep the tables apart"
            )
        # A run begun again after a failure may leave both its rows; the number counts.
        if known is None or math.isnan(known.value):
            seeds[row.seed] = row
    for seeds in places.values():
        _check_seeds(seeds)
    points = [_point(list(seeds.values())) for seeds in places.values()]
    seeds_at = {point.spot: point.seeds for point in points if point.kind == VALUE}
    # A share is one number of all seeds, and so its row names none.
    return tuple(
        replace(point, seeds=seeds_at.get(point.spot, ())) if point.kind == SHARE and point.is_measured else point
        for point in points
    )


def _check_seeds(seeds: dict[int | None, Row]) -> None:
    """Refuse a row of no seed beside those of some: it would count as one more training."""
    if None in seeds and len(seeds) > 1:
        stray, other = seeds[None], next(row for seed, row in seeds.items() if seed is not None)
        raise UserMistake(
            f"rows of one point and metric must all name their seed, or none, but row {stray.number} (codec "
            f"{stray.system.codec}, {stray.metric}) names none and row {other.number} names seed {other.seed}; a share "
            "of a gap names its teacher in gap_to, any other row its seed"
        )


def _point(rows: list[Row]) -> Point:
    """One place, from one row per seed; an interval is cut where the metric ends."""
    first = rows[0]
    done = [row for row in rows if math.isfinite(row.value)]
    counts = [row.count for row in done if row.count is not None]
    count = min(counts) if counts else None
    value, low, high = math.nan, math.nan, math.nan
    bound: Bound = ""
    common = _mean_share(row.common for row in done)
    if done:
        value, low, high = mean_interval(
            [row.value for row in done], [row.low for row in done], [row.high for row in done], common
        )
    if first.kind == VALUE:
        # A sum of users can lie as far out as all of them together.
        users, axis = first.interferers + 1 if first.user == SUM else 1, axis_of(first.metric)
        low, high, bound = _within(value, low, high, axis=axis, users=users, count=count)
    elif first.kind == DIFFERENCE and low == high and count:
        # No message tells the two apart: by the rule of three, up to so many in a hundred others may.
        away = furthest(0.0, 0.0, axis_of(first.metric).weight / count, level=(1 + CONFIDENCE) / 2)
        low, high = value - away, value + away
    return Point(
        system=first.system,
        condition=first.condition,
        metric=first.metric,
        kind=first.kind,
        user=first.user,
        snr_db=first.snr_db,
        interferers=first.interferers,
        value=value,
        low=low,
        high=high,
        against=first.against,
        gap_to=first.gap_to,
        level=first.level,
        sir_db=first.sir_db,
        sinr_db=first.sinr_db,
        seeds=tuple(sorted(row.seed for row in done if row.seed is not None)),
        count=count,
        missing=tuple(row.status for row in rows if not math.isfinite(row.value)),
        bound=bound,
        is_crossed=len(done) > 1 and math.isfinite(common),
    )


def _within(
    value: float, low: float, high: float, *, axis: Axis, users: int, count: int | None
) -> tuple[float, float, Bound]:
    """An interval where the metric can be, and what it is: one-sided near an end, where hardly a message is harmed."""
    least, most = users * axis.least, users * axis.most
    ends: tuple[tuple[float, Bound], ...] = ((most, "at least"), (least, "at most"))
    for end, bound in ends:
        is_rare = end == users * axis.best or axis.is_share
        if is_rare and abs(end - value) < NEAR and math.isfinite(low) and math.isfinite(high) and count:
            # The wider side: a percentile interval is short towards the end, and half of one may be all there is.
            variance = (max(value - low, high - value, 0.0) / float(ndtri((1 + CONFIDENCE) / 2))) ** 2
            away = furthest(abs(end - value), variance, users * axis.weight / count, level=CONFIDENCE)
            if math.isnan(away):
                return math.nan, math.nan, ""
            return (max(end - away, least), end, bound) if end == most else (end, min(end + away, most), bound)
    # min and max would let NaN through or not depending on the order of their arguments.
    low = low if math.isnan(low) else min(max(low, least), value)
    high = high if math.isnan(high) else max(min(high, most), value)
    return low, high, ""


def _mean_share(shares: Iterable[float]) -> float:
    """All seeds of a place tell the same, unless tables were joined; nan where one of them tells nothing."""
    told = list(shares)
    return math.fsum(told) / len(told) if told else math.nan


def _mean_length(lengths: Iterable[float]) -> float:
    """The mean distance to one end; a percentile interval may leave its own value outside, which counts as nothing."""
    known = [max(length, 0.0) if math.isfinite(length) else 0.0 for length in lengths]
    return math.fsum(known) / len(known)


def _differ(one: Row, other: Row) -> bool:
    """Whether both hold a number, and not the same."""
    both = (one.value, other.value)
    return all(map(math.isfinite, both)) and both[0] != both[1]
