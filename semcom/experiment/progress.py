"""Progress with time left: a moving bar when a terminal listens, plain lines when not."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from semcom.words import lasting, visible

LINE_SECONDS = 5.0
# Columns of a terminal from which on the time left is shown beside name and count, and a bar and a message too.
MEDIUM_WIDTH, WIDE = 55, 100


class Tick(Protocol):
    """Called after a piece of work: how many are done, of how many, and what to say."""

    def __call__(self, done: int, total: int, message: str) -> None: ...


def named(tick: Tick) -> Callable[[str, int, int], None]:
    """The same for work that says first what it does, and 0 for a total it does not know."""

    def show(what: str, done: int, total: int) -> None:
        tick(done, total, what)

    return show


class Board(AbstractContextManager["Board"]):
    """Where long work shows how far it is."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bars = _Bars(console) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.progress.stop()

    def say(self, text: str) -> None:
        """One line that stays."""
        self.console.print(visible(text), highlight=False, markup=False, emoji=False)

    def tick(self, name: str) -> Tick:
        """A bar or a series of lines of its own."""
        return self._bars.tick(name) if self._bars else _Lines(self, name)


class _Bars:
    def __init__(self, console: Console) -> None:
        # In a narrow terminal the name and the count stay; what says least goes first.
        columns: list[ProgressColumn] = [TextColumn("{task.description}", markup=False), MofNCompleteColumn()]
        if console.width >= MEDIUM_WIDTH:
            columns.append(TimeRemainingColumn(elapsed_when_finished=True))
        if console.width >= WIDE:
            columns.insert(1, BarColumn())
            columns.append(TextColumn("{task.fields[message]}", style="dim", markup=False))
        self.progress = Progress(*columns, console=console)

    def tick(self, name: str) -> Tick:
        bar = self.progress.add_task(visible(name), total=None, message="")

        def show(done: int, total: int, message: str) -> None:
            self.progress.update(bar, completed=done, total=total or None, message=visible(message))

        return show


class _Lines:
    def __init__(self, board: Board, name: str) -> None:
        self.board = board
        self.name = name
        self.first: tuple[int, float] | None = None
        self.shown = -float("inf")

    def __call__(self, done: int, total: int, message: str) -> None:
        now = time.monotonic()
        # Resumed work starts in the middle, so speed is counted from the first call, not from zero.
        self.first = self.first or (done, now)
        if done != total and now - self.shown < LINE_SECONDS:
            return
        self.shown = now
        ahead, since = done - self.first[0], now - self.first[1]
        left = f"{lasting(since / ahead * (total - done))} left" if ahead > 0 and done < total else ""
        share = f"{done}/{total}  {100 * done / total:3.0f}%" if total else str(done)
        self.board.say("  ".join(part for part in (f"{self.name:<28}", share, left, message) if part))
