"""Plain pickle: a dictionary of arrays or lists read out of a pickle of which nothing is executed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from semcom.sources.pickled_arrays import (
    OF_FRAMES,
    OF_PICTURES,
    Kind,
    Name,
    NumberFormat,
    Shell,
    UnreadablePickleError,
    array_of,
    known,
    made,
    text_of,
)

if TYPE_CHECKING:
    import numpy as np

# A line of protocol 0 that is no array: a number, a name.
LONGEST_LINE = 1000
# The longest text in one piece: an array of protocol 0 has up to four characters a byte.
LARGEST_PIECE = 2_000_000_000

_MARK = object()


def arrays_in(file: BinaryIO, size: int) -> dict[tuple[str, int], np.ndarray]:
    """The arrays of a pickled {(word, whole number): array}, of protocols 0 to 4 and of Python 2 or 3.

    This is a reader of a data format, not Python's unpickler: it knows the operations that such a dictionary needs
    and three names, whose meaning is built in. There is no operation that imports, looks up or calls anything.

    Args:
        size: bytes of the file; nothing larger is taken from it.

    Raises:
        UnreadablePickleError: it holds anything else, or is cut short.
    """
    arrays = {}
    for key, shell in _dictionary_in(file, size, OF_FRAMES).items():
        if not isinstance(shell, Shell) or shell.array is None:
            raise UnreadablePickleError("a value that is no array")
        arrays[key] = shell.array
    # Each number stands in the file once, unless somebody wants little to become much.
    if sum(array.nbytes for array in arrays.values()) > size:
        raise UnreadablePickleError("more numbers than the file has room for")
    return arrays


def lists_and_bytes_in(file: BinaryIO, size: int) -> dict[str, Any]:
    """What a pickled {word: array of bytes, list, word or number} holds, read like `arrays_in`.

    Lists are as they come: what they hold is for the caller to check.

    Raises:
        UnreadablePickleError: it holds anything else, or is cut short.
    """
    found = _dictionary_in(file, size, OF_PICTURES)
    if any(isinstance(value, Shell) and value.array is None for value in found.values()):
        raise UnreadablePickleError("an array without numbers")
    return {key: value.array if isinstance(value, Shell) else value for key, value in found.items()}


def _dictionary_in(file: BinaryIO, size: int, kind: Kind) -> dict[Any, Any]:
    try:
        found = _Machine(file, size, kind).run()
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeError, OverflowError) as error:
        raise UnreadablePickleError(f"operations that do not fit together ({type(error).__name__})") from error
    if not isinstance(found, dict):
        raise UnreadablePickleError("no dictionary")
    return found


class _Machine:
    """The stack, the memo and the operations of a pickle that holds data alone."""

    def __init__(self, file: BinaryIO, size: int, kind: Kind) -> None:
        self._file, self._size, self._left, self._encoded = file, size, size, 0
        self._kind = kind
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        for _ in range(self._kind.operations):
            code = self._take(1)
            if code == b".":
                return self._stack.pop()
            operation = _OPERATIONS.get(code)
            if operation is None:
                raise UnreadablePickleError(f"the operation {code!r}, which no dictionary of arrays needs")
            operation(self)
        raise UnreadablePickleError(f"more than {self._kind.operations:,} operations")

    def _take(self, count: int) -> bytes:
        # Asked before anything is read or reserved: a length is only a claim.
        if count > min(self._left, LARGEST_PIECE):
            raise UnreadablePickleError("an end in the middle")
        data = self._file.read(count)
        if len(data) < count:
            raise UnreadablePickleError("an end in the middle")
        self._left -= count
        return data

    def _line(self, longest: int = LONGEST_LINE) -> bytes:
        line = self._file.readline(min(longest, self._left) + 1)
        if not line.endswith(b"\n"):
            raise UnreadablePickleError("a line without an end")
        self._left -= len(line)
        return line[:-1]

    def _number(self, count: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._take(count), "little", signed=signed)

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _since_mark(self) -> list[Any]:
        place = len(self._stack) - 1
        while self._stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise UnreadablePickleError("an end of a group that never began")
        items = self._stack[place + 1 :]
        del self._stack[place:]
        return items

    def _last(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise UnreadablePickleError("a group of what is not there")
        items = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return items

    # Text and numbers

    def _whole(self) -> None:
        line = self._line()
        if line in (b"00", b"01"):
            self._push(line == b"01")
        elif re.fullmatch(rb"-?\d{1,18}L?", line):
            self._push(int(line.rstrip(b"L")))
        else:
            raise UnreadablePickleError("a number that is none")

    def _quoted(self) -> None:
        line = self._line(LARGEST_PIECE)
        if len(line) < 2 or line[:1] not in (b"'", b'"') or line[:1] != line[-1:]:
            raise UnreadablePickleError("text without quotes")
        try:
            self._push(codecs.escape_decode(line[1:-1])[0])
        except ValueError:
            raise UnreadablePickleError("text with an escape that is none") from None

    def _unquoted(self) -> None:
        self._push(self._line(LARGEST_PIECE).decode("raw-unicode-escape"))

    # Groups

    def _into_dictionary(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise UnreadablePickleError("an entry that is in no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[self._kind.key(key)] = value

    def _dictionary(self) -> None:
        items = self._since_mark()
        self._push({})
        self._into_dictionary(items)

    def _list(self) -> None:
        if not self._kind.lists:
            raise UnreadablePickleError("a list, which no dictionary of arrays needs")
        self._push([])

    def _into_list(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise UnreadablePickleError("an entry that is in no list")
        target.extend(items)

    # What is named, and made

    def _global(self) -> None:
        module, name = (self._line().decode("ascii") for _ in range(2))
        self._push(known(module, name))

    def _stack_global(self) -> None:
        module, name = self._last(2)
        if type(module) is not str or type(name) is not str:
            raise UnreadablePickleError("a name that is no text")
        self._push(known(module, name))

    def _reduce(self) -> None:
        named, arguments = self._last(2)
        if type(named) is not Name or type(arguments) is not tuple:
            raise UnreadablePickleError("a call of what is no name")
        value = made(named, arguments)
        if type(value) is bytes:
            self._encoded += len(value)
            if self._encoded > self._size:
                raise UnreadablePickleError("more text than the file has room for")
        self._push(value)

    def _build(self) -> None:
        (state,) = self._last(1)
        target = self._stack[-1]
        if type(state) is not tuple:
            raise UnreadablePickleError("a state that is no tuple")
        if type(target) is NumberFormat:
            target.order = text_of(state[1])
        elif type(target) is Shell and len(state) == 5:
            target.array = array_of(*state[1:], allowed=self._kind)
        else:
            raise UnreadablePickleError("a state of what has none")


_Operation = Callable[[_Machine], None]


def _piece(width: int, *, as_text: bool = False) -> _Operation:
    """Bytes or text behind their length."""

    def operation(machine: _Machine) -> None:
        data = machine._take(machine._number(width))
        machine._push(data.decode("utf-8", "surrogatepass") if as_text else data)

    return operation


def _whole(width: int, *, signed: bool = False) -> _Operation:
    return lambda machine: machine._push(machine._number(width, signed=signed))


def _constant(value: Any) -> _Operation:
    return lambda machine: machine._push(value)


def _group(count: int) -> _Operation:
    return lambda machine: machine._push(tuple(machine._last(count)))


def _put(place: Callable[[_Machine], int]) -> _Operation:
    # A dictionary, not a list: a place in the memo is only a claim too.
    return lambda machine: machine._memo.__setitem__(place(machine), machine._stack[-1])


def _get(place: Callable[[_Machine], int]) -> _Operation:
    return lambda machine: machine._push(machine._memo[place(machine)])


def _written(machine: _Machine) -> int:
    line = machine._line()
    if not re.fullmatch(rb"\d{1,18}", line):
        raise UnreadablePickleError("a place that is no number")
    return int(line)


_OPERATIONS: dict[bytes, _Operation] = {
    b"\x80": lambda machine: _check_protocol(machine._number(1)),
    b"\x95": lambda machine: _ignore(machine._take(8)),
    b"(": lambda machine: machine._push(_MARK),
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"I": _Machine._whole,
    b"L": _Machine._whole,
    b"J": _whole(4, signed=True),
    b"K": _whole(1),
    b"M": _whole(2),
    b"\x8a": lambda machine: machine._push(machine._number(machine._number(1), signed=True)),
    b"S": _Machine._quoted,
    b"V": _Machine._unquoted,
    b"U": _piece(1),
    b"T": _piece(4),
    b"C": _piece(1),
    b"B": _piece(4),
    b"\x8c": _piece(1, as_text=True),
    b"X": _piece(4, as_text=True),
    b")": _constant(()),
    b"\x85": _group(1),
    b"\x86": _group(2),
    b"\x87": _group(3),
    b"t": lambda machine: machine._push(tuple(machine._since_mark())),
    b"}": lambda machine: machine._push({}),
    b"d": _Machine._dictionary,
    b"s": lambda machine: machine._into_dictionary(machine._last(2)),
    b"u": lambda machine: machine._into_dictionary(machine._since_mark()),
    b"]": _Machine._list,
    b"a": lambda machine: machine._into_list(machine._last(1)),
    b"e": lambda machine: machine._into_list(machine._since_mark()),
    b"c": _Machine._global,
    b"\x93": _Machine._stack_global,
    b"R": _Machine._reduce,
    b"b": _Machine._build,
    b"p": _put(_written),
    b"q": _put(lambda machine: machine._number(1)),
    b"r": _put(lambda machine: machine._number(4)),
    b"\x94": _put(lambda machine: len(machine._memo)),
    b"g": _get(_written),
    b"h": _get(lambda machine: machine._number(1)),
    b"j": _get(lambda machine: machine._number(4)),
}


def _check_protocol(version: int) -> None:
    if version > 4:
        raise UnreadablePickleError(f"protocol {version}, where 0 to 4 are known")


def _ignore(_: bytes) -> None:
    """Frames of protocol 4 only say how much to read at once."""
