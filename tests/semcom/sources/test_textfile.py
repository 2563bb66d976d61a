"""Text files: what a person may hand over, and what they are told when it cannot be used."""

import hashlib
import os
from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.sources import cache, textfile
from semcom.sources.sentences import Selection, digest
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
    refused("~nobody-of-this-name/boats.txt", "must stand for a home folder")
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


RUSSIAN = [
    f"\u041b\u043e\u0434\u043a\u0430 \u0438\u0434\u0451\u0442 \u043f\u043e \u0440\u0435\u043a\u0435 IEEE {n}."
    for n in range(300)
]
SHARP = [f"The Stra\xdfe {''.join('abcdefghij'[int(d)] for d in str(n))} is long." for n in range(400)]


@pytest.mark.parametrize(
    ("lines", "cleaning", "moved"),
    [
        (LINES, "letters", False),
        ([line + " \u201cO\xf9?\u201d \u2013 \xa35" for line in LINES], "letters", False),
        (SHARP, "letters", True),
        (SHARP, "light", False),
        ([line + " co\xadop" for line in LINES], "light", True),
        (RUSSIAN, "letters", True),
        (RUSSIAN, "light", False),
    ],
)
def test_a_text_is_named_by_the_present_rules_only_where_it_gains(
    tmp_path: Path, lines: list[str], cleaning: str, moved: bool
) -> None:
    corpus = TextFile(written(tmp_path / "text.txt", "\n".join(lines)), cleaning=cleaning)
    data = Path(corpus.path).read_bytes()
    content = hashlib.sha256(b"%d\n%s" % (len(data), data)).hexdigest()
    selection = Selection(4, 30, cleaning)
    assert corpus.fingerprint() == digest("file", content, selection, 2 if moved else 1)


def test_one_file_of_a_folder_moves_all_of_it(tmp_path: Path) -> None:
    written(tmp_path / "a.txt")
    before = TextFile(str(tmp_path))._named()
    written(tmp_path / "b.txt", "\n".join(SHARP))
    assert (before[1], TextFile(str(tmp_path))._named()[1]) == (1, 2)


def test_the_text_of_a_committed_table_stays_under_its_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = TextFile(written(tmp_path / "text.txt", "\n".join(SHARP)))
    present = corpus.load()
    assert all(" strasse " in sentence for sentence in present.train)
    data = Path(corpus.path).read_bytes()
    content = hashlib.sha256(b"%d\n%s" % (len(data), data)).hexdigest()
    monkeypatch.setattr(textfile, "_BY_FIRST_RULES", {content})
    first = corpus.load()
    assert all(" stra e " in sentence for sentence in first.train)
    # Two names, so that neither text is ever taken out of the cache for the other.
    assert first.fingerprint == digest("file", content, Selection(4, 30, "letters"), 1) != present.fingerprint


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            RUSSIAN,
            "got 300 lines and none that fits .300 in another script.; cleaning: letters keeps a-z alone; .*light",
        ),
        ([*RUSSIAN, LINES[0]], "got 1 distinct .* dropped .300 in another script.; cleaning: letters keeps a-z alone"),
        (["\u6cb3\u4e0a\u6709\u4e00\u6761\u8239"] * 9, "got 9 lines .* .9 in another script.; cleaning: letters keeps"),
        (["Too short."] * 9, "got 9 lines .* .9 too short.; write one sentence a line"),
        (["1 2 3 4 5"] * 9, "got 9 lines .* .9 without letters.; write sentences of words"),
        (["\u20ac 5 \u2013 7 \xb0 8"] * 9, "got 9 lines .* .9 without letters.; write sentences of words"),
    ],
)
def test_a_refusal_names_its_cause(tmp_path: Path, lines: list[str], told: str) -> None:
    refused(written(tmp_path / "text.txt", "\n".join(lines)), told)


def test_text_in_another_script_is_kept_whole_by_light_cleaning(tmp_path: Path) -> None:
    corpus = TextFile(written(tmp_path / "text.txt", "\n".join(RUSSIAN)), cleaning="light").load()
    assert sorted([*corpus.train, *corpus.validation, *corpus.test]) == sorted(RUSSIAN)


def test_what_became_of_the_lines_is_told_again_from_the_cache(tmp_path: Path) -> None:
    text = TextFile(written(tmp_path / "text.txt", "\n".join([*SHARP, *SHARP[:9], "Short.", "", *RUSSIAN[:3]])))
    told = "413 lines read, 400 kept; dropped: 1 too short, 3 in another script, 9 repeated"
    assert (text.load().account, text.load().account) == (told, told)
    path = next(cache.folder().glob("file-*"))
    # A text that an older version cleaned has no such note, and is as good.
    cache.write(path, text.fingerprint(), list(cache.read(path)))
    assert text.load().account == "" and len(text.load().train) > 300


def test_the_committed_europarl_tables_keep_their_name() -> None:
    (content,) = textfile._BY_FIRST_RULES
    # The fingerprint that every committed run on Europarl was named by.
    assert digest("file", content, Selection(4, 30, "letters"), 1) == "fe5e3e7ad9967c67087e5194c4683fa8"
