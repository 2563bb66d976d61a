"""The table of pruned codecs: what each kept of what, by which criterion, what that saved, and how seeds agree."""

from __future__ import annotations

import math
from collections.abc import Sequence

from semcom.compression.agreement import Agreement, agreement
from semcom.report.pruned import Pruned, Savings, alike_to, criterion_name, seeds_of
from semcom.report.tables import Table, exact

__all__ = ["pruning_table"]

HEADER = (
    "codec", "of", "taken away", "chosen by", "layers kept", "parameters before", "after", "removed",
    "multiply-adds before", "after", "removed", "agreement",
)  # fmt: skip
FULL = (
    "codec", "start", "kind", "criterion", "seeds", "parameters_before", "parameters", "parameters_removed",
    "multiply_adds_before", "multiply_adds", "multiply_adds_removed", "overlap", "overlap_by_chance", "stack", "layer",
    "kept_share",
)  # fmt: skip


def pruning_table(found: Sequence[Pruned]) -> Table | None:
    """A row for each pruned codec, its seeds together; None without any.

    Counts are means over seeds. In the CSV beside it every layer has a row, with the share of seeds that keep it.
    """
    if not found:
        return None
    rows, several = list[tuple[str, ...]](), False
    full: list[tuple[str, ...]] = [FULL]
    for seeds in seeds_of(found).values():
        alike = alike_to(seeds[0], seeds)
        together = _agreement(alike)
        several = several or together is not None
        rows.append(_row(seeds, alike, together))
        full += _full(seeds, alike, together)
    told = (
        "Pruned codecs: parameters and multiply-adds of the codec that was pruned, those that are left, and the share "
        "that was removed. Layers are numbered from 1 on as in the codec that was pruned."
    )
    if several:
        told += (
            " In brackets: how many seeds keep a layer. Agreement: mean share of kept layers that two seeds have in "
            "common, beside what layers drawn without looking would have."
        )
    width = len(HEADER) if several else len(HEADER) - 1
    return Table("pruning", told, HEADER[:width], tuple(row[:width] for row in rows), tuple(full), names=5)


def _agreement(alike: Sequence[Pruned]) -> Agreement | None:
    """None of one seed, or where no layers were chosen."""
    if len(alike) < 2 or not alike[0].stacks:
        return None
    choices = [tuple(tuple(layer - 1 for layer in stack.kept) for stack in each.stacks) for each in alike]
    return agreement(choices, [stack.depth for stack in alike[0].stacks])


def _row(seeds: Sequence[Pruned], alike: Sequence[Pruned], together: Agreement | None) -> tuple[str, ...]:
    first, savings = seeds[0], _savings(seeds)
    return (
        first.codec,
        first.start,
        first.kind,
        criterion_name(first.criterion),
        _kept(alike) if first.stacks else "all",
        *_cells(savings.parameters_before, savings.parameters),
        *_cells(savings.multiply_adds_before, savings.multiply_adds),
        f"{together.overlap:.2f} ({together.by_chance:.2f} by chance)" if together else "",
    )


def _kept(alike: Sequence[Pruned]) -> str:
    """Layers of each stack that a seed keeps, and by how many seeds where there are several."""
    said = []
    for index, stack in enumerate(alike[0].stacks):
        chosen = [each.stacks[index].kept for each in alike]
        counts = {layer: sum(layer in kept for kept in chosen) for layer in sorted(set().union(*chosen))}
        layers = ", ".join(f"{layer} ({count})" if len(alike) > 1 else f"{layer}" for layer, count in counts.items())
        said.append(f"{stack.name} {layers} of {stack.depth}")
    return "; ".join(said)


def _cells(before: float | None, after: float | None) -> tuple[str, str, str]:
    share = _removed(before, after)
    counts = ("" if value is None else f"{value:,.0f}" for value in (before, after))
    return (*counts, "" if math.isnan(share) else f"{100 * share:.1f} %")  # type: ignore[return-value]


def _removed(before: float | None, after: float | None) -> float:
    return 1 - after / before if before and after is not None else math.nan


def _savings(seeds: Sequence[Pruned]) -> Savings:
    """The mean over seeds, of which some may have a vocabulary of another size."""

    def mean(name: str) -> float | None:
        known = [value for each in seeds if (value := getattr(each.savings, name)) is not None]
        return math.fsum(known) / len(known) if known else None

    return Savings(**{name: mean(name) for name in Savings.__dataclass_fields__})


def _full(seeds: Sequence[Pruned], alike: Sequence[Pruned], together: Agreement | None) -> list[tuple[str, ...]]:
    """The rows under FULL of one codec."""
    first, savings = seeds[0], _savings(seeds)

    def counts(name: str) -> tuple[str, ...]:
        before, after = getattr(savings, f"{name}_before"), getattr(savings, name)
        return (
            *("" if value is None else f"{value:.10g}" for value in (before, after)),
            exact(_removed(before, after)),
        )

    about = (
        *(first.codec, first.start, first.kind, first.criterion, ";".join(str(each.seed) for each in alike)),
        *counts("parameters"),
        *counts("multiply_adds"),
        *(map(exact, (together.overlap, together.by_chance)) if together else ("", "")),
    )
    if not first.stacks:
        return [(*about, "", "", "")]
    return [
        (*about, stack.name, str(layer), exact(sum(layer in each.stacks[index].kept for each in alike) / len(alike)))
        for index, stack in enumerate(first.stacks)
        for layer in range(1, stack.depth + 1)
    ]
