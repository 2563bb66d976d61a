"""End to end: a tiny codec learns to repeat forty sentences in clear air, and cannot in bad air."""

import math
from collections import Counter
from itertools import product

import pytest

from channels import Chance, Link, db_to_ratio
from semcom.models.make import initialize
from semcom.models.semantic import SemanticCodec
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.sources.batches import TrainingBatches, evaluation_batches
from semcom.tasks.trip import deliver, encode_once
from semcom.training.fit import fit
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

SENTENCES = [
    f"the {color} {animal} {verb} {where}".split()
    for color, animal, (verb, where) in product(
        ("red", "gray"),
        ("fox", "owl", "bear", "hen", "goat"),
        (("sleeps", "here"), ("waits", "by the river"), ("sings", "at night"), ("runs", "home")),
    )
]
WORDS = sorted({word for sentence in SENTENCES for word in sentence})
ENCODED = [[4 + WORDS.index(word) for word in sentence] for sentence in SENTENCES]
SYMBOLS = 2


def repeated(codec: SemanticCodec, snr_db: float, chance: Chance) -> int:
    """How many of the forty arrive word for word."""
    arrived = deliver(encode_once(codec, evaluation_batches(ENCODED, 10)), Link(snr_db=snr_db), chance).answers
    return sum(said == heard for said, heard in zip(ENCODED, arrived, strict=True))


def reachable(snr_db: float) -> float:
    """How many of the forty any code at all gets through on average, by Fano's inequality.

    Among n sentences of one length, which the receiver is told: (symbols log2(1 + snr) + 1) / log2(n) of them.
    """
    bits = SYMBOLS * math.log2(1 + db_to_ratio(snr_db))
    lengths = Counter(map(len, SENTENCES))
    return sum(count * min(1.0, (length * bits + 1) / math.log2(count)) for length, count in lengths.items())


@pytest.mark.slow
@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
def test_forty_sentences_are_learned_and_noise_still_wins(decoding: str) -> None:
    assert len(ENCODED) == 40
    side = SideSpec(width=16, layers=1, heads=2, feedforward=32, channel_hidden=32)
    spec = SemanticSpec(side, side, symbols_per_token=SYMBOLS, decoding=decoding)
    codec, chance = initialize(spec, 4 + len(WORDS), seed=1), Chance(1)
    settings = TrainingSettings(steps=500, batch=10, learning_rate=1e-2, warmup=30, snr_db=(10.0, 18.0))
    history = fit(HardLabels(codec), TrainingBatches(ENCODED, 10, chance.of("order")), settings, chance.of("training"))
    assert history.validation == []
    assert repeated(codec, 20.0, chance.of("clear")) == 40
    assert repeated(codec, -10.0, chance.of("noisy")) < reachable(-10.0) < 30
