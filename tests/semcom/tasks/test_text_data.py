"""Material: the same sentences in the same order every time, and enough of them for the crowd."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from semcom.experiment.material import (
    VALIDATION_SENTENCES,
    exam,
    load_material,
    training_batches,
    validation_batches,
)

from channels import Chance, Crowd, Qam, draw, everyone
from channels import Link as AirLink
from semcom.mistakes import UserMistake
from semcom.scenario.load import load_scenario
from semcom.scenario.neighbor_supply import check_counts, check_exam, kept_messages, most_neighbors
from semcom.scenario.scenario import Scenario
from semcom.sources.batches import TrainingBatches
from semcom.sources.sentences import Corpus
from semcom.sources.textfile import TextFile
from semcom.sources.tokenizer import BytePairs, Words
from semcom.tasks.neighbors import check_batches, neighbors_in
from semcom.training.settings import TrainingSettings

SETTINGS = TrainingSettings(batch=16)


@pytest.fixture
def text(text_file) -> TextFile:
    return TextFile(path=str(text_file))


@pytest.fixture
def material(text, tmp_path):
    return load_material(text, Words(), tmp_path)


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
    first = load_material(text, Words(), tmp_path)
    kept = list((tmp_path / "tokenizers").iterdir())
    assert [path.suffix for path in kept] == [".json"]
    load_material.cache_clear()
    monkeypatch.setattr(Words, "train", lambda *_: pytest.fail("trained again"))
    again = load_material(text, Words(), tmp_path)
    assert again.tokenizer == first.tokenizer
    assert again.corpus == first.corpus


def test_another_tokenizer_or_text_has_a_file_of_its_own(text, tmp_path) -> None:
    load_material(text, Words(), tmp_path)
    load_material(text, BytePairs(vocabulary=300), tmp_path)
    load_material(replace(text, longest=9), Words(), tmp_path)
    assert len(list((tmp_path / "tokenizers").iterdir())) == 3


def test_the_tokenizer_knows_the_training_split_alone(material) -> None:
    words = {word for sentence in material.corpus.train for word in sentence.split()}
    assert set(material.tokenizer.pieces[3:]) == words


def test_what_was_read_is_remembered(text, tmp_path) -> None:
    assert load_material(text, Words(), tmp_path) is load_material(text, Words(), tmp_path)


def test_an_exam_is_a_sample_of_the_test_split_and_samples_nest(material) -> None:
    few, many, every = (exam(material, count, 8) for count in (5, 12, 10_000))
    assert few.sentences == many.sentences[:5] == every.sentences[:5]
    assert set(every.sentences) == set(material.corpus.test)
    assert (len(many.sentences), len(every.sentences)) == (12, len(material.corpus.test))


def test_skipped_sentences_are_in_no_exam(material) -> None:
    every = exam(material, 10_000, 8).sentences
    assert exam(material, 5, 8, skip=7).sentences == every[7:12]
    assert exam(material, 10_000, 8, skip=len(every) - 1).sentences == every[-1:]


def test_an_exam_counts_what_is_really_sent(material) -> None:
    questions = exam(material, 10, 4)
    assert questions.words == sum(len(sentence.split()) for sentence in questions.sentences)
    assert questions.tokens == questions.words, "one token a word"
    found = {}
    for batch in questions.batches:
        for row, ids, length in zip(batch.rows, batch.tokens.tolist(), batch.lengths.tolist(), strict=True):
            found[row] = material.tokenizer.decode([ids[:length]])[0]
    # Words that the training split lacks cannot come back; here there are none.
    assert [found[row] for row in range(10)] == questions.sentences


def test_an_exam_does_not_depend_on_the_order_of_the_corpus(material) -> None:
    turned = replace(material, corpus=replace(material.corpus, test=material.corpus.test[::-1]))
    assert exam(turned, 12, 4).sentences == exam(material, 12, 4).sentences


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_a_share_of_the_training_split(material, share) -> None:
    sentences = everything(training_batches(material, replace(SETTINGS, share=share), Chance(1)))
    assert len(sentences) == kept_messages(replace(SETTINGS, share=share), material.corpus)
    assert len(sentences) == round(share * len(material.corpus.train))


def test_a_smaller_share_is_part_of_a_larger(material) -> None:
    third, half = (
        everything(training_batches(material, replace(SETTINGS, share=share), Chance(1))) for share in (0.33, 0.5)
    )
    assert third < half


def test_the_same_chance_gives_the_same_batches(material) -> None:
    one, same, other = (training_batches(material, SETTINGS, Chance(seed)) for seed in (1, 1, 2))
    steps = range(one.per_epoch + 3)
    assert all(torch.equal(one.at(step).tokens, same.at(step).tokens) for step in steps)
    assert not all(one.at(step).rows == other.at(step).rows for step in steps)


def test_validation_is_a_fixed_sample_of_its_own_split(material, made_up) -> None:
    rows = sum(len(batch) for batch in validation_batches(material, 8))
    assert rows == len(material.corpus.validation) < VALIDATION_SENTENCES
    many = tuple(made_up(VALIDATION_SENTENCES + 50))
    larger = replace(material, corpus=replace(material.corpus, validation=many))
    assert sum(len(batch) for batch in validation_batches(larger, 8)) == VALIDATION_SENTENCES


# Supply: a crowd of neighbors needs something to say


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 6), st.integers(1, 3))
def test_supply_is_what_the_air_can_really_take(lengths: list[int], most: int, per_token: int) -> None:
    """Against the air itself: it must take as many neighbors as were counted and refuse one more."""
    longest, shape = max(lengths), (len(lengths), max(lengths) * per_token)
    crowd = Crowd(
        torch.zeros(sum(lengths) * per_token, dtype=torch.complex64), torch.tensor(lengths).cumsum(0) * per_token
    )
    link = AirLink(interferers=most)
    air = draw(link, shape, Chance(1))
    symbols = torch.zeros(shape, dtype=torch.complex64)
    if most <= neighbors_in(lengths, longest):
        assert everyone(symbols, link, air, crowd).shape[1] == most + 1
    else:
        with pytest.raises(ValueError, match="interferers need"):
            everyone(symbols, link, air, crowd)


def test_every_batch_of_every_epoch_can_supply_what_was_checked(material) -> None:
    settings = replace(SETTINGS, batch=8, interferers=3)
    batches = training_batches(material, settings, Chance(4))
    for step in range(3 * batches.per_epoch):
        lengths = batches.at(step).lengths.tolist()
        assert neighbors_in(lengths, max(lengths)) >= 3


def test_the_fewest_neighbors_decide() -> None:
    check_batches([[4, 4, 4], [3, 2, 2, 2]], 2)
    with pytest.raises(UserMistake, match=r"training\.interferers: 3 interferers must find .* has them for 2; use"):
        check_batches([[4, 4, 4, 4], [3, 3, 2, 1]], 3)


def test_only_neighbors_need_sentences() -> None:
    assert most_neighbors(replace(SETTINGS, interferers=(1, 5))) == 5
    assert most_neighbors(replace(SETTINGS, interferers=5, interference=Qam())) == 0
    assert most_neighbors(SETTINGS) == 0


def test_an_exam_with_too_little_to_say(tiny_yaml) -> None:
    def most(interferers: int, *changes: str) -> Scenario:
        return load_scenario(tiny_yaml, (f"sweep.interferers=[{interferers}]", *changes))[0]

    check_exam(most(2), [4, 4, 4])
    check_exam(most(0), [9])
    with pytest.raises(UserMistake, match=r"sweep\.interferers: 3 interferers .* for 2 in 3 sentences"):
        check_exam(most(3), [4, 4, 4])


def test_an_exam_too_short_for_a_crowd_of_another_rate(tiny_yaml) -> None:
    """8 symbols beside the wanted sentence are two stretches of its 4; of a codec half as talkative there is one."""

    def mixed(crowd: str, interferers: int) -> Scenario:
        rare = "codecs.plain={size: tiny, symbols_per_token: 1}"
        return load_scenario(tiny_yaml, (f"sweep.interferers=[{interferers}]", rare, f"link.crowd={crowd}"))[0]

    check_exam(mixed("[plain]", 1), [2, 2, 2])
    # Codecs of two rates have their stretches apart: two of the one and one of the other.
    check_exam(mixed("[big, plain]", 3), [2, 2, 2])
    for crowd, interferers, enough in (("[plain]", 2, 1), ("[plain, big]", 3, 2), ("[big, plain]", 4, 3)):
        with pytest.raises(UserMistake, match=f"{interferers} interferers .* enough for {enough} in 3 sentences"):
            check_exam(mixed(crowd, interferers), [2, 2, 2])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            ("sweep.interferers=5", "measure.sentences=20"),
            r"sweep\.interferers: 5 .* at least 6 test sentences .* got 4",
        ),
        (("training={batch: 9, interferers: 8, share: 0.1}",), r"training\.interferers: 8 .* 9 training .* got 4"),
        (("codecs.big.training={batch: 9, interferers: 8, share: 0.1}",), r"training\.interferers: 8 .* got 4"),
    ],
)
def test_a_text_with_too_few_sentences(tiny_yaml, changes: tuple[str, ...], told: str) -> None:
    sentences = tuple(f"sentence number {number}" for number in range(48))
    corpus = Corpus(train=sentences[:40], validation=sentences[40:44], test=sentences[44:], fingerprint="")
    check_counts(load_scenario(tiny_yaml)[0], corpus)
    with pytest.raises(UserMistake, match=told):
        check_counts(load_scenario(tiny_yaml, changes)[0], corpus)
    # What nobody asked for needs nothing.
    check_counts(load_scenario(tiny_yaml, ("codecs.spare={training: {batch: 99, interferers: 98}}",))[0], corpus)
    made_up = [f"{change.partition('=')[0]}.interference={{kind: qam}}" for change in changes if "training" in change]
    check_counts(load_scenario(tiny_yaml, (*changes, *made_up, "link={interference: {kind: qam}}"))[0], corpus)


def test_skipping_every_test_sentence_is_told(tiny_yaml) -> None:
    corpus = Corpus(train=("a",) * 40, validation=("b",) * 4, test=tuple(map(str, range(9))), fingerprint="")
    check_counts(load_scenario(tiny_yaml, ("measure.skip=5",))[0], corpus)
    with pytest.raises(UserMistake, match=r"measure\.skip: must leave some of 9 test sentences, got 9; skip fewer"):
        check_counts(load_scenario(tiny_yaml, ("measure.skip=9",))[0], corpus)
    with pytest.raises(UserMistake, match=r"sweep\.interferers"):
        check_counts(load_scenario(tiny_yaml, ("measure.skip=7",))[0], corpus)


def test_sorted_by_hash_is_sorted_by_nothing_else(material) -> None:
    ordered = exam(material, 10_000, 8).sentences
    pairs = list(itertools.pairwise(ordered))
    assert 0.2 < sum(one < other for one, other in pairs) / len(pairs) < 0.8
