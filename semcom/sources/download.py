"""Downloads that can be broken off: a file from the web, fetched in as many pieces as it takes."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from semcom.files import replacing, unwritable
from semcom.mistakes import UserMistake
from semcom.sources.sentences import Progress

_BLOCK = 1 << 18
_TIMEOUT_S = 60.0
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)$")
# What may pass: the connection broke, or the server is busy. Anything else is final.
_PASSING = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class _Seen:
    """What the server said of the file when the first piece came, kept beside the piece.

    Args:
        validator: its strong ETag, or else its date; empty when it gave neither, and then nothing is resumed.
        total: its size in bytes, 0 if not told.
    """

    url: str
    validator: str
    total: int


class _BreakError(Exception):
    """The connection ended before the file did; what came is kept, and asking again goes on from there."""


def fetch(
    url: str,
    target: Path,
    progress: Progress | None = None,
    *,
    largest: int,
    attempts: int = 5,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Download a file, going on where an earlier call or a broken connection stopped.

    The piece so far waits beside the target as *.part. It is gone on with only if the server still has the
    very same file (If-Range with its ETag or date) and does answer with a range; otherwise the download
    starts afresh. The target appears when every byte is there.

    Args:
        largest: give up on anything that has more bytes than this.
        attempts: give up after so many breaks in a row that brought nothing new.
        wait: called with the seconds between two attempts.

    Raises:
        UserMistake: when the address is refused, the server does not have the file, or the line stays broken.
    """
    if not url.startswith(("http://", "https://")):
        raise UserMistake(f"url must begin with http:// or https://, got {url!r}; check the spelling")
    part = target.with_name(target.name + ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(part, error) from error
    barren = 0
    while True:
        before = _size(part)
        try:
            _fetch_more(url, part, progress, largest=largest)
            break
        # A dead line shows as any of these; what the disk refuses is a UserMistake by now.
        except (_BreakError, http.client.HTTPException, OSError) as error:
            _raise_if_final(error, url)
            barren = 0 if _size(part) > before else barren + 1
            if barren >= attempts:
                raise UserMistake(
                    f"{url} must be reachable, got {_reason(error)} ({attempts} times in a row); "
                    "run the same command again later, it goes on from where it stopped"
                ) from error
            if progress:
                progress(f"waiting to go on ({_reason(error)})", _size(part), 0)
            wait(min(60.0, 2.0**barren))
    part.replace(target)
    _note(part).unlink(missing_ok=True)


def sha256_of(path: Path, progress: Progress | None = None) -> str:
    """The hash of a file, read in blocks so that its size does not matter."""
    checksum, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            checksum.update(block)
            if progress:
                progress("checking the archive", file.tell(), size)
    return checksum.hexdigest()


def _fetch_more(url: str, part: Path, progress: Progress | None, *, largest: int) -> None:
    """One request: append to the piece, or begin it anew; returns when the file is complete.

    Without If-Range a file that changed on the server between two calls would be glued to the old beginning.
    With it, the server answers 206 and the rest of the same file, or 200 and the new file from its start.

    Source: RFC 9110, sections 13.1.5 (If-Range), 14.2 (Range) and 15.5.17 (416).
    """
    have, seen = _size(part), _read_note(part, url)
    headers = {"User-Agent": "semcom", "Accept-Encoding": "identity"}
    if have and seen and seen.validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": seen.validator}
    else:
        have = 0
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        with error:
            if error.code != 416 or seen is None:
                raise
            # Nothing lies beyond our last byte: either that was all, or the piece belongs to another file.
            if have == seen.total:
                return
            _forget(part)
            raise _BreakError("a piece that no longer fits the file") from error
    with answer:
        if answer.status == 206 and seen is not None:
            _check_range(answer, part, have, seen)
        else:
            have, seen = 0, _announced(answer, url)
            _begin(part, seen)
        if seen.total > largest:
            raise UserMistake(f"{url} must be at most {largest:,} bytes, got {seen.total:,}; check the address")
        _refuse_full_disk(part, seen.total - have)
        limit = seen.total or largest
        for count in _copied(answer, part):
            have += count
            if progress:
                progress("downloading", have, seen.total)
            if have > limit:
                _forget(part)
                raise _BreakError(f"more bytes than the {limit:,} there may be")
    if have < seen.total:
        raise _BreakError(f"{have:,} of {seen.total:,} bytes")


def _copied(answer: http.client.HTTPResponse, part: Path) -> Iterator[int]:
    """Append what comes to the piece, saying of each block how many bytes it brought."""
    # read1 gives what has come, so that a break loses nothing and a slow line still shows progress.
    while block := answer.read1(_BLOCK):
        # Opened anew for each block: an error in here can only be the disk's, and none is left for the end.
        try:
            with part.open("ab") as file:
                file.write(block)
        except OSError as error:
            raise unwritable(part, error) from error
        yield len(block)


def _announced(answer: http.client.HTTPResponse, url: str) -> _Seen:
    """What the server says of the file as it begins to send it."""
    tag = answer.headers.get("ETag", "")
    # A weak tag promises the same meaning and not the same bytes, so it cannot join two pieces.
    validator = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
    length = answer.headers.get("Content-Length", "")
    return _Seen(url, validator, int(length) if length.isdecimal() else 0)


def _check_range(answer: http.client.HTTPResponse, part: Path, have: int, seen: _Seen) -> None:
    """Refuse a range that does not join on to our piece of the same file."""
    found = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != have or found[2] not in ("*", str(seen.total)):
        _forget(part)
        raise _BreakError("another range than the one asked for")


def _raise_if_final(error: Exception, url: str) -> None:
    """Turn an error that no patience will mend into advice; let all others pass."""
    if isinstance(error, urllib.error.HTTPError) and error.code not in _PASSING:
        raise UserMistake(
            f"{url} must be there for all to fetch, got status {error.code} ({error.reason}); check the address"
        ) from error
    if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
        raise UserMistake(f"{url} must have a valid certificate, got {_reason(error)}; check the address") from error


def _refuse_full_disk(part: Path, needed: int) -> None:
    """Better told before an hour of downloading than after it."""
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise UserMistake(
            f"the download needs {needed:,} bytes of disk, got {free:,} free at {part.parent}; "
            "make room, or name another folder in SEMCOM_CACHE"
        )


def _reason(error: Exception) -> str:
    """The shortest true account of a failure: urllib wraps the real one."""
    reason = getattr(error, "reason", error)
    return str(reason) or type(error).__name__


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _begin(part: Path, seen: _Seen) -> None:
    """Empty the piece, and only then say what file it belongs to: old bytes must never meet a new note."""
    try:
        part.write_bytes(b"")
    except OSError as error:
        raise unwritable(part, error) from error
    with replacing(_note(part)) as temporary:
        temporary.write_text(json.dumps(asdict(seen)))


def _read_note(part: Path, url: str) -> _Seen | None:
    """What is known of the piece, or None where it is of another address or the note is spoilt."""
    try:
        facts = json.loads(_note(part).read_text())
        seen = _Seen(str(facts["url"]), str(facts["validator"]), int(facts["total"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return seen if seen.url == url else None


def _forget(part: Path) -> None:
    """Begin anew next time."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)
