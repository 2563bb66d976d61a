"""calibrations_of: how sure receivers were and how often right, from what runs keep of every sentence."""

from __future__ import annotations

import numpy as np

from semcom.experiment.run import CONFIDENCE
from semcom.scenario.air import in_words
from semcom.scenario.work import Run, Sweep
from semcom.store.calibrations import BINS, Bin, write_calibrations
from semcom.store.folder import RunFolder
from semcom.store.store import Store


def write_bins(sweep: Sweep, store: Store, place: RunFolder) -> None:
    """Write calibration.csv, where confidence was asked for.

    Raises:
        UserMistake: the disk refuses, or what is stored of a run is not what was written.
    """
    if found := calibrations_of(sweep, store):
        write_calibrations(found, place.calibration_file)


def calibrations_of(sweep: Sweep, store: Store) -> list[Bin]:
    """The bins that hold a sentence, of every finished run, in the order of the table.

    Raises:
        UserMistake: what is stored of a run is not what was written.
    """
    done = store.done_runs()
    asked = [run for run in sweep.runs if run.measure.confidence and run.identity in done]
    return [each for run in asked for each in _bins(run, store.statistics(run.identity, CONFIDENCE))]


def _bins(run: Run, sentences: np.ndarray) -> list[Bin]:
    """One run's bins.

    Args:
        sentences: confidence, and 1 where the sentence arrived word for word [sentences, 2].
    """
    confidence, right = sentences.T
    place = np.minimum((BINS * confidence).astype(int), BINS - 1)
    level = run.link.interference.level_db
    told = "; ".join(f"{each:g}" for each in (level if isinstance(level, tuple) else (level,)))
    return [
        Bin(
            codec=run.build.name,
            language=run.tuning.language.name if run.tuning else "",
            seed=run.build.seed,
            fading=in_words(run.link.fading),
            interference=in_words(run.link.interference) if run.link.interferers else "none",
            snr_db=run.link.snr_db,
            interferers=run.link.interferers,
            level_db=told if run.link.interferers else "",
            bin=int(each),
            count=int((place == each).sum()),
            confidence=float(confidence[place == each].mean()),
            right=int(right[place == each].sum()),
        )
        for each in np.unique(place)
    ]
