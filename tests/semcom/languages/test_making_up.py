"""Made-up sentences come out as often as the language says, and are whole ones."""

import math
from collections import Counter

import pytest
import torch

from channels import Chance
from semcom.languages.made_up_file import read_sentences, write_sentences
from semcom.languages.making_up import make_up
from semcom.languages.transformer import initialize_language
from semcom.languages.transformer_spec import TransformerSpec
from semcom.mistakes import UserMistake


class Table:
    """The next token by the last one alone, from a table of probabilities; padding and unknown take a tenth."""

    outputs, memory = 6, 1
    rows = torch.tensor([[0.05, 0.15, 0.05, 0.5, 0.25, 0.0], [0.05, 0.3, 0.05, 0.1, 0.1, 0.4]])

    def __init__(self):
        self.table = self.rows[[0, 0, 0, 0, 1, 1]].log()

    def begin(self, rows):
        return torch.ones(rows, dtype=torch.long)

    def scores(self, state, candidates=None):
        return self.table[state] if candidates is None else self.table[state].gather(1, candidates)

    def extend(self, state, parents, tokens):
        return tokens


def probability(last, token, *, temperature=1.0):
    """What is left of the table where padding and unknown cannot be, nor an end at the beginning."""
    shares = Table.rows[1 if last in (4, 5) else 0] ** (1 / temperature)
    shares[[0, 2] if last else [0, 1, 2]] = 0
    return float(shares[token] / shares.sum())


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_tokens_come_as_often_as_the_table_says(temperature):
    sentences = make_up(Table(), 4000, Chance(1), temperature=temperature, longest=200)
    seen = Counter(pair for sentence in sentences for pair in zip([0, *sentence], [*sentence, 1], strict=True))
    assert {token for sentence in sentences for token in sentence} == {3, 4, 5}
    for last in (0, 3, 4, 5):
        total = sum(count for (before, _), count in seen.items() if before == last)
        for token in range(6):
            share = probability(last, token, temperature=temperature)
            error = math.sqrt(share * (1 - share) / total)
            assert abs(seen[last, token] / total - share) <= 5 * error, (last, token)


def test_the_same_chance_makes_up_the_same_and_another_something_else():
    first, second, other = (make_up(Table(), 50, Chance(seed), at_once=20) for seed in (1, 1, 2))
    assert first == second != other
    assert len(first) == 50 and all(first)


def test_more_are_begun_as_fewer():
    assert make_up(Table(), 60, Chance(1), at_once=20)[:30] == make_up(Table(), 30, Chance(1), at_once=20)


def test_what_is_too_long_is_thrown_away_and_short_sentences_gain_nothing_but_that():
    cut = make_up(Table(), 4000, Chance(1), longest=3)
    whole = [sentence for sentence in make_up(Table(), 8000, Chance(2), longest=200) if len(sentence) <= 3]
    assert max(map(len, cut)) == 3
    for length in (1, 2, 3):
        ours, theirs = (sum(len(each) == length for each in found) / len(found) for found in (cut, whole))
        error = math.sqrt(ours * (1 - ours) * (1 / len(cut) + 1 / len(whole)))
        assert abs(ours - theirs) <= 5 * error


def test_a_transformer_makes_up_sentences_too():
    language = initialize_language(TransformerSpec(width=16, layers=1, heads=2, feedforward=16), 13, seed=1)
    found = make_up(language, 40, Chance(3), longest=30)
    assert len(found) == 40 and {token for each in found for token in each} <= set(range(3, 13))


def test_a_language_without_end_is_given_up():
    endless = Table()
    endless.table[:, 1] = -math.inf
    with pytest.raises(ValueError, match="must end its sentences within 4 tokens, got 0 of"):
        make_up(endless, 10, Chance(1), longest=4)


@pytest.mark.parametrize("wrong", [{"temperature": 0.0}, {"longest": 0}, {"at_once": 0}, {"temperature": math.nan}])
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make_up(Table(), 1, Chance(1), **wrong)


def test_sentences_come_back_from_their_file_and_others_are_refused(tmp_path):
    path, sentences = tmp_path / "made_up.safetensors", make_up(Table(), 20, Chance(1))
    digest = write_sentences(path, sentences)
    assert read_sentences(path, outputs=Table().outputs, noted=digest) == sentences
    for wrong, message in (
        ([[3], [-1]], "a token number that cannot be"),
        ([[3], [Table().outputs]], "a token number that cannot be"),
        ([[3], []], "lengths that do not fit"),
    ):
        write_sentences(path, wrong)
        with pytest.raises(UserMistake, match=message):
            read_sentences(path, outputs=Table().outputs)
        with pytest.raises(UserMistake, match="damaged, edited or exchanged"):
            read_sentences(path, outputs=Table().outputs, noted=digest)
    path.unlink()
    with pytest.raises(UserMistake, match="no such file"):
        read_sentences(path, outputs=Table().outputs)
