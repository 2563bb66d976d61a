"""Output never stops the work, whatever listens, and nothing foreign is obeyed by a terminal."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Column, Table
from rich.text import Text

from semcom.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
SAY = """
from semcom.terminal import Terminal
terminal = Terminal()
terminal.print({!r})
terminal.print("last")
print("done", file=open({!r}, "w"))
"""


def printed(*what: object, encoding: str = "utf-8") -> str:
    """What a console of this encoding writes, read in the same."""
    raw = io.BytesIO()
    terminal = Terminal()
    terminal.file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    for each in what:
        terminal.print(each, highlight=False, markup=False)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("ascii", "0.5 \xb10.1", "0.5 +-0.1"),
        ("cp1252", "0.5 \xb10.1 \u20ac", "0.5 \xb10.1 \u20ac"),
        ("cp1252", "\u4f60\u597d", "\\u4f60\\u597d"),
        ("ascii", "caf\xe9", "caf\\xe9"),
        ("latin-1", "\U0001f600 \u2282", "\\U0001f600 \\u2282"),
        ("utf-8", "\u4f60\u597d \xb1", "\u4f60\u597d \xb1"),
    ],
)
def test_letters_that_an_encoding_lacks_are_spelled_out(encoding: str, text: str, shown: str) -> None:
    assert printed(text, encoding=encoding) == shown + "\n"


@pytest.mark.parametrize(
    "text", ["\x1b[2Jgone", "a\x07b", "\u202egnp.exe", "\x9b31m", "\x1b]0;title\x07", "\x08\x08\x08ok", "half \ud83d"]
)
def test_nothing_foreign_is_obeyed(text: str) -> None:
    table = Table(Column(Text(text)))
    table.add_row(Text(text))
    line, drawn = printed(Text(text)), printed(table)
    assert not set(line + drawn) & set("\x1b\x07\u202e\x9b\x08\ud83d")
    assert {"\x1b": "\\x1b", "\x9b": "\\x9b", "\u202e": "\\u202e"}.get(text[0], "") in line


def test_a_terminal_still_gets_its_own_colors() -> None:
    terminal = Terminal()
    terminal._force_terminal = True
    with terminal.capture() as captured:
        terminal.print("mark", style="red")
    assert "mark" in captured.get()


class Refusing(io.StringIO):
    """A stream of which every write fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(32, "gone"),
        OSError(28, "full"),
        OSError(5, "hung up"),
        ValueError("I/O operation on closed file"),
    ],
)
def test_a_stream_that_fails_costs_what_was_said_and_no_more(error: Exception) -> None:
    terminal = Terminal()
    terminal.file = Refusing(error)
    terminal.print("lost")
    terminal.print("lost too")
    # A reader who left wants no more, and a stream that was closed was meant to be.
    wanted = isinstance(error, OSError) and not isinstance(error, BrokenPipeError)
    assert terminal.lost is (error if wanted else None)


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
@pytest.mark.parametrize("redirection", ["| true", "| head -c 1", "> /dev/full", ">&-", ">&- 2>&- <&-"])
def test_output_that_ends_early_stops_nothing(redirection: str, tmp_path: Path) -> None:
    if "/dev/full" in redirection and not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    mark = tmp_path / "mark"
    (tmp_path / "say.py").write_text(SAY.format("a line " * 20_000, str(mark)))
    done = subprocess.run(
        f"({sys.executable} say.py; echo $? > code) {redirection}",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (mark.read_text(), (tmp_path / "code").read_text()) == ("done\n", "0\n"), done.stderr
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_closed_streams_leave_their_numbers_to_nobody(tmp_path: Path) -> None:
    """Else a file opened next would be what a library prints into."""
    code = "import semcom.cli, os; f = open('kept', 'w'); f.write(str(f.fileno()))"
    subprocess.run(
        f'{sys.executable} -c "{code}" <&- >&- 2>&-',
        shell=True,
        cwd=tmp_path,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert int((tmp_path / "kept").read_text()) > 2
