"""Cached text: whole or not there at all."""

import os
from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.sources import cache

LINES = ["the first line", "eine zweite \u00fcber alles", ""]


def made(path: Path) -> Path:
    cache.write(path, "key", LINES, origin="here")
    return path


def test_lines_come_back_as_they_were(tmp_path: Path) -> None:
    path = made(tmp_path / "deep" / "text.txt")
    assert cache.is_whole(path, "key")
    assert list(cache.read(path)) == LINES
    header = cache.read_header(path, "key")
    assert header is not None and (header.origin, header.lines) == ("here", 3)


@pytest.mark.parametrize("change", ["flip", "cut", "grow", "empty", "foreign", "binary", "json"])
def test_any_damage_is_seen_and_mended(tmp_path: Path, change: str) -> None:
    asked = 0

    def make() -> list[str]:
        nonlocal asked
        asked += 1
        return LINES

    assert list(cache.remember("text", "key", make)) == LINES
    path = cache.place("text", "key")
    data = path.read_bytes()
    damaged = {
        "flip": data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
        "cut": data[:-3],
        "grow": data + b"more\n",
        "empty": b"",
        "foreign": b"somebody's notes\n",
        "binary": os.urandom(900),
        "json": b"[1, 2]" + b" " * 600,
    }
    path.write_bytes(damaged[change])
    assert not cache.is_whole(path, "key")
    assert list(cache.remember("text", "key", make)) == LINES and asked == 2
    assert list(cache.remember("text", "key", make)) == LINES and asked == 2


def test_another_key_is_not_ours(tmp_path: Path) -> None:
    path = made(tmp_path / "text.txt")
    assert cache.read_header(path, "other") is None and not cache.is_whole(path, "other")


def test_a_broken_writer_leaves_the_old_text_and_no_scraps(tmp_path: Path) -> None:
    path = made(tmp_path / "text.txt")

    def breaking():
        yield "a line"
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        cache.write(path, "key", breaking())
    assert list(cache.read(path)) == LINES
    assert os.listdir(tmp_path) == ["text.txt"]


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEMCOM_CACHE", str(tmp_path / "own"))
    assert cache.folder() == tmp_path / "own"
    monkeypatch.delenv("SEMCOM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg" / "semcom"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == tmp_path / ".cache" / "semcom"


def test_a_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SEMCOM_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserMistake, match=r"must be writable.*SEMCOM_CACHE"):
        cache.remember("text", "key", lambda: LINES)


def test_a_text_without_a_line_is_neither_kept_nor_believed() -> None:
    """It would stand in the way of every later attempt."""
    path = cache.place("text", "key")
    assert list(cache.remember("text", "key", list)) == [] and not path.exists()
    cache.write(path, "key", [])
    assert list(cache.remember("text", "key", lambda: LINES)) == LINES


def test_the_header_keeps_what_is_known_after_the_making(tmp_path: Path) -> None:
    known: list[str] = []

    def make() -> list[str]:
        known.append("three lines")
        return LINES

    cache.remember("text", "key", make, origin=lambda: known[0])
    header = cache.read_header(cache.place("text", "key"), "key")
    assert header is not None and header.origin == "three lines"
