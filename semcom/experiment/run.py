"""Carry out a run: one codec at one operating point, from encoded sentences to intervals."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from channels import Chance, Energies
from semcom.experiment.build import load_codec
from semcom.experiment.expand import Build, Run
from semcom.experiment.material import Exam, exam, load_material
from semcom.experiment.plans import MeasurePlan
from semcom.metrics.bootstrap import Interval, bootstrap, sum_repeats
from semcom.metrics.catalog import metric_named
from semcom.metrics.metric import Metric
from semcom.metrics.score import gather
from semcom.tasks.text import Encoded, deliver, encode_once


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one run found.

    Args:
        intervals: per metric name.
        statistics: per metric family, [sentences, S], from which intervals and paired differences come.
        record: measured SNR and SINR, time, counts.
    """

    intervals: dict[str, Interval]
    statistics: dict[str, np.ndarray]
    record: dict[str, Any]


# A cell of up to seven kinds of codec stays in memory beside the next wanted one, so that each encodes once: an exam
# of 1000 sentences at 8 symbols a token takes some 5 MB a codec beside the codec itself.
@lru_cache(maxsize=8)
def encoded_exam(build: Build, folder: Path, *, count: int, size: int, device: str) -> tuple[Exam, Encoded]:
    """The exam, encoded once by this build's codec for all operating points."""
    material = load_material(build.corpus, build.tokenizer, folder)
    questions = exam(material, count, size)
    codec = load_codec(build, folder, device)
    return questions, encode_once(codec, [batch.to(device) for batch in questions.batches])


def carry_out_run(run: Run, folder: Path, *, device: str = "cpu") -> Outcome:
    """Send the exam through one operating point `repeats` times and score what arrives.

    The air is drawn from the seed, the repeat and the batch alone, so every codec that sends equally many symbols
    meets the same air, and differences between them are paired.
    """
    began = time.perf_counter()
    measure = run.measure
    (questions, encoded), *others = [
        encoded_exam(build, folder, count=measure.sentences, size=measure.batch, device=device) for build in run.builds
    ]
    crowd = [each for _, each in others]
    tokenizer = load_material(run.build.corpus, run.build.tokenizer, folder).tokenizer
    air = Chance(run.build.seed).of("air")
    deliveries = [
        deliver(encoded, run.link, air.of("repeat", repeat), beam=measure.beam, crowd=crowd)
        for repeat in range(measure.repeats)
    ]
    arrived = [sentence for delivery in deliveries for sentence in tokenizer.decode(delivery.tokens)]
    metrics = metrics_of(measure)
    statistics = {
        family_of(metric): sum_repeats(rows, measure.repeats)
        for metric, rows in zip(metrics, gather(metrics, questions.sentences * measure.repeats, arrived), strict=True)
    }
    seed = air.of("bootstrap").integer()
    intervals = {
        metric.name: bootstrap(statistics[family_of(metric)], metric.combine, resamples=measure.resamples, seed=seed)
        for metric in metrics
    }
    met = sum((delivery.energies for delivery in deliveries), Energies())
    record = {
        "measured_snr_db": met.snr_db,
        "measured_sinr_db": met.sinr_db,
        "symbols_per_word": questions.tokens * run.build.spec.symbols_per_token / questions.words,
        "metrics": {metric.name: metric.provenance() for metric in metrics},
        "seconds": round(time.perf_counter() - began, 3),
        "threads": torch.get_num_threads(),
    }
    return Outcome(intervals, statistics, record)


def metrics_of(measure: MeasurePlan) -> list[Metric]:
    """The metrics a scenario asks for, with its sentence encoder."""
    return [metric_named(name, embedding=measure.similarity) for name in measure.metrics]


def family_of(metric: Metric) -> str:
    """Under which name a metric's statistics are stored; a run has one sentence encoder."""
    family = metric.family
    return str(family[0]) if isinstance(family, tuple) else str(family)
