"""LayerPruning: from a trained network to a smaller one, whatever the criterion, and refusals a user reads."""

import pytest
import torch
from torch import nn

from semcom.compression.evidence import Evidence, highest, layers_to_keep, stacks_of
from semcom.compression.layer_baselines import DropLast
from semcom.compression.layer_pruning import LayerPruning
from semcom.compression.psr import Psr
from semcom.mistakes import UserMistake

FRAMES = torch.randn(6, 2, 16, generator=torch.Generator().manual_seed(4))


def test_psr_is_the_default_and_the_old_network_stays(recognizer_evidence: Evidence) -> None:
    before = {name: tensor.clone() for name, tensor in recognizer_evidence.network.state_dict().items()}
    pruned = LayerPruning(2).prune(recognizer_evidence)
    (found,) = Psr().partitions(recognizer_evidence, (2,))
    assert pruned.account == {"depths": (5,), "stacks": [found.account()]}
    assert len(stacks_of(pruned.network)[0]) == 2
    after = recognizer_evidence.network.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_all_layers_kept_change_no_bit(recognizer_evidence: Evidence) -> None:
    pruned = LayerPruning(5, choose=DropLast()).prune(recognizer_evidence)
    assert pruned.account == {"depths": (5,), "stacks": [{"kept": (0, 1, 2, 3, 4)}]}
    assert torch.equal(pruned.network(FRAMES), recognizer_evidence.network(FRAMES))


def test_one_number_is_for_each_stack() -> None:
    assert layers_to_keep(2, (4, 3)) == (2, 2)
    assert layers_to_keep((1, 3), (4, 3)) == (1, 3)


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (6, "keep must be from 1 to 5, the layers of stack 0, got 6; keep fewer, or prune a deeper network"),
        ((1, 1), r"keep must have one number for each of 1 stacks, got \[1, 1\]"),
    ],
)
def test_what_cannot_be_kept_is_the_users_mistake(recognizer_evidence: Evidence, keep, said: str) -> None:
    with pytest.raises(UserMistake, match=said):
        LayerPruning(keep, choose=DropLast()).prune(recognizer_evidence)


@pytest.mark.parametrize("keep", [0, -1, (), (2, 0)])
def test_no_layer_at_all_is_refused_at_once(keep) -> None:
    with pytest.raises(ValueError, match="keep must be at least 1 layer of each stack"):
        LayerPruning(keep)


def test_of_equal_scores_the_earlier_is_higher() -> None:
    assert highest([1.0, 3.0, 2.0, 3.0], 1) == (1,)
    assert highest([1.0, 3.0, 2.0, 3.0], 3) == (1, 2, 3)
    assert highest([0.0] * 4, 2) == (0, 1)


def test_a_network_without_stacks_is_told_so() -> None:
    with pytest.raises(ValueError, match=r"must tell its layers by stacks\(\), got Linear"):
        stacks_of(nn.Linear(1, 1))
