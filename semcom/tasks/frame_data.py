"""FrameData: labelled frames in splits, ready for training and measuring."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from channels import Chance
from semcom.mistakes import UserMistake
from semcom.sources.frames import FrameBatches, FrameCorpus, FrameSet
from semcom.sources.labelled import evaluation_labelled
from semcom.tasks.neighbors import check_batches
from semcom.tasks.task import Exam

if TYPE_CHECKING:
    from semcom.sources.batch import Batch
    from semcom.sources.catalog import AnyFrames

VALIDATION_FRAMES = 2048


class FrameData:
    """The frames of a source, read when they are first asked for.

    Args:
        source: where they come from.
        fingerprint: what the source must say of them.
    """

    def __init__(self, source: AnyFrames, fingerprint: str) -> None:
        self._source = source
        self._fingerprint = fingerprint

    @cached_property
    def frames(self) -> FrameCorpus:
        """All splits.

        Raises:
            UserMistake: they are others now; what they would give is not what identities say.
        """
        frames = self._source.load()
        if frames.fingerprint != self._fingerprint:
            raise UserMistake(
                "the frames must stay as they are while a scenario is carried out, got others now; leave them alone "
                "and run again: what was done on the frames as they were is kept"
            )
        return frames

    @property
    def outputs(self) -> int:
        """The number of classes."""
        return len(self.classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, in the order of their numbers."""
        return self.frames.classes

    @property
    def training_messages(self) -> int:
        """Frames of the training split."""
        return len(self.frames.train)

    def training(
        self, *, batch: int, share: float, chance: Chance, neighbors: int, salt: int | None = None
    ) -> FrameBatches:
        """The training split, or the share of it that is asked for; the first frames, whatever the salt."""
        batches = FrameBatches(self.frames.train, batch, chance, share=share)
        check_batches(([1] * len(each) for each in batches.epoch()), neighbors, messages="frames")
        return batches

    def validation(self, size: int) -> list[Batch]:
        """The first frames of the validation split, which hold the classes as evenly as can be."""
        return list(evaluation_labelled(_part(self.frames.validation, 0, VALIDATION_FRAMES), size))

    def exam(self, count: int, size: int, *, skip: int = 0) -> Exam:
        """The first `count` test frames behind those skipped, or all of them if there are fewer."""
        frames = _part(self.frames.test, skip, count)
        return Exam(messages=frames.labels.tolist(), batches=evaluation_labelled(frames, size), units=len(frames))

    def read(self, answers: list[list[int]]) -> list[int]:
        """The class of each frame."""
        return [each for (each,) in answers]


@lru_cache(maxsize=2)
def load_frames(source: AnyFrames, fingerprint: str) -> FrameData:
    """The same data for whoever asks for it in this process."""
    return FrameData(source, fingerprint)


def _part(frames: FrameSet, skip: int, count: int) -> FrameSet:
    end = skip + count
    snr_db = None if frames.snr_db is None else frames.snr_db[skip:end]
    return FrameSet(frames.samples[skip:end], frames.labels[skip:end], snr_db)
