"""What a person types: the parts of a scenario, as pydantic models over the lower floors' own dataclasses."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, Discriminator, Field, Tag, field_validator, model_validator

from channels import Coherence, Csi, Equalizer, Fading, Interference, Mmse, Neighbors, NoFading, PerfectCsi, PerSentence
from channels.catalog import COHERENCE, CSI, EQUALIZERS, FADING, INTERFERENCE
from semcom.distillation.catalog import METHODS, AnyMethod
from semcom.distillation.method import check_methods
from semcom.distillation.share import check_share
from semcom.experiment.axes import Steps, axis_of, values, whole_numbers
from semcom.experiment.hints import suggestion
from semcom.experiment.strict import STRICT, Plan, by, changed, changes_to
from semcom.metrics.bleu import BleuTokenizer
from semcom.metrics.catalog import METRICS
from semcom.metrics.embedding_model import EmbeddingModel
from semcom.models.sizes import SIZES
from semcom.models.spec import MOST_HIDDEN, MOST_LAYERS, MOST_WIDTH, CodecSpec, SideSpec
from semcom.sources.catalog import CORPORA, TOKENIZERS
from semcom.training.settings import MOST_ANTENNAS, TrainingSettings

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


if TYPE_CHECKING:
    TrainingChanges = BaseModel
    SideChanges = BaseModel
else:
    TrainingChanges = changes_to(TrainingSettings)
    SideChanges = changes_to(SideSpec)


OneOrMore = Annotated[
    Annotated[str, Tag("one")] | Annotated[tuple[str, ...], Field(min_length=1), Tag("list")],
    Discriminator(lambda value: "list" if isinstance(value, list | tuple) else "one"),
]
Sinr = Annotated[float, Field(ge=-100, le=100)]


class DistillPlan(Plan):
    """Whom to learn from, and how."""

    teacher: OneOrMore
    methods: tuple[MethodPlan, ...] = Field(min_length=1)
    label_weight: float = Field(default=1.0, ge=0)
    hears: Literal["student", "own"] = "student"
    cleaner_db: float = Field(default=0.0, ge=0, le=100)
    teacher_interferers: Literal["same", "none"] = "same"
    above_sinr_db: float | None = Field(default=None, ge=-100, le=100)
    rises_over_db: tuple[Sinr, Sinr] | None = None

    @property
    def teachers(self) -> tuple[str, ...]:
        """The names of all teachers."""
        return values(self.teacher)

    def is_heard_by(self, receiver: str | None) -> bool:
        """Whether the only teacher is this receiver's codec, and hears just what its student does."""
        privileged = self.cleaner_db > 0 or self.teacher_interferers == "none"
        return self.teachers == (receiver,) and self.hears == "student" and not privileged

    @field_validator("methods")
    @classmethod
    def _once(cls, methods: tuple[MethodPlan, ...]) -> tuple[MethodPlan, ...]:
        check_methods(methods, transmitter_is_frozen=False)
        return methods

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        check_share(self.above_sinr_db, self.rises_over_db)
        check_methods(self.methods, transmitter_is_frozen=False, teachers=len(self.teachers))
        if not self.label_weight and not any(method.weight for method in self.methods):
            raise ValueError("label_weight or the weight of a method must be above 0, got 0 for all; raise one of them")
        if len(set(self.teachers)) < len(self.teachers):
            raise ValueError(f"teacher names a codec twice: {', '.join(self.teachers)}")
        return self


class AdoptPlan(Plan):
    """A side taken over from another codec as it is, and frozen.

    A student receiver under its teacher's transmitter compresses the receiving side alone, and both then speak of
    one observation.
    """

    transmitter: str | None = Field(default=None, min_length=1)
    receiver: str | None = Field(default=None, min_length=1)

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

    @property
    def settled(self) -> tuple[str, ...]:
        """The keys of a codec that are no longer its own: the side, and what both sides must agree on."""
        of_receivers = ("decoding", "tied") if self.side == "receiver" else ()
        return (self.side, "symbols_per_token", "norm", *of_receivers)


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
    start: str | None = Field(default=None, min_length=1)
    adopt: AdoptPlan | None = None
    distill: DistillPlan | None = None
    training: TrainingChanges | None = None
    draw: int = Field(default=1, ge=1, le=1000)  # which draw of weights, batches and training air under the seed

    @field_validator("size")
    @classmethod
    def _known(cls, size: str) -> str:
        if size not in SIZES:
            raise ValueError(f"must be one of {', '.join(SIZES)}, got '{size}'{suggestion(size, SIZES)}")
        return size

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.spec()
        if self.distill:
            frozen = self.adopt is not None and self.adopt.side == "transmitter"
            # Dropout acts in an adopted receiver too, and never in a teacher.
            alike = self.adopt is not None and self.distill.is_heard_by(self.adopt.receiver) and not self.spec().dropout
            check_methods(self.distill.methods, transmitter_is_frozen=frozen, hears_alike=alike)
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
    """The standing conditions of every measurement; the sweep sets SNR and interferers.

    `crowd` names the codecs that codec neighbors send through, in turn; without it all use the wanted user's.
    """

    fading: FadingPlan = NoFading()
    coherence: CoherencePlan = PerSentence()
    interference: InterferencePlan = Neighbors()
    csi: CsiPlan = PerfectCsi()
    equalizer: EqualizerPlan = Mmse()
    antennas: int = Field(default=1, ge=1, le=MOST_ANTENNAS)
    crowd: tuple[str, ...] | None = Field(default=None, min_length=1)

    @property
    def air(self) -> dict[str, Any]:
        """The fields of a `Link` that stand still."""
        return {name: value for name, value in self if name != "crowd"}


MOST_DECIBELS = 100
MOST_INTERFERERS = 1000
MOST_SEED = 10**15  # below it every tool that reads a table reads whole numbers right
Decibels = Annotated[float, Field(ge=-MOST_DECIBELS, le=MOST_DECIBELS)]
Count = Annotated[int, Field(ge=0, le=MOST_INTERFERERS)]
Layers = Annotated[int, Field(ge=1, le=MOST_LAYERS)]
Width = Annotated[int, Field(ge=2, le=MOST_WIDTH, multiple_of=2)]
Hidden = Annotated[int, Field(ge=1, le=MOST_HIDDEN)]


class SweepPlan(Plan):
    """The only way to say `several`: axes multiply in the order written here.

    `layers`, `width`, `feedforward` and `channel_hidden` vary the codecs themselves (see shapes.py), the others the
    air they are measured in.
    """

    codec: tuple[str, ...]
    layers: axis_of(Layers) | None = None  # type: ignore[valid-type]
    width: axis_of(Width) | None = None  # type: ignore[valid-type]
    feedforward: axis_of(Hidden) | None = None  # type: ignore[valid-type]
    channel_hidden: axis_of(Hidden) | None = None  # type: ignore[valid-type]
    seed: tuple[Annotated[int, Field(ge=0, lt=MOST_SEED)], ...] | None = None
    fading: tuple[FadingPlan, ...] | None = None
    interference: tuple[InterferencePlan, ...] | None = None
    crowd: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] | None = None
    equalizer: tuple[EqualizerPlan, ...] | None = None
    antennas: tuple[Annotated[int, Field(ge=1, le=MOST_ANTENNAS)], ...] | None = None
    level_db: axis_of(Decibels) | None = None  # type: ignore[valid-type]
    interferers: axis_of(Count) = 0  # type: ignore[valid-type]
    snr_db: axis_of(Decibels) = 12.0  # type: ignore[valid-type]

    @field_validator("interferers")
    @classmethod
    def _whole(cls, axis: Any) -> Any:
        return whole_numbers(axis, 0, MOST_INTERFERERS)

    @field_validator("layers")
    @classmethod
    def _deep(cls, axis: Any) -> Any:
        return None if axis is None else whole_numbers(axis, 1, MOST_LAYERS)

    @field_validator("width")
    @classmethod
    def _wide(cls, axis: Any) -> Any:
        if axis is None:
            return None
        points = whole_numbers(axis, 2, MOST_WIDTH)
        if odd := [point for point in points if point % 2]:
            raise ValueError(f"must be even (positions are sine and cosine pairs), got {odd[0]}")
        return points

    @field_validator("feedforward", "channel_hidden")
    @classmethod
    def _hidden(cls, axis: Any) -> Any:
        return None if axis is None else whole_numbers(axis, 1, MOST_HIDDEN)

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
        skip: test sentences that are passed over before those that are measured, to confirm on untouched ones what
            was found on the first.
        compare: pairs of codecs whose difference is wanted, the second subtracted from the first.
        gap: student, control and teacher, of whose gap from control to teacher the student's share is wanted. Without
            the key: every pair of `compare` of a taught codec and a control, with the teacher of the first.
        bleu_tokenize: what cuts text into words for BLEU, by sacreBLEU's names; without the key white space does.
    """

    metrics: tuple[str, ...] = Field(default=("bleu_1", "bleu_4", "similarity"), min_length=1)
    sentences: int = Field(default=500, ge=1)
    skip: int = Field(default=0, ge=0)
    repeats: int = Field(default=1, ge=1)
    beam: int = Field(default=1, ge=1, le=64)
    batch: int = Field(default=64, ge=1)
    resamples: int = Field(default=1000, ge=100, le=100_000)
    compare: tuple[tuple[str, str], ...] = ()
    users: Literal["wanted", "all"] = "wanted"
    gap: tuple[tuple[str, str, str], ...] | None = None
    similarity: EmbeddingModel = EmbeddingModel()
    bleu_tokenize: BleuTokenizer | None = None

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        names = [metric.name for metric in METRICS]
        for metric in metrics:
            if metric not in names:
                raise ValueError(f"must be among {', '.join(names)}, got '{metric}'{suggestion(metric, names)}")
        if len(set(metrics)) < len(metrics):
            raise ValueError(f"a metric is named twice: {', '.join(metrics)}")
        return metrics
