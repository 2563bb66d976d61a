"""Latency: how long one sentence takes from its tokens to what is read, on the machine at hand."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch

from semcom.models.codec import SemanticCodec
from semcom.models.search import decode
from semcom.sources.batches import make_batch

SENTENCE = 20  # tokens
WARMING = 3
FEWEST = 9
MOST = 100
SECONDS = 0.2


@dataclass(frozen=True)
class Latency:
    """The median and the quartiles of one trip [ms].

    Args:
        threads: of torch, on which it depends more than on most else.
    """

    latency_ms: float
    latency_low_ms: float
    latency_high_ms: float
    threads: int


@torch.inference_mode()
def latency(codec: SemanticCodec) -> Latency:
    """Time a batch of one sentence of 20 tokens through transmitter and receiver, the air left out.

    Greedy decoding. After three trips that do not count, a hundred are timed, or as many as a fifth of a second
    holds, nine at least. What else the machine does meanwhile is in the numbers: compare those of one machine at rest.
    """
    device = codec.transmitter.embedding.weight.device
    batch = make_batch([[index % codec.vocabulary for index in range(SENTENCE)]]).to(device)
    was_training = codec.training
    codec.eval()

    def trip() -> float:
        began = time.perf_counter()
        # Reading the tokens waits for an accelerator, which otherwise would only have been told what to do.
        decode(codec.receiver, codec.encode(batch), batch).tolist()
        return 1e3 * (time.perf_counter() - began)

    for _ in range(WARMING):
        trip()
    times: list[float] = []
    while len(times) < FEWEST or (len(times) < MOST and sum(times) < 1e3 * SECONDS):
        times.append(trip())
    codec.train(was_training)
    low, middle, high = (round(each, 4) for each in statistics.quantiles(times, n=4, method="inclusive"))
    return Latency(middle, low, high, torch.get_num_threads())
