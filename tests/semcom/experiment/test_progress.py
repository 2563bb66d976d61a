"""Progress: plain lines where nobody watches, bars where somebody does, and times people can read."""

from __future__ import annotations

import io
import itertools

import pytest
from rich.console import Console

from semcom.experiment import progress as module
from semcom.experiment.progress import Board, named


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """Seconds from nowhere; the last of the list is now."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[-1])
    return now


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def board(said) -> Board:
    return Board(Console(file=said, width=200))


def test_lines_come_first_last_and_every_few_seconds(board, said, clock) -> None:
    tick = board.tick("training")
    for step in range(1, 101):
        clock.append(100 + 0.2 * step)
        tick(step, 100, f"loss {step}")
    lines = said.getvalue().splitlines()
    # Twenty seconds: the first, one every five, and the end.
    assert [line.split()[1] for line in lines] == ["1/100", "26/100", "51/100", "76/100", "100/100"]
    assert all(line.startswith("training") for line in lines)
    assert "26%" in lines[1]
    assert lines[-1].endswith("100%  loss 100"), "no time is left at the end"


def test_time_left_is_counted_from_where_the_work_began_again(board, said, clock) -> None:
    tick = board.tick("training")
    tick(500, 1000, "")
    clock.append(110.0)
    tick(600, 1000, "")
    assert "left" not in said.getvalue().splitlines()[0]
    # A hundred steps took ten seconds, so the other four hundred take forty.
    assert "40s left" in said.getvalue().splitlines()[1]


def test_a_total_that_nobody_knows(board, said) -> None:
    named(board.tick("reading"))("unpacking", 7, 0)
    assert said.getvalue().split() == ["reading", "7", "unpacking"]


def test_what_is_said_is_said_as_it_is(board, said) -> None:
    board.say("a [bold]word[/bold] and :smile: 12")
    assert said.getvalue() == "a [bold]word[/bold] and :smile: 12\n"


ODD = {"a\x1b[2Jb": "a\\x1b[2Jb", "\u202egnp.exe": "\\u202egnp.exe", "a\rb\x07": "a\\x0db\\x07", "[/x]": "[/x]"}


@pytest.mark.parametrize(("text", "shown"), ODD.items())
@pytest.mark.parametrize("is_terminal", [False, True])
def test_nothing_that_is_said_is_obeyed(said, text, shown, is_terminal) -> None:
    with Board(Console(file=said, force_terminal=is_terminal, color_system=None, width=200)) as board:
        board.say(f"read {text}")
        tick = board.tick(f"preparing {text}")
        tick(1, 2, f"from {text}")
        tick(2, 2, f"from {text}")
    told = said.getvalue()
    assert text == shown or text not in told
    for words in (f"read {shown}", f"preparing {shown}", f"from {shown}"):
        assert words in told


def test_two_things_at_a_time_have_lines_of_their_own(board, said, clock) -> None:
    one, other = board.tick("one"), board.tick("other")
    for count in itertools.count(1):
        if count > 3:
            break
        one(count, 3, "")
        other(count, 3, "")
    assert [line.split()[:2] for line in said.getvalue().splitlines()] == [
        ["one", "1/3"],
        ["other", "1/3"],
        ["one", "3/3"],
        ["other", "3/3"],
    ]


def test_a_terminal_gets_a_bar() -> None:
    said = io.StringIO()
    with Board(Console(file=said, force_terminal=True, width=120)) as board:
        tick = board.tick("training")
        tick(3, 10, "loss 0.5")
        board.say("a line that stays")
        named(board.tick("reading"))("unpacking", 7, 0)
    shown = said.getvalue()
    assert "training" in shown
    assert "3/10" in shown
    assert "loss 0.5" in shown
    assert "a line that stays" in shown
    assert "unpacking" in shown
