"""Numbers as people say them: 2m05s, 1 point, 2 points."""

from __future__ import annotations


def lasting(seconds: float) -> str:
    """A duration: 45s, 2m05s, 1h10m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def counted(number: int, noun: str) -> str:
    """How many of something: no points are 0 points, then 1 point, 2 points, 1,000 points."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
