"""The plain choices: random ones are even and repeatable, the others are what their losses say."""

from dataclasses import replace
from itertools import combinations

import pytest
import torch

from channels import Chance
from semcom.compression.evidence import Evidence
from semcom.compression.layer_baselines import DropLast, DropOne, Exhaustive, RandomLayers


def test_drop_last_keeps_the_first(recognizer_evidence: Evidence) -> None:
    assert DropLast().choose(recognizer_evidence, (2,)) == ((0, 1),)


def test_random_layers_are_repeatable_and_every_set_is_as_likely(recognizer_evidence: Evidence, assert_mean) -> None:
    drawn = [RandomLayers().choose(replace(recognizer_evidence, chance=Chance(seed)), (2,))[0] for seed in range(1000)]
    assert drawn[:5] == [
        RandomLayers().choose(replace(recognizer_evidence, chance=Chance(seed)), (2,))[0] for seed in range(5)
    ]
    for pair in combinations(range(5), 2):
        assert_mean(torch.tensor([each == pair for each in drawn]), 0.1)
    draws = {RandomLayers(draw=draw).choose(recognizer_evidence, (2,)) for draw in range(30)}
    assert len(draws) > 5


def test_exhaustive_finds_the_best_and_tells_all(recognizer_evidence: Evidence) -> None:
    losses = Exhaustive().losses(recognizer_evidence, (2,))
    assert list(losses) == [(pair,) for pair in combinations(range(5), 2)]
    assert losses[((1, 3),)] == recognizer_evidence.loss(recognizer_evidence.rebuild(((1, 3),)))
    best = Exhaustive().choose(recognizer_evidence, (2,))
    assert losses[best] == min(losses.values())
    # Of equals the first.
    assert Exhaustive().choose(replace(recognizer_evidence, loss=lambda _: 1.0), (2,)) == ((0, 1),)


def test_exhaustive_does_not_begin_what_it_cannot_end(recognizer_evidence: Evidence) -> None:
    with pytest.raises(ValueError, match="at most 9 combinations to try, got 10; set most"):
        Exhaustive(most=9).choose(recognizer_evidence, (2,))
    with pytest.raises(ValueError, match="most must be at least 1"):
        Exhaustive(most=0)


def test_drop_one_keeps_those_that_are_missed_most(recognizer_evidence: Evidence) -> None:
    kept = DropOne().choose(recognizer_evidence, (3,))[0]
    whole = set(range(5))
    harm = [
        recognizer_evidence.loss(recognizer_evidence.rebuild((tuple(sorted(whole - {gone})),))) for gone in range(5)
    ]
    assert min(harm[layer] for layer in kept) >= max(harm[layer] for layer in whole - set(kept))
    assert DropOne().choose(replace(recognizer_evidence, loss=lambda _: 1.0), (2,)) == ((0, 1),)
