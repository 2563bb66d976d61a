"""How one codec comes to be: its shape, by the kind of codec, and the steps it goes through, which all kinds share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, create_model, field_validator, model_validator

from semcom.distillation.method import check_methods
from semcom.distillation.sight import settled
from semcom.distillation.teaching import Teaching
from semcom.languages.settings import SearchSettings
from semcom.models.plugged_spec import PluggedSpec
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.sizes import SIZES
from semcom.models.spec import Adopted, Side, Spec
from semcom.scenario.hints import suggestion
from semcom.scenario.meanings import said_of, without_sections
from semcom.scenario.plan import Plan, any_of, changed, changes_to
from semcom.scenario.task_plans import AnyTaskPlan
from semcom.scenario.variants import PruningPlan
from semcom.tasks.catalog import TASKS
from semcom.tasks.task import Task
from semcom.training.settings import TrainingSettings

if TYPE_CHECKING:
    TrainingChanges = BaseModel
    SideChanges = BaseModel
else:
    TrainingChanges = changes_to(TrainingSettings)
    SideChanges = changes_to(SideSpec)


class AdoptPlan(Plan):
    """A side, or a part of one, taken over from another codec as it is, and frozen.

    A student receiver under its teacher's transmitter compresses the receiving side alone, and both then speak of
    one observation. Exactly one of the keys is there.

    Args:
        transmitter: the codec whose transmitter is taken over.
        receiver: the codec whose receiver is taken over.
        encoder: the codec of kind `speech` whose semantic encoder is taken over, with the convolution before it; the
            weights of its layers and all behind them are learned anew. It may be of the same task, or want another
            thing of the same words.
        around: the codec that a codec of kind `generative` (into one of kind `semantic`) or `generative_speech` (into
            one of kind `speech` or `pretrained_speech`) is plugged into: all of it is taken over but the layers that
            are generated.
    """

    transmitter: str | None = Field(default=None, min_length=1)
    receiver: str | None = Field(default=None, min_length=1)
    encoder: str | None = Field(default=None, min_length=1)
    around: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if len(self._named()) != 1:
            raise ValueError(
                "must name one of transmitter, receiver, encoder and around, and the codec that it comes from"
            )
        return self

    def _named(self) -> dict[Adopted, str]:
        every: dict[Adopted, str | None] = {
            "transmitter": self.transmitter,
            "receiver": self.receiver,
            "encoder": self.encoder,
            "around": self.around,
        }
        return {side: name for side, name in every.items() if name is not None}

    @property
    def side(self) -> Adopted:
        """What is taken over."""
        (side,) = self._named()
        return side

    @property
    def donor(self) -> str:
        """The codec it comes from."""
        (name,) = self._named().values()
        return name


class CodecPlan(Plan):
    """The steps that a codec of any kind goes through, in this order: start, adopt, prune, training.

    Args:
        size: a named size (`semcom list sizes`); the keys of its kind change it. Without it the codec has the shape of
            its `start`, or else its kind's default size.
        start: the codec of equal shape whose weights the training starts from.
        fresh: take of `start` its shape alone, as it was really made, and draw weights anew: the control of a codec
            that was pruned.
        adopt: one side taken over from another codec, frozen; or its encoder alone; or all around the layers that are
            generated.
        prune: what is taken away from `start` before the training goes on.
        distill: whom to learn from, and how; without it the codec learns from the true answers alone.
        training: what differs from the scenario's `training`.
        draw: which draw of weights, batches and training air under the seed: another number makes another codec of the
            same plan.
        task: what it sends and what its receiver wants of it, where that is not the scenario's `task`; written as that
            is. Codecs of two tasks meet where one is in the crowd of the other.
        language: the language of `languages` that the receiver decides with when it is measured; it changes nothing of
            the training. Without it the signal alone decides.
        search: how far the receiver looks that decides with its language; what `measure.search` says unless told.
    """

    NAMED: ClassVar[Mapping[str, Spec]]
    USUAL: ClassVar[str]

    size: str | None = None
    start: str | None = Field(default=None, min_length=1)
    fresh: bool = False
    adopt: AdoptPlan | None = None
    prune: PruningPlan | None = None
    distill: Teaching | None = None
    training: TrainingChanges | None = None
    draw: int = Field(default=1, ge=1, le=1000)
    task: AnyTaskPlan | None = None
    language: str | None = Field(default=None, min_length=1)
    search: SearchSettings | None = None

    @field_validator("size")
    @classmethod
    def _known(cls, size: str | None) -> str | None:
        if size is not None and size not in cls.NAMED:
            raise ValueError(f"must be one of {', '.join(cls.NAMED)}, got '{size}'{suggestion(size, cls.NAMED)}")
        return size

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.size is not None or self.start is None:
            self.spec()
        for key in ("fresh", "prune"):
            if getattr(self, key) and self.start is None:
                raise ValueError(f"{key} must have a start to be of, got none; name the codec in start")
        if self.search and self.language is None:
            raise ValueError("search must be of a receiver that knows a language, got none; name one in language")
        if self.fresh and self.prune:
            raise ValueError("fresh must be without prune: there are no weights to choose by; leave one of them out")
        self._check_adopted()
        if self.adopt and self.prune:
            raise ValueError("prune must be without adopt, whose side stays as it is; leave one of them out")
        if self.distill:
            # Dropout acts in an adopted receiver too, and never in a teacher.
            drops = bool(self.spec().dropout)
            donor = self.adopt.donor if self.adopt else None
            alike = self._takes_over("receiver") and self.distill.is_heard_by(donor)
            frozen = self._takes_over("transmitter")
            methods = settled(self.distill.methods, self.spec())
            kept = self.adopt is not None and self.adopt.side == "encoder"
            check_methods(
                methods, transmitter_is_frozen=frozen, encoder_is_frozen=kept, hears_alike=alike and not drops
            )
        return self

    def _takes_over(self, side: Side) -> bool:
        """Whether a side is another codec's as a whole."""
        if self.adopt is None:
            return False
        if self.adopt.side != "around":
            return self.adopt.side == side
        spec = self.spec()
        return isinstance(spec, PluggedSpec) and not spec.makes(side)

    def _check_adopted(self) -> None:
        """Refuse to take over what this kind of codec has not."""
        usual = self.NAMED[self.USUAL]
        if self.adopt is None or self.adopt.side in usual.settled:
            return
        if not usual.settled:
            raise ValueError("adopt must be left out: this kind of codec has one side with weights at most; use start")
        known = " or ".join(usual.settled)
        raise ValueError(f"adopt of a codec of kind {usual.kind} must name {known}, got {self.adopt.side}")

    def spec(self, base: Spec | None = None) -> Any:
        """The named size, or the shape of another codec, with what was typed beside it.

        Args:
            base: the shape of `start`, which counts where no size is named.
        """
        shape = base if base is not None and self.size is None else self.NAMED[self.size or self.USUAL]
        return self.changed(shape)

    def changed(self, base: Any) -> Any:
        """A shape with what was typed beside it."""
        return dataclasses.replace(base, **_typed(self, base.may_differ))


class SemanticPlan(CodecPlan):
    """A Transformer codec of text; the default size is `teacher`.

    Args:
        symbols_per_token: complex symbols sent for each token, the bandwidth, at most 1024 [symbols]; without the key
            the size's own, which is 8.
        decoding: `parallel` decides all tokens at once, `autoregressive` one after another.
        tied: whether one matrix is the transmitter's embedding and the receiver's output layer (equal widths only).
        norm: layer normalization before each part (`pre`) or after its residual sum (`post`, as in DeepSC).
        dropout: share of features dropped in training.
        transmitter: what differs in the shape of the sending side.
        receiver: what differs in the shape of the receiving side.
    """

    NAMED: ClassVar[Mapping[str, Spec]] = SIZES
    USUAL: ClassVar[str] = "teacher"

    kind: Literal["semantic"] = "semantic"
    symbols_per_token: int | None = Field(default=None, ge=1)
    decoding: Literal["parallel", "autoregressive"] | None = None
    tied: bool | None = None
    norm: Literal["pre", "post"] | None = None
    dropout: float | None = Field(default=None, ge=0, lt=1)
    transmitter: SideChanges | None = None
    receiver: SideChanges | None = None

    def changed(self, base: SemanticSpec) -> SemanticSpec:
        """See `CodecPlan.changed`."""
        return dataclasses.replace(
            base,
            transmitter=changed(base.transmitter, self.transmitter),
            receiver=changed(base.receiver, self.receiver),
            **_typed(self, ("symbols_per_token", "decoding", "tied", "norm", "dropout")),
        )


def plan_of(kind: str, sizes: Mapping[str, Spec], usual: str) -> type[CodecPlan]:
    """The plan of a kind of codec: the common steps, and the keys by which its spec says that sizes may differ.

    Args:
        sizes: its named sizes.
        usual: the default one.
    """
    spec = type(sizes[usual])
    fields = {
        each.name: (Annotated[each.type, Field()] | None, None)
        for each in dataclasses.fields(spec)  # type: ignore[arg-type]
        if each.name in spec.may_differ
    }
    said = said_of(spec)
    doc = f"{without_sections(spec.__doc__)}\n\nThe default size is `{usual}`.\n\nArgs:\n"
    doc += "".join(f"    {name}: {said[name]}\n" for name in fields)
    names: dict[str, Any] = {"kind": (Literal[kind], kind), **fields}
    made = create_model(
        f"{kind.title().replace('_', '')}Plan", __base__=CodecPlan, __module__=spec.__module__, __doc__=doc, **names
    )
    made.NAMED, made.USUAL = sizes, usual
    return made


def _plans_of(task: type[Task], known: Iterable[str]) -> dict[str, type[CodecPlan]]:
    """A plan for every kind of codec that a task has sizes of, but for those that have one."""
    by_kind: dict[str, dict[str, Spec]] = {}
    for name, spec in task.sizes.items():
        by_kind.setdefault(spec.kind, {})[name] = spec
    return {
        kind: plan_of(kind, sizes, task.usual_size if kind == task.codec else next(iter(sizes)))
        for kind, sizes in by_kind.items()
        if kind not in known
    }


CODECS: dict[str, type[CodecPlan]] = {"semantic": SemanticPlan}
for _task in TASKS:
    CODECS |= _plans_of(_task, CODECS)

if TYPE_CHECKING:
    AnyCodecPlan = CodecPlan
else:
    AnyCodecPlan = any_of(CODECS.values(), "kind")


def _typed(plan: CodecPlan, names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(plan, name)) is not None}
