"""SpeechData: spoken words in splits, ready for training and measuring."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from channels import Chance
from semcom.mistakes import UserMistake
from semcom.sources.labelled import LabelledBatches, LabelledSet, evaluation_labelled
from semcom.sources.speech import FramedBatch, FramedSet, SpeechBatch, SpeechCorpus, SpeechSet
from semcom.sources.speech_splits import of_speakers
from semcom.tasks.neighbors import check_batches
from semcom.tasks.task import Exam

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from semcom.models.speech_rebuilder_spec import SpeechRebuilderSpec
    from semcom.sources.batch import Batch
    from semcom.sources.catalog import AnySpeech

VALIDATION_WORDS = 2048


class SpeechData:
    """The words of a source, read when they are first asked for.

    Args:
        source: where they come from.
        fingerprint: what the source must say of them.
        rebuilt: the shape of a codec that rebuilds their spectra, where these are wanted and not which words they are.
        speakers: whether it is who said them that is wanted.
    """

    def __init__(
        self,
        source: AnySpeech,
        fingerprint: str,
        *,
        rebuilt: SpeechRebuilderSpec | None = None,
        speakers: bool = False,
    ) -> None:
        self._speakers = speakers
        self._source = source
        self._fingerprint = fingerprint
        self._rebuilt = rebuilt

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
        return of_speakers(words) if self._speakers else words

    @property
    def outputs(self) -> int:
        """The number of words that there are, whether they are told apart or not."""
        return len(self.words.classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """The words, in the order of their numbers; none where spectra are wanted."""
        return () if self._rebuilt else self.words.classes

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
        batches = LabelledBatches(self._counted(train), batch, chance, share=share, called="word")
        lengths = self._units(train)
        check_batches(([lengths[row] for row in each] for each in batches.epoch()), neighbors, messages="words")
        return batches

    def validation(self, size: int) -> list[Batch]:
        """The first recordings of the validation split, which hold the words as evenly as can be."""
        return list(evaluation_labelled(self._counted(self.words.validation.part(0, VALIDATION_WORDS)), size))

    def exam(self, count: int, size: int, *, skip: int = 0) -> Exam:
        """The first `count` test recordings behind those skipped, or all of them if there are fewer."""
        words = self.words.test.part(skip, count)
        batches = evaluation_labelled(self._counted(words), size)
        wanted: Any = self.spectra(batches) if self._rebuilt else words.labels.tolist()
        return Exam(messages=wanted, batches=batches, units=sum(self._units(words)))

    def read(self, answers: list[Any]) -> list[Any]:
        """The word of each message, as a number, or its spectrum [frames, bands] in decibels as it is."""
        return answers if self._rebuilt else [each for (each,) in answers]

    def _counted(self, words: SpeechSet) -> LabelledSet[SpeechBatch]:
        """The words, to be put into batches that count what a codec sends: words, or their frames."""
        return FramedSet(words, self._rebuilt.hop) if self._rebuilt else words

    def _units(self, words: SpeechSet) -> list[int]:
        """Of each word: its frames, or one."""
        hop = self._rebuilt.hop if self._rebuilt else int(words.samples.shape[1])
        return (-(-words.durations // hop)).tolist()

    def rows(self, skip: int, count: int) -> FramedBatch:
        """As `exam` takes them, in one batch and in the order of the split, where spectra are wanted."""
        assert self._rebuilt is not None
        words = self.words.test.part(skip, count)
        return FramedSet(words, self._rebuilt.hop).batch(range(len(words)))

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._source.rate

    def spectra(self, batches: Sequence[SpeechBatch]) -> list[NDArray[np.float32]]:
        """What should arrive of each word [frames, bands], in the order of rows."""
        from semcom.models.mel import MelDecibels

        assert self._rebuilt is not None
        shape = self._rebuilt
        mel = MelDecibels(shape.rate, window=shape.window, hop=shape.hop, mels=shape.mels)
        found: dict[int, NDArray[np.float32]] = {}
        for batch in batches:
            decibels, _ = mel(batch)
            for row, spectrum, length in zip(batch.rows, decibels.numpy(), batch.lengths.tolist(), strict=True):
                found[row] = spectrum[:length]
        return [found[row] for row in sorted(found)]


@lru_cache(maxsize=2)
def load_speech(
    source: AnySpeech, fingerprint: str, *, rebuilt: SpeechRebuilderSpec | None = None, speakers: bool = False
) -> SpeechData:
    """The same data for whoever asks for it in this process."""
    return SpeechData(source, fingerprint, rebuilt=rebuilt, speakers=speakers)
