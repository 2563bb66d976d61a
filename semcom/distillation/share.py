"""How much the methods count in an air: everywhere alike, above a SINR, or growing with it."""

from __future__ import annotations

from collections.abc import Sequence

from channels import Link, mean_sinr_db

ROUNDING_DB = 1e-9  # what a SINR of 2 dB may fall short of 2 by
NARROWEST_DB = 0.01  # a rise over less is a step


def check_share(above_sinr_db: float | None, rises_over_db: tuple[float, float] | None) -> None:
    """Refuse two rules at once, and a rise over no distance.

    Raises:
        ValueError: see above.
    """
    if rises_over_db is None:
        return
    if above_sinr_db is not None:
        raise ValueError(
            f"rises_over_db must be the only rule, got above_sinr_db: {above_sinr_db:g} beside it; leave one out"
        )
    if abs(rises_over_db[0] - rises_over_db[1]) < NARROWEST_DB:
        raise ValueError(
            f"rises_over_db must be two SINRs at least {NARROWEST_DB} dB apart, got {rises_over_db[0]:g} and "
            f"{rises_over_db[1]:g}; for a step write above_sinr_db"
        )


def share_in(
    link: Link, *, above_sinr_db: float | None = None, rises_over_db: tuple[float, float] | None = None
) -> float:
    """What every method's weight is multiplied by in batches sent over a link, 0 to 1.

    share = clip( (SINR - a) / (b - a), 0, 1 ),   SINR the link's closed-form mean at the student [dB]

    Labels keep their weight. Written downwards, b < a, methods count in bad air alone.

    Args:
        above_sinr_db: instead of a rise a step, 1 from this SINR on and 0 below [dB].
        rises_over_db: a, where the methods count nothing, and b, where they count in full [dB].
    """
    if above_sinr_db is not None:
        return float(mean_sinr_db(link) >= above_sinr_db - ROUNDING_DB)
    if rises_over_db is None:
        return 1.0
    nothing, full = rises_over_db
    return min(1.0, max(0.0, (mean_sinr_db(link) - nothing) / (full - nothing)))


def common_share(
    links: Sequence[Link], *, above_sinr_db: float | None, rises_over_db: tuple[float, float] | None
) -> float:
    """What the methods count in a step, through all of its airs.

    Raises:
        ValueError: they would count differently in each.
    """
    shares = {share_in(link, above_sinr_db=above_sinr_db, rises_over_db=rises_over_db) for link in links}
    if len(shares) > 1:
        raise ValueError(
            "methods that count by SINR must be told one air a step, got several with shares of "
            f"{min(shares):.2g} to {max(shares):.2g}; train with airs: 1"
        )
    return shares.pop()
