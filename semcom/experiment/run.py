"""Carry out a run: one codec at one operating point, from encoded sentences to intervals."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from channels import Chance, Energies
from semcom.experiment.build import load_codec
from semcom.experiment.data import data_of, exam_of
from semcom.experiment.tuning import reader_of
from semcom.metrics.bootstrap import Combine, Interval, bootstrap, sum_of, sum_repeats
from semcom.metrics.catalog import metric_named
from semcom.metrics.metric import Metric
from semcom.metrics.score import gather
from semcom.scenario.plans import MeasurePlan
from semcom.scenario.work import Build, LanguageBuild, Run, Tuning
from semcom.sources.catalog import AnyCorpus
from semcom.store.circumstances import circumstances
from semcom.tasks.cell import deliver_cell
from semcom.tasks.task import Data, Exam
from semcom.tasks.trip import Delivery, Encoded, deliver, encode_once, strangers

CONFIDENCE = "confidence"  # under which name it is stored beside what metrics keep
NO_LANGUAGES: Mapping[str, LanguageBuild] = {}


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one run found.

    Args:
        intervals: per user as in `Run.users`, and there per metric name.
        statistics: per metric family and user (`family_of`), [sentences, S], from which intervals and paired
            differences come.
        record: measured SNR and SINR, time, counts; in a cell the wanted user's, and by number those of all.
    """

    intervals: dict[str, dict[str, Interval]]
    statistics: dict[str, np.ndarray]
    record: dict[str, Any]


# A cell of up to seven kinds of codec stays in memory beside the next wanted one, so that each encodes once: an exam
# of 1000 sentences at 8 symbols a token takes some 5 MB a codec beside the codec itself.
@lru_cache(maxsize=8)
def encoded_exam(
    build: Build, folder: Path, *, count: int, skip: int, size: int, foreign: AnyCorpus | None, device: str
) -> tuple[Exam, Encoded]:
    """The exam, encoded once by this build's codec for all operating points."""
    questions = exam_of(data_of(build, folder), count, size, skip=skip, foreign=foreign)
    codec = load_codec(build, folder, device)
    return questions, encode_once(codec, [batch.to(device) for batch in questions.batches])


def carry_out_run(
    run: Run, folder: Path, languages: Mapping[str, LanguageBuild] = NO_LANGUAGES, *, device: str = "cpu"
) -> Outcome:
    """Send the exam through one operating point `repeats` times and score what arrives.

    The air is drawn from the seed, the repeat and the batch alone, so every codec that sends equally many symbols
    meets the same air, and differences between them are paired.

    Args:
        languages: by identity, for receivers that know one.
    """
    began = time.perf_counter()
    measure = run.measure
    asked: dict[str, Any] = {"count": measure.sentences, "skip": measure.skip, "size": measure.batch}
    asked["foreign"] = measure.corpus
    (questions, encoded), *others = [encoded_exam(build, folder, **asked, device=device) for build in run.builds]
    encoded = _read_by(encoded, run.tuning, languages, folder, device=device)
    tunings = run.crowd_tunings or (None,) * len(others)
    data = data_of(run.build, folder)
    crowd = [
        _read_by(each, tuning, languages, folder, device=device)
        if build.sends_as(run.build)
        else strangers(each, encoded.batches)
        for build, (_, each), tuning in zip(run.crowd or (), others, tunings, strict=True)
    ]
    air = Chance(run.build.seed).of("air")
    trips = [_trip(run, encoded, air.of("repeat", repeat), crowd=crowd) for repeat in range(measure.repeats)]
    metrics, statistics = metrics_of(measure, classes=data.classes), dict[str, np.ndarray]()
    for user, deliveries in zip(run.users, zip(*trips, strict=True), strict=False):
        arrived = [message for delivery in deliveries for message in data.read(delivery.answers)]
        rows_of_each = gather(metrics, list(questions.messages) * measure.repeats, arrived)
        for metric, rows in zip(metrics, rows_of_each, strict=True):
            statistics[family_of(metric, user)] = sum_repeats(rows, measure.repeats)
    if measure.confidence:
        statistics[CONFIDENCE] = _confidence([trip[0] for trip in trips], questions.messages, data)
    seed = air.of("bootstrap").integer()
    intervals: dict[str, dict[str, Interval]] = {user: {} for user in run.users}
    for user, metric in itertools.product(run.users, metrics):
        rows, combine = evidence(run, metric, user, statistics.__getitem__)
        intervals[user][metric.name] = bootstrap(rows, combine, resamples=measure.resamples, seed=seed)
    met = [sum((delivery.energies for delivery in each), Energies()) for each in zip(*trips, strict=True)]
    powers = [{"measured_snr_db": each.snr_db, "measured_sinr_db": each.sinr_db} for each in met]
    record = {
        **powers[0],
        **({"users": powers} if measure.users == "all" else {}),
        **_symbols_per_word(run, questions),
        **({"classes": data.classes} if data.classes else {}),
        "metrics": {metric.name: metric.provenance() for metric in metrics},
        "seconds": round(time.perf_counter() - began, 3),
        **vars(circumstances(device)),
    }
    return Outcome(intervals, statistics, record)


def _read_by(
    encoded: Encoded, tuning: Tuning | None, languages: Mapping[str, LanguageBuild], folder: Path, *, device: str
) -> Encoded:
    """The same messages before a receiver that knows a language, where there is one."""
    return replace(encoded, reader=reader_of(tuning, languages, folder, device)) if tuning else encoded


def _symbols_per_word(run: Run, questions: Exam) -> dict[str, float]:
    """The bandwidth by words, where messages have any."""
    if not questions.words:
        return {}
    return {"symbols_per_word": questions.units * run.build.spec.symbols_per_unit / questions.words}


def _trip(run: Run, encoded: Encoded, chance: Chance, *, crowd: Sequence[Encoded]) -> list[Delivery]:
    """One pass of the exam; what arrived of every user that is scored."""
    beam, scrambling = run.measure.beam, run.scrambling
    if run.measure.users == "all":
        detector = run.detector
        return deliver_cell(encoded, run.link, chance, beam=beam, crowd=crowd, detector=detector, scrambling=scrambling)
    sure = run.measure.confidence
    return [deliver(encoded, run.link, chance, beam=beam, crowd=crowd, scrambling=scrambling, sure=sure)]


def _confidence(trips: Sequence[Delivery], sent: Sequence[str], data: Data) -> np.ndarray:
    """How sure the receiver was of each sentence, and 1 where it arrived word for word [sentences of all trips, 2]."""
    rows = [
        (certainty, float(arrived == message))
        for trip in trips
        for certainty, arrived, message in zip(trip.certainties, data.read(trip.answers), sent, strict=True)
    ]
    return np.array(rows, dtype=np.float64)


def evidence(
    run: Run, metric: Metric, user: str, statistics: Callable[[str], np.ndarray]
) -> tuple[np.ndarray, Combine]:
    """The statistics behind one user's number and how they combine; for the sum those of all users side by side.

    Args:
        statistics: finds what is stored under a name of `family_of`.
    """
    if user != "sum":
        return statistics(family_of(metric, user)), metric.combine
    users = [each for each in run.users if each != "sum"]
    together = np.concatenate([statistics(family_of(metric, each)) for each in users], axis=1)
    return together, sum_of(metric.combine, len(users))


def metrics_of(measure: MeasurePlan, *, classes: Sequence[str] = ()) -> list[Metric]:
    """The metrics a scenario asks for, set up as it and its task have it.

    Args:
        classes: names of the task's classes, where its receiver tells classes.
    """
    return [metric_named(name, options=measure.options, classes=classes) for name in measure.metrics]


def family_of(metric: Metric, user: str = "") -> str:
    """Under which name a metric's statistics of a user are stored; a run has one sentence encoder and one BLEU."""
    family = metric.family
    name = str(family[0]) if isinstance(family, tuple) else str(family)
    return f"{name} of user {user}" if user else name
