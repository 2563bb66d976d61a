"""The log-spectral distance: by hand, less is better, and what is no spectrum is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from semcom.metrics.catalog import axis_of
from semcom.metrics.spectra import LogSpectralDistance

LOUD = np.zeros((3, 2), np.float32)


def test_it_is_root_mean_square_over_bands_and_then_the_mean_over_all_frames() -> None:
    # Frames that are 3 and 4 dB off in their two bands, right, and 10 dB off in one.
    heard = np.array([[-3.0, -4.0], [0.0, 0.0], [0.0, -10.0]], np.float32)
    # Another word, of one frame that is 6 and 8 dB off.
    short, off = np.full((1, 2), -30.0), np.array([[-36.0, -22.0]])
    statistics = LogSpectralDistance().statistics([LOUD, short, short], [heard, off, None])
    by_hand = [5 / math.sqrt(2) + 0 + 10 / math.sqrt(2), 10 / math.sqrt(2), 30.0]
    assert statistics[:, 0].tolist() == pytest.approx(by_hand) and statistics[:, 1].tolist() == [3, 1, 1]
    # Frames count alike, not words.
    assert LogSpectralDistance().combine(statistics.sum(axis=0)) == pytest.approx(sum(by_hand) / 5)
    assert math.isnan(LogSpectralDistance().combine(np.zeros(2)))


def test_less_is_better_and_a_frame_is_what_bandwidth_is_told_by() -> None:
    axis = axis_of("log_spectral_distance")
    assert not axis.higher_is_better and axis.best == 0 and axis.unit == "frame"


@pytest.mark.parametrize(
    ("sent", "heard", "words"),
    [
        (LOUD, LOUD[:2], r"must pair up frame by frame and band by band, got \(3, 2\) and \(2, 2\)"),
        (LOUD, LOUD + 0.1, "must be an array .* from -60 to 0"),
        (LOUD - 61, LOUD, "must be an array"),
        (LOUD, LOUD * math.nan, "must be an array"),
        (LOUD[0], LOUD[0], "must be an array"),
        (LOUD[:0], LOUD[:0], "must be an array"),
    ],
)
def test_what_is_no_pair_of_spectra_is_refused(sent: np.ndarray, heard: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LogSpectralDistance().statistics([sent], [heard])
