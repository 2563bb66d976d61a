"""End to end: a tiny codec learns to repeat forty sentences in clear air, and cannot in bad air."""

from itertools import product

import pytest

from channels import Chance, Link
from semcom.models.codec import SemanticCodec, initialize
from semcom.models.spec import CodecSpec, SideSpec
from semcom.sources.batches import TrainingBatches, evaluation_batches
from semcom.tasks.text import deliver, encode_once
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
    arrived = deliver(encode_once(codec, evaluation_batches(ENCODED, 10)), Link(snr_db=snr_db), chance).tokens
    return sum(said == heard for said, heard in zip(ENCODED, arrived, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("decoding", ["parallel", "autoregressive"])
def test_forty_sentences_are_learned_and_noise_still_wins(decoding: str) -> None:
    assert len(ENCODED) == 40
    side = SideSpec(width=16, layers=1, heads=2, feedforward=32, channel_hidden=32)
    spec = CodecSpec(side, side, symbols_per_token=SYMBOLS, decoding=decoding)
    codec, chance = initialize(spec, 4 + len(WORDS), seed=1), Chance(1)
    settings = TrainingSettings(steps=500, batch=10, learning_rate=1e-2, warmup=30, snr_db=(10.0, 18.0))
    history = fit(HardLabels(codec), TrainingBatches(ENCODED, 10, chance.of("order")), settings, chance.of("training"))
    assert history.validation == []
    assert repeated(codec, 20.0, chance.of("clear")) == 40
    # At -10 dB a symbol carries at most log2(1.1) bits, a sentence of 6 words 1.7, and naming one of 40 takes 5.3:
    # by Fano's inequality no code at all gets more than (1.7 + 1) / 5.3 of them through, half; ours gets far fewer.
    assert repeated(codec, -10.0, chance.of("noisy")) < 20
