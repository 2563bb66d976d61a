"""The consoles that people read: output that never stops the work, in any encoding, with nothing a terminal obeys."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from semcom.words import visible

# What our own tables say that not every encoding can.
_PLAIN = {"\xb1": "+-", "\u2264": "<=", "\u2265": ">="}


class Terminal(Console):
    """A console whose output may end early, be short of letters or of room, without ending the program.

    A pipe that its reader closes (`| head -1`), a full disk under a redirected log and a terminal that is gone all cost
    what would have been said, never the run. Letters that the encoding lacks are spelled out. Control and
    bidirectional characters from scenarios, tables and received text are shown, not obeyed.

    Args:
        stderr: write to the standard error instead of the standard output.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        is_sized = "COLUMNS" in os.environ or (stream is not None and stream.isatty())
        # Where no terminal says how wide it is, tables may be as wide as a log file bears. No emoji: a path or a
        # sentence may hold a word between colons.
        super().__init__(stderr=stderr, soft_wrap=True, emoji=False, width=None if is_sized else 120)
        # Why something that was said is lost, unless its reader left.
        self.lost: OSError | None = None

    @property
    def file(self) -> IO[str]:
        """The stream written to, which takes whatever it is given."""
        return _Patient(super().file, self._lose)  # type: ignore[return-value]

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file

    def _lose(self, error: Exception) -> None:
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            self.lost = error

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Rich's own rendering, with foreign controls spelled out; rich's own cursor movements pass."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


class _Patient:
    """A text stream whose writes do not fail.

    Args:
        on_loss: told why, where they would have.
    """

    def __init__(self, stream: IO[str], on_loss: Callable[[Exception], None]) -> None:
        self._stream = stream
        self._on_loss = on_loss

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            self._stream.write(_encodable(text, getattr(self._stream, "encoding", None) or "ascii"))
        except (OSError, ValueError) as error:
            # ValueError is what a closed Python stream raises.
            self._on_loss(error)
            _silence(self._stream)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._on_loss(error)
            _silence(self._stream)


def _encodable(text: str, encoding: str) -> str:
    """The text with letters that the encoding lacks written in others."""
    for letter, plain in _PLAIN.items():
        # One letter that it lacks is no reason to spell out the others.
        if letter.encode(encoding, "replace") == b"?":
            text = text.replace(letter, plain)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _silence(stream: IO[str]) -> None:
    """Send what is still to come, the interpreter's last flush included, nowhere."""
    try:
        handle = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except (OSError, ValueError):
        return
    os.dup2(nowhere, handle)
    os.close(nowhere)


def reserve_standard_streams() -> None:
    """Open the null device in place of standard streams that were closed.

    Otherwise the next file opened takes their number, and a library that prints would write into it.
    """
    for handle in (0, 1, 2):
        try:
            os.fstat(handle)
        except OSError:
            # The lowest free number is given, which is this one.
            os.open(os.devnull, os.O_RDWR)
