"""Files replaced whole or left as they were, and what to say when the disk refuses."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from semcom.mistakes import UserMistake

# A limit on file sizes (EFBIG) stops a write just as a full disk does; not every system knows quotas.
FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
PARTIAL = ".partial"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside the path that takes its place at the end, or vanishes on any error.

    Readers see the old file or the new one, never half of one, even if the process is killed in between or two
    processes write at once.

    Raises:
        UserMistake: the disk refuses.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        # Some disks say only now that they are full; after the replacement it would be too late.
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def digest(data: bytes) -> str:
    """Hexadecimal digits that any changed bit of the data changes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def digest_of(path: Path) -> str:
    """The same of a file's bytes, however many there are."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write the whole file or leave it as it was; text as UTF-8 with its line ends as they are.

    Raises:
        UserMistake: the disk refuses.
    """
    with replacing(path) as partial:
        partial.write_bytes(data.encode() if isinstance(data, str) else data)


def expanded(path: str) -> Path:
    """The path with ~ or ~name replaced by that person's home folder.

    Raises:
        UserMistake: the system knows no such home: a container without HOME, or nobody of this name.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        who = path.partition("/")[0]
        what = f"{path}: {who} must stand for a home folder, and the system knows none"
        raise UserMistake(f"{what}; write the whole path, or set HOME") from None


def unwritable(path: Path, error: OSError) -> UserMistake:
    """What to tell when the disk refuses."""
    if error.errno in FULL:
        return UserMistake(f"{path}: the disk must have room for this file, got: {error.strerror}; free some space")
    elsewhere = "choose another place (--out for a run folder, SEMCOM_CACHE for cached texts)"
    return UserMistake(f"{path}: must be writable, got: {error.strerror or error}; {elsewhere}")
