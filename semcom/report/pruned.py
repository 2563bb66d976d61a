"""Read pruning.csv, what pruned codecs kept and what that saved, if a run left one beside its results."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

from semcom.mistakes import UserMistake
from semcom.report.lines import read_lines
from semcom.words import visible

__all__ = ["Pruned", "Savings", "Stack", "alike_to", "criterion_name", "read_pruned", "seeds_of"]

# Far above any network and any scenario, and little enough to read and to draw.
MOST_LAYERS = 512
MOST_ROWS = 200_000
MOST_BYTES = 64 << 20
MOST = 1e15
# Unbiased CKA lies about between 0 and 1, and may leave that range where batches are small.
MOST_SIMILAR = 1e3


@dataclass(frozen=True)
class Stack:
    """The layers of one side, in order.

    Args:
        kept: numbers of the layers that stay, from 1 on.
        segments: first and last layer of each run of alike ones; empty where nothing was segmented.
        sums: what the segments are cut by, of each layer; empty alike.
        similarity: of each layer with all; empty alike.
    """

    name: str
    depth: int
    kept: tuple[int, ...]
    segments: tuple[tuple[int, int], ...] = ()
    sums: tuple[float, ...] = ()
    similarity: tuple[tuple[float, ...], ...] = ()

    @property
    def is_partition(self) -> bool:
        """Whether it tells how its layers were chosen."""
        return bool(self.segments and self.sums and self.similarity)


@dataclass(frozen=True)
class Savings:
    """Parameters and multiply-adds, before and after; None where a table does not tell."""

    parameters_before: float | None
    parameters: float | None
    multiply_adds_before: float | None
    multiply_adds: float | None


@dataclass(frozen=True)
class Pruned:
    """One pruned codec of one seed.

    Args:
        start: the codec it was pruned from.
        kind: what was taken away: layers or channels.
        stacks: none where channels were pruned.
    """

    codec: str
    seed: int
    start: str
    kind: str
    criterion: str
    savings: Savings
    stacks: tuple[Stack, ...]

    @property
    def is_partition(self) -> bool:
        """Whether it tells of every stack how its layers were chosen."""
        return bool(self.stacks) and all(stack.is_partition for stack in self.stacks)


COSTS = tuple(Savings.__dataclass_fields__)
Line = dict[str, str]


def read_pruned(folder: Path) -> list[Pruned]:
    """The pruned codecs of a run folder, in the order of the table; none without a pruning.csv.

    Raises:
        UserMistake: there is one, and it is no table of pruned codecs.
    """
    path = folder / "pruning.csv"
    if not path.is_file():
        return []
    try:
        rows = read_lines(path, most_bytes=MOST_BYTES, most_rows=MOST_ROWS)
        lines = [{name: visible(value.strip()) for name, value in row.items()} for row in rows]
        found = [_pruned(list(group)) for _, group in groupby(lines, lambda line: (line["codec"], line["seed"]))]
        if len({(each.codec, each.seed) for each in found}) < len(found):
            raise ValueError("the rows of one codec and seed must stand together")
        return found
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError) as error:
        what = f"{path} must be the table of pruned codecs that a run writes, got {type(error).__name__}: {error}"
        raise UserMistake(f"{what}; delete it and run the scenario again") from None


def seeds_of(found: Sequence[Pruned]) -> dict[str, list[Pruned]]:
    """The same by codec, the seeds of each together."""
    return {codec: [each for each in found if each.codec == codec] for codec in dict.fromkeys(e.codec for e in found)}


def alike_to(one: Pruned, seeds: Sequence[Pruned]) -> list[Pruned]:
    """Those seeds whose stacks have names, depths and numbers of kept layers of this one: their choices compare."""
    shape = _shape(one)
    return [each for each in seeds if _shape(each) == shape]


def criterion_name(criterion: str) -> str:
    """As people write it."""
    return {"psr": "PSR", "l1_channels": "L1 norm of channels"}.get(criterion, criterion.replace("_", " "))


def _shape(one: Pruned) -> list[tuple[str, int, int]]:
    return [(stack.name, stack.depth, len(stack.kept)) for stack in one.stacks]


def _pruned(lines: list[Line]) -> Pruned:
    """The codec that rows of one codec and seed tell of."""
    first = lines[0]
    about = ("codec", "start", "kind", "criterion")
    if not first["codec"] or any(line[name] != first[name] for line in lines for name in (*about, *COSTS)):
        raise ValueError("rows must name a codec, and rows of one codec and seed agree in what it is and costs")
    groups = [(name, list(group)) for name, group in groupby(lines, lambda line: line["stack"])]
    if len({name for name, _ in groups}) < len(groups) or (len(groups) > 1 and not all(name for name, _ in groups)):
        raise ValueError("the layers of one stack must stand together")
    return Pruned(
        codec=first["codec"],
        seed=int(first["seed"]),
        start=first["start"],
        kind=first["kind"],
        criterion=first["criterion"],
        savings=Savings(**{name: _cost(first[name]) for name in COSTS}),
        stacks=tuple(_stack(name, group) for name, group in groups if name),
    )


def _stack(name: str, lines: list[Line]) -> Stack:
    depth = len(lines)
    if depth > MOST_LAYERS or [int(line["layer"]) for line in lines] != list(range(1, depth + 1)):
        raise ValueError(f"the layers of a stack must be 1 to at most {MOST_LAYERS}, one row for each")
    if not {line["kept"] for line in lines} <= {"0", "1"}:
        raise ValueError("kept must be 0 or 1")
    kept = tuple(layer for layer, line in enumerate(lines, 1) if line["kept"] == "1")
    if not kept:
        raise ValueError("a stack must keep a layer")
    sums = tuple(_alike(line["column_sum"], most=MOST_SIMILAR * depth) for line in lines if line["column_sum"])
    if len(sums) not in (0, depth):
        raise ValueError("column_sum must be there for every layer of a stack or for none")
    return Stack(
        name=name,
        depth=depth,
        kept=kept,
        segments=_segments([line["segment"] for line in lines]),
        sums=sums,
        similarity=_matrix([line["similarity"] for line in lines]),
    )


def _segments(cells: list[str]) -> tuple[tuple[int, int], ...]:
    """First and last layer of each, from the segment that every layer is in."""
    if not any(cells):
        return ()
    numbers = [int(cell) for cell in cells]
    if numbers[0] != 1 or any(after - before not in (0, 1) for before, after in pairwise(numbers)):
        raise ValueError("segments must be runs of layers, numbered from 1 on")
    runs = [[layer for layer, number in enumerate(numbers, 1) if number == each] for each in dict.fromkeys(numbers)]
    return tuple((run[0], run[-1]) for run in runs)


def _matrix(cells: list[str]) -> tuple[tuple[float, ...], ...]:
    if not any(cells):
        return ()
    rows = tuple(tuple(_alike(each, most=MOST_SIMILAR) for each in cell.split(";")) for cell in cells)
    if any(len(row) != len(rows) for row in rows):
        raise ValueError(f"similarity must hold {len(rows)} numbers with ; between, one for each layer of the stack")
    return rows


def _alike(text: str, *, most: float) -> float:
    number = float(text)
    if not abs(number) <= most:
        raise ValueError(f"a similarity must be a finite number, at most {most:g} in size, got {text}")
    return number


def _cost(text: str) -> float | None:
    number = float(text) if text else None
    if number is not None and not 0 <= number <= MOST:
        raise ValueError(f"a cost must be a number from 0 to {MOST:g}, got {text}")
    return number
