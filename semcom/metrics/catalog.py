"""The metrics a scenario may name, by what they score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from semcom.metrics.accuracy import OF_CLASS, Accuracy, BalancedAccuracy, ClassAccuracy, MacroF1
from semcom.metrics.axis import Axis, foreign
from semcom.metrics.bleu import Bleu
from semcom.metrics.metric import Metric, Scored
from semcom.metrics.pictures import MsSsim, Psnr
from semcom.metrics.similarity import Similarity
from semcom.metrics.spectra import LogSpectralDistance
from semcom.metrics.words import ExactMatch, WordErrorRate
from semcom.mistakes import UserMistake

# Beside these stands the accuracy of every class, `accuracy_of_` and its name: the classes are the task's.
METRICS: tuple[Metric, ...] = (
    Bleu(order=1),
    Bleu(order=2),
    Bleu(order=3),
    Bleu(order=4),
    Similarity(),
    Similarity(rescaled=True),
    WordErrorRate(),
    ExactMatch(),
    Accuracy(),
    BalancedAccuracy(),
    MacroF1(),
    Psnr(),
    MsSsim(),
    LogSpectralDistance(),
)
# What is measured where a scenario names nothing.
DEFAULTS: dict[Scored, tuple[str, ...]] = {
    "sentences": ("bleu_1", "bleu_4", "similarity"),
    "classes": ("accuracy",),
    "pictures": ("psnr", "ms_ssim"),
    "spectra": ("log_spectral_distance",),
}
# The keys of `measure` that some metric listens to.
OPTIONS = tuple(dict.fromkeys(key for metric in METRICS for key in metric.options))


def metric_named(name: str, *, options: Mapping[str, Any] | None = None, classes: Sequence[str] = ()) -> Metric:
    """The metric of that name, set up as the scenario and its task have it.

    Args:
        name: as in the results table, `bleu_4` or `accuracy_of_cat`.
        options: what is written under the keys of `measure` that metrics listen to; None leaves the metric's own, and
            what a metric does not listen to is of no concern to it.
        classes: names of the task's classes, in the order of their numbers.

    Raises:
        UserMistake: there is no such metric, or no such class.
    """
    metric = _found(name)
    if metric is None:
        known = [each.name for each in METRICS]
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else "choose one of them"
        raise UserMistake(f"a metric must be one of {', '.join(known)}, got {name}; {hint}")
    if classes and isinstance(metric, Accuracy):
        return replace(metric, classes=tuple(classes))
    told = {field: (options or {}).get(key) for key, field in metric.options.items()}
    chosen = {field: value for field, value in told.items() if value is not None}
    # Every metric is a frozen dataclass, which a protocol cannot say.
    return replace(metric, **chosen) if chosen else metric  # type: ignore[type-var]


def default_metrics(scores: Scored) -> tuple[str, ...]:
    """What is measured of such messages where a scenario names nothing."""
    return DEFAULTS[scores]


def listening(names: Sequence[str], key: str) -> tuple[str, ...]:
    """Those of the named metrics that listen to this key of `measure`."""
    return tuple(name for name in names if key in metric_named(name).options)


def check_suited(names: Sequence[str], scores: Scored, *, classes: Sequence[str] = ()) -> None:
    """Refuse metrics that cannot score what the task's receiver says.

    Args:
        names: as in `measure.metrics`.
        scores: what the task's receiver says.
        classes: the task's classes, if they are known already.

    Raises:
        UserMistake: a metric scores something else, or a class is none of the task's.
    """
    for name in names:
        metric = metric_named(name, classes=classes)
        if metric.scores != scores:
            fit = ", ".join(each.name for each in METRICS if each.scores == scores)
            raise UserMistake(
                f"metrics must score {scores}, which is what the receiver of this task says, got {name}, which scores "
                f"{metric.scores}; choose among {fit}"
            )


def is_metric(name: str) -> bool:
    """Whether a scenario may name it."""
    return _found(name) is not None


def axis_of(name: str) -> Axis:
    """How the metric of that name is shown; one that nobody here knows keeps its own name and has no limits."""
    metric = _found(name)
    return metric.axis if metric else foreign(name)


def _found(name: str) -> Metric | None:
    if name.startswith(OF_CLASS) and name != OF_CLASS:
        return ClassAccuracy(of=name.removeprefix(OF_CLASS))
    return next((metric for metric in METRICS if metric.name == name), None)
