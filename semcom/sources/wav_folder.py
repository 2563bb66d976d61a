"""WavFolder: one's own recordings of words, a folder for each word."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semcom.files import digest, digest_of, expanded
from semcom.mistakes import UserMistake
from semcom.sources import cache
from semcom.sources.picture_splits import check_shares
from semcom.sources.recorded import deal, fingerprint_of
from semcom.sources.sentences import Progress
from semcom.sources.speech_splits import (
    MOST_CLASSES,
    READING_VERSION,
    by_speaker,
    check_speech,
    collected,
    some_speakers,
    split_speech,
    window_of,
)
from semcom.sources.wav import LARGEST_FILE, read_wav
from semcom.words import visible

if TYPE_CHECKING:
    from torch import Tensor

    from semcom.sources.speech import SpeechCorpus, SpeechSet

MOST_FILES = 1_000_000


@dataclass(frozen=True)
class WavFolder:
    """A folder with a folder for each word, and in these WAV files; speakers are kept apart where they are told.

    Args:
        path: the folder. In a scenario a relative path starts in the scenario's folder.
        speakers: how a file tells who speaks: `folder` by a folder inside the word's (WORD/SPEAKER/FILE.wav), `name` by
            the beginning of its name, up to the first underscore (WORD/SPEAKER_1.wav), `none` not at all. Who is tested
            is never heard in training where speakers are told; else recordings are dealt by chance.
        rate: samples a second [Hz], from 4000 to 48000 and a multiple of 50.
        resample: whether files of another rate are brought to it; without it they are refused.
        seconds: that every word is cut or filled up to, at most 10 [s].
        validation_share: of the speakers to validate on, at least one; of each class where speakers are not told.
        test_share: of the speakers to test on, at least one; of each class where speakers are not told.
        seed: of the split.
    """

    path: str = "words"
    speakers: Literal["none", "folder", "name"] = "none"
    rate: int = 8000
    resample: bool = False
    seconds: float = 1.0
    validation_share: float = 0.1
    test_share: float = 0.2
    seed: int = 0
    kind: Literal["wav_folder"] = "wav_folder"

    def __post_init__(self) -> None:
        check_shares(self.validation_share, self.test_share, self.seed)
        check_speech(self.rate, self.seconds)
        if not self.path.strip():
            raise ValueError(f"path must name a folder, got {self.path!r}")
        if self.speakers not in ("none", "folder", "name"):
            raise ValueError(f"speakers must be none, folder or name, got {self.speakers!r}")

    @property
    def samples(self) -> int:
        """That every word is cut or filled up to."""
        return window_of(self.rate, self.seconds)

    @property
    def is_at_hand(self) -> bool:
        """They are on this machine, but may take minutes to read."""
        return False

    def fingerprint(self) -> str:
        """Covers every byte of the recordings, their words and speakers, and how they are read and split.

        Digests are remembered for as long as no file's time or size changes.

        Raises:
            UserMistake: there is no such folder, or it cannot be read.
        """
        root, files = self._files()
        facts = [[str(file.relative_to(root)), (told := file.stat()).st_size, told.st_mtime_ns] for file in files]
        key = json.dumps([str(root.resolve()), facts])
        content = next(iter(cache.remember("recordings-digest", key, lambda: [_content(root, files)])))
        settings = {
            "reading": READING_VERSION,
            "speakers": self.speakers,
            "rate": self.rate,
            "resample": self.resample,
            "samples": self.samples,
            "shares": [float(self.validation_share), float(self.test_share)],
            "seed": self.seed,
        }
        return fingerprint_of(self.kind, content, settings)

    def prepare(self, progress: Progress | None = None) -> str:
        """Read the recordings once, which also finds whatever is wrong with them."""
        return f"{self.path}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> SpeechCorpus:
        """The recordings, dealt to their splits.

        Raises:
            UserMistake: the folder is missing, or a recording is damaged, too large, of another rate, or none.
        """
        root, files = self._files()
        classes = tuple(sorted({_word(file, root) for file in files}))
        if not 2 <= len(classes) <= MOST_CLASSES:
            raise UserMistake(
                f"{self.path}: must have folders of from 2 to {MOST_CLASSES:,} words, got {len(classes)}; put the "
                "recordings of each word into a folder of its own"
            )
        speakers = [self._speaker(file) for file in files]
        labels = [classes.index(_word(file, root)) for file in files]
        words = []
        for place, file in enumerate(files):
            if progress and place % 200 == 0:
                progress("reading recordings", place, len(files))
            words.append(read_wav(_bytes(file), rate=self.rate, resample=self.resample, called=str(file)))
        found = collected(words, labels, speakers, window=self.samples, called=self.path)
        cut = sum(len(word) > self.samples for word in words)
        who = "" if self.speakers == "none" else f" by {len(set(speakers))} speakers"
        return split_speech(
            found,
            self._rows(found),
            seed=self.seed,
            classes=classes,
            fingerprint=self.fingerprint(),
            account=f"{len(files):,} recordings{who} at {self.rate:,} Hz, {cut:,} of them cut to {self.seconds:g} s; "
            f"words {', '.join(map(visible, classes[:20]))}",
            called=self.path,
        )

    def _rows(self, found: SpeechSet) -> dict[str, Tensor]:
        shares = (self.validation_share, self.test_share)
        if self.speakers == "none":
            return deal(found.labels, shares=shares, seed=self.seed)
        validation, test = some_speakers(found.speakers, shares=shares, seed=self.seed, called=self.path)
        return by_speaker(found.speakers, validation=validation, test=test)

    def _speaker(self, file: Path) -> str:
        if self.speakers == "none":
            return ""
        if self.speakers == "folder":
            return file.parent.name
        speaker, underscore, _ = file.stem.partition("_")
        if not (speaker and underscore):
            raise UserMistake(
                f"{file}: must be named SPEAKER_..., where speakers are told by the name, got no speaker before an "
                "underscore; rename it, or set speakers: none"
            )
        return speaker

    def _files(self) -> tuple[Path, list[Path]]:
        """The folder, and all recordings in it in the order of their names."""
        root = expanded(self.path)
        pattern = "*/*/*" if self.speakers == "folder" else "*/*"
        try:
            if not root.is_dir():
                got = "something that is no folder" if root.exists() else "nothing of that name"
                raise UserMistake(f"path must be a folder with a folder for each word, got {self.path} ({got})")
            found = sorted(each for each in root.glob(pattern) if each.suffix.lower() == ".wav" and each.is_file())
        except OSError as error:
            raise UserMistake(f"path must be readable, got {self.path} ({error.strerror or error})") from error
        if not 1 <= len(found) <= MOST_FILES:
            raise UserMistake(
                f"{self.path}: must hold from 1 to {MOST_FILES:,} WAV files as {pattern}.wav, got {len(found):,}"
            )
        return root, found


def _word(file: Path, root: Path) -> str:
    return file.relative_to(root).parts[0]


def _bytes(file: Path) -> bytes:
    try:
        if (size := file.stat().st_size) > LARGEST_FILE:
            raise UserMistake(f"{file}: must have at most {LARGEST_FILE:,} bytes, got {size:,}; cut it, or take it out")
        return file.read_bytes()
    except OSError as error:
        raise UserMistake(f"{file}: must be readable, got {error.strerror or error}") from error


def _content(root: Path, files: Sequence[Path]) -> str:
    return digest(json.dumps([[str(file.relative_to(root)), digest_of(file)] for file in files]).encode())
