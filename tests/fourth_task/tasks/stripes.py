"""Stripes: tiny pictures are sent, and the receiver wants to know which way their stripes run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from semcom.metrics.metric import Scored
from semcom.models.spec import Carries, Spec
from semcom.models.stripes_spec import PICTURE_SIZES
from semcom.sources.stripes import DIRECTIONS, PictureBatches, StripePictures
from semcom.tasks.neighbors import check_batches
from semcom.tasks.task import Counts, Exam, Progress

if TYPE_CHECKING:
    from channels import Chance
    from semcom.sources.batch import Batch


@dataclass(frozen=True)
class Stripes:
    """Pictures of stripes; a codec learns what to send of them.

    Args:
        pictures: what they are like.
    """

    pictures: StripePictures = StripePictures()
    kind: Literal["stripes"] = "stripes"

    carries: ClassVar[Carries] = "pictures"
    unit: ClassVar[str] = "picture"
    message: ClassVar[str] = "picture"
    scores: ClassVar[Scored] = "classes"
    usual_units: ClassVar[int] = 1
    codec: ClassVar[str] = "perceptron"
    sizes: ClassVar[Mapping[str, Spec]] = PICTURE_SIZES
    usual_size: ClassVar[str] = "stripes_small"
    defaults: ClassVar[Mapping[str, Any]] = {"measure": {"metrics": ["accuracy"]}}

    @classmethod
    def usually(cls, typed: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The same whatever is typed."""
        return cls.codec, cls.defaults

    @property
    def source_name(self) -> str:
        """What is read."""
        return "stripes"

    @property
    def is_at_hand(self) -> bool:
        """Nothing has to be fetched."""
        return True

    def fitted(self, spec: Any) -> Any:
        """All pictures are of one size."""
        return spec

    def fingerprint(self) -> str:
        """Of the pictures."""
        return self.pictures.fingerprint()

    def facts(self, fingerprint: str) -> dict[str, Any]:
        """The task and its pictures."""
        return {"task": self.kind, "pictures": fingerprint}

    def exam_facts(self, fingerprint: str) -> dict[str, Any]:
        """The same."""
        return self.facts(fingerprint)

    def kept_files(self, kept: Path, fingerprint: str) -> tuple[Path, ...]:
        """None."""
        return ()

    def count(self, progress: Progress | None = None) -> Counts:
        """As typed."""
        counts = self.pictures.counts()
        return Counts(counts["train"], counts["validation"], counts["test"])

    def load(self, kept: Path, fingerprint: str, *, noted: str | None = None) -> StripeData:
        """See `Task.load`."""
        return StripeData(self.pictures)


@dataclass(frozen=True)
class StripeData:
    """The pictures of a task, drawn when they are asked for."""

    pictures: StripePictures

    @property
    def outputs(self) -> int:
        """The directions."""
        return len(DIRECTIONS)

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names."""
        return DIRECTIONS

    @property
    def training_messages(self) -> int:
        """Pictures to train on."""
        return self.pictures.train

    def training(
        self, *, batch: int, share: float, chance: Chance, neighbors: int, salt: int | None = None
    ) -> PictureBatches:
        """See `Data.training`."""
        drawn = self.pictures.draw("train")
        kept = drawn.part(tuple(range(max(1, round(share * len(drawn))))))
        check_batches(([1] * len(each) for each in kept.cut(batch)), neighbors, messages="pictures")
        return PictureBatches(kept, batch, chance)

    def validation(self, size: int) -> list[Batch]:
        """All pictures of the split."""
        return list(self.pictures.draw("validation").cut(size))

    def exam(self, count: int, size: int, *, skip: int = 0) -> Exam:
        """See `Data.exam`."""
        return _exam(self.pictures, count, size, skip)

    def read(self, answers: list[list[int]]) -> list[int]:
        """The class of each picture."""
        return [each for (each,) in answers]


@lru_cache(maxsize=4)
def _exam(pictures: StripePictures, count: int, size: int, skip: int) -> Exam:
    drawn = pictures.draw("test")
    asked = drawn.part(tuple(range(skip, min(skip + count, len(drawn)))))
    # Rows begin at 0 with the first that is asked for.
    fresh = type(asked)(asked.pixels, asked.labels, tuple(range(len(asked))))
    return Exam(messages=asked.labels.tolist(), batches=fresh.cut(size), units=len(asked))
