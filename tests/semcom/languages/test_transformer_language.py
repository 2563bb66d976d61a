"""A Transformer language: probabilities, the same ones whole or step by step, whatever stands beside a sentence."""

from random import Random

import pytest
import torch

from semcom.languages.bits import bits_per_token
from semcom.languages.rows import following, rows_of
from semcom.languages.transformer import initialize_language
from semcom.languages.transformer_spec import LANGUAGE_SIZES, TransformerSpec, usual
from semcom.sources.batches import evaluation_batches, make_batch

VOCABULARY = 23
SPEC = TransformerSpec(width=16, layers=2, heads=2, feedforward=32)
SENTENCES = [[5, 6, 7, 8, 9], [10], [11, 12, 13], [5, 6, 14]]


@pytest.fixture
def language():
    return initialize_language(SPEC, VOCABULARY, seed=3)


class StepByStep:
    """A language without its fast way over whole sentences."""

    def __init__(self, language):
        self.begin, self.scores, self.extend = language.begin, language.scores, language.extend


def test_what_follows_is_the_next_token_and_then_the_end():
    tokens, real = following(make_batch(SENTENCES[1:3]))
    assert tokens.tolist() == [[10, 1, 0, 0], [11, 12, 13, 1]]
    assert real.tolist() == [[True, True, False, False], [True] * 4]


def test_probabilities_sum_to_one_everywhere(language):
    rows = rows_of(language, make_batch(SENTENCES))
    assert rows.shape == (4, 6, VOCABULARY)
    torch.testing.assert_close(rows.exp().sum(-1), torch.ones(4, 6))


def test_step_by_step_says_what_the_whole_says(language):
    batch = make_batch(SENTENCES)
    torch.testing.assert_close(rows_of(StepByStep(language), batch), rows_of(language, batch))


def test_tell_is_the_chain_rule(language):
    told = language.tell(make_batch(SENTENCES))
    for row, sentence in enumerate(SENTENCES):
        state, expected = language.begin(1), []
        for token in [*sentence, 1]:
            expected.append(language.scores(state, torch.tensor([[token]]))[0, 0])
            state = language.extend(state, torch.tensor([0]), torch.tensor([token]))
        torch.testing.assert_close(told[row, : len(expected)], torch.stack(expected))
        assert not told[row, len(expected) :].any()


def test_padding_changes_nothing(language):
    together, alone = language.tell(make_batch(SENTENCES)), language.tell(make_batch([SENTENCES[2]]))
    torch.testing.assert_close(together[2, :4], alone[0])


def test_rows_go_on_from_the_parents_they_are_told(language):
    four = torch.arange(4)
    state = language.extend(language.begin(4), four, torch.tensor([5, 6, 7, 8]))
    state = language.extend(state, torch.tensor([2, 2, 0]), torch.tensor([9, 10, 11]))
    again = rows_of(language, make_batch([[7, 9], [7, 10], [5, 11]]))[:, -1]
    torch.testing.assert_close(language.scores(state), again)
    some = torch.tensor([[4, 1], [0, 22], [9, 9]])
    torch.testing.assert_close(language.scores(state, some), again.gather(1, some))


def test_an_old_state_stays_as_it_was(language):
    old = language.extend(language.begin(2), torch.arange(2), torch.tensor([5, 6]))
    first = language.scores(language.extend(old, torch.tensor([0, 1]), torch.tensor([7, 8])))
    language.extend(old, torch.tensor([1, 1]), torch.tensor([9, 9]))
    assert torch.equal(first, language.scores(language.extend(old, torch.tensor([0, 1]), torch.tensor([7, 8]))))


def test_no_position_sees_a_later_one(language):
    rows = [rows_of(language, make_batch([[5, 6, 7, last]])) for last in (8, 9)]
    assert torch.equal(rows[0][:, :4], rows[1][:, :4]) and not torch.equal(rows[0][:, 4], rows[1][:, 4])


def test_bits_per_token_leave_the_end_out_unless_asked_for(language):
    batches = evaluation_batches(SENTENCES, 2)
    told = [language.tell(make_batch([sentence])).double()[0] / torch.log(torch.tensor(0.5)) for sentence in SENTENCES]
    assert bits_per_token(language, batches) == pytest.approx(float(sum(each[:-1].sum() for each in told)) / 12)
    assert bits_per_token(language, batches, ends=True) == pytest.approx(float(sum(each.sum() for each in told)) / 16)
    with pytest.raises(ValueError, match="at least one batch"):
        bits_per_token(language, [])


def test_weights_depend_on_the_seed_alone():
    torch.rand(3)
    ours, theirs, other = (initialize_language(SPEC, VOCABULARY, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(each, theirs[name]) for name, each in ours.items())
    assert not torch.equal(ours["embedding.weight"], other["embedding.weight"])


@pytest.mark.parametrize("name", ["tiny", "small", "base"])
def test_sizes_are_what_the_spec_counts(name):
    spec = LANGUAGE_SIZES[name]
    language = initialize_language(spec, 2000, seed=1)
    assert sum(each.numel() for each in language.parameters()) == spec.parameters(2000)


def test_named_sizes_grow_as_promised():
    counts = [spec.parameters(2000) / 1e6 for spec in LANGUAGE_SIZES.values()]
    assert [round(each, 2) for each in counts] == [0.09, 0.23, 0.65, 5.25, 26.24]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"width": 17}, "width must be"),
        ({"heads": 3}, "multiple of heads"),
        ({"layers": 0}, "layers must be at least 1"),
        ({"layers": 65}, "layers must be at most 64"),
        ({"feedforward": 20_000}, "feedforward must be at most"),
        ({"dropout": 1.0}, "dropout must be in"),
    ],
)
def test_shapes_that_make_no_sense_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        TransformerSpec(**{"width": 16, "heads": 2, **changes})


def test_long_beginnings_of_many_rows_agree_too():
    language, chance = initialize_language(usual(32, 1), VOCABULARY, seed=1), Random(2)
    batch = make_batch([[chance.randrange(3, VOCABULARY) for _ in range(40)] for _ in range(8)])
    torch.testing.assert_close(rows_of(StepByStep(language), batch), rows_of(language, batch))
