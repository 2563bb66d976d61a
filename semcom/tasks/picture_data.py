"""PictureData: labelled pictures in splits, ready for training and measuring."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from channels import Chance
from semcom.mistakes import UserMistake
from semcom.sources.labelled import evaluation_labelled
from semcom.sources.pictures import BRIGHTEST, PictureBatches, PictureCorpus
from semcom.tasks.neighbors import check_batches
from semcom.tasks.task import Exam

if TYPE_CHECKING:
    from semcom.sources.augmentation import Augmentation
    from semcom.sources.batch import Batch
    from semcom.sources.catalog import AnyPictures

VALIDATION_PICTURES = 2048


class PictureData:
    """The pictures of a source, read when they are first asked for.

    Args:
        source: where they come from.
        fingerprint: what the source must say of them.
        wants_class: whether their classes are wanted, and not they themselves.
        augmentation: what is done at random to training pictures.
    """

    def __init__(
        self,
        source: AnyPictures,
        fingerprint: str,
        *,
        wants_class: bool = True,
        augmentation: Augmentation | None = None,
    ) -> None:
        self._source = source
        self._fingerprint = fingerprint
        self._wants_class = wants_class
        self._augmentation = augmentation

    @cached_property
    def pictures(self) -> PictureCorpus:
        """All splits.

        Raises:
            UserMistake: they are others now; what they would give is not what identities say.
        """
        pictures = self._source.load()
        if pictures.fingerprint != self._fingerprint:
            raise UserMistake(
                "the pictures must stay as they are while a scenario is carried out, got others now; leave them alone "
                "and run again: what was done on the pictures as they were is kept"
            )
        return pictures

    @property
    def outputs(self) -> int:
        """The number of classes, or of the levels that a value of a rebuilt picture has."""
        return len(self.pictures.classes) if self._wants_class else BRIGHTEST + 1

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, in the order of their numbers; none where the picture itself is wanted."""
        return self.pictures.classes if self._wants_class else ()

    @property
    def training_messages(self) -> int:
        """Pictures of the training split."""
        return len(self.pictures.train)

    def training(
        self, *, batch: int, share: float, chance: Chance, neighbors: int, salt: int | None = None
    ) -> PictureBatches:
        """The training split, or the share of it that is asked for: equally many pictures of every class.

        Args:
            salt: another number gives another share.
        """
        train = self.pictures.train if salt is None else self.pictures.train.reordered(salt)
        batches = PictureBatches(train, batch, chance, share=share, augmentation=self._augmentation)
        check_batches(([1] * len(each) for each in batches.epoch()), neighbors, messages="pictures")
        return batches

    def validation(self, size: int) -> list[Batch]:
        """The first pictures of the validation split, which hold the classes as evenly as can be."""
        return list(evaluation_labelled(self.pictures.validation.part(0, VALIDATION_PICTURES), size))

    def exam(self, count: int, size: int, *, skip: int = 0) -> Exam:
        """The first `count` test pictures behind those skipped, or all of them if there are fewer."""
        pictures = self.pictures.test.part(skip, count)
        wanted: Any = pictures.labels.tolist() if self._wants_class else list(pictures.pixels.numpy())
        return Exam(messages=wanted, batches=evaluation_labelled(pictures, size), units=len(pictures))

    def read(self, answers: list[Any]) -> list[Any]:
        """The class of each picture, or the picture itself as an array [planes, rows, columns] of uint8."""
        return [each for (each,) in answers]


@lru_cache(maxsize=2)
def load_pictures(
    source: AnyPictures, fingerprint: str, *, wants_class: bool, augmentation: Augmentation | None
) -> PictureData:
    """The same data for whoever asks for it in this process."""
    return PictureData(source, fingerprint, wants_class=wants_class, augmentation=augmentation)
