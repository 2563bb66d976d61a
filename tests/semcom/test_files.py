"""Files replaced whole, and home folders that nobody has."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from semcom.files import expanded
from semcom.metrics.embedding_model import EmbeddingModel, find_model
from semcom.mistakes import UserMistake
from semcom.sources import cache
from semcom.sources.europarl import Europarl
from semcom.sources.textfile import TextFile


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom the system does not know, as in a container started with a number for a user."""
    for name in ("HOME", "USERPROFILE", "HOMEPATH", "SEMCOM_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform != "win32":
        import pwd

        def unknown(number: int) -> None:
            raise KeyError(f"getpwuid(): uid not found: {number}")

        monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_a_path_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/text.txt") == tmp_path / "text.txt"
    assert expanded("text.txt") == Path("text.txt")


@pytest.mark.parametrize("path", ["~/text.txt", "~nobody_of_this_name/text.txt", "~"])
def test_a_home_that_nobody_has(homeless: None, path: str) -> None:
    with pytest.raises(UserMistake, match=r"must stand for a home folder.*write the whole path"):
        expanded(path)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: TextFile(path="~/text.txt").fingerprint(),
        lambda: Europarl(url="~/europarl.tgz").prepare(),
        lambda: find_model(EmbeddingModel(model="~/encoder")),
        cache.folder,
        lambda: cache.place("text", "key"),
    ],
)
def test_whoever_needs_a_home_says_so(homeless: None, ask) -> None:
    with pytest.raises(UserMistake, match=r"home folder.*(set HOME|set SEMCOM_CACHE)"):
        ask()


def test_a_run_without_a_home_ends_in_one_message(homeless: None, semcom, tiny_yaml: Path, tmp_path: Path) -> None:
    answer = semcom("run", tiny_yaml, "--out", tmp_path / "out")
    assert answer.code == 2
    assert "set SEMCOM_CACHE to a folder" in answer.err
    os.environ["SEMCOM_CACHE"] = str(tmp_path / "cache")
    try:
        assert semcom("check", tiny_yaml).code == 0
    finally:
        del os.environ["SEMCOM_CACHE"]
