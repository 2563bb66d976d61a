"""Text files: the user's own sentences, one a line, from one file or from a folder of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semcom.files import expanded
from semcom.mistakes import UserMistake
from semcom.sources.cleaning import Cleaning, Rules, rules_for
from semcom.sources.sentences import Corpus, Name, Progress, Selection, digest, selected

# Bounds on what can be meant as sentences; a text is held in memory while it is cleaned.
LARGEST_BYTES = 1_000_000_000
LONGEST_LINE = 100_000
# Texts that committed tables were measured on, by their checksum. They stay under the rules that they are named by.
_BY_FIRST_RULES = {"dcfdb7cf2893e25e3f0c9d27ed004915cfde0b257da2f0068ea6319dd2d0b0b8"}


@dataclass(frozen=True)
class TextFile:
    """Sentences from a UTF-8 text file, one a line, or from every .txt file directly inside a folder.

    Lines of unfitting length are passed over. The fingerprint follows the content and not the name, so a
    renamed file is the same corpus.

    Args:
        path: a text file, or a folder of .txt files. In a scenario a relative path starts in the scenario's folder,
            after `--set` and in Python in the working directory.
        longest: longest sentence that is kept [words].
        shortest: shortest sentence that is kept [words].
        cleaning: `letters` keeps a-z and . ! ? alone, as the field does; `light` keeps the text as written.
        sentences: keep this many at most, chosen by hash; without it all.
    """

    path: str = "sentences.txt"
    longest: int = 30
    shortest: int = 4
    cleaning: Cleaning = "letters"
    sentences: int | None = None
    source: Literal["file"] = "file"

    def __post_init__(self) -> None:
        # An empty path is the working folder to the system, which nobody means.
        if not self.path.strip():
            raise ValueError(f"path must name a text file or a folder, got {self.path!r}")
        self._selection()

    def fingerprint(self) -> str:
        """Covers every byte of the text, and the rules.

        Raises:
            UserMistake: when there is no such file, or it cannot be read or is far too large.
        """
        return self._named()[0]

    def prepare(self, progress: Progress | None = None) -> str:
        """Read and clean the text once, which also finds whatever is wrong with it."""
        found = self.load(progress)
        return f"{self.path}: {len(found.train) + len(found.validation) + len(found.test):,} sentences"

    def load(self, progress: Progress | None = None) -> Corpus:
        """The cleaned and split sentences.

        Raises:
            UserMistake: when the text is missing, is not UTF-8, is empty or is too small to split.
        """
        fingerprint, rules = self._named()
        name = Name(self.source, fingerprint, rules, self.path)
        return selected(self._selection(), name, lambda: self._read(progress))

    def _named(self) -> tuple[str, Rules]:
        """The fingerprint of the text, and the rules that it is cleaned by."""
        checksum, rules = hashlib.sha256(), set[Rules]()
        for path in self._files():
            data = _bytes(path)
            # The length keeps two files apart from one that holds the text of both.
            checksum.update(b"%d\n" % len(data))
            checksum.update(data)
            rules.add(rules_for(data, self.cleaning))
        content = checksum.hexdigest()
        chosen: Rules = 1 if content in _BY_FIRST_RULES else max(rules)
        return digest(self.source, content, self._selection(), chosen), chosen

    def _selection(self) -> Selection:
        return Selection(self.shortest, self.longest, self.cleaning, self.sentences)

    def _read(self, progress: Progress | None) -> Iterator[str]:
        files = self._files()
        for done, path in enumerate(files):
            if progress:
                progress("reading text", done, len(files))
            yield from _lines(path)
        if progress:
            progress("cleaning text", 0, 0)

    def _files(self) -> list[Path]:
        try:
            files = self._found()
            size = sum(file.stat().st_size for file in files)
        except (OSError, RuntimeError) as error:
            # A folder that may not be entered, a name that is too long, a home that nobody has.
            raise UserMistake(f"path must be readable, got {self.path} ({error}); check its permissions") from error
        if size > LARGEST_BYTES:
            raise UserMistake(
                f"{self.path} must be at most {LARGEST_BYTES:,} bytes of text, got {size:,}; give a part of it"
            )
        return files

    def _found(self) -> list[Path]:
        path = expanded(self.path)
        if path.is_dir():
            files = sorted(inner for inner in path.glob("*.txt") if inner.is_file())
            if not files:
                raise UserMistake(f"the folder {self.path} must hold .txt files, got none; name a file, or add some")
        elif path.is_file():
            files = [path]
        else:
            got = "something that is neither" if path.exists() else "nothing of that name"
            raise UserMistake(f"path must be a text file or a folder, got {self.path} ({got}); check the spelling")
        return files


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserMistake(f"{path} must be readable, got {error.strerror or error}; check its permissions") from error


def _lines(path: Path) -> Iterator[str]:
    data = _bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserMistake(
            f"{path} must be UTF-8 text, got byte 0x{data[error.start]:02x} in line {line}; save it as UTF-8"
        ) from error
    for number, line_text in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if len(line_text) > LONGEST_LINE:
            raise UserMistake(
                f"{path} must hold one sentence a line, got {len(line_text):,} characters in line {number}; "
                "cut it into sentences"
            )
        if line_text.strip():
            yield line_text
