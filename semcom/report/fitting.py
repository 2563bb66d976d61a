"""Fitted: a table for terminals of any width, which leaves out whole columns before it cuts a name or a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from semcom.words import visible

__all__ = ["Column", "Fitted"]

# Names are broken into lines of so many letters before any column goes.
NAME = 10
BETWEEN = 2


@dataclass(frozen=True)
class Column:
    """One column of text, whatever signs are in it.

    Args:
        is_name: names stand to the left and may be broken, numbers to the right and whole.
        spare: columns with the largest go first where the terminal is narrow; those with 0 stay.
    """

    heading: str
    cells: tuple[Text, ...]
    is_name: bool = False
    spare: int = 0

    @property
    def least(self) -> int:
        """How many letters wide it must be."""
        lines = [line for each in (self.heading, *self.cells) for line in str(each).split("\n")]
        wide = max(map(cell_len, lines))
        return min(wide, NAME) if self.is_name else wide


@dataclass(frozen=True)
class Fitted:
    """Columns under a title; a last line names those that found no room.

    Args:
        title: for the numbers of the columns that are shown.
    """

    columns: Sequence[Column]
    title: Callable[[Sequence[int]], str]

    def shown(self, width: int) -> list[int]:
        """The columns that a terminal has room for."""
        kept = list(range(len(self.columns)))
        while sum(self.columns[each].least + BETWEEN for each in kept) - BETWEEN > width:
            spare = max(kept, key=lambda each: self.columns[each].spare)
            if not self.columns[spare].spare:
                break
            kept.remove(spare)
        return kept

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What rich prints: a table as wide as the terminal allows."""
        kept = self.shown(options.max_width)
        columns = [self.columns[each] for each in kept]
        crowded = sum(each.least + BETWEEN for each in columns) - BETWEEN > options.max_width
        yield Text(visible(self.title(kept)), style="bold")
        table = Table(box=None, pad_edge=False, padding=(0, BETWEEN, 0, 0))
        for each in columns:
            table.add_column(
                Text(visible(each.heading)),
                justify="left" if each.is_name else "right",
                overflow="fold",
                no_wrap=not (each.is_name or crowded),
                min_width=None if crowded else each.least,
            )
        for cells in zip(*(each.cells for each in columns), strict=True):
            table.add_row(*cells)
        yield table
        gone = [each.heading.replace("\n", ", ") for number, each in enumerate(self.columns) if number not in kept]
        if gone:
            yield Text(visible(f"No room here for: {'; '.join(gone)}"), style="dim")
