"""Europarl: from an archive on a server to split sentences, and what may go wrong between."""

import errno
import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.sources import cache, download, europarl
from semcom.sources.europarl import Europarl, sentences_in

NAMES = [f"{first} {second}" for first in ("amber", "birch", "cedar", "delft") for second in ("moor", "reed", "sand")]


def day(number: int) -> str:
    """A made-up debate of some thirty sentences that no other day holds."""
    speeches = "\n<P>\n".join(
        f"We meet on the {name} for the {count}th time this year. (Applause) Is the {name} still open in year {number}?"
        for count, name in enumerate(NAMES, start=number * 100)
    )
    return f"<CHAPTER ID=1>\nOpening of the meeting\n<SPEAKER ID=1 NAME=President>\n{speeches}\n"


def packed(path: Path, texts: dict[str, str]) -> str:
    with tarfile.open(path, "w:gz") as made:
        for name, text in texts.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            made.addfile(info, io.BytesIO(text.encode()))
    return str(path)


@pytest.fixture
def source(tmp_path: Path) -> str:
    texts = {f"txt/en/ep-0{year}-01-17.txt": day(year) for year in range(6)}
    texts["txt/en/ep-00-10-02-003.txt"] = "<P>\nThis quarter is kept apart for testing.\n"
    texts["txt/fr/ep-00-01-17.txt"] = "Ceci est une phrase de la langue.\n"
    return packed(tmp_path / "europarl.tgz", texts)


def everything(corpus) -> set[str]:
    return {*corpus.train, *corpus.validation, *corpus.test}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("<SPEAKER ID=1 NAME=President>", []),
        ("Resumption of the session", []),
        ("(FR) Mr President, it is late. We vote &amp; go.", ["Mr President, it is late.", "We vote & go."]),
        ("in writing. - (PT) I voted in favour.", ["I voted in favour."]),
        ("Member of the Commission. - We are on time.", ["We are on time."]),
        ("It is <BRK>over now. lost in the middle", []),
        ("This is half a \ufffd letter.", []),
    ],
)
def test_lines_become_sentences(line: str, expected: list[str]) -> None:
    assert list(sentences_in(line)) == expected


def test_prepare_then_load(source: str) -> None:
    corpus = Europarl(url=source, cleaning="light", longest=40)
    with pytest.raises(UserMistake, match="run semcom prepare europarl"):
        corpus.load()
    before = corpus.fingerprint()
    told: list[tuple[str, int, int]] = []
    said = corpus.prepare(lambda *news: told.append(news))
    assert "144 sentences from 6 texts (1 of October to December 2000 left out)" in said
    assert "no checksum is published: trusted on first use" in said and told
    loaded = corpus.load()
    assert corpus.fingerprint() == loaded.fingerprint != before
    kept = everything(loaded)
    assert len(kept) == 144 and not any("kept apart" in sentence or "phrase" in sentence for sentence in kept)
    assert "We meet on the amber moor for the 100th time this year." in kept
    assert "were prepared before" in corpus.prepare()
    assert Path(source).exists() and corpus.load() == loaded
    # What was prepared serves every other selection.
    assert len(everything(Europarl(url=source, cleaning="light", sentences=120).load())) == 120


def test_other_shapes_of_the_corpus(tmp_path: Path) -> None:
    pair = packed(
        tmp_path / "fr-en.tgz", {"europarl-v7.fr-en.en": day(1), "europarl-v7.fr-en.fr": "Ceci est la vie.\n"}
    )
    (tmp_path / "alone.gz").write_bytes(gzip.compress(day(1).encode()))
    for url in (pair, f"file://{tmp_path}/alone.gz"):
        assert "24 sentences from 1 texts (0 of" in Europarl(url=url).prepare()


def test_an_archive_without_debates_is_refused_and_leaves_nothing(tmp_path: Path, cache_folder: Path) -> None:
    url = packed(tmp_path / "other.tgz", {"txt/de/ep-00-01-17.txt": "Das ist es."})
    with pytest.raises(UserMistake, match=r"must hold English debates .* got none; check the url"):
        Europarl(url=url).prepare()
    assert not list(cache_folder.glob("*whole*"))
    with pytest.raises(UserMistake, match="must be a web address or a file, got nowhere"):
        Europarl(url="nowhere.tgz").prepare()


def test_an_archive_that_changed_is_refused(source: str, tmp_path: Path) -> None:
    corpus = Europarl(url=source)
    corpus.prepare()
    corpus._prepared().unlink()
    assert "as at the first download" in corpus.prepare()
    corpus._prepared().unlink()
    packed(tmp_path / "europarl.tgz", {"txt/en/ep-00-01-17.txt": "A quite different text it is.\n"})
    with pytest.raises(UserMistake, match=r"must have sha256 .* as at the first download, got"):
        corpus.prepare()


def test_an_expected_hash_is_held(source: str) -> None:
    with pytest.raises(UserMistake, match=r"must have sha256 0+ as the scenario asks"):
        Europarl(url=source, sha256="0" * 64).prepare()
    right = download.sha256_of(Path(source))
    assert "as the scenario asks" in Europarl(url=source, sha256=right).prepare()
    with pytest.raises(UserMistake, match="sha256 must be 64 digits"):
        Europarl(sha256="short")


def test_the_same_archive_is_the_same_corpus_from_anywhere(source: str, tmp_path: Path) -> None:
    mirror = Path(source).rename(tmp_path / "mirror.tgz")
    first, second = Europarl(url=str(mirror)), Europarl(url=f"file://{mirror}")
    first.prepare()
    second.prepare()
    assert first.fingerprint() == second.fingerprint()


def test_damaged_text_is_prepared_again(source: str) -> None:
    corpus = Europarl(url=source, cleaning="light")
    corpus.prepare()
    with corpus._prepared().open("ab") as file:
        file.write(b"vandals were here\n")
    with pytest.raises(UserMistake, match="got a damaged file; run semcom prepare europarl"):
        corpus.load()
    assert "144 sentences from" in corpus.prepare()
    corpus.load()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Hand out `served(first, second)`: what each download brings, the last for ever; gives what was asked for."""

    def serve(*contents: bytes) -> list[str]:
        asked: list[str] = []

        def fake_fetch(url: str, target: Path, progress: object, *, largest: int) -> None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(contents[min(len(asked), len(contents) - 1)])
            asked.append(url)

        monkeypatch.setattr(download, "fetch", fake_fetch)
        return asked

    return serve


@pytest.mark.parametrize("stopped", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")], ids=repr)
def test_a_download_stays_when_its_reading_is_stopped(
    source: str, served: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, stopped: BaseException
) -> None:
    """It took long to fetch, and nothing is wrong with it."""
    asked = served(Path(source).read_bytes())

    def stop(*facts: object) -> None:
        raise stopped

    with monkeypatch.context() as patch, pytest.raises((KeyboardInterrupt, UserMistake)):
        patch.setattr(cache, "Header", stop)
        Europarl().prepare()
    assert "144 sentences" in Europarl().prepare()
    assert asked == [europarl.OFFICIAL_URL]


def test_a_download_is_deleted_once_it_is_read(
    source: str, served: Callable[..., list[str]], cache_folder: Path
) -> None:
    asked = served(b"<html>busy</html>", Path(source).read_bytes())
    with pytest.raises(UserMistake, match="whole and harmless archive"):
        Europarl().prepare()
    note = cache.place("europarl-seen", europarl.OFFICIAL_URL).with_suffix(".sha256")
    assert not note.exists()
    assert "144 sentences" in Europarl().prepare()
    assert note.exists() and asked == [europarl.OFFICIAL_URL] * 2
    assert not [path.name for path in cache_folder.iterdir() if path.suffix not in (".txt", ".sha256")]


def hollow(path: Path) -> bytes:
    """An archive with the right folder, in which every text is empty."""
    return Path(packed(path, {f"txt/en/ep-0{year}-01-17.txt": "" for year in range(6)})).read_bytes()


def squeezed(*lines: str) -> bytes:
    return gzip.compress("\n".join(lines).encode())


BAD = {
    "no byte": (lambda path: b"", "got an empty file"),
    "no text": (lambda path: gzip.compress(b""), "got 0 sentences in 1 text"),
    "hollow": (hollow, "got 0 sentences in 6 texts"),
    "next to nothing": (lambda path: squeezed("The server is busy.", "Try it again."), "at least 20 .* got 2 "),
    "page": (lambda path: b"<html>The page is not here.</html>", "got a web page"),
    "squeezed page": (lambda path: squeezed("<!DOCTYPE html>", *["The page is not here."] * 30), "got a web page"),
    "other language": (lambda path: squeezed(*["A casa do homem no rio."] * 30), "another language .30 sentences"),
    "tags alone": (lambda path: squeezed(*["<P>", "<SPEAKER ID=1>"] * 30), "got 0 sentences in 1 text"),
    "cut short": (lambda path: squeezed(day(1))[:-20], "whole and harmless archive"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_what_holds_no_debates_is_never_trusted_and_can_be_fetched_again(
    kind: str, source: str, served: Callable[..., list[str]], tmp_path: Path, cache_folder: Path
) -> None:
    make, told = BAD[kind]
    asked = served(make(tmp_path / "bad.tgz"), Path(source).read_bytes())
    with pytest.raises(UserMistake, match=told):
        Europarl().prepare()
    assert not list(cache_folder.iterdir())
    with pytest.raises(UserMistake, match="must be prepared first"):
        Europarl().load()
    assert "trusted on first use" in Europarl().prepare()
    assert asked == [europarl.OFFICIAL_URL] * 2


@pytest.mark.parametrize("version", [1, 2])
def test_a_cache_that_an_empty_archive_has_poisoned_is_mended(
    version: int, source: str, served: Callable[..., list[str]]
) -> None:
    """What earlier versions left: a prepared text of no sentence, and the hash of its archive."""
    asked, corpus, empty = served(Path(source).read_bytes()), Europarl(cleaning="light", longest=40), "e3b0" * 16
    before, key = corpus.fingerprint(), corpus._key(version)
    cache.write(cache.place("europarl-whole", key), key, [], origin=empty)
    corpus._note().write_text(empty + "\n")
    assert corpus.fingerprint() == before
    with pytest.raises(UserMistake, match="must be prepared first"):
        corpus.load()
    assert "144 sentences" in corpus.prepare() and asked == [europarl.OFFICIAL_URL]
    assert corpus._note().read_text().strip() == download.sha256_of(Path(source))
    assert len(everything(corpus.load())) == 144


@pytest.mark.parametrize("note", [b"", b"\n", b"\xff\xfe", b"not a hash"])
def test_a_spoilt_note_of_the_first_hash_stops_nothing(note: bytes, source: str) -> None:
    corpus = Europarl(url=source)
    corpus._note().parent.mkdir(parents=True)
    corpus._note().write_bytes(note)
    assert "trusted on first use" in corpus.prepare()
    assert corpus._note().read_text().strip() == download.sha256_of(Path(source))


def test_names_from_all_over_europe_are_kept_whole(tmp_path: Path) -> None:
    names = [
        "\u0141\xf3d\u017a",
        "\u0160ef\u010dovi\u010d",
        "S\xf8ren",
        "Gro\xdf\xadbeeren",
        "\xc9l\xedas",
        "\u0130zmir",
    ]
    lines = [f"{name} is the {count}th of the {other}." for name in names for count, other in enumerate(NAMES)]
    corpus = Europarl(url=packed(tmp_path / "names.tgz", {"txt/en/ep-01-01-17.txt": "\n".join(lines)}))
    corpus.prepare()
    loaded = corpus.load()
    heads = {sentence.split()[0] for sentence in everything(loaded)}
    assert heads == {"lodz", "sefcovic", "soren", "grossbeeren", "elias", "izmir"}
    assert loaded.account == "72 lines read, 72 kept"
    # Told again of what comes out of the cache.
    assert corpus.load() == loaded
