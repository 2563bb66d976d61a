"""SpokenDigits: 3,000 recordings of the ten English digits by six speakers, as their makers publish them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semcom.files import expanded
from semcom.mistakes import UserMistake
from semcom.sources import cache
from semcom.sources.recorded import fingerprint_of
from semcom.sources.sentences import Progress
from semcom.sources.speech_splits import READING_VERSION, by_speaker, collected, split_speech, window_of
from semcom.sources.wav import read_wav

if TYPE_CHECKING:
    from semcom.sources.speech import SpeechCorpus

OFFICIAL_URL = "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz"
LARGEST_ARCHIVE = 100_000_000
LARGEST_RECORDING = 1_000_000
RECORDINGS = 3000
# Of names and bytes of all recordings: an archive that is packed on demand has another sum every other year.
CONTENT = "8fed8b0b058a7efa7544bbb3e8e98607ecdcbd47a2f0ea31139cab18a6b679c9"
RATE = 8000
SECONDS = 1.0  # 20 of the 3,000 are longer
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NAME = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")


@dataclass(frozen=True)
class SpokenDigits:
    """The Free Spoken Digit Dataset: ten English digits, 50 times each by six speakers, 8 kHz.

    Speakers are kept apart: who is tested is never heard in training, and who is validated on neither. The archive is
    looked for in `path` and in the cache, and else fetched from the official address, once. Only the official
    recordings are taken. They are under CC-BY-SA-4.0: name them wherever audio or models made from them are published.

    Args:
        path: the archive (.tar.gz), or the folder that it unpacks to; without it they are looked for as said above. In
            a scenario a relative path starts in the scenario's folder.
        validation_speakers: who is kept for validation.
        test_speakers: who is kept for the test.

    Source: Jackson, Souza, Flaks, Pan, Nicolas and Thite, Free Spoken Digit Dataset, v1.0.8, Zenodo, 2018, and what was
    added up to v1.0.10.
    """

    path: str | None = None
    validation_speakers: tuple[str, ...] = ("yweweler",)
    test_speakers: tuple[str, ...] = ("theo",)
    kind: Literal["spoken_digits"] = "spoken_digits"

    def __post_init__(self) -> None:
        held = (*self.validation_speakers, *self.test_speakers)
        if unknown := sorted(set(held) - set(SPEAKERS)):
            raise ValueError(f"speakers must be of {', '.join(SPEAKERS)}, got {', '.join(unknown)}")
        if not self.validation_speakers or not self.test_speakers or len(set(held)) < len(held):
            raise ValueError(
                "validation_speakers and test_speakers must each name somebody, nobody twice, got "
                f"{', '.join(self.validation_speakers) or 'nobody'} and {', '.join(self.test_speakers) or 'nobody'}"
            )
        if len(held) == len(SPEAKERS):
            raise ValueError("validation_speakers and test_speakers must leave somebody to train on, got all six")
        if self.path is not None and not self.path.strip():
            raise ValueError(f"path must name an archive or a folder, got {self.path!r}; leave it out to have it found")

    @property
    def rate(self) -> int:
        """Samples a second."""
        return RATE

    @property
    def samples(self) -> int:
        """That every word is cut or filled up to."""
        return window_of(RATE, SECONDS)

    @property
    def is_at_hand(self) -> bool:
        """Wherever the recordings are there already."""
        return self.path is not None or _fetched().is_file()

    def fingerprint(self) -> str:
        """Covers the recordings, which are the official ones or none, and who is kept for what."""
        settings = {
            "reading": READING_VERSION,
            "validation": sorted(self.validation_speakers),
            "test": sorted(self.test_speakers),
        }
        return fingerprint_of(self.kind, CONTENT, settings)

    def prepare(self, progress: Progress | None = None) -> str:
        """Fetch what is not there, and read it once, which also finds whatever is wrong with it."""
        return f"{self.kind}: {self.load(progress).account}"

    def load(self, progress: Progress | None = None) -> SpeechCorpus:
        """The recordings, dealt to their splits; fetched first where they are nowhere to be found.

        Raises:
            UserMistake: they are missing, damaged or not the official ones, or cannot be fetched.
        """
        found = self._recordings(progress)
        words, labels, speakers = [], [], []
        for name, content in sorted(found.items()):
            told = _NAME.fullmatch(name)
            assert told is not None, "only such names were read"
            words.append(read_wav(content, rate=RATE, resample=False, called=name))
            labels.append(int(told[1]))
            speakers.append(told[2])
        rows = by_speaker(speakers, validation=self.validation_speakers, test=self.test_speakers)
        return split_speech(
            collected(words, labels, speakers, window=self.samples, called=self.kind),
            rows,
            seed=0,
            classes=CLASSES,
            fingerprint=self.fingerprint(),
            account=f"{len(words):,} recordings of ten digits at {RATE:,} Hz; {', '.join(self.test_speakers)} for the "
            f"test and {', '.join(self.validation_speakers)} for validation, never heard in training",
            called=self.kind,
        )

    def _recordings(self, progress: Progress | None) -> dict[str, bytes]:
        """The bytes of the official recordings, by their names."""
        if self.path is not None:
            place = expanded(self.path)
            if not place.exists():
                raise UserMistake(f"path must be an archive (.tar.gz) or a folder, got {self.path}; check the spelling")
            return _checked(_in_folder(place) if place.is_dir() else _in_archive(place, progress), self.path)
        if not _fetched().is_file():
            _fetch(progress)
        return _checked(_in_archive(_fetched(), progress), str(_fetched()))


def content_of(recordings: dict[str, bytes]) -> str:
    """A digest of names and bytes, whatever they were packed in."""
    checksum = hashlib.sha256()
    for name, content in sorted(recordings.items()):
        checksum.update(f"{name} {len(content)}\n".encode())
        checksum.update(content)
    return checksum.hexdigest()


def _checked(recordings: dict[str, bytes], called: str) -> dict[str, bytes]:
    if (got := content_of(recordings)) != CONTENT:
        raise UserMistake(
            f"{called}: must hold the {RECORDINGS:,} recordings of the official release v1.0.10, got "
            f"{len(recordings):,} of the sum {got[:12]}; fetch {OFFICIAL_URL}, or name a folder of other recordings in "
            "a source of kind wav_folder"
        )
    return recordings


def _in_archive(path: Path, progress: Progress | None) -> dict[str, bytes]:
    from semcom.sources.archive import files

    # Read where they lie: nothing is unpacked to disk.
    found = files(path, lambda name: _is_recording(Path(name)), progress, largest=LARGEST_RECORDING)
    return {Path(name).name: content for name, content in found}


def _in_folder(folder: Path) -> dict[str, bytes]:
    """Of the folder of the recordings, or one that holds it."""
    inside = folder / "recordings" if (folder / "recordings").is_dir() else folder
    try:
        places = [each for each in inside.iterdir() if _NAME.fullmatch(each.name) and each.is_file()]
        if any(each.stat().st_size > LARGEST_RECORDING for each in places):
            raise UserMistake(f"{folder}: recordings must have at most {LARGEST_RECORDING:,} bytes, got a larger one")
        return {each.name: each.read_bytes() for each in places}
    except OSError as error:
        raise UserMistake(f"{folder}: must be readable, got {error.strerror or error}") from error


def _is_recording(path: Path) -> bool:
    return path.parent.name == "recordings" and _NAME.fullmatch(path.name) is not None


def _fetched() -> Path:
    return cache.folder() / "spoken-digits" / "v1.0.10.tar.gz"


def _fetch(progress: Progress | None) -> None:
    """Fetch the archive; it has its name only once it is known to hold the official recordings."""
    # The network's modules are slow to load, and only needed once.
    from semcom.sources import download

    unchecked = _fetched().with_suffix(".unchecked")
    download.fetch(OFFICIAL_URL, unchecked, progress, largest=LARGEST_ARCHIVE)
    try:
        _checked(_in_archive(unchecked, progress), OFFICIAL_URL)
    except UserMistake:
        unchecked.unlink(missing_ok=True)
        raise
    unchecked.replace(_fetched())
