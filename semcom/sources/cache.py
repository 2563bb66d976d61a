"""Cached text: plain files under the user's cache folder, checked when read and replaced in one move."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from semcom.files import replacing
from semcom.mistakes import UserMistake

FORMAT = "semcom text 1"
# The header line has a fixed width, so that it can be filled in once the lines below it are known.
_HEADER = 512


@dataclass(frozen=True)
class Header:
    """First line of a cached text: whose it is, and the proof that it is whole.

    Args:
        key: hash of what the text was made from; a file of the same name with another one is not ours.
        origin: free for the writer, such as the hash of the archive the text came out of.
        sha256: of everything below the header.
    """

    key: str
    origin: str
    lines: int
    sha256: str


def folder() -> Path:
    """Where cached texts live: $SEMCOM_CACHE, or semcom under $XDG_CACHE_HOME, or under ~/.cache."""
    if chosen := os.environ.get("SEMCOM_CACHE"):
        return Path(chosen)
    # The XDG standard asks that a relative path in this variable be ignored.
    home = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(home):
        return Path(home) / "semcom"
    try:
        return Path.home() / ".cache" / "semcom"
    except RuntimeError:
        raise UserMistake(
            "cached texts must have a folder, and the system knows no home folder for this user; set SEMCOM_CACHE to a "
            "folder that you may write"
        ) from None


def place(name: str, key: str) -> Path:
    """The file of one cached text, under a name a person can recognize.

    Args:
        name: the kind of corpus, as it shall begin the file's name.
        key: everything the text depends on; another key is another file, and nothing is overwritten.
    """
    return folder() / f"{name}-{_hashed(key)[:16]}.txt"


def write(path: Path, key: str, lines: Iterable[str], *, origin: str = "") -> Header:
    """Store lines, none of which may contain a line break, under a header that proves them.

    They are written as they come, so a text need not fit in memory.

    Args:
        origin: kept in the header for whoever wants to know; at most some 300 characters.
    """
    checksum, count = hashlib.sha256(), 0
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(b" " * (_HEADER - 1) + b"\n")
        for line in lines:
            data = line.encode() + b"\n"
            checksum.update(data)
            file.write(data)
            count += 1
        header = Header(_hashed(key), origin, count, checksum.hexdigest())
        facts = json.dumps({"format": FORMAT, **header.__dict__}).encode()
        if len(facts) >= _HEADER:
            raise ValueError(
                f"the header of a cached text must fit {_HEADER - 1} bytes, got {len(facts)}; shorten its origin"
            )
        file.seek(0)
        file.write(facts)
    return header


def read_header(path: Path, key: str) -> Header | None:
    """The header of a cached text, or None where there is none of that key; the lines are not checked."""
    try:
        with path.open("rb") as file:
            facts = json.loads(file.read(_HEADER))
        if not isinstance(facts, dict) or facts.pop("format", None) != FORMAT or facts.get("key") != _hashed(key):
            return None
        return Header(str(facts["key"]), str(facts["origin"]), int(facts["lines"]), str(facts["sha256"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_whole(path: Path, key: str) -> bool:
    """Whether the file is ours, of that key, and every byte of it is as it was written."""
    header = read_header(path, key)
    if header is None:
        return False
    checksum = hashlib.sha256()
    try:
        with path.open("rb") as file:
            file.seek(_HEADER)
            while block := file.read(1 << 20):
                checksum.update(block)
    except OSError:
        return False
    return checksum.hexdigest() == header.sha256


def read(path: Path) -> Iterator[str]:
    """The lines of a cached text, one after another; ask `is_whole` first."""
    with path.open("rb") as file:
        file.seek(_HEADER)
        for line in file:
            yield line[:-1].decode()


def remember(
    name: str, key: str, make: Callable[[], Iterable[str]], *, origin: Callable[[], str] = str
) -> Iterable[str]:
    """The lines stored under a key; made and stored first where they are absent, none, damaged or someone else's.

    Args:
        make: called only if needed; when it raises or has no lines, nothing is stored.
        origin: asked after `make` what the header shall keep.
    """
    path = place(name, key)
    header = read_header(path, key)
    if header is None or not header.lines or not is_whole(path, key):
        lines = make()
        if not write(path, key, lines, origin=origin()).lines:
            path.unlink(missing_ok=True)
            return ()
    return read(path)


def _hashed(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
