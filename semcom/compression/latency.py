"""Latency: how long one message takes from what is sent to what is read, of several codecs in turn on one machine."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from channels import Arrived, Chance, Link, draw
from semcom.languages.reader import Reader
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.spec import Spec

BURST = 5  # trips in a row, of which the first brings the codec back into the caches and does not count
ROUNDS = 40
FEWEST = 4  # rounds, one for each part
PARTS = 4
SECONDS = 40.0
MARGIN = 1.05  # what nobody reads off a logarithmic axis


@dataclass(frozen=True)
class Shape:
    """All that the time of one trip depends on, apart from the machine: weights do not change how long they take.

    Args:
        reader: of a receiver that knows a language; None decides by the signal alone.
    """

    spec: Spec
    outputs: int
    reader: Reader | None = None


@dataclass(frozen=True)
class Latency:
    """The least time of one trip [ms], from low to high as the parts of the measurement found it.

    Args:
        threads: of torch, on which it depends more than on most else.
    """

    latency_ms: float
    latency_low_ms: float
    latency_high_ms: float
    threads: int

    def is_apart(self, other: Latency) -> bool:
        """Whether both spreads and a margin lie between the two."""
        least, most = max(self.latency_low_ms, other.latency_low_ms), min(self.latency_high_ms, other.latency_high_ms)
        return least > MARGIN * most


def latencies(
    shapes: Mapping[str, Shape], *, device: str = "cpu", progress: Callable[[int, int, str], None] | None = None
) -> dict[str, Latency]:
    """Time a batch of one message through transmitter and receiver, the air left out, greedily decoded.

    Of a text codec it is a sentence of 20 tokens. A receiver that knows a language searches with it.

    All codecs take turns, round after round, so that whatever else the machine does meets all of them alike. It only
    ever makes a trip longer, so the least of many trips is the time of the codec. The rounds are cut into four parts
    one after another; low and high are the lowest and the highest of what each part alone would have told. Two codecs
    of one shape are timed apart all the same: what they differ by is what such numbers are worth.

    Args:
        shapes: by whatever names the codecs.
        progress: told the rounds done and the rounds in all, which are fewer where forty would take above 40 seconds.
    """
    trips = {shape: _trip(shape, device) for shape in dict.fromkeys(shapes.values())}
    found: dict[str, list[float]] = {name: [] for name in shapes}
    began, done, rounds = time.perf_counter(), 0, ROUNDS
    while found and done < rounds:
        for name, shape in shapes.items():
            found[name].append(min([trips[shape]() for _ in range(BURST)][1:]))
        done += 1
        if done == 1:
            rounds = max(FEWEST, min(ROUNDS, int(SECONDS / (time.perf_counter() - began))))
        if progress:
            progress(done, rounds, "")
    return {name: _summed_up(times) for name, times in found.items()}


def _trip(shape: Shape, device: str) -> Callable[[], float]:
    """What makes one trip through a codec of this shape and tells its time [ms]."""
    codec = initialize(shape.spec, shape.outputs, seed=0).eval().to(device)
    batch = codec.example().to(device)
    link = Link(snr_db=0.0)
    air = draw(link, air_shape(codec, batch), Chance(0)).to(device)

    @torch.inference_mode()
    def trip() -> float:
        began = time.perf_counter()
        # Reading the tokens waits for an accelerator, which otherwise would only have been told what to do.
        arrived = Arrived(codec.send(batch).symbols, ((link, air),))
        (shape.reader.decide(codec, arrived, batch) if shape.reader else codec.decode(arrived, batch)).tolist()
        return 1e3 * (time.perf_counter() - began)

    return trip


def _summed_up(times: list[float]) -> Latency:
    ends = [len(times) * part // PARTS for part in range(PARTS + 1)]
    leasts = [min(times[begin:end]) for begin, end in itertools.pairwise(ends)]
    low, high = (round(each, 4) for each in (min(leasts), max(leasts)))
    return Latency(low, low, high, torch.get_num_threads())
