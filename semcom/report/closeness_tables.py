"""Tables of generated layers: how close each comes to a teacher's, and which of two codecs is closer on how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from semcom.report.closeness import Closeness
from semcom.report.closeness_figures import interval_told
from semcom.report.results import in_order
from semcom.report.tables import Table, exact, interval

__all__ = ["closeness_tables"]

# Cosines near 1 differ in the fourth digit.
DIGITS = 4
SHOWN = ("cosine", "l1_share")
NUMBERS = ("cosine", "L1 share")
FULL = (
    "codec", "against", "around", "family", "side", "layer", "metric", "value", "low", "high", "verdict", "seeds",
    "messages", "own_parameters",
)  # fmt: skip


def closeness_tables(found: Sequence[Closeness]) -> list[Table]:
    """`layers` with a row for every layer of every codec, and `layer_differences` where codecs are compared."""
    values, differences = ([each for each in found if bool(each.against) == paired] for paired in (False, True))
    return [*([_values(values)] if values else []), *([_differences(differences)] if differences else [])]


def _values(found: Sequence[Closeness]) -> Table:
    rows = [
        (first.codec, first.family, first.around, first.stack, str(first.layer), f"{first.own_parameters:,}", *cells)
        for first, cells in _places(found)
    ]
    told = (
        "Generated layers beside those of the codec around: mean cosine, and mean absolute difference over the layer's "
        f"mean absolute value (L1 share).{_ends(found)}"
    )
    header = ("codec", "family", "around", "side", "layer", "own parameters", *NUMBERS)
    return Table("layers", told, header, tuple(rows), _full(found), names=4)


def _differences(found: Sequence[Closeness]) -> Table:
    """A row for every layer of every pair, and one in front that counts them."""
    rows = []
    for pair in in_order((each.codec, each.against) for each in found):
        those = [each for each in found if (each.codec, each.against) == pair]
        name = f"{pair[0]} minus {pair[1]}"
        counts = (_counted([each for each in those if each.metric == metric]) for metric in SHOWN)
        rows.append((name, "closer, alike, farther", "", *counts))
        rows += [(name, first.stack, str(first.layer), *cells) for first, cells in _places(those)]
    told = (
        "Paired differences between generated layers, first minus second, in cosine (above 0 the first is closer) and "
        "L1 share (below 0 the first is closer). Counts: layers on which the first is closer, those on which the "
        f"interval holds 0, those on which it is farther.{_ends(found)}"
    )
    return Table("layer_differences", told, ("pair", "side", "layer", *NUMBERS), tuple(rows), _full(found), names=2)


def _counted(differences: Sequence[Closeness]) -> str:
    """On how many layers the first is closer, not told apart, and farther."""
    counts = Counter(each.verdict for each in differences)
    told = ", ".join(str(counts[verdict]) for verdict in ("closer", "alike", "farther"))
    return f"{told} ({counts['']} without an interval)" if counts[""] else f"{told} of {len(differences)}"


def _places(found: Sequence[Closeness]) -> list[tuple[Closeness, tuple[str, ...]]]:
    """Of every codec or pair and layer one of its numbers, and the cells of those that are shown."""
    places: dict[tuple[object, ...], dict[str, Closeness]] = {}
    for each in found:
        places.setdefault((each.codec, each.against, each.around, each.stack, each.layer), {})[each.metric] = each
    return [(next(iter(told.values())), tuple(_cell(told.get(metric)) for metric in SHOWN)) for told in places.values()]


def _cell(each: Closeness | None) -> str:
    return interval(each.value, each.low, each.high, DIGITS) if each else ""


def _ends(found: Sequence[Closeness]) -> str:
    told = interval_told(found)
    return f" In brackets: {told}." if told else ""


def _full(found: Sequence[Closeness]) -> tuple[tuple[str, ...], ...]:
    rows = [
        (
            *(each.codec, each.against, each.around, each.family, each.stack, str(each.layer), each.metric),
            *map(exact, (each.value, each.low, each.high)),
            each.verdict if each.against else "",
            ";".join(map(str, each.seeds)),
            str(each.count or ""),
            str(each.own_parameters),
        )
        for each in found
    ]
    return (FULL, *rows)
