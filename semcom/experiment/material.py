"""Material: the text of a scenario, cut, numbered and split, ready for training and measuring."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from channels import Chance
from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.scenario.identity import identity
from semcom.scenario.neighbor_supply import check_batches, kept_sentences, most_neighbors
from semcom.scenario.work import Build
from semcom.sources.batches import SentenceBatch, TrainingBatches, bucket, evaluation_batches
from semcom.sources.catalog import AnyCorpus, AnyTokenizer
from semcom.sources.sentences import Corpus
from semcom.sources.tokenizer import Tokenizer
from semcom.store.folder import RunFolder
from semcom.training.settings import TrainingSettings

VALIDATION_SENTENCES = 256


@dataclass(frozen=True, eq=False)
class Material:
    """A corpus and the tokenizer that was trained on its training split.

    Args:
        digest: of the tokenizer's file when it was read.
    """

    corpus: Corpus
    tokenizer: Tokenizer
    digest: str


@dataclass(frozen=True, eq=False)
class Exam:
    """The sentences a measurement is made on, and the batches they travel in."""

    sentences: list[str]
    batches: list[SentenceBatch]

    @property
    def words(self) -> int:
        """White-space words of all sentences."""
        return sum(len(sentence.split()) for sentence in self.sentences)

    @property
    def tokens(self) -> int:
        """Tokens really sent."""
        return sum(int(batch.lengths.sum()) for batch in self.batches)


def material_of(build: Build, folder: Path) -> Material:
    """The text that a build was planned on, and its tokenizer.

    Raises:
        UserMistake: the text or the tokenizer is not the one that the build was planned on.
    """
    material = load_material(build.corpus, build.tokenizer, folder, fingerprint=build.fingerprint)
    _check_tokenizer(build, tokenizer_file(folder, build.fingerprint, build.tokenizer), material.digest)
    return material


def tokenizer_file(folder: Path, fingerprint: str, tokenizer: AnyTokenizer) -> Path:
    """Where the tokenizer of a text lies in a run folder."""
    return RunFolder(folder).tokenizers / f"{identity(corpus=fingerprint, tokenizer=tokenizer)}.json"


@lru_cache(maxsize=4)
def load_material(
    corpus: AnyCorpus, tokenizer: AnyTokenizer, folder: Path, *, fingerprint: str | None = None
) -> Material:
    """The text, and its tokenizer from the run folder; trained and kept there at first use.

    Args:
        fingerprint: what the text must have; None takes it as it is.

    Raises:
        UserMistake: the text is another one now; what it would give is not what identities say.
    """
    text = corpus.load()
    if fingerprint not in (None, text.fingerprint):
        raise UserMistake(
            "the text must stay as it is while a scenario is carried out, got another one now; leave it alone and run "
            "again: what was done on the text as it was is kept"
        )
    path = tokenizer_file(folder, text.fingerprint, tokenizer)
    if path.is_file():
        return Material(text, Tokenizer.load(path), digest_of(path))
    trained = tokenizer.train(text.train)
    path.parent.mkdir(parents=True, exist_ok=True)
    trained.save(path)
    return Material(text, trained, digest_of(path))


def tokenizer_of(build: Build, folder: Path) -> Tokenizer:
    """The tokenizer of a build; once it is in the run folder, no text is needed.

    Raises:
        UserMistake: it is not the one that the build was planned on.
    """
    path = tokenizer_file(folder, build.fingerprint, build.tokenizer)
    if not path.is_file():
        return material_of(build, folder).tokenizer
    _check_tokenizer(build, path, digest_of(path))
    return Tokenizer.load(path)


def _check_tokenizer(build: Build, path: Path, found: str) -> None:
    if build.digests.tokenizer not in (None, found):
        raise UserMistake(
            f"{path}: must be the tokenizer that the codecs were trained with, got a damaged or edited one; run again "
            "to train it anew, or choose another --out if another version of tokenizers was installed meanwhile"
        )


def by_hash(sentences: tuple[str, ...]) -> list[str]:
    """An order that depends on each sentence alone, so that the first n are a sample, and samples nest."""
    return sorted(sentences, key=lambda sentence: hashlib.blake2b(sentence.encode(), digest_size=8).digest())


def training_batches(material: Material, settings: TrainingSettings, chance: Chance) -> TrainingBatches:
    """The training split, or the share of it that the settings ask for.

    Raises:
        UserMistake: some batch has too few sentences for the crowd.
    """
    sentences = by_hash(material.corpus.train)
    encoded = material.tokenizer.encode(sentences[: kept_sentences(settings, material.corpus)])
    lengths = [len(ids) for ids in encoded]
    # The lengths that meet in a batch are the same in every epoch and every order.
    rows = bucket(lengths, settings.batch, range(len(lengths)))
    check_batches(([lengths[row] for row in each] for each in rows), most_neighbors(settings))
    return TrainingBatches(encoded, settings.batch, chance)


def validation_batches(material: Material, size: int) -> list[SentenceBatch]:
    """A fixed sample of the validation split."""
    return evaluation_batches(
        material.tokenizer.encode(by_hash(material.corpus.validation)[:VALIDATION_SENTENCES]), size
    )


@lru_cache(maxsize=8)
def exam(material: Material, count: int, size: int, *, skip: int = 0) -> Exam:
    """The first `count` test sentences by hash behind those skipped, or all of them if there are fewer."""
    sentences = by_hash(material.corpus.test)[skip:][:count]
    return Exam(sentences, evaluation_batches(material.tokenizer.encode(sentences), size))
