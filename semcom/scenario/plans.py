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
from semcom.metrics.bleu import BleuTokenizer
from semcom.metrics.catalog import METRICS, OPTIONS, default_metrics, is_metric
from semcom.metrics.embedding_model import EmbeddingModel
from semcom.models.sizes import SIZES
from semcom.models.spec import CodecSpec, SideSpec
from semcom.scenario.axes import values
from semcom.scenario.hints import suggestion
from semcom.scenario.plan import STRICT, Plan, by, changed, changes_to
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
    """Whom a codec learns from, and how.

    The teacher is frozen. Both go through one shared draw of the air at every step.

    Args:
        teacher: the codec to learn from; a list teaches the mean of their probabilities, with methods on logits alone.
        methods: the losses that compare student and teacher, each named once.
        label_weight: factor of the plain loss, the cross-entropy to the true tokens.
        hears: whose signal the teacher's receiver reads: the student's, or its `own` transmitter's.
        cleaner_db: how much less noise the teacher meets than the student [dB].
        teacher_interferers: whether the teacher meets the `same` interferers as its student or `none`.
        above_sinr_db: the methods count only in air of at least this mean SINR [dB].
        rises_over_db: the methods count from 0 at the first mean SINR to in full at the second [dB]; the first may be
            the higher one.
    """

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
    one observation. Exactly one side is named.

    Args:
        transmitter: the codec whose transmitter is taken over.
        receiver: the codec whose receiver is taken over.
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
    """How one codec comes to be: a size, what differs from it, and the steps it goes through.

    Args:
        size: a named size (`semcom list sizes`); the keys below change it.
        symbols_per_token: complex symbols sent for each token, the bandwidth, at most 1024 [symbols]; without the key
            the size's own, which is 8.
        decoding: `parallel` decides all tokens at once, `autoregressive` one after another.
        tied: whether one matrix is the transmitter's embedding and the receiver's output layer (equal widths only).
        norm: layer normalization before each part (`pre`) or after its residual sum (`post`, as in DeepSC).
        dropout: share of features dropped in training.
        transmitter: what differs in the shape of the sending side.
        receiver: what differs in the shape of the receiving side.
        start: the codec of equal shape whose weights the training starts from.
        adopt: one side taken over from another codec, frozen.
        distill: whom to learn from, and how; without it the codec learns from the text alone.
        training: what differs from the scenario's `training`.
        draw: which draw of weights, batches and training air under the seed: another number makes another codec of the
            same plan.
    """

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
    draw: int = Field(default=1, ge=1, le=1000)

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

    Args:
        fading: how users arrive.
        coherence: how long a gain lasts.
        interference: what the other users send.
        csi: what the receiver knows of the gains.
        equalizer: what the receiver does with the gains before it decodes.
        antennas: antennas of the receiver.
        crowd: the codecs that neighbors send through, in turn; without it all use the wanted user's.
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


class MeasurePlan(Plan):
    """What is measured, on how much, and how surely.

    Args:
        metrics: the scores, by name (`semcom list metrics`).
        sentences: how many test sentences are sent at every operating point [sentences].
        skip: test sentences that are passed over first, to confirm on untouched ones what was found on the others
            [sentences].
        repeats: how often each sentence is sent, each time in new air.
        beam: width of the beam search of autoregressive codecs; 1 is greedy.
        batch: how many sentences are sent at once [sentences].
        resamples: bootstrap resamples behind every interval.
        compare: pairs of codecs whose paired difference is wanted, the second subtracted from the first.
        users: whether the `wanted` user alone is decoded and scored, or `all` users of the cell.
        gap: triples of student, control and teacher: the share of the gap from control to teacher that the student
            closes. Without the key: every pair of `compare` of a taught codec and a control, with the first teacher.
        similarity: the sentence encoder of the similarity metrics.
        bleu_tokenize: how BLEU cuts text into words, by sacreBLEU's names; without the key, at white space.
    """

    metrics: tuple[str, ...] = Field(default=default_metrics("sentences"), min_length=1)
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

    @property
    def options(self) -> dict[str, Any]:
        """What is written, or understood, under the keys that metrics listen to."""
        return {key: getattr(self, key) for key in OPTIONS}

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        names = [metric.name for metric in METRICS]
        for metric in metrics:
            if not is_metric(metric):
                raise ValueError(f"must be among {', '.join(names)}, got '{metric}'{suggestion(metric, names)}")
        if len(set(metrics)) < len(metrics):
            raise ValueError(f"a metric is named twice: {', '.join(metrics)}")
        return metrics
