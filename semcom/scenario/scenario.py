"""Scenario: one question, parsed, and what follows from what was typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from channels import Neighbors
from semcom.metrics.catalog import metric_named
from semcom.models.spec import Spec
from semcom.scenario.axes import values
from semcom.scenario.codec_plans import AnyCodecPlan
from semcom.scenario.language_plans import MOST_LANGUAGES, AnyLanguagePlan
from semcom.scenario.plan import Plan, by, changed
from semcom.scenario.plans import LinkPlan, MeasurePlan
from semcom.scenario.sweep import MOST_SEED, SweepPlan
from semcom.scenario.task_plans import AnyTaskPlan, TextTask
from semcom.sources.catalog import AnyCorpus, AnyTokenizer
from semcom.sources.docstrings import Docstrings
from semcom.sources.tokenizer import BytePairs
from semcom.tasks.detectors import Detector
from semcom.tasks.task import Task
from semcom.tasks.text import Text
from semcom.training.settings import TrainingSettings

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"


class Scenario(Plan):
    """One YAML file. The first comment line of the file is its question.

    Args:
        name: what the run folder and the tables call it.
        question: what it asks; taken from the first line of the file, a comment.
        seed: the number that everything random follows from.
        task: what is sent and what receivers want of it; a codec may have a `task` of its own.
        corpus: where the sentences of task text come from.
        tokenizer: how sentences become tokens; learned from the training sentences alone.
        codecs: the codecs by name, and how each comes to be.
        languages: language models by name, for receivers that decide by signal and language together.
        training: how codecs are trained, and in which air; a codec may differ in its own `training`.
        link: the standing conditions of every measurement.
        sweep: what the measurements vary.
        measure: what is measured, on how much, and how surely.
        overlay: published curves to draw beside the measured ones.
        threads: torch threads of each worker; more than 1 changes trained numbers.
    """

    name: str = Field(pattern=NAME)
    question: str = Field(min_length=1)
    seed: int = Field(default=0, ge=0, lt=MOST_SEED)
    task: AnyTaskPlan = TextTask()
    corpus: Annotated[AnyCorpus, by("source")] = Docstrings()
    tokenizer: Annotated[AnyTokenizer, by("kind")] = BytePairs()
    codecs: dict[Annotated[str, Field(pattern=NAME)], AnyCodecPlan] = Field(min_length=1)
    languages: dict[Annotated[str, Field(pattern=NAME)], AnyLanguagePlan] = Field(
        default_factory=dict, max_length=MOST_LANGUAGES
    )
    training: TrainingSettings = TrainingSettings()
    link: LinkPlan = LinkPlan()
    sweep: SweepPlan
    measure: MeasurePlan = MeasurePlan()
    overlay: tuple[Literal["deepsc_code_awgn", "deepsc_code_awgn_wide", "deepsc_code_rayleigh"], ...] = ()
    threads: int = Field(default=1, ge=1, le=256)

    @property
    def goal(self) -> Task:
        """What is sent and what the receiver wants of it, where a codec does not say otherwise."""
        return self._meant(self.task)

    def goal_of(self, name: str) -> Task:
        """What this codec sends and what its receiver wants of it.

        A codec holds its other task itself: every build was of a task and every crowd of codecs before, so identities,
        the store and borrowing hear nothing new, and one run trains both and measures either one beside the other. A
        finished codec from another folder is taken over by `--borrow` as ever.
        """
        own = self.codecs[name].task
        return self.goal if own is None else self._meant(own)

    def goals_of(self, names: Iterable[str]) -> tuple[Task, ...]:
        """Those of several codecs, each once."""
        return tuple(dict.fromkeys(map(self.goal_of, names)))

    def _meant(self, task: AnyTaskPlan) -> Task:
        return Text(self.corpus, self.tokenizer) if isinstance(task, TextTask) else task

    def measure_of(self, name: str) -> MeasurePlan:
        """What is measured of this codec: the metrics that score what its receiver says."""
        says = self.goal_of(name).scores
        suited = tuple(each for each in self.measure.metrics if metric_named(each).scores == says)
        return self.measure.model_copy(update={"metrics": suited})

    def origins(self, name: str) -> tuple[str, ...]:
        """The codecs that must exist before this one."""
        codec = self.codecs[name]
        taught_by = codec.distill.teachers if codec.distill else ()
        named = (codec.start, codec.adopt and codec.adopt.donor, *taught_by)
        return tuple(each for each in named if each)

    @cached_property
    def _resolved(self) -> dict[str, Resolved]:
        return {}

    def resolved(self, name: str) -> Resolved:
        """What follows for a codec from its plan and from those it is made from; worked out once."""
        if name not in self._resolved:
            self._resolved[name] = Resolved(self, name)
        return self._resolved[name]

    def model_copy(self, **changes: Any) -> Self:
        """A copy, in which every codec is resolved anew."""
        copied = super().model_copy(**changes)
        copied.__dict__.pop("_resolved", None)
        return copied

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds to train and measure with."""
        return self.sweep.seed or (self.seed,)

    @property
    def most_interferers(self) -> int:
        """The largest crowd of the sweep."""
        return max(int(count) for count in values(self.sweep.interferers))

    @property
    def most_neighbors(self) -> int:
        """The largest crowd of codec neighbors, who alone need sentences to say."""
        kinds = self.sweep.interference or (self.link.interference,)
        return self.most_interferers if any(isinstance(each, Neighbors) for each in kinds) else 0

    @property
    def crowds(self) -> tuple[tuple[str, ...] | None, ...]:
        """What the codec neighbors of each crowd send through; None is the wanted user's own codec."""
        return self.sweep.crowd or (self.link.crowd,)

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """How the receivers of a cell tell its users apart."""
        return self.sweep.detector or (self.link.detector,)

    @property
    def heard_codecs(self) -> tuple[str, ...]:
        """The codecs of the sweep and of its crowds, each once."""
        return tuple(dict.fromkeys((*self.sweep.codec, *(name for crowd in self.crowds for name in crowd or ()))))

    @property
    def needed_languages(self) -> tuple[str, ...]:
        """The languages of the codecs that are measured or send in a crowd, that of the limits where it counts, and all
        that they are made from."""
        known = [language for name in self.heard_codecs if (language := self.codecs[name].language)]
        limits = self.measure.limits
        if limits and limits.language and not all(self.codecs[name].language for name in self.sweep.codec):
            known.append(limits.language)
        found = _with_origins(known, lambda name: self.languages[name].origins)
        return tuple(name for name in self.languages if name in found)

    @property
    def needed_codecs(self) -> tuple[str, ...]:
        """The codecs of the sweep and of its crowds, and all that they are made from."""
        found = _with_origins(self.heard_codecs, self.origins)
        return tuple(name for name in self.codecs if name in found)


def _with_origins(names: Iterable[str], origins: Callable[[str], Iterable[str]]) -> set[str]:
    """These and all that they are made from, directly or not."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting.extend(origins(name))
    return found


class Resolved:
    """One codec of a scenario, with all that follows for it; each thing is worked out when it is first asked for."""

    def __init__(self, scenario: Scenario, name: str) -> None:
        self._scenario, self._name = scenario, name
        self.plan = scenario.codecs[name]

    @cached_property
    def begun(self) -> Spec:
        """The shape that it begins in, before anything of it is pruned, with the side that it takes over."""
        start, adopt = self.plan.start, self.plan.adopt
        base = self._scenario.resolved(start).spec if start else None
        spec: Any = self._scenario.goal_of(self._name).fitted(self.plan.spec(base))
        if adopt is not None:
            donor = self._scenario.resolved(adopt.donor).spec
            if adopt.side == "around":
                spec = replace(spec, plugged=donor)
            else:
                spec = replace(spec, **{key: getattr(donor, key) for key in spec.settled[adopt.side]})
        begun: Spec = spec
        return begun

    @cached_property
    def spec(self) -> Spec:
        """The shape of the finished codec; of one that was pruned as far as it is known before there are weights."""
        return self.plan.prune.planned(self.begun) if self.plan.prune else self.begun

    @cached_property
    def is_reshaped(self) -> bool:
        """Whether it was pruned, or has its shape from one that was."""
        start = self.plan.start
        return self.plan.prune is not None or (start is not None and self._scenario.resolved(start).is_reshaped)

    @cached_property
    def training(self) -> TrainingSettings:
        """The scenario's training with what this codec does differently."""
        settings: TrainingSettings = changed(self._scenario.training, self.plan.training)
        return settings
