"""Downloads: every way in which a line, a server or a file can let one down."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.sources import download
from semcom.sources.download import fetch, sha256_of

DATA = bytes(index * 7 % 251 for index in range(700_000))


class Site:
    """A small web server whose manners a test can change, and which remembers what it was asked."""

    def __init__(self) -> None:
        self.data = DATA
        self.etag = '"first"'
        self.cut_after: list[int] = []  # bytes after which the line breaks, one for each answer
        self.statuses: list[int] = []  # answers to give before the real one
        self.ignores_ranges = False
        self.wrong_range = False
        self.tells_length = True
        self.asked: list[str | None] = []

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.asked.append(asked)
        if self.statuses:
            handler.send_error(self.statuses.pop(0))
            return
        first = 0
        if asked and not self.ignores_ranges and handler.headers.get("If-Range") == self.etag:
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
            if first >= len(self.data):
                handler.send_response(416)
                handler.end_headers()
                return
            handler.send_response(206)
            shown = first + 5 if self.wrong_range else first
            handler.send_header("Content-Range", f"bytes {shown}-{len(self.data) - 1}/{len(self.data)}")
        else:
            handler.send_response(200)
        if self.etag:
            handler.send_header("ETag", self.etag)
        if self.tells_length:
            handler.send_header("Content-Length", str(len(self.data) - first))
        handler.end_headers()
        handler.wfile.write(self.data[first:][: self.cut_after.pop(0) if self.cut_after else None])


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/text.tgz"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def got(site: Site, folder: Path, **more: object) -> bytes:
    fetch(site.url, folder / "text.tgz", largest=10**7, wait=lambda seconds: None, **more)
    assert sorted(path.name for path in folder.iterdir()) == ["text.tgz"]
    return (folder / "text.tgz").read_bytes()


def test_a_whole_file_in_one_piece(site: Site, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    assert got(site, tmp_path / "new", progress=lambda *news: told.append(news)) == DATA
    assert told[-1] == ("downloading", len(DATA), len(DATA)) and site.asked == [None]


def test_broken_lines_are_gone_on_with(site: Site, tmp_path: Path) -> None:
    site.cut_after = [300_000, 200_000]
    assert got(site, tmp_path / "new") == DATA
    assert site.asked == [None, "bytes=300000-", "bytes=500000-"]


class PowerCutError(Exception):
    """Stands for whatever ends the program between two pieces."""


def killed(site: Site, folder: Path) -> None:
    """A download that is killed after the first 300,000 bytes."""

    def power_cut(seconds: float) -> None:
        raise PowerCutError

    site.cut_after = [300_000]
    with pytest.raises(PowerCutError):
        fetch(site.url, folder / "text.tgz", largest=10**7, wait=power_cut)


def test_a_later_call_goes_on_where_an_earlier_one_was_killed(site: Site, tmp_path: Path) -> None:
    killed(site, tmp_path)
    assert got(site, tmp_path) == DATA
    assert site.asked == [None, "bytes=300000-"]


@pytest.mark.parametrize("change", ["ignores_ranges", "new_file", "no_validator", "weak_validator", "other_address"])
def test_a_piece_that_cannot_be_trusted_is_fetched_anew(site: Site, tmp_path: Path, change: str) -> None:
    site.etag = {"no_validator": "", "weak_validator": 'W/"first"'}.get(change, site.etag)
    killed(site, tmp_path)
    if change == "ignores_ranges":
        site.ignores_ranges = True
    elif change == "new_file":
        site.etag, site.data = '"second"', DATA[::-1]
    elif change == "other_address":
        site.url += "?mirror"
    assert got(site, tmp_path) == site.data
    # Without proof that it is the same file, the old piece is not even mentioned.
    assert site.asked[1:] == (["bytes=300000-"] if change in ("ignores_ranges", "new_file") else [None])


def test_a_server_that_joins_on_at_the_wrong_byte_is_asked_for_all(site: Site, tmp_path: Path) -> None:
    site.cut_after, site.wrong_range = [300_000], True
    assert got(site, tmp_path) == DATA
    assert site.asked == [None, "bytes=300000-", None]


def test_a_piece_that_was_all_is_all(site: Site, tmp_path: Path) -> None:
    (tmp_path / "text.tgz.part").write_bytes(DATA)
    facts = {"url": site.url, "validator": site.etag, "total": len(DATA)}
    (tmp_path / "text.tgz.part.json").write_text(json.dumps(facts))
    assert got(site, tmp_path) == DATA
    assert site.asked == [f"bytes={len(DATA)}-"]


@pytest.mark.parametrize("note", ["", "[]", '{"url": 3}', '{"url": "x", "validator": "", "total": "many"}'])
def test_a_spoilt_note_means_a_fresh_start(site: Site, tmp_path: Path, note: str) -> None:
    (tmp_path / "text.tgz.part").write_bytes(b"something else")
    (tmp_path / "text.tgz.part.json").write_text(note)
    assert got(site, tmp_path) == DATA


def test_a_piece_longer_than_the_file_is_dropped(site: Site, tmp_path: Path) -> None:
    (tmp_path / "text.tgz.part").write_bytes(DATA + b"more")
    facts = {"url": site.url, "validator": site.etag, "total": len(DATA)}
    (tmp_path / "text.tgz.part.json").write_text(json.dumps(facts))
    assert got(site, tmp_path) == DATA


def test_a_busy_server_is_asked_again_more_and_more_slowly(site: Site, tmp_path: Path) -> None:
    waits: list[float] = []
    site.statuses = [503, 429]
    fetch(site.url, tmp_path / "text.tgz", largest=10**7, wait=waits.append)
    assert (tmp_path / "text.tgz").read_bytes() == DATA and waits == [2.0, 4.0]


def test_a_line_that_never_gets_further_is_given_up(site: Site, tmp_path: Path) -> None:
    site.ignores_ranges, site.cut_after = True, [1000] * 9
    with pytest.raises(UserMistake, match=r"must be reachable, got 1,000 of 700,000 bytes \(3 times in a row\)"):
        fetch(site.url, tmp_path / "text.tgz", largest=10**7, attempts=3, wait=lambda seconds: None)


def test_a_missing_file_is_final(site: Site, tmp_path: Path) -> None:
    site.statuses = [404]
    with pytest.raises(UserMistake, match=r"got status 404 .* check the address"):
        got(site, tmp_path)
    assert len(site.asked) == 1


def test_a_dead_line_is_given_up_with_advice(tmp_path: Path) -> None:
    waits: list[float] = []
    with pytest.raises(UserMistake, match=r"must be reachable, got .* run the same command again"):
        fetch("http://127.0.0.1:9/text.tgz", tmp_path / "text.tgz", largest=10, attempts=3, wait=waits.append)
    assert waits == [2.0, 4.0]


def test_too_much_is_not_taken(site: Site, tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="at most 1,000 bytes, got 700,000"):
        fetch(site.url, tmp_path / "text.tgz", largest=1000)
    site.tells_length = False
    with pytest.raises(UserMistake, match="more bytes than the 1,000"):
        fetch(site.url, tmp_path / "text.tgz", largest=1000, attempts=2, wait=lambda seconds: None)


def test_a_file_of_untold_length_is_taken_to_its_end(site: Site, tmp_path: Path) -> None:
    site.tells_length = False
    assert got(site, tmp_path) == DATA


@pytest.mark.parametrize("url", ["ftp://site/text.tgz", "file:///etc/hosts", "text.tgz"])
def test_only_web_addresses_are_fetched(url: str, tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="must begin with http"):
        fetch(url, tmp_path / "text.tgz", largest=10)


def test_a_full_disk_is_named_before_it_is_full(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(UserMistake, match="needs 700,000 bytes of disk, got 10 free"):
        got(site, tmp_path)


def test_a_disk_that_refuses_is_no_dead_line(site: Site, tmp_path: Path) -> None:
    (tmp_path / "text.tgz.part").mkdir()
    with pytest.raises(UserMistake, match="must be writable, got: Is a directory"):
        fetch(site.url, tmp_path / "text.tgz", largest=10**7)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserMistake, match="must be writable"):
        fetch(site.url, tmp_path / "file" / "text.tgz", largest=10**7)


def test_hashes_are_of_the_whole_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    told: list[tuple[str, int, int]] = []
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "abc", lambda *news: told.append(news)) == expected
    assert told == [("checking the archive", 3, 3)]
