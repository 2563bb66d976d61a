"""Log-spectral distance of rebuilt spectra of speech, a mean over frames."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from semcom.metrics.axis import Axis
from semcom.metrics.metric import Scored, check_pairs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from semcom.metrics.metric import Statistics

# Below a word's loudest band of all frames; what is weaker counts as that. Good recordings of 16 bit have little more.
RANGE_DB = 60.0


@dataclass(frozen=True)
class LogSpectralDistance:
    """How far rebuilt spectra are from those that were sent [dB]: rms over bands, then the mean over frames.

        mean over frames t of sqrt( mean over bands m of ( X[t, m] - Y[t, m] )^2 )

    X and Y are decibels below the loudest band of the word, from -60 to 0, in arrays [frames, bands]: a word's own
    frames, all frames of all words counting alike. So a factor in the level of a whole word does not count. None, where
    nothing was rebuilt, is silence: -60 dB everywhere. Here bands are those of a mel spectrum; the published measure is
    an integral over the frequencies of a smooth spectrum, whose values are not to be compared.

    Source: Gray and Markel, Distance Measures for Speech Processing, IEEE TASSP 24, 1976: the rms log spectral measure
    (d_2); Rabiner and Juang, Fundamentals of Speech Recognition, 1993, section 4.5.
    """

    name: ClassVar[str] = "log_spectral_distance"
    scores: ClassVar[Scored] = "spectra"
    axis: ClassVar[Axis] = Axis(
        "log-spectral distance",
        "Log-spectral distance (dB, mean over frames, less is better)",
        # It is 60 dB at most, but nobody draws an axis that far: the mean spectrum of speech is at 13.
        most=math.inf,
        higher_is_better=False,
        messages="words",
        # The distance of one word is 60 dB at most, and a long one has more than one n-th of the frames.
        weight=math.nan,
    )
    options: ClassVar[Mapping[str, str]] = {}
    family: ClassVar[Hashable] = "log_spectral_distance"

    def statistics(self, references: Sequence[Any], hypotheses: Sequence[Any]) -> Statistics:
        """Sum over frames of distances [dB], and frames, of each word [words, 2].

        Raises:
            ValueError: a pair of unequal sizes, or what is no spectrum in decibels from -60 to 0.
        """
        import numpy as np

        check_pairs(references, hypotheses)
        found: Statistics = np.zeros((len(references), 2))
        for row, (ours, theirs) in enumerate(zip(references, hypotheses, strict=True)):
            sent = _decibels(ours)
            heard = np.full_like(sent, -RANGE_DB) if theirs is None else _decibels(theirs)
            if sent.shape != heard.shape:
                raise ValueError(
                    f"spectra must pair up frame by frame and band by band, got {sent.shape} and {heard.shape}"
                )
            found[row] = np.sqrt(((sent - heard) ** 2).mean(axis=1)).sum(), len(sent)
        return found

    def combine(self, totals: Statistics) -> Statistics:
        """Mean over frames [dB]."""
        import numpy as np

        sums, count = totals[..., 0], np.asarray(totals[..., 1])
        mean: Statistics = np.divide(sums, count, out=np.full(np.shape(sums), np.nan), where=count > 0)
        return mean

    def provenance(self) -> str:
        """Nothing but this file."""
        return "rms over mel bands in decibels, 60 dB below the loudest and less, mean over frames"


def _decibels(spectrum: Any) -> NDArray[np.float64]:
    import numpy as np

    found = np.asarray(spectrum, dtype=np.float64)
    if found.ndim != 2 or not found.size or not ((found >= -RANGE_DB) & (found <= 0)).all():
        raise ValueError(
            f"a spectrum must be an array [frames, bands] of decibels from -{RANGE_DB:g} to 0, got {found.shape} with "
            f"values from {found.min(initial=np.inf):g} to {found.max(initial=-np.inf):g}"
        )
    return found
