"""What a counted language costs: tokens counted and candidates scored a second.

Both land in `extra_info` of the benchmark's record; no absolute time is ever asserted.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semcom.languages.ngram import NGram, count
from semcom.languages.ngram_spec import NGramSpec

VOCABULARY = 2000
BEAM, CANDIDATES = 16, 64


def text(sentences: int) -> list[list[int]]:
    """Sentences of a Markov chain in which each token has a few dozen successors, few of them frequent."""
    chance = np.random.default_rng(1)
    behind = chance.integers(2, VOCABULARY, size=(VOCABULARY, 40))
    choices = np.minimum(chance.zipf(1.3, size=(29, sentences)) - 1, 39)
    tokens = [chance.integers(2, VOCABULARY, size=sentences)]
    for choice in choices[1:]:
        tokens.append(behind[tokens[-1], choice])
    return np.stack(tokens, axis=1).tolist()


@pytest.fixture(scope="module")
def language() -> NGram:
    return count(text(20_000), VOCABULARY, NGramSpec(order=4))


def test_counting(benchmark) -> None:
    sentences = text(10_000)
    made = benchmark.pedantic(lambda: count(sentences, VOCABULARY, NGramSpec(order=4)), rounds=3)
    if not benchmark.disabled:
        benchmark.extra_info["tokens_per_second"] = round(made.about.tokens / benchmark.stats.stats.median)
    assert made.about.sentences == 10_000


@pytest.mark.parametrize("table", [True, False], ids=["pairs_in_a_table", "pairs_searched"])
def test_scores_and_extend_of_a_beam(table: bool, language, benchmark, monkeypatch) -> None:
    """Hypotheses of 32 sentences at one place, three in ten of their tokens wrong, with the same candidates."""
    if not table:
        monkeypatch.setattr("semcom.languages.lookup.LARGEST_TABLE", 0)
    sentences = torch.tensor(text(32))
    rows = torch.arange(len(sentences)).repeat_interleave(BEAM)
    generator = torch.Generator().manual_seed(1)
    wrong = torch.rand(len(rows), 4, generator=generator) < 0.3
    others = sentences[:, 5:].flatten()
    spoken = torch.where(
        wrong, others[torch.randint(len(others), wrong.shape, generator=generator)], sentences[rows, :4]
    )
    candidates = others[torch.randint(len(others), (len(sentences), CANDIDATES), generator=generator)]
    candidates[:, 0] = sentences[:, 4]
    state = language.begin(len(rows))
    for place in range(3):
        state = language.extend(state, torch.arange(len(rows)), spoken[:, place])

    def step() -> torch.Tensor:
        return language.scores(language.extend(state, torch.arange(len(rows)), spoken[:, 3]), candidates[rows])

    scores = benchmark.pedantic(step, rounds=20, warmup_rounds=1)
    if not benchmark.disabled:
        benchmark.extra_info["candidates_per_second"] = round(scores.numel() / benchmark.stats.stats.median)
    assert scores.shape == (32 * BEAM, CANDIDATES)
