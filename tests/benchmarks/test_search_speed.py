"""What a search by signal and language costs, as a ratio to the receiver that heard the signal.

The ratio lands in `extra_info` of the benchmark's record; no absolute time is ever asserted. Receiver and search are
timed in turns, because on shared cores only neighbors in time compare.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from semcom.languages.language import BOUNDARY
from semcom.languages.search import search
from semcom.models.make import initialize
from semcom.models.search import decode, listen
from semcom.models.sizes import SIZES
from semcom.sources.batches import SentenceBatch, make_batch

VOCABULARY, SENTENCES, TOKENS = 2000, 32, 29  # the shipped scenario's, and half a usual batch of Europarl


@dataclass
class Bigrams:
    """A language looked up in one table, so that what is timed is the search; it claims the memory of a 4-gram."""

    table: Tensor  # [V * V]
    outputs: int = VOCABULARY
    memory: int | None = 3

    def begin(self, rows: int) -> Tensor:
        return torch.full((rows,), BOUNDARY)

    def scores(self, state: Tensor, candidates: Tensor | None = None) -> Tensor:
        assert candidates is not None
        return self.table[state[:, None] * self.outputs + candidates]

    def extend(self, state: Tensor, parents: Tensor, tokens: Tensor) -> Tensor:
        return tokens

    def tell(self, batch: SentenceBatch) -> Tensor:
        raise NotImplementedError


@pytest.mark.parametrize("confidence", [False, True], ids=["tokens", "confidence"])
@torch.inference_mode()
def test_search_beside_its_receiver(confidence: bool, benchmark) -> None:
    chance = torch.Generator().manual_seed(1)
    codec = initialize(SIZES["teacher"], VOCABULARY, seed=1).eval()
    batch = make_batch([[5] * TOKENS] * SENTENCES)
    signal = torch.randn(SENTENCES, TOKENS * codec.spec.symbols_per_unit, dtype=torch.complex64, generator=chance)
    table = torch.randn(VOCABULARY, VOCABULARY, generator=chance).log_softmax(dim=-1).flatten()
    unigram = torch.full((VOCABULARY,), 1 / VOCABULARY).log()
    evidence = listen(codec.receiver, signal, batch)

    def alone() -> Tensor:
        return decode(codec.receiver, signal, batch)

    def both() -> Tensor:
        return search(evidence, batch, language=Bigrams(table), unigram=unigram, confidence=confidence).tokens

    taken: dict[object, list[float]] = {alone: [], both: []}
    for _ in range(3):
        for job in (alone, both):
            start = time.perf_counter()
            job()
            taken[job].append(time.perf_counter() - start)
    ratio = statistics.median(taken[both][1:]) / statistics.median(taken[alone][1:])
    benchmark.extra_info["ratio_to_the_receiver"] = round(ratio, 2)
    found = benchmark.pedantic(both, rounds=2)
    assert found.shape == (SENTENCES, TOKENS)
