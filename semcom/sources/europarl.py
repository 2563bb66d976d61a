"""Europarl: the English debates of the European Parliament, fetched once from the official site."""

from __future__ import annotations

import contextlib
import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from semcom.files import expanded, replacing
from semcom.mistakes import UserMistake
from semcom.sources import cache
from semcom.sources.cleaning import PRESENT, Cleaning, Rules
from semcom.sources.prose import is_sentence, sentences_of
from semcom.sources.sentences import Corpus, Name, Progress, Selection, digest, selected
from semcom.words import counted as several

# Part of the fingerprint: raise it when a change below alters a single sentence.
PREPARATION_VERSION = 2
# The archive holds names from all over Europe.
RULES: Rules = PRESENT
# Of fewer sentences, one in twenty for validation and for testing is none: whatever came, it is not this corpus.
FEWEST = 20
OFFICIAL_URL = "https://www.statmt.org/europarl/v7/europarl.tgz"
# The official archive has 1.5 GB.
LARGEST_ARCHIVE = 4_000_000_000

# One file a day, or a part of a day: txt/en/ep-00-01-17.txt, txt/en/ep-07-05-23-005-04.txt.
_DAY = re.compile(r"(?:.*/)?txt/en/ep-(?P<year>\d\d|\d{4})-(?P<month>\d\d)-\d\d[\w.-]*\.txt")
# The English side of a language pair, or English alone; one sentence or so a line, and no dates.
_UNDATED = re.compile(r"(?:.*/)?europarl-v\d+(?:\.\w\w-en)?\.en")
# Most English sentences hold it, and next to none of another language do.
_THE = re.compile(r"\bthe\b", re.IGNORECASE)
_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body|\?xml)\b", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
# Before a speech may stand its author's office, or that it was handed in, and the language: "in writing. - (FR) ".
_PREFACE = re.compile(r"\A(?:[^.!?]{1,150}\.\s+-\s+)?(?:\W*\([A-Z]{2}\)\s*)?")
# What the house did, not what the speaker said.
_STAGE = re.compile(
    r"\((?:[\w-]+ )?(?:applause|laughter|interruptions?|protests?|heckling|uproar)\b[^()]*\)", re.IGNORECASE
)


@dataclass(frozen=True)
class Europarl:
    """Release 7 of Europarl, English side, cut into sentences; it must be prepared once.

    The debates of October to December 2000 are left out wherever the archive has dates, because the authors
    of the corpus ask that this quarter be kept for testing. The texts are reports of the European Parliament;
    name it and the paper wherever the text, or a model trained on it, is published.

    No checksum is published. Unless `sha256` says what to expect, the first archive that comes is trusted if
    it is whole, its hash is remembered, and a later one that differs is refused.

    Args:
        longest: longest sentence that is kept [words].
        shortest: shortest sentence that is kept [words].
        cleaning: `letters` keeps a-z and . ! ? alone, as the field does; `light` keeps the text as written.
        sentences: keep this many at most, chosen by hash; without it all.
        url: where the archive is: the source release (1.5 GB, dated), a language pair such as fr-en.tgz beside it,
            europarl-v7.en.gz (0.1 GB, undated), or a path to any of them on this machine.
        sha256: hash that the archive must have; without it the first archive is trusted and its hash remembered.

    Source: Koehn, Europarl: A Parallel Corpus for Statistical Machine Translation, MT Summit 2005.
    """

    longest: int = 30
    shortest: int = 4
    cleaning: Cleaning = "letters"
    sentences: int | None = None
    url: str = OFFICIAL_URL
    sha256: str | None = None
    source: Literal["europarl"] = "europarl"

    def __post_init__(self) -> None:
        self._selection()
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise UserMistake(f"sha256 must be 64 digits of 0-9 and a-f, got {self.sha256!r}; leave it out to trust")

    def fingerprint(self) -> str:
        """Covers the archive that was prepared, and the rules.

        Before anything was prepared it covers the address alone, so it changes once by preparing.
        """
        header = self._header()
        content = ["archive", header.origin] if header else ["unprepared", self.url, self.sha256]
        return digest(self.source, [*content, PREPARATION_VERSION], self._selection(), RULES)

    def prepare(self, progress: Progress | None = None) -> str:
        """Fetch the archive, check it, and keep its English sentences; does nothing where that was done.

        A download that was broken off goes on from where it stopped. The archive is deleted afterwards,
        unless it was on this machine already.

        Raises:
            UserMistake: when it cannot be fetched, is damaged, or is not the one expected.
        """
        # The network's modules are slow to load, and only needed once in the life of a corpus.
        from semcom.sources import download

        prepared, key = self._prepared(), self._key()
        header = self._header()
        if header and cache.is_whole(prepared, key):
            return f"europarl: {header.lines:,} sentences were prepared before, at {prepared}"
        local = _local_path(self.url)
        archive = local or prepared.with_suffix(".archive")
        if local and not local.is_file():
            raise UserMistake(f"url must be a web address or a file, got {self.url}; check the spelling")
        if not archive.exists():
            download.fetch(self.url, archive, progress, largest=LARGEST_ARCHIVE)
        counted: Counter[str] = Counter()
        fetched = None if local else archive
        with _gone_if_refused(fetched):
            found = download.sha256_of(archive, progress)
            trust = self._checked(found)
        # Asked before the prepared text is replaced, which tells whether the note is of an archive without sentences.
        is_first = self._seen() is None
        made = _sentences(archive, counted, progress, called=self.url)
        header = cache.write(prepared, key, _refusable(made, fetched), origin=found)
        if fetched:
            fetched.unlink(missing_ok=True)
        # Only now, because an archive that turned out to be damaged must not become the measure of later ones.
        if is_first:
            with replacing(self._note()) as temporary:
                temporary.write_text(found + "\n")
        return (
            f"europarl: {header.lines:,} sentences from {counted['kept']:,} texts "
            f"({counted['held out']:,} of October to December 2000 left out); archive sha256 {found} ({trust})"
        )

    def load(self, progress: Progress | None = None) -> Corpus:
        """The cleaned and split sentences.

        Raises:
            UserMistake: when the corpus was not prepared, or its file is damaged.
        """
        if self._header() is None:
            typed = "" if self.url == OFFICIAL_URL else f" --url {self.url}"
            command = f"semcom prepare europarl{typed}"
            raise UserMistake(f"the corpus europarl must be prepared first, got no text; run {command}")
        name = Name(self.source, self.fingerprint(), RULES, "the corpus europarl")
        return selected(self._selection(), name, lambda: self._read(progress))

    def _selection(self) -> Selection:
        return Selection(self.shortest, self.longest, self.cleaning, self.sentences)

    def _key(self, version: int = PREPARATION_VERSION) -> str:
        return json.dumps([self.url, self.sha256, version])

    def _prepared(self) -> Path:
        return cache.place("europarl-whole", self._key())

    def _header(self) -> cache.Header | None:
        """That of the prepared text; none where it holds no sentence."""
        header = cache.read_header(self._prepared(), self._key())
        return header if header and header.lines else None

    def _read(self, progress: Progress | None) -> Iterator[str]:
        prepared = self._prepared()
        if not cache.is_whole(prepared, self._key()):
            raise UserMistake(f"{prepared} must be as it was written, got a damaged file; run semcom prepare europarl")
        if progress:
            progress("cleaning text", 0, 0)
        return cache.read(prepared)

    def _note(self) -> Path:
        return cache.place("europarl-seen", self.url).with_suffix(".sha256")

    def _checked(self, found: str) -> str:
        """Compare the archive's hash with what it must be, and say on what ground that is known."""
        if self.sha256 is not None:
            expected, ground = self.sha256, "as the scenario asks"
        elif (seen := self._seen()) is not None:
            expected, ground = seen, "as at the first download"
        else:
            return "no checksum is published: trusted on first use, and remembered"
        if found != expected:
            raise UserMistake(
                f"the archive {self.url} must have sha256 {expected} {ground}, got {found}; "
                f"find out why it changed, then delete {self._note()} or correct sha256"
            )
        return ground

    def _seen(self) -> str | None:
        """The hash of the first archive; none where the note is spoilt, or is of an archive that held no sentence."""
        try:
            seen = self._note().read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return None
        hollow = _hollow(map(self._key, range(1, PREPARATION_VERSION + 1)))
        return seen if re.fullmatch("[0-9a-f]{64}", seen) and seen not in hollow else None


def _hollow(keys: Iterable[str]) -> set[str]:
    """The hashes of archives without a sentence, which versions before the second took for good."""
    headers = (cache.read_header(cache.place("europarl-whole", key), key) for key in keys)
    return {header.origin for header in headers if header and not header.lines}


@contextlib.contextmanager
def _gone_if_refused(archive: Path | None) -> Iterator[None]:
    """Delete an archive that is refused, or it would be met again by every later attempt.

    One that was only interrupted, or that the disk had no room for the text of, stays: it took long to fetch.
    """
    try:
        yield
    except UserMistake:
        if archive:
            archive.unlink(missing_ok=True)
        raise


def _refusable(sentences: Iterator[str], archive: Path | None) -> Iterator[str]:
    # Around the reading alone: what the disk refuses of the writing says nothing against the archive.
    with _gone_if_refused(archive):
        yield from sentences


def _sentences(archive: Path, counted: Counter[str], progress: Progress | None, *, called: str) -> Iterator[str]:
    """The English sentences of an archive, text after text in its own order.

    Raises:
        UserMistake: when it is damaged, or holds anything but English debates; nothing of it is to be trusted.
    """
    from semcom.sources.archive import texts

    for name, lines in texts(archive, _is_wanted, progress, called=f"the archive {called}"):
        if _is_held_out(name):
            counted["held out"] += 1
            continue
        counted["kept"] += 1
        for line in lines:
            if not name and _PAGE.match(line):
                raise UserMistake(f"the archive {called} must hold English debates, got a web page; check the url")
            for sentence in sentences_in(line):
                counted["sentences"] += 1
                counted["with the"] += _THE.search(sentence) is not None
                yield sentence
    if not counted["kept"]:
        raise UserMistake(
            f"the archive {called} must hold English debates (txt/en/ep-*.txt or europarl-v7*.en), got none; "
            "check the url"
        )
    got = f"{several(counted['sentences'], 'sentence')} in {several(counted['kept'], 'text')}"
    if counted["sentences"] < FEWEST:
        raise UserMistake(
            f"the archive {called} must hold at least {FEWEST} English sentences, got {got}; fetch it again, or check "
            "the url"
        )
    if counted["with the"] * 10 < counted["sentences"]:
        raise UserMistake(
            f"the archive {called} must hold English debates, got another language ({got}, {counted['with the']:,} "
            "with the word the); check the url"
        )


def sentences_in(line: str) -> Iterator[str]:
    """The sentences in one line of a debate: markup gone, scraps and undecodable text left out.

    A line that is only a tag, and a heading, which has no stop, give none.
    """
    text = _STAGE.sub(" ", html.unescape(_TAG.sub(" ", line)))
    if "\ufffd" not in text:
        yield from filter(is_sentence, sentences_of(_PREFACE.sub("", text)))


def _is_wanted(name: str) -> bool:
    return bool(_DAY.fullmatch(name) or _UNDATED.fullmatch(name))


def _is_held_out(name: str) -> bool:
    day = _DAY.fullmatch(name)
    return day is not None and day["year"] in ("00", "2000") and int(day["month"]) >= 10


def _local_path(url: str) -> Path | None:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if "://" in url else expanded(url)
