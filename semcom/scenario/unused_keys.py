"""Warn about scenario keys that have no effect, before hours of work are spent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from semcom.languages.settings import SearchSettings
from semcom.metrics.catalog import listening
from semcom.training.settings import TrainingSettings, bounds

if TYPE_CHECKING:
    from semcom.scenario.scenario import Scenario

RECIPE = ("steps", "learning_rate", "warmup", "weight_decay", "clip", "validate_every", "precision")
"""Of a training, what only matters to weights that are trained."""


def unused_keys(scenario: Scenario) -> tuple[str, ...]:
    """One sentence for every key that has no effect as the scenario stands.

    These are no mistakes: the interference of a training whose interferers `--set` took away keeps its place for the
    next question. Whoever forgot the other half of a pair has to hear of it all the same. A link under a sweep is no
    such key: `send` goes through it.
    """
    return (*_training(scenario), *_recipes(scenario), *_codecs(scenario), *_languages(scenario), *_measure(scenario))


def _training(scenario: Scenario) -> Iterator[str]:
    """Interferers described where there are none, in the training of all and in that of each codec."""
    names = scenario.needed_codecs
    blocks: dict[str, tuple[object, tuple[str, ...]]] = {"training": (scenario.training, names)}
    blocks |= {f"codecs.{name}.training": (scenario.codecs[name].training, (name,)) for name in names}
    for where, (typed, trained) in blocks.items():
        if any(bounds(scenario.resolved(name).training.interferers)[1] for name in trained):
            continue
        for key in ("level_db", "interference"):
            if getattr(typed, key, None) not in (None, getattr(TrainingSettings, key)):
                yield f"{where}.{key} has no effect: nobody interferes in this training; see {where}.interferers"


def _recipes(scenario: Scenario) -> Iterator[str]:
    """How to train what does not learn. Which text and which air count all the same, where a language is weighed."""
    idle = [name for name in scenario.needed_codecs if not scenario.resolved(name).spec.learns]
    for name in idle:
        for key in getattr(scenario.codecs[name].training, "model_fields_set", ()):
            if key in RECIPE:
                yield f"codecs.{name}.training.{key} has no effect: nothing of {name} is learned"
    if len(idle) == len(scenario.needed_codecs):
        for key in RECIPE:
            if getattr(scenario.training, key) != getattr(TrainingSettings, key):
                yield f"training.{key} has no effect: no codec learns anything"


def _codecs(scenario: Scenario) -> Iterator[str]:
    for name in scenario.codecs:
        if name not in scenario.needed_codecs:
            yield f"codecs.{name} has no effect: it is neither measured nor needed to make one that is; see sweep.codec"


def _languages(scenario: Scenario) -> Iterator[str]:
    needed = scenario.needed_languages
    for name in scenario.languages:
        if name not in needed:
            yield f"languages.{name} has no effect: no codec that is measured knows it; see codecs.NAME.language"
    if not needed and scenario.measure.search != SearchSettings():
        yield "measure.search has no effect: no receiver knows a language; see codecs.NAME.language"


def _measure(scenario: Scenario) -> Iterator[str]:
    measure = scenario.measure
    if measure.beam > 1 and all(
        getattr(scenario.resolved(name).spec, "decoding", "parallel") == "parallel" for name in scenario.needed_codecs
    ):
        yield "measure.beam has no effect: every codec decodes in parallel"
    limits = measure.limits
    if limits and limits.language and all(scenario.codecs[name].language for name in scenario.sweep.codec):
        yield "measure.limits.language has no effect: every codec is held to the language that it knows"
    for key, told in measure.options.items():
        if key in measure.model_fields_set and told is not None and not listening(measure.metrics, key):
            yield f"measure.{key} has no effect: it describes metrics that measure.metrics leaves out"
