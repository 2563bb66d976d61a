"""Threshold: the SNR from which on a share of sentences arrives whole, between swept points and never beyond."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from scipy.special import ndtri

from semcom.report.results import Point

__all__ = ["Threshold", "threshold"]

# Nobody counted half a message: without a count, the least share that is told from none.
FEWEST = 1e-4


@dataclass(frozen=True)
class Threshold:
    """Where a curve first reaches a share.

    Args:
        first: lowest SNR with a number [dB].
        last: highest [dB].
        where: whether it is reached within the sweep, below it already, not at all, or next to a point without number.
        snr_db: NaN unless reached.
        low: where the upper ends of the intervals reach it; -inf if that is below the sweep, NaN without intervals.
        high: where their lower ends do; inf if they do nowhere.
    """

    first: float
    last: float
    where: Literal["reached", "below", "not reached", "not measured"]
    snr_db: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def told(self) -> str:
        """As it is read, in dB."""
        if self.where == "below":
            return f"below {self.first:g}"
        if self.where != "reached":
            return f"not reached at {self.last:g}" if self.where == "not reached" else "not measured"
        if math.isnan(self.low) or math.isnan(self.high):
            return f"{self.snr_db:.1f}"
        low = f"{self.low:.1f}" if math.isfinite(self.low) else f"below {self.first:g}"
        high = f"{self.high:.1f}" if math.isfinite(self.high) else f"above {self.last:g}"
        return f"{self.snr_db:.1f} [{low}, {high}]"


def threshold(points: Sequence[Point], share: float) -> Threshold | None:
    """The SNR from which on this share of messages is right.

    Between two points the curve is taken for straight on the probit scale, Phi^-1(share), on which the normal
    approximation itself is nearly straight in dB; log(1 - share) would be off by a decibel and more where points lie
    3 dB apart. The interval holds every SNR at which the share's own interval holds the wanted one, so it is of the
    same resampling as the points.

    Args:
        points: one codec's values of a share in one air, in any order.

    Returns:
        None without any number.
    """
    ordered = sorted(points, key=lambda point: point.snr_db)
    known = [point for point in ordered if point.is_measured]
    if not known:
        return None
    ends = known[0].snr_db, known[-1].snr_db
    if known[0].value >= share:
        return Threshold(*ends, "below" if ordered[0] is known[0] else "not measured")
    over = next((right for left, right in pairwise(known) if left.value < share <= right.value), None)
    if over is None:
        return Threshold(*ends, "not reached" if ordered[-1] is known[-1] else "not measured")
    if not ordered[ordered.index(over) - 1].is_measured:
        return Threshold(*ends, "not measured")
    bare = any(math.isnan(point.low) or math.isnan(point.high) for point in known)
    low, high = (math.nan, math.nan) if bare else (_reached(known, share, end) for end in ("high", "low"))
    return Threshold(*ends, "reached", _reached(known, share, "value"), low, high)


def _reached(known: Sequence[Point], share: float, name: str) -> float:
    """Where this one of the numbers of each point first reaches the share; -inf at once, inf never."""
    if getattr(known[0], name) >= share:
        return -math.inf
    for left, right in pairwise(known):
        if getattr(left, name) < share <= getattr(right, name):
            below, above, wanted = (_probit(each, left) for each in (getattr(left, name), getattr(right, name), share))
            part = (wanted - below) / (above - below) if above > below else 1.0
            return left.snr_db + min(max(part, 0.0), 1.0) * (right.snr_db - left.snr_db)
    return math.inf


def _probit(share: float, point: Point) -> float:
    """Where no message or every one arrived, half a message stands for what cannot be told apart."""
    least = 0.5 / point.count if point.count else FEWEST
    return float(ndtri(min(max(share, least), 1 - least)))
