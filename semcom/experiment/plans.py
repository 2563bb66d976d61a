"""What a person types: the parts of a scenario, as pydantic models over the lower floors' own dataclasses."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, create_model, field_validator, model_validator

from channels import Coherence, Csi, Equalizer, Fading, Interference, Mmse, Neighbors, NoFading, PerfectCsi, PerSentence
from channels.catalog import COHERENCE, CSI, EQUALIZERS, FADING, INTERFERENCE
from semcom.distillation.catalog import METHODS, AnyMethod
from semcom.distillation.method import check_methods
from semcom.metrics.catalog import METRICS
from semcom.metrics.embedding_model import EmbeddingModel
from semcom.models.sizes import SIZES
from semcom.models.spec import CodecSpec, SideSpec
from semcom.sources.catalog import CORPORA, TOKENIZERS
from semcom.training.settings import TrainingSettings

STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Plan(BaseModel):
    """A part of a scenario: unknown keys are refused, values do not change."""

    model_config = STRICT


def by(key: str) -> Any:
    """A union whose variants are told apart by one key, so that an error names one variant, not all."""
    return Field(discriminator=key)


FadingPlan = Annotated[Fading, by("kind")]
CoherencePlan = Annotated[Coherence, by("kind")]
InterferencePlan = Annotated[Interference, by("kind")]
CsiPlan = Annotated[Csi, by("kind")]
EqualizerPlan = Annotated[Equalizer, by("kind")]
MethodPlan = Annotated[AnyMethod, by("kind")]

# The dataclasses of the lower floors know nothing of pydantic. They are marked here, once: unknown keys are
# refused, and where one holds another, the variant is told by its kind.
_TOLD_APART: dict[str, Any] = {
    "Fading": FadingPlan,
    "Fading | None": FadingPlan | None,
    "Coherence": CoherencePlan,
    "Interference": InterferencePlan,
    "Csi": CsiPlan,
    "Equalizer": EqualizerPlan,
}


def _mark(*variants: type) -> None:
    for variant in variants:
        variant.__pydantic_config__ = STRICT  # type: ignore[attr-defined]
        for each in dataclasses.fields(variant):
            if isinstance(each.type, str) and each.type in _TOLD_APART:
                each.type = _TOLD_APART[each.type]


_mark(*FADING, *COHERENCE, *INTERFERENCE, *CSI, *EQUALIZERS, *METHODS, *CORPORA, *TOKENIZERS)
_mark(SideSpec, TrainingSettings, EmbeddingModel)


def changes_to(variant: type) -> type[BaseModel]:
    """A plan with the fields of a dataclass, all optional: what differs from a base."""
    fields = {each.name: (Annotated[each.type, Field()] | None, None) for each in dataclasses.fields(variant)}
    return create_model(f"{variant.__name__}Changes", __base__=Plan, __module__=variant.__module__, **fields)  # type: ignore[call-overload]


if TYPE_CHECKING:
    TrainingChanges = BaseModel
    SideChanges = BaseModel
else:
    TrainingChanges = changes_to(TrainingSettings)
    SideChanges = changes_to(SideSpec)


def changed(base: Any, changes: BaseModel | None) -> Any:
    """The base with the fields that were typed."""
    if changes is None:
        return base
    return dataclasses.replace(base, **{name: getattr(changes, name) for name in changes.model_fields_set})


class DistillPlan(Plan):
    """Whom to learn from, and how."""

    teacher: str
    methods: tuple[MethodPlan, ...] = Field(min_length=1)
    label_weight: float = Field(default=1.0, ge=0)
    hears: Literal["student", "own"] = "student"
    cleaner_db: float = Field(default=0.0, ge=0, le=100)
    teacher_interferers: Literal["same", "none"] = "same"
    above_sinr_db: float | None = Field(default=None, ge=-100, le=100)

    @field_validator("methods")
    @classmethod
    def _once(cls, methods: tuple[MethodPlan, ...]) -> tuple[MethodPlan, ...]:
        check_methods(methods, transmitter_is_frozen=False)
        return methods


class AdoptPlan(Plan):
    """A side taken over from another codec as it is, and frozen.

    A student receiver under its teacher's transmitter compresses the receiving side alone, and both then speak of
    one observation.
    """

    transmitter: str | None = None
    receiver: str | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.transmitter is None) == (self.receiver is None):
            raise ValueError("must name one side, transmitter or receiver, and the codec it comes from")
        return self

    @property
    def side(self) -> Literal["transmitter", "receiver"]:
        """Which side is taken over."""
        return "transmitter" if self.transmitter else "receiver"

    @property
    def donor(self) -> str:
        """The codec it comes from."""
        return self.transmitter or self.receiver or ""


class CodecPlan(Plan):
    """How one codec comes to be: a size, what differs from it, and the steps it goes through."""

    size: str = "teacher"
    symbols_per_token: int | None = Field(default=None, ge=1)
    decoding: Literal["parallel", "autoregressive"] | None = None
    tied: bool | None = None
    norm: Literal["pre", "post"] | None = None
    dropout: float | None = Field(default=None, ge=0, lt=1)
    transmitter: SideChanges | None = None
    receiver: SideChanges | None = None
    start: str | None = None
    adopt: AdoptPlan | None = None
    distill: DistillPlan | None = None
    training: TrainingChanges | None = None

    @field_validator("size")
    @classmethod
    def _known(cls, size: str) -> str:
        if size not in SIZES:
            raise ValueError(f"must be one of {', '.join(SIZES)}, got '{size}'")
        return size

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.spec()
        if self.distill:
            frozen = self.adopt is not None and self.adopt.side == "transmitter"
            check_methods(self.distill.methods, transmitter_is_frozen=frozen)
        return self

    def spec(self) -> CodecSpec:
        """The size with what was typed beside it."""
        base = SIZES[self.size]
        names = ("symbols_per_token", "decoding", "tied", "norm", "dropout")
        typed = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return dataclasses.replace(
            base,
            transmitter=changed(base.transmitter, self.transmitter),
            receiver=changed(base.receiver, self.receiver),
            **typed,
        )


class LinkPlan(Plan):
    """The standing conditions of every measurement; the sweep sets SNR and interferers."""

    fading: FadingPlan = NoFading()
    coherence: CoherencePlan = PerSentence()
    interference: InterferencePlan = Neighbors()
    csi: CsiPlan = PerfectCsi()
    equalizer: EqualizerPlan = Mmse()
    antennas: int = Field(default=1, ge=1, le=64)


class Steps(Plan):
    """start, start + step, ... up to stop, which is included when it is met."""

    start: float
    stop: float
    step: float

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.step == 0:
            raise ValueError("step must not be 0; write how far apart the points are")
        if (self.stop - self.start) * self.step < 0:
            raise ValueError(f"step {self.step:g} leads away from stop: {self.start:g} never reaches {self.stop:g}")
        if abs((self.stop - self.start) / self.step) > 10_000:
            raise ValueError("must hold at most 10000 points; take a larger step")
        return self

    def values(self) -> tuple[float, ...]:
        """The points, each computed from its number so that errors do not add up."""
        count = math.floor((self.stop - self.start) / self.step + 1e-9) + 1
        return tuple(self.start + index * self.step for index in range(count))


def _shape(value: Any) -> str:
    if isinstance(value, dict | Steps):
        return "steps"
    return "list" if isinstance(value, list | tuple) else "one"


def _axis(kind: Any) -> Any:
    """One value, a list of values, or start/stop/step; told apart by shape so that an error names one form."""
    return Annotated[
        Annotated[kind, Tag("one")] | Annotated[tuple[kind, ...], Tag("list")] | Annotated[Steps, Tag("steps")],
        Discriminator(_shape),
    ]


MOST_DECIBELS = 100
MOST_INTERFERERS = 1000
MOST_SEED = 2**53  # the largest whole number below which every tool that reads a table reads it right
Decibels = Annotated[float, Field(ge=-MOST_DECIBELS, le=MOST_DECIBELS)]
Count = Annotated[int, Field(ge=0, le=MOST_INTERFERERS)]


def values(axis: Any) -> tuple[Any, ...]:
    """The points of an axis."""
    if isinstance(axis, Steps):
        return axis.values()
    return axis if isinstance(axis, tuple) else (axis,)


class SweepPlan(Plan):
    """The only way to say `several`: axes multiply in the order written here."""

    codec: tuple[str, ...]
    seed: tuple[Annotated[int, Field(ge=0, lt=MOST_SEED)], ...] | None = None
    fading: tuple[FadingPlan, ...] | None = None
    interference: tuple[InterferencePlan, ...] | None = None
    equalizer: tuple[EqualizerPlan, ...] | None = None
    antennas: tuple[Annotated[int, Field(ge=1, le=64)], ...] | None = None
    level_db: _axis(Decibels) | None = None  # type: ignore[valid-type]
    interferers: _axis(Count) = 0  # type: ignore[valid-type]
    snr_db: _axis(Decibels) = 12.0  # type: ignore[valid-type]

    @field_validator("interferers")
    @classmethod
    def _whole(cls, axis: Any) -> Any:
        points = values(axis)
        if any(point != int(point) or point < 0 for point in points):
            raise ValueError(f"must be whole numbers from 0 up, got {', '.join(f'{p:g}' for p in points)}")
        if max(points, default=0) > MOST_INTERFERERS:
            raise ValueError(f"must be at most {MOST_INTERFERERS}, got {max(points):g}")
        return tuple(int(point) for point in points)

    @field_validator("snr_db", "level_db")
    @classmethod
    def _bearable(cls, axis: Any) -> Any:
        # Ends of steps are checked here, where it is known that they are decibels.
        if isinstance(axis, Steps) and max(abs(axis.start), abs(axis.stop)) > MOST_DECIBELS:
            what = f"must stay between -{MOST_DECIBELS} and {MOST_DECIBELS} dB"
            raise ValueError(f"{what}, got {axis.start:g} to {axis.stop:g}")
        return axis

    @model_validator(mode="after")
    def _something_once(self) -> Self:
        for name in type(self).model_fields:
            axis = getattr(self, name)
            points = () if axis is None else values(axis)
            if axis is not None and not points:
                raise ValueError(f"{name} must name at least one value, got an empty list; leave the key out instead")
            if len(set(points)) < len(points):
                raise ValueError(f"{name} names a value twice: {', '.join(map(str, points))}")
        return self


class MeasurePlan(Plan):
    """What is measured, on how much, and how surely.

    Args:
        compare: pairs of codecs whose difference is wanted, the second subtracted from the first.
        gap: student, control and teacher, of whose gap from control to teacher the student's share is wanted. Without
            the key: every pair of `compare` of a taught codec and a control, with the teacher of the first.
    """

    metrics: tuple[str, ...] = Field(default=("bleu_1", "bleu_4", "similarity"), min_length=1)
    sentences: int = Field(default=500, ge=1)
    repeats: int = Field(default=1, ge=1)
    beam: int = Field(default=1, ge=1, le=64)
    batch: int = Field(default=64, ge=1)
    resamples: int = Field(default=1000, ge=100, le=100_000)
    compare: tuple[tuple[str, str], ...] = ()
    gap: tuple[tuple[str, str, str], ...] | None = None
    similarity: EmbeddingModel = EmbeddingModel()

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        names = [metric.name for metric in METRICS]
        for metric in metrics:
            if metric not in names:
                raise ValueError(f"must be among {', '.join(names)}, got '{metric}'")
        if len(set(metrics)) < len(metrics):
            raise ValueError(f"a metric is named twice: {', '.join(metrics)}")
        return metrics
