"""Text files: what a person may hand over, and what they are told when it cannot be used."""

import os
from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.sources import textfile
from semcom.sources.textfile import TextFile

LINES = [f"The lock keeper opens gate {name} for boats." for name in map(str, range(400))]


def written(path: Path, text: str = "\n".join(LINES), encoding: str = "utf-8") -> str:
    path.write_bytes(text.encode(encoding))
    return str(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_one_sentence_a_line(tmp_path: Path, encoding: str, ending: str) -> None:
    path = written(tmp_path / "boats.txt", ending.join(["", *LINES, ""]), encoding)
    corpus = TextFile(path, cleaning="light").load()
    assert sorted([*corpus.train, *corpus.validation, *corpus.test]) == sorted(LINES)
    assert TextFile(path, cleaning="light").load() == corpus
    assert corpus.fingerprint == TextFile(path, cleaning="light").fingerprint()


def test_a_folder_is_all_its_text_files(tmp_path: Path) -> None:
    for index in range(4):
        written(tmp_path / f"{index}.txt", "\n".join(LINES[index * 100 : index * 100 + 100]))
    written(tmp_path / "notes.md", "Not a text file of ours.")
    folder = TextFile(str(tmp_path), cleaning="light").load()
    whole = TextFile(written(tmp_path / "whole.rst"), cleaning="light").load()
    assert (folder.train, folder.validation, folder.test) == (whole.train, whole.validation, whole.test)


def test_the_fingerprint_follows_content_and_not_name(tmp_path: Path) -> None:
    first, second = (TextFile(written(tmp_path / name)) for name in ("a.txt", "b.txt"))
    assert first.fingerprint() == second.fingerprint() != TextFile(first.path, shortest=3).fingerprint()
    written(tmp_path / "b.txt", "\n".join([*LINES, "One more line came in today."]))
    assert first.fingerprint() != second.fingerprint()


def refused(path: object, match: str) -> None:
    with pytest.raises(UserMistake, match=match):
        TextFile(str(path)).load()


def test_mistakes_are_named(tmp_path: Path) -> None:
    refused(tmp_path / "absent.txt", "absent.txt .nothing of that name.; check the spelling")
    refused(tmp_path, "must hold .txt files, got none")
    refused(written(tmp_path / "empty.txt", ""), "got 0 lines and none that fits")
    refused(written(tmp_path / "short.txt", "Too short.\nNo.\n"), "of 4 to 30 words, got 2 lines")
    refused(written(tmp_path / "one.txt", "There is one line only here.\n"), "got 1 distinct sentences .* about 100")
    refused(written(tmp_path / "latin.txt", "All is well.\nIt is caf\u00e9 time.\n", "latin-1"), "byte 0xe9 in line 2")
    refused(written(tmp_path / "wide.txt", "Sixteen bits", "utf-16"), "UTF-8 text, got byte 0xff in line 1")
    refused(written(tmp_path / "long.txt", "short\n" + "a " * 60_000), "120,000 characters in line 2")
    refused("x" * 5000, "path must be readable")
    refused("~nobody-of-this-name/boats.txt", "path must be readable")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "something that is neither")


def test_a_text_that_is_far_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "LARGEST_BYTES", 100)
    refused(written(tmp_path / "large.txt"), "at most 100 bytes of text, got")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    refused(written(tmp_path / "secret.txt"), "must be readable, got Permission denied")


def test_a_failed_text_is_not_remembered(tmp_path: Path, cache_folder: Path) -> None:
    refused(written(tmp_path / "empty.txt", ""), "none that fits")
    assert not cache_folder.exists() or not list(cache_folder.iterdir())
