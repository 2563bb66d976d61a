"""Archives: wanted texts and files read out of a compressed tar that is trusted with nothing."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from semcom.mistakes import UserMistake
from semcom.sources.sentences import Progress

# Europarl unpacked is some 5 GB in 190,000 files; its largest single text is below 400 MB.
LARGEST_MEMBER = 1_000_000_000
LARGEST_TOTAL = 20_000_000_000
MOST_MEMBERS = 1_000_000
LONGEST_LINE = 1_000_000
# What may lie between two members: padding, and headers that carry long names.
_HEADROOM = 1_000_000

T = TypeVar("T")


class _DamageError(Exception):
    """The archive is not what it should be; the reason becomes part of one message."""


def texts(
    path: Path, wanted: Callable[[str], bool], progress: Progress | None = None, *, called: str = ""
) -> Iterator[tuple[str, Iterator[str]]]:
    """The name and the lines of each wanted text in a .tgz, or of the one text in a plain .gz (with no name).

    Nothing is unpacked to disk. The lines of one text must be read before the next is asked for. Bytes that
    are not UTF-8 come as U+FFFD.

    Args:
        called: what errors call the archive, if not by its path.

    Raises:
        UserMistake: when the archive is damaged or cut short, has a name that leads outside, a wanted text
            that is a link or a device, or anything larger or more numerous than a corpus can be.
    """
    called = called or str(path)
    with _mistaken(called), _unzipped(path, progress) as (metered, report):
        for name, file in _members(metered, wanted, report) if _is_tar(metered.peek()) else _alone(metered):
            yield name, _lines(file, called, report)


def files(
    path: Path, wanted: Callable[[str], bool], progress: Progress | None = None, *, largest: int, called: str = ""
) -> Iterator[tuple[str, bytes]]:
    """The name and the bytes of each wanted file in a .tar.gz. Nothing is unpacked to disk.

    Args:
        largest: bytes that a wanted file may have.
        called: what errors call the archive, if not by its path.

    Raises:
        UserMistake: as `texts` does, and when a wanted file is larger.
    """
    called = called or str(path)
    with _mistaken(called), _unzipped(path, progress) as (metered, report):
        if not _is_tar(metered.peek()):
            raise _DamageError("no tar inside it")
        for name, file in _members(metered, wanted, report):
            content = file.read(largest + 1)
            if len(content) > largest:
                raise _DamageError(f"{name!r} of more than {largest:,} bytes")
            yield name, content


@contextlib.contextmanager
def _unzipped(path: Path, progress: Progress | None) -> Iterator[tuple[_Metered, Callable[[], None]]]:
    """The metered stream of what was zipped, and what to call now and then; afterwards it is read to its end."""
    with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as unzipped:
        # gzip takes an empty file for an empty text.
        if not (beginning := raw.read(1)):
            raise _DamageError("an empty file")
        if beginning == b"<":
            raise _DamageError("a web page")
        raw.seek(0)
        metered = _Metered(unzipped)
        size = path.stat().st_size
        yield metered, (lambda: progress("reading the archive", raw.tell(), size)) if progress else (lambda: None)
        # Reading to the very end makes gzip compare its checksum.
        metered.allow(_HEADROOM)
        while metered.read(1 << 16):
            pass


@contextlib.contextmanager
def _mistaken(called: str) -> Iterator[None]:
    """Turn everything that reading a bad archive can raise into the one message the user needs."""
    try:
        yield
    except (_DamageError, tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UserMistake(
            f"{called} must be a whole and harmless archive, got {error}; fetch it again, or from elsewhere"
        ) from error


def _alone(metered: _Metered) -> Iterator[tuple[str, IO[bytes]]]:
    """A compressed file that is no tar: one text without a name."""
    metered.allow(LARGEST_MEMBER)
    yield "", io.BufferedReader(metered)


def _members(
    metered: _Metered, wanted: Callable[[str], bool], report: Callable[[], None]
) -> Iterator[tuple[str, IO[bytes]]]:
    """The wanted members one after another, each checked before a byte of it is given."""
    total = count = 0
    # Opening reads the first member's head already.
    with _sensible(lambda: tarfile.open(fileobj=metered, mode="r|")) as archive:
        while (member := _sensible(archive.next)) is not None:
            # tarfile remembers every member it has passed; none is asked for again.
            archive.members.clear()  # type: ignore[attr-defined]
            count += 1
            total += member.size
            _check(member, total, count)
            metered.allow(member.size + _HEADROOM)
            if count % 100 == 0:
                report()
            if wanted(member.name):
                yield member.name, _opened(archive, member)


def _sensible(read: Callable[[], T]) -> T:
    """What was read of a member's head; whatever else that can make tarfile raise is damage too."""
    try:
        return read()
    except (RecursionError, ValueError) as error:
        raise _DamageError(f"a member without a head that makes sense ({type(error).__name__})") from error


def _check(member: tarfile.TarInfo, total: int, count: int) -> None:
    """Refuse what no corpus holds, wanted or not: one hostile member condemns the archive."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise _DamageError(f"the name {member.name!r}, which leads outside")
    if member.size < 0 or member.size > LARGEST_MEMBER or total > LARGEST_TOTAL:
        raise _DamageError(f"{member.name!r} of {member.size:,} bytes, {total:,} in all")
    if count > MOST_MEMBERS:
        raise _DamageError(f"more than {MOST_MEMBERS:,} files")


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    """The content of a wanted member, which must be an ordinary file.

    Links among the unwanted are passed over: nothing is ever written, so there is nothing they could reach.
    """
    # isreg() is true of sparse files, whose size on paper costs nothing to claim.
    if not member.isreg() or member.issparse():
        raise _DamageError(f"{member.name!r}, which is a link or no ordinary file")
    file = archive.extractfile(member)
    if file is None:
        raise _DamageError(f"{member.name!r}, which has no content")
    return file


def _lines(file: IO[bytes], called: str, report: Callable[[], None]) -> Iterator[str]:
    """Lines without their ends. The limit on length keeps a text without any line end out of memory."""
    # Runs while the caller reads, outside of the frame that opened the archive: it needs its own translation.
    with _mistaken(called):
        for count, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b"")):
            if len(line) == LONGEST_LINE:
                raise _DamageError(f"a line of more than {LONGEST_LINE:,} bytes")
            if count % 10_000 == 9_999:
                report()
            yield line.decode("utf-8", "replace").rstrip("\r\n")


def _is_tar(block: bytes) -> bool:
    """Whether the first block is a member's header, which carries a checksum of itself."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


class _Metered(io.RawIOBase):
    """An unzipped stream that gives no more bytes than were allowed.

    A small file can unzip to any size, and tarfile believes whatever length a header claims for a name. Each
    member is allowed what its own header announced and some room for the next header, no more.
    """

    def __init__(self, inner: gzip.GzipFile) -> None:
        self._inner = inner
        self._left = _HEADROOM

    def allow(self, count: int) -> None:
        """From here on, give this many bytes at most."""
        self._left = count

    def peek(self) -> bytes:
        """The first block, without taking it."""
        return self._inner.peek(tarfile.BLOCKSIZE)[: tarfile.BLOCKSIZE]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._inner.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise _DamageError("more bytes than its own headers announce")
        buffer[: len(data)] = data
        return len(data)
