"""WAV files are read at one rate and level whatever they are stored as; what is wrong with them is one message."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from scipy.io import wavfile

from semcom.mistakes import UserMistake
from semcom.sources.wav import read_wav

RATE = 8000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(800) / RATE)).astype(np.float64)


def stored(samples: np.ndarray, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


def read(content: bytes, *, resample: bool = False) -> np.ndarray:
    return read_wav(content, rate=RATE, resample=resample, called="a.wav")


@pytest.mark.parametrize(
    "samples",
    [
        np.rint(TONE * 32_768).astype(np.int16),
        np.rint(TONE * 2**31).astype(np.int32),
        np.rint(TONE * 128 + 128).astype(np.uint8),
        TONE.astype(np.float32),
        TONE,
        np.stack([TONE + 0.1, TONE - 0.1], axis=1).astype(np.float32),
    ],
    ids=["16 bit", "32 bit", "8 bit", "float", "double", "two channels"],
)
def test_a_tone_is_as_loud_however_it_is_stored(samples: np.ndarray) -> None:
    found = read(stored(samples))
    assert found.dtype == np.int16 and len(found) == 800
    assert np.abs(found / 32_768 - TONE).max() <= (1 / 256 if samples.dtype == np.uint8 else 2e-5)


def test_floats_beyond_all_bounds_are_cut_off_in_silence() -> None:
    with warnings.catch_warnings(action="error"):
        heard = read(stored(np.array([1.7e308, -1.7e308])))
    assert heard.tolist() == [32767, -32768]


def test_another_rate_is_resampled_if_asked_and_else_refused() -> None:
    twice = stored((0.5 * np.sin(2 * np.pi * 440 * np.arange(1600) / 16_000)).astype(np.float32), 16_000)
    with pytest.raises(UserMistake, match="must have 8,000 samples a second, got 16,000; set resample: true"):
        read(twice)
    found = read(twice, resample=True)
    assert len(found) == 800
    # But for the ends, where the filter sees nothing on one side.
    assert np.abs(found / 32_768 - TONE)[50:-50].max() < 0.01
    with pytest.raises(UserMistake, match="must have from 4000 to 192,000 samples a second, got 1"):
        read(stored(TONE, 1), resample=True)


WHOLE = stored(np.rint(TONE * 32_768).astype(np.int16))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (WHOLE[:-100], "ends after 1,500 of its 1,600 bytes"),
        (WHOLE[:30], "ends before its samples begin"),
        (b"", "does not begin as WAV files do"),
        (b"OggS" + WHOLE[4:], "does not begin as WAV files do"),
        (WHOLE[:20] + b"\x55\x00" + WHOLE[22:], "repair it or take it out"),
        (WHOLE[:22] + b"\x00\x00" + WHOLE[24:], "got a header of no channels; repair it or take it out"),
        (stored(np.zeros(0, dtype=np.int16)), "got none"),
        (stored(np.array([0.0, np.nan], dtype=np.float32)), "finite numbers"),
    ],
    ids=["truncated", "no samples", "empty", "another kind", "compressed", "no channels", "silent", "no number"],
)
def test_what_is_no_whole_file_is_one_message(content: bytes, words: str) -> None:
    with pytest.raises(UserMistake, match=words) as told:
        read(content)
    assert str(told.value).startswith("a.wav: ") and "\n" not in str(told.value)
