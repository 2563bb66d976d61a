"""SpeechData: spoken words in splits, ready for training and measuring."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from channels import Chance
from semcom.mistakes import UserMistake
from semcom.sources.labelled import LabelledBatches, evaluation_labelled
from semcom.sources.speech import SpeechBatch, SpeechCorpus
from semcom.tasks.neighbors import check_batches
from semcom.tasks.task import Exam

if TYPE_CHECKING:
    from semcom.sources.batch import Batch
    from semcom.sources.catalog import AnySpeech

VALIDATION_WORDS = 2048


class SpeechData:
    """The words of a source, read when they are first asked for.

    Args:
        source: where they come from.
        fingerprint: what the source must say of them.
    """

    def __init__(self, source: AnySpeech, fingerprint: str) -> None:
        self._source = source
        self._fingerprint = fingerprint

    @cached_property
    def words(self) -> SpeechCorpus:
        """All splits.

        Raises:
            UserMistake: they are others now; what they would give is not what identities say.
        """
        words = self._source.load()
        if words.fingerprint != self._fingerprint:
            raise UserMistake(
                "the recordings must stay as they are while a scenario is carried out, got others now; leave them "
                "alone and run again: what was done on the recordings as they were is kept"
            )
        return words

    @property
    def outputs(self) -> int:
        """The number of words that there are to tell apart."""
        return len(self.classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """The words, in the order of their numbers."""
        return self.words.classes

    @property
    def training_messages(self) -> int:
        """Recordings of the training split."""
        return len(self.words.train)

    def training(
        self, *, batch: int, share: float, chance: Chance, neighbors: int, salt: int | None = None
    ) -> LabelledBatches[SpeechBatch]:
        """The training split, or the share of it that is asked for: every word as often as the others.

        Args:
            salt: another number gives another share.
        """
        train = self.words.train if salt is None else self.words.train.reordered(salt)
        batches = LabelledBatches(train, batch, chance, share=share, called="word")
        check_batches(([1] * len(each) for each in batches.epoch()), neighbors, messages="words")
        return batches

    def validation(self, size: int) -> list[Batch]:
        """The first recordings of the validation split, which hold the words as evenly as can be."""
        return list(evaluation_labelled(self.words.validation.part(0, VALIDATION_WORDS), size))

    def exam(self, count: int, size: int, *, skip: int = 0) -> Exam:
        """The first `count` test recordings behind those skipped, or all of them if there are fewer."""
        words = self.words.test.part(skip, count)
        return Exam(messages=words.labels.tolist(), batches=evaluation_labelled(words, size), units=len(words))

    def read(self, answers: list[list[int]]) -> list[int]:
        """The word of each message, as a number."""
        return [each for (each,) in answers]


@lru_cache(maxsize=2)
def load_speech(source: AnySpeech, fingerprint: str) -> SpeechData:
    """The same data for whoever asks for it in this process."""
    return SpeechData(source, fingerprint)
