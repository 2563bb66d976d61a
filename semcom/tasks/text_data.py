"""TextData: the sentences of a corpus, cut, numbered and split, ready for training and measuring."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from channels import Chance
from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.sources.batches import SentenceBatch, TrainingBatches, bucket, evaluation_batches
from semcom.sources.sentences import Corpus
from semcom.sources.tokenizer import Tokenizer
from semcom.tasks.neighbors import check_batches
from semcom.tasks.task import Exam

if TYPE_CHECKING:
    from semcom.sources.catalog import AnyCorpus, AnyTokenizer

VALIDATION_SENTENCES = 256


class TextData:
    """A corpus and the tokenizer that was trained on its training split.

    Once the tokenizer is in the run folder, the text is read only when sentences are asked for.

    Args:
        source: where the text comes from.
        kind: of tokenizer.
        path: where the tokenizer is kept.
        fingerprint: what the text must have.
    """

    def __init__(self, source: AnyCorpus, kind: AnyTokenizer, path: Path, fingerprint: str) -> None:
        self._source = source
        self._kind = kind
        self._path = path
        self._fingerprint = fingerprint
        self._exams: dict[tuple[int, int, int, AnyCorpus | None], Exam] = {}

    @cached_property
    def corpus(self) -> Corpus:
        """The text.

        Raises:
            UserMistake: it is another one now; what it would give is not what identities say.
        """
        text = self._source.load()
        if text.fingerprint != self._fingerprint:
            raise UserMistake(
                "the text must stay as it is while a scenario is carried out, got another one now; leave it alone and "
                "run again: what was done on the text as it was is kept"
            )
        return text

    @cached_property
    def _read_tokenizer(self) -> tuple[Tokenizer, str]:
        """The tokenizer from the run folder, trained and kept there at first use; and the digest of its file."""
        if not self._path.is_file():
            trained = self._kind.train(self.corpus.train)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            trained.save(self._path)
            return trained, digest_of(self._path)
        found = digest_of(self._path)
        return Tokenizer.load(self._path), found

    @property
    def tokenizer(self) -> Tokenizer:
        """How sentences become tokens."""
        return self._read_tokenizer[0]

    def check_tokenizer(self, noted: str | None) -> None:
        """Refuse a tokenizer that is not the one codecs were trained with.

        Raises:
            UserMistake: it is not.
        """
        if noted is None:
            return
        found = self._read_tokenizer[1] if "_read_tokenizer" in vars(self) else None
        if found is None and self._path.is_file():
            found = digest_of(self._path)
        if found not in (None, noted):
            raise UserMistake(
                f"{self._path}: must be the tokenizer that the codecs were trained with, got a damaged or edited one; "
                "run again to train it anew, or choose another --out if another version of tokenizers was installed "
                "meanwhile"
            )

    @property
    def outputs(self) -> int:
        """The vocabulary."""
        return self.tokenizer.size

    @property
    def classes(self) -> tuple[str, ...]:
        """None: tokens are read together, as sentences."""
        return ()

    @property
    def training_messages(self) -> int:
        """Sentences of the training split."""
        return len(self.corpus.train)

    def training(
        self, *, batch: int, share: float, chance: Chance, neighbors: int, salt: int | None = None
    ) -> TrainingBatches:
        """The training split, or the share of it that is asked for. See `Data.training`."""
        sentences = by_hash(self.corpus.train, salt)
        encoded = self.tokenizer.encode(sentences[: shared(share, len(sentences))])
        lengths = [len(ids) for ids in encoded]
        # The lengths that meet in a batch are the same in every epoch and every order.
        rows = bucket(lengths, batch, range(len(lengths)))
        check_batches(([lengths[row] for row in each] for each in rows), neighbors, messages="sentences")
        return TrainingBatches(encoded, batch, chance)

    def validation(self, size: int) -> list[SentenceBatch]:
        """A fixed sample of the validation split."""
        sentences = by_hash(self.corpus.validation)[:VALIDATION_SENTENCES]
        return evaluation_batches(self.tokenizer.encode(sentences), size)

    def exam(self, count: int, size: int, *, skip: int = 0, foreign: AnyCorpus | None = None) -> Exam:
        """The first `count` test sentences by hash behind those skipped, or all of them if there are fewer.

        Args:
            foreign: other text, whose test sentences are taken instead; cut by the same tokenizer.
        """
        asked = (count, size, skip, foreign)
        if asked not in self._exams:
            sentences = by_hash((foreign.load() if foreign else self.corpus).test)[skip:][:count]
            batches: Sequence[SentenceBatch] = evaluation_batches(self.tokenizer.encode(sentences), size)
            self._exams[asked] = Exam(
                messages=sentences,
                batches=batches,
                units=sum(int(batch.lengths.sum()) for batch in batches),
                words=sum(len(sentence.split()) for sentence in sentences),
            )
        return self._exams[asked]

    def read(self, answers: list[list[int]]) -> list[str]:
        """Sentences of token numbers."""
        return self.tokenizer.decode(answers)


@lru_cache(maxsize=4)
def load_text(source: AnyCorpus, kind: AnyTokenizer, path: Path, fingerprint: str) -> TextData:
    """The same data for whoever asks for it in this process."""
    return TextData(source, kind, path, fingerprint)


def by_hash(sentences: Sequence[str], salt: int | None = None) -> list[str]:
    """An order that depends on each sentence alone, so that the first n are a sample, and samples nest.

    Args:
        salt: another number gives another order.
    """
    salted = b"" if salt is None else str(salt).encode()
    return sorted(
        sentences, key=lambda sentence: hashlib.blake2b(sentence.encode(), digest_size=8, salt=salted).digest()
    )


def shared(share: float, there: int) -> int:
    """How many messages a share of a split comes to; never none."""
    return max(1, round(share * there))
