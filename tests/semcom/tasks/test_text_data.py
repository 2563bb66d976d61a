"""TextData: the same sentences in the same order every time, and enough of them for the crowd."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from channels import Chance
from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.sources.batches import TrainingBatches
from semcom.sources.sentences import Corpus
from semcom.sources.textfile import TextFile
from semcom.sources.tokenizer import BytePairs, Words
from semcom.tasks.neighbors import neighbors_in
from semcom.tasks.task import Counts
from semcom.tasks.text import Text
from semcom.tasks.text_data import VALIDATION_SENTENCES, TextData, load_text

CHANCE = Chance(1)


@dataclass(frozen=True)
class Given:
    """A source that gives the sentences it is made with."""

    corpus: Corpus

    def load(self) -> Corpus:
        return self.corpus


@pytest.fixture
def text(text_file) -> TextFile:
    return TextFile(path=str(text_file))


def load(text: TextFile, tokenizer: Words | BytePairs, kept: Path) -> TextData:
    return Text(text, tokenizer).load(kept, text.fingerprint())


@pytest.fixture
def data(text, tmp_path) -> TextData:
    return load(text, Words(), tmp_path)


def of_other(corpus: Corpus, tmp_path: Path) -> TextData:
    return TextData(Given(corpus), Words(), tmp_path / "other.json", corpus.fingerprint)  # type: ignore[arg-type]


def training(data: TextData, *, share: float = 1.0, chance: Chance = CHANCE) -> TrainingBatches:
    return data.training(batch=16, share=share, chance=chance, neighbors=0)


def everything(batches: TrainingBatches) -> set[tuple[int, ...]]:
    """The sentences of one epoch."""
    found = set()
    for step in range(batches.per_epoch):
        batch = batches.at(step)
        found |= {
            tuple(ids[:length]) for ids, length in zip(batch.tokens.tolist(), batch.lengths.tolist(), strict=True)
        }
    return found


def test_a_tokenizer_is_trained_once_and_kept(text, tmp_path, monkeypatch) -> None:
    first = load(text, Words(), tmp_path)
    assert not list(tmp_path.iterdir()), "nothing is read before it is asked for"
    learned = first.tokenizer
    assert list(tmp_path.iterdir()) == list(Text(text, Words()).kept_files(tmp_path, text.fingerprint()))
    load_text.cache_clear()
    monkeypatch.setattr(Words, "train", lambda *_: pytest.fail("trained again"))
    again = load(text, Words(), tmp_path)
    assert again is not first and again.tokenizer == learned
    assert again.corpus == first.corpus
    assert again.outputs == learned.size


def test_a_kept_tokenizer_needs_no_text(text, tmp_path, monkeypatch) -> None:
    learned = load(text, Words(), tmp_path).tokenizer
    load_text.cache_clear()
    monkeypatch.setattr(TextFile, "load", lambda *_: pytest.fail("looked at"))
    assert load(text, Words(), tmp_path).read([[3, 4]]) == learned.decode([[3, 4]])


def test_another_tokenizer_or_text_has_a_file_of_its_own(text, tmp_path) -> None:
    for each in (
        load(text, Words(), tmp_path),
        load(text, BytePairs(vocabulary=300), tmp_path),
        load(replace(text, longest=9), Words(), tmp_path),
    ):
        assert each.tokenizer.size == each.outputs
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"] * 3


def test_a_tokenizer_that_is_not_the_one_noted_is_refused(text, tmp_path) -> None:
    task, fingerprint = Text(text, Words()), text.fingerprint()
    task.load(tmp_path, fingerprint, noted="not there yet, so not wrong")
    assert task.load(tmp_path, fingerprint).outputs > 60
    (path,) = task.kept_files(tmp_path, fingerprint)
    task.load(tmp_path, fingerprint, noted=digest_of(path))
    # Whether it was read before, or lies there unread, it is held against the digest.
    for _ in range(2):
        with pytest.raises(UserMistake, match="must be the tokenizer that the codecs were trained with"):
            task.load(tmp_path, fingerprint, noted="another")
        load_text.cache_clear()


def test_another_text_than_the_identities_say_is_refused(text, tmp_path) -> None:
    data = Text(text, Words()).load(tmp_path, "of another text")
    with pytest.raises(UserMistake, match="the text must stay as it is while a scenario is carried out"):
        data.exam(5, 8)
    assert not list(tmp_path.iterdir())


def test_the_tokenizer_knows_the_training_split_alone(data) -> None:
    words = {word for sentence in data.corpus.train for word in sentence.split()}
    assert set(data.tokenizer.pieces[3:]) == words


def test_what_was_read_is_remembered(text, tmp_path) -> None:
    one, same = (load(text, Words(), tmp_path) for _ in range(2))
    assert one is same and one.corpus is same.corpus
    assert one.exam(5, 8) is same.exam(5, 8) is not one.exam(5, 4)


def test_counts_are_those_of_the_splits(text, data) -> None:
    corpus, counts = data.corpus, Text(text, Words()).count()
    assert counts == Counts(len(corpus.train), len(corpus.validation), len(corpus.test), counts.account)
    assert data.training_messages == counts.training
    assert counts.account.startswith("file: ")


def test_an_exam_is_a_sample_of_the_test_split_and_samples_nest(data) -> None:
    few, many, every = (data.exam(count, 8) for count in (5, 12, 10_000))
    assert few.messages == many.messages[:5] == every.messages[:5]
    assert set(every.messages) == set(data.corpus.test)
    assert (len(many.messages), len(every.messages)) == (12, len(data.corpus.test))


def test_skipped_sentences_are_in_no_exam(data) -> None:
    every = data.exam(10_000, 8).messages
    assert data.exam(5, 8, skip=7).messages == every[7:12]
    assert data.exam(10_000, 8, skip=len(every) - 1).messages == every[-1:]


def test_an_exam_counts_what_is_really_sent(data) -> None:
    questions = data.exam(10, 4)
    assert questions.words == sum(len(sentence.split()) for sentence in questions.messages)
    assert questions.units == questions.words, "one token a word"
    found = {}
    for batch in questions.batches:
        for row, ids, length in zip(batch.rows, batch.tokens.tolist(), batch.lengths.tolist(), strict=True):
            found[row] = data.tokenizer.decode([ids[:length]])[0]
    # Words that the training split lacks cannot come back; here there are none.
    assert [found[row] for row in range(10)] == questions.messages


def test_an_exam_does_not_depend_on_the_order_of_the_corpus(data, tmp_path) -> None:
    turned = of_other(replace(data.corpus, test=data.corpus.test[::-1]), tmp_path)
    assert turned.exam(12, 4).messages == data.exam(12, 4).messages


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_a_share_of_the_training_split(data, share) -> None:
    sentences = everything(training(data, share=share))
    assert len(sentences) == round(share * len(data.corpus.train))


def test_a_smaller_share_is_part_of_a_larger(data) -> None:
    third, half = (everything(training(data, share=share)) for share in (0.33, 0.5))
    assert third < half


def test_the_same_chance_gives_the_same_batches(data) -> None:
    one, same, other = (training(data, chance=Chance(seed)) for seed in (1, 1, 2))
    steps = range(one.per_epoch + 3)
    assert all(torch.equal(one.at(step).tokens, same.at(step).tokens) for step in steps)
    assert not all(one.at(step).rows == other.at(step).rows for step in steps)


def test_validation_is_a_fixed_sample_of_its_own_split(data, tmp_path, made_up) -> None:
    rows = sum(len(batch) for batch in data.validation(8))
    assert rows == len(data.corpus.validation) < VALIDATION_SENTENCES
    many = tuple(made_up(VALIDATION_SENTENCES + 50))
    larger = of_other(replace(data.corpus, validation=many), tmp_path)
    assert sum(len(batch) for batch in larger.validation(8)) == VALIDATION_SENTENCES


def test_every_batch_of_every_epoch_can_supply_what_was_checked(data) -> None:
    batches = data.training(batch=8, share=1.0, chance=Chance(4), neighbors=3)
    for step in range(3 * batches.per_epoch):
        lengths = batches.at(step).lengths.tolist()
        assert neighbors_in(lengths, max(lengths)) >= 3


def test_batches_too_small_for_the_crowd_are_refused(data) -> None:
    with pytest.raises(UserMistake, match=r"training\.interferers: 8 interferers must find other sentences in every"):
        data.training(batch=8, share=1.0, chance=CHANCE, neighbors=8)


def test_sorted_by_hash_is_sorted_by_nothing_else(data) -> None:
    ordered = data.exam(10_000, 8).messages
    pairs = list(itertools.pairwise(ordered))
    assert 0.2 < sum(one < other for one, other in pairs) / len(pairs) < 0.8
