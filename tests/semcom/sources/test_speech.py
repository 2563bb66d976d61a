"""Spoken words: speakers are kept apart, archives are trusted with nothing, and words come out as they went in."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import wavfile

from channels import Chance
from semcom.mistakes import UserMistake
from semcom.sources import spoken_digits
from semcom.sources.formant_words import FormantWords, say
from semcom.sources.labelled import LabelledBatches
from semcom.sources.speech import SpeechCorpus
from semcom.sources.spoken_digits import SPEAKERS, SpokenDigits
from semcom.sources.wav_folder import WavFolder

SPLITS = ("train", "validation", "test")


def tone(number: int, length: int = 400) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * (200 + number) * np.arange(length) / 8000)).astype(np.int16)


def stored(samples: np.ndarray, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


def assert_apart(words: SpeechCorpus) -> None:
    heard = [set(getattr(words, split).speakers) for split in SPLITS]
    assert all(heard) and not (heard[0] & heard[1] or heard[0] & heard[2] or heard[1] & heard[2])


# The free spoken digits


@pytest.fixture(scope="module")
def recordings() -> dict[str, bytes]:
    """As the official ones are named, two of every digit by every speaker."""
    named = [(digit, speaker, take) for digit in range(10) for speaker in SPEAKERS for take in range(2)]
    return {f"{d}_{s}_{t}.wav": stored(tone(place, 300 + place)) for place, (d, s, t) in enumerate(named)}


def packed(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def official(recordings: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive that is taken for the official one."""
    monkeypatch.setattr(spoken_digits, "CONTENT", spoken_digits.content_of(recordings))
    inside = {f"free-spoken-digit-dataset-1.0.10/recordings/{name}": each for name, each in recordings.items()}
    return packed(tmp_path / "digits.tar.gz", inside | {"free-spoken-digit-dataset-1.0.10/README.md": b"read me"})


def test_who_is_tested_is_never_heard_in_training(official: Path) -> None:
    words = SpokenDigits(path=str(official)).load()
    assert [len(getattr(words, split)) for split in SPLITS] == [80, 20, 20]
    assert set(words.test.speakers) == {"theo"} and set(words.validation.speakers) == {"yweweler"}
    assert_apart(words)
    assert words.classes[3] == "three" and torch.bincount(words.test.labels[:10]).tolist() == [1] * 10
    other = SpokenDigits(path=str(official), test_speakers=("lucas", "george"))
    assert set(other.load().test.speakers) == {"lucas", "george"}
    assert other.fingerprint() != words.fingerprint == SpokenDigits(path=str(official)).fingerprint()


def test_a_folder_is_as_good_as_an_archive(official: Path, recordings: dict[str, bytes], tmp_path: Path) -> None:
    inside = tmp_path / "folder" / "recordings"
    inside.mkdir(parents=True)
    for name, content in recordings.items():
        (inside / name).write_bytes(content)
    one, other = SpokenDigits(path=str(official)).load(), SpokenDigits(path=str(inside.parent)).load()
    assert torch.equal(one.train.samples, other.train.samples) and one.fingerprint == other.fingerprint
    (inside / "0_theo_0.wav").write_bytes(stored(tone(1)))
    with pytest.raises(UserMistake, match=r"must hold the 3,000 recordings of the official release v1\.0\.10, got 120"):
        SpokenDigits(path=str(inside.parent)).load()


def test_it_is_fetched_once_and_kept_only_if_it_is_the_official_one(
    official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCOM_CACHE", str(tmp_path / "cache"))
    served = [b"<html>", official.read_bytes()]
    monkeypatch.setattr(
        "semcom.sources.download.fetch",
        lambda url, target, progress, *, largest: (
            target.parent.mkdir(parents=True, exist_ok=True),
            target.write_bytes(served.pop(0)),
        ),
    )
    source = SpokenDigits()
    with pytest.raises(UserMistake, match="must be a whole and harmless archive, got a web page"):
        source.load()
    assert not source.is_at_hand and not list((tmp_path / "cache").rglob("*.unchecked"))
    assert len(source.load().train) == len(source.load().train) == 80
    assert SpokenDigits().is_at_hand and not served


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"../recordings/0_theo_0.wav": b"x"}, "leads outside"),
        ({"/recordings/0_theo_0.wav": b"x"}, "leads outside"),
        ({"a/recordings/0_theo_0.wav": b"0" * 1_000_001}, "more than 1,000,000 bytes"),
        ({"a/notes.txt": b"x"}, "got 0 of the sum"),
    ],
    ids=["climbs", "from the root", "huge", "another archive"],
)
def test_archives_are_trusted_with_nothing(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    with pytest.raises(UserMistake, match=words):
        SpokenDigits(path=str(packed(tmp_path / "hostile.tar.gz", files))).load()


def test_a_cut_archive_and_a_lost_one_are_one_message(official: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(official.read_bytes()[:-2000])
    with pytest.raises(UserMistake, match="must be a whole and harmless archive"):
        SpokenDigits(path=str(cut)).load()
    with pytest.raises(UserMistake, match="path must be an archive"):
        SpokenDigits(path=str(tmp_path / "nothing")).load()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"test_speakers": ("nobody",)}, "speakers must be of george, jackson"),
        ({"test_speakers": ("yweweler",)}, "nobody twice"),
        ({"test_speakers": ()}, "must each name somebody"),
        ({"test_speakers": SPEAKERS[:5]}, "must leave somebody to train on"),
    ],
)
def test_splits_of_speakers_that_leave_nobody_are_refused(changes: dict[str, tuple[str, ...]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SpokenDigits(**changes)  # type: ignore[arg-type]


# A folder of one's own


def filled(root: Path, names: list[str]) -> Path:
    for place, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(stored(tone(10 * place, 300 + 10 * place)))
    return root


@pytest.mark.parametrize("told", ["name", "folder"])
def test_speakers_of_a_folder_are_kept_apart(tmp_path: Path, told: str) -> None:
    mark = "_" if told == "name" else "/"
    names = [f"{word}/{who}{mark}{take}.wav" for word in ("no", "yes") for who in "abcde" for take in range(2)]
    source = WavFolder(path=str(filled(tmp_path / "words", names)), speakers=told)  # type: ignore[arg-type]
    words = source.load()
    assert words.classes == ("no", "yes") and "by 5 speakers" in words.account
    assert [len(getattr(words, split)) for split in SPLITS] == [12, 4, 4]
    assert_apart(words)
    assert source.fingerprint() == words.fingerprint
    filled(tmp_path / "words", [f"no/a{mark}9.wav"])
    assert source.fingerprint() != words.fingerprint


def test_without_speakers_every_word_is_in_every_split(tmp_path: Path) -> None:
    names = [f"{word}/{take}.wav" for word in ("no", "yes") for take in range(10)]
    words = WavFolder(path=str(filled(tmp_path / "words", names)), seconds=0.1).load()
    assert [len(getattr(words, split)) for split in SPLITS] == [14, 2, 4]
    assert words.train.samples.shape == (14, 800) and not any(words.train.speakers)
    last = words.train.durations.argmin()
    length = int(words.train.durations[last])
    assert words.train.samples[last, :length].any() and not words.train.samples[last, length:].any()


@pytest.mark.parametrize(
    ("names", "changes", "words"),
    [
        (["yes/1.wav", "yes/2.wav"], {}, "must have folders of from 2 to 1,000 words, got 1"),
        (["yes.wav"], {}, r"must hold from 1 to 1,000,000 WAV files as \*/\*.wav, got 0"),
        (["yes/1.wav", "no/1.wav"], {"speakers": "name"}, "must be named SPEAKER_"),
        (["yes/a_1.wav", "no/b_1.wav"], {"speakers": "name"}, "must have speakers to train on"),
        (["yes/1.wav", "no/1.wav"], {"rate": 16_000}, "must have 16,000 samples a second, got 8,000"),
        (["yes/1.wav", "no/1.wav"], {}, "must have words of every class for validation"),
    ],
)
def test_folders_that_are_none_are_one_message(
    tmp_path: Path, names: list[str], changes: dict[str, object], words: str
) -> None:
    root = filled(tmp_path / "words", names)
    with pytest.raises(UserMistake, match=words):
        WavFolder(path=str(root), **changes).load()  # type: ignore[arg-type]
    with pytest.raises(UserMistake, match="path must be a folder"):
        WavFolder(path=str(root / "nowhere")).load()


# What is synthesized


def test_formant_words_are_what_their_settings_say() -> None:
    source = FormantWords(words=2, speakers=3, takes=3)
    words = source.load()
    assert [len(getattr(words, split)) for split in SPLITS] == [6, 6, 6]
    assert_apart(words)
    assert words.train.samples.shape == (6, source.samples) and words.fingerprint == source.fingerprint()
    assert (say("ia", speaker=0, take=1) == say("ia", speaker=0, take=1)).all()
    assert len(say("ia", speaker=0, take=1)) != len(say("ia", speaker=0, take=2))


def test_the_vowel_i_has_its_second_formant_far_above_that_of_a() -> None:
    sound = say("ia", speaker=0, take=0).astype(float)
    first, last = sound[: len(sound) // 4], sound[-len(sound) // 4 :]

    def above(part: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
        hertz = np.fft.rfftfreq(len(part), 1 / 8000)
        return float(power[hertz > 1700].sum() / power[(hertz > 500) & (hertz < 1700)].sum())

    assert above(first) > 3 * above(last)


# Batches


def test_a_batch_is_as_long_as_its_longest_word_and_a_share_is_even() -> None:
    words = FormantWords(words=2, speakers=3, takes=4).load()
    batch = words.train.batch((3, 1))
    assert batch.longest == int(batch.durations.max()) == batch.waveform.shape[1] < batch.samples.shape[1]
    assert batch.waveform.abs().max() <= 1
    batches = LabelledBatches(words.train, 2, Chance(1), share=0.5, called="word")
    assert {row for step in range(batches.per_epoch) for row in batches.at(step).rows} == {0, 1, 2, 3}
    assert sorted(words.train.labels[:4].tolist()) == [0, 0, 1, 1]
    mixed = words.train.reordered(1)
    assert not torch.equal(mixed.samples, words.train.samples) and torch.equal(mixed.labels, words.train.labels)
