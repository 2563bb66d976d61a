"""Pictures: pictures are sent, and the receiver wants to know what they show, or wants them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from semcom.metrics.catalog import default_metrics
from semcom.metrics.metric import Scored
from semcom.models.classifier_spec import CLASSIFIER_SIZES
from semcom.models.rebuilder_spec import REBUILDER_SIZES
from semcom.models.senses_spec import SENSES_SIZES
from semcom.models.spec import Carries, Spec
from semcom.sources.augmentation import Augmentation
from semcom.sources.digits import Digits
from semcom.tasks.task import Counts, Progress

if TYPE_CHECKING:
    from semcom.sources.catalog import AnyPictures
    from semcom.tasks.picture_data import PictureData

SIDES = ("planes", "rows", "columns")


@dataclass(frozen=True)
class Pictures:
    """Labelled pictures; the receiver names the class of what was sent, or rebuilds it.

    Unless a scenario says otherwise, a batch of training is dealt into 16 parts that each meet an air of their own:
    where pixels are sent, a network that normalizes by batch stands behind the air.

    Args:
        source: where the pictures come from.
        wants: `class` for the class of a picture, `picture` for the picture itself.
        augmentation: what is done at random to training pictures; without it nothing.
    """

    source: AnyPictures = Digits()
    wants: Literal["class", "picture"] = "class"
    augmentation: Augmentation | None = None
    kind: Literal["pictures"] = "pictures"

    carries: ClassVar[Carries] = "pictures"
    unit: ClassVar[str] = "picture"
    message: ClassVar[str] = "picture"
    usual_units: ClassVar[int] = 1
    codec: ClassVar[str] = "classifier"
    sizes: ClassVar[Mapping[str, Spec]] = {**CLASSIFIER_SIZES, **REBUILDER_SIZES, **SENSES_SIZES}
    usual_size: ClassVar[str] = "resnet8"
    defaults: ClassVar[Mapping[str, Any]] = {
        "training": {"airs": 16},
        "measure": {"metrics": list(default_metrics("classes"))},
    }

    def __post_init__(self) -> None:
        if self.wants not in ("class", "picture"):
            raise ValueError(f"wants must be 'class' or 'picture', got {self.wants!r}")

    @classmethod
    def usually(cls, typed: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """Where the picture itself is wanted, codecs rebuild it and its metrics compare pictures."""
        if typed.get("wants") == "picture":
            return "rebuilder", {**cls.defaults, "measure": {"metrics": list(default_metrics("pictures"))}}
        return cls.codec, cls.defaults

    @property
    def scores(self) -> Scored:
        """As the receiver wants it."""
        return "classes" if self.wants == "class" else "pictures"

    @property
    def source_name(self) -> str:
        """Of the source."""
        return self.source.kind

    @property
    def is_at_hand(self) -> bool:
        """As the source says."""
        return self.source.is_at_hand

    def fitted(self, spec: Any) -> Any:
        """A codec of pictures of this size."""
        if not {each.name for each in fields(spec)}.issuperset(SIDES):
            return spec
        return replace(spec, **dict(zip(SIDES, self.source.shape, strict=True)))

    def fingerprint(self) -> str:
        """Of the source."""
        return self.source.fingerprint()

    def facts(self, fingerprint: str) -> dict[str, Any]:
        """The task, its source, what is done to training pictures and what is wanted."""
        changed = {"augmentation": self.augmentation} if self.augmentation else {}
        return {**self.exam_facts(fingerprint), **changed}

    def exam_facts(self, fingerprint: str) -> dict[str, Any]:
        """The task, its source and what is wanted."""
        return {"task": self.kind, "source": fingerprint, "wants": self.wants}

    def kept_files(self, kept: Path, fingerprint: str) -> tuple[Path, ...]:
        """None: what is learned of the pictures is in the weights."""
        return ()

    def count(self, progress: Progress | None = None) -> Counts:
        """Read the pictures, once, and let them go again."""
        pictures = self.source.load(progress)
        account = f"{self.source.kind}: {pictures.account}" if pictures.account else ""
        return Counts(len(pictures.train), len(pictures.validation), len(pictures.test), account)

    def load(self, kept: Path, fingerprint: str, *, noted: str | None = None) -> PictureData:
        """See `Task.load`."""
        from semcom.tasks.picture_data import load_pictures

        wants_class = self.wants == "class"
        return load_pictures(self.source, fingerprint, wants_class=wants_class, augmentation=self.augmentation)
