"""WAV files: one recording as 16 bit samples of one channel at the rate that is asked for, or a clear refusal."""

from __future__ import annotations

import io
import math
import struct
import warnings
from typing import TYPE_CHECKING

from semcom.mistakes import UserMistake
from semcom.words import visible

if TYPE_CHECKING:
    import numpy as np

LARGEST_FILE = 50_000_000
SLOWEST, FASTEST = 4000, 192_000
FULL = 32_768  # the largest sample of 16 bit, plus one


def read_wav(content: bytes, *, rate: int, resample: bool, called: str) -> np.ndarray:
    """The samples of a WAV file [samples], int16, its channels averaged.

    Args:
        content: all bytes of the file.
        rate: samples a second that are wanted [Hz].
        resample: whether a file of another rate is brought to it (by a polyphase filter, scipy's `resample_poly`).
        called: what errors call the file.

    Raises:
        UserMistake: it is cut short, damaged, silent or no WAV file, or of another rate and not to be resampled.
    """
    import numpy as np
    from scipy.io import wavfile

    expected = f"{called}: must be a whole WAV file with samples in it"
    if missing := _missing(content):
        raise UserMistake(f"{expected}, got one that {missing}; fetch or record it again, or take it out")
    try:
        # A chunk that scipy does not know, such as a list of titles, does no harm.
        with warnings.catch_warnings(action="ignore", category=wavfile.WavFileWarning):
            found, samples = wavfile.read(io.BytesIO(content))
    except (ValueError, struct.error, EOFError, OSError, MemoryError, ZeroDivisionError, TypeError) as error:
        told = "a header of no channels" if isinstance(error, ZeroDivisionError) else visible(str(error))[:200]
        raise UserMistake(f"{expected}, got {told}; repair it or take it out") from None
    if not samples.size or samples.ndim > 2:
        raise UserMistake(f"{expected}, got none; take it out")
    mono = _level(samples)
    # Floats near the largest there is overflow, and are refused or cut off below.
    with np.errstate(over="ignore"):
        mono = mono.mean(axis=1) if mono.ndim == 2 else mono
    if not np.isfinite(mono).all():
        raise UserMistake(f"{expected} that are finite numbers, got some that are not; repair it or take it out")
    if found != rate:
        if not SLOWEST <= found <= FASTEST:
            raise UserMistake(f"{called}: must have from {SLOWEST} to {FASTEST:,} samples a second, got {found:,}")
        if not resample:
            raise UserMistake(
                f"{called}: must have {rate:,} samples a second, got {found:,}; set resample: true to bring it to "
                f"{rate:,}, or rate: {found} where all have that many"
            )
        mono = _resampled(mono, found, rate)
    with np.errstate(over="ignore"):
        return np.clip(np.rint(mono * FULL), -FULL, FULL - 1).astype(np.int16)


def _missing(content: bytes) -> str:
    """What a file lacks of being whole, in words; empty where its data chunk is all there."""
    if content[:4] not in (b"RIFF", b"RIFX") or content[8:12] != b"WAVE":
        return "does not begin as WAV files do"
    order, place = "<" if content[:4] == b"RIFF" else ">", 12
    while place + 8 <= len(content):
        name = content[place : place + 4]
        (size,) = struct.unpack(f"{order}I", content[place + 4 : place + 8])
        place += 8
        if name == b"data":
            there = len(content) - place
            return f"ends after {there:,} of its {size:,} bytes of samples" if there < size else ""
        place += size + size % 2
    return "ends before its samples begin"


def _level(samples: np.ndarray) -> np.ndarray:
    """Samples from -1 to 1 as float64, whatever they are stored as; scipy gives 24 bit as the upper part of 32."""
    import numpy as np

    if samples.dtype.kind == "f":
        return samples.astype(np.float64)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float64) - 128) / 128
    return samples.astype(np.float64) / float(2 ** (8 * samples.dtype.itemsize - 1))


def _resampled(samples: np.ndarray, found: int, rate: int) -> np.ndarray:
    from scipy.signal import resample_poly

    common = math.gcd(found, rate)
    made: np.ndarray = resample_poly(samples, rate // common, found // common)
    return made
