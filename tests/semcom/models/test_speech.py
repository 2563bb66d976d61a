"""The codec of speech: its spectrum is as its formulas say, silence moves nothing, layers can be plugged in."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from channels import Chance, Link, draw
from semcom.distillation.distiller import Distiller
from semcom.distillation.features import over_places, places_of
from semcom.distillation.generated_layers import GeneratedLayers
from semcom.distillation.teaching import Teaching
from semcom.models.codec import air_shape
from semcom.models.generative_speech import GenerativeSpeechCodec
from semcom.models.generative_speech_spec import GenerativeSpeechSpec
from semcom.models.make import initialize
from semcom.models.mel import LogMel, triangles
from semcom.models.speech import SpeechCodec
from semcom.models.speech_spec import SpeechSpec
from semcom.sources.speech import SpeechBatch
from semcom.tasks.trip import rehearse

SPEC = SpeechSpec(samples=2400, mels=20, width=16, layers=3, heads=2, feedforward=24, symbols=4, hidden=20)
LINK = Link(snr_db=5.0, interferers=1)


def words(*lengths: int, room: int = 2400, scale: float = 3000.0) -> SpeechBatch:
    """Noise of these lengths, silence behind it."""
    samples = torch.zeros(len(lengths), room, dtype=torch.int16)
    for row, length in enumerate(lengths):
        noise = torch.randn(length, generator=torch.Generator().manual_seed(row))
        samples[row, :length] = (scale * noise).clamp(-32_000, 32_000).to(torch.int16)
    durations = torch.tensor(lengths)
    labels = torch.arange(len(lengths)) % 3
    return SpeechBatch(samples, durations, labels, tuple(range(len(lengths))), max(lengths))


def codec(spec: SpeechSpec = SPEC, *, seed: int = 1) -> SpeechCodec:
    made = initialize(spec, 3, seed=seed)
    assert isinstance(made, SpeechCodec)
    return made.eval()


# The spectrum


def test_triangles_lie_evenly_on_the_mel_scale_and_overlap_halfway() -> None:
    bands = triangles(8000, 256, 20).double()
    assert bands.shape == (20, 129) and bands.max() <= 1 and (bands.sum(dim=1) > 0).all()
    centers = (bands * torch.arange(129) * 8000 / 256).sum(dim=1) / bands.sum(dim=1)
    mels = 2595 * torch.log10(1 + centers / 700)
    # 4 kHz are 2146 mel, in 21 steps.
    torch.testing.assert_close(mels.diff()[4:], torch.full((15,), 2146.1 / 21).double(), rtol=0.1, atol=0)
    inside = bands.sum(dim=0)[10:110]
    assert inside.min() > 0.9 and inside.max() < 1.1, "between the first middle and the last they sum up to one"


def test_a_tone_is_loudest_in_its_own_band_whatever_its_level() -> None:
    mel = LogMel(8000, window=256, hop=160, mels=20)
    time = torch.arange(1600) / 8000
    rising = torch.where(time < 0.1, 500.0, 2000.0)
    tone = (torch.sin(2 * math.pi * rising * time) * 8000).to(torch.int16)[None]
    lengths, labels = torch.tensor([1600]), torch.tensor([0])
    loud, _ = mel(SpeechBatch(tone, lengths, labels, (0,), 1600))
    quiet, real = mel(SpeechBatch(tone // 4, lengths, labels, (0,), 1600))
    # The last frame is half of silence, where the floor of the logarithm is near.
    torch.testing.assert_close(loud[:, :9], quiet[:, :9], atol=0.2, rtol=0)
    assert real.all() and real.shape == (1, 10)
    centers = triangles(8000, 256, 20).argmax(dim=1) * 8000 / 256
    # Each band stands at mean 0 over the word, so a tone shows where it is louder than at the other half.
    assert abs(centers[loud[0, 1].argmax()] - 500) < 120 and abs(centers[loud[0, 8].argmax()] - 2000) < 250
    assert loud.mean(dim=1).abs().max() < 1e-5 and loud.square().mean().item() == pytest.approx(1, rel=1e-4)


# The codec


def test_silence_behind_a_word_moves_nothing() -> None:
    made = codec()
    alone, beside = words(900), words(900, 2300)
    with torch.no_grad():
        one, both = made.send(alone), made.send(beside)
    assert one.places is not None and both.places is not None
    assert one.places.sum() == 6 == both.places[0].sum() and both.places.shape == (2, 15)
    torch.testing.assert_close(one.symbols[0], both.symbols[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(one.layers[-1][0], both.layers[-1][0, :6], atol=1e-4, rtol=1e-4)
    # Whatever stands behind the end is not heard, and what stands before it is.
    heard = words(900)
    heard.samples[0, 1500:] = 999
    with torch.no_grad():
        torch.testing.assert_close(made.send(heard).symbols, one.symbols)
        heard.samples[0, 500:600] = 0
        assert not torch.allclose(made.send(heard).symbols, one.symbols, atol=1e-3)


def test_every_word_has_power_1_and_as_many_symbols() -> None:
    made = codec()
    symbols = made.send(words(500, 900, 2400)).symbols
    assert symbols.shape == (3, 4)
    torch.testing.assert_close(symbols.abs().square().mean(dim=1), torch.ones(3))
    with pytest.raises(ValueError, match="words must be of 2400 samples"):
        made.send(words(500, room=2000))
    with pytest.raises(ValueError, match="a signal must be complex"):
        made.receiver(torch.zeros(2, 5, dtype=torch.complex64))


def test_all_layers_count_by_learned_weights() -> None:
    made, batch = codec(), words(900, 2300)
    with torch.no_grad():
        before = made.send(batch)
        made.transmitter.weights.copy_(torch.tensor([0.0, 0.0, 60.0]))
        last = made.send(batch)
        made.transmitter.weights.copy_(torch.tensor([60.0, 0.0, 0.0]))
        first = made.send(batch)
        # Only the last layer counts, so that nothing after it may be read from the others.
        next(reversed(list(made.transmitter.layers[2].parameters()))).add_(1.0)
        assert torch.equal(made.send(batch).symbols, first.symbols)
    assert not torch.allclose(before.symbols, last.symbols) and not torch.allclose(last.symbols, first.symbols)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"symbols": 0}, "symbols must be from 1"),
        ({"mels": 1}, "mels must be from 2 to 128"),
        ({"rate": 8001}, "rate must be a multiple of 50"),
        ({"width": 15}, "width must be"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"samples": 0}, "samples must be from 1"),
    ],
)
def test_shapes_that_cannot_be_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(SPEC, **changes)


# Layers that are made


@pytest.fixture(params=[{}, {"family": "heads", "depth": 2}, {"layers": (1, 3)}], ids=["generated", "heads", "some"])
def student(request: pytest.FixtureRequest) -> GenerativeSpeechCodec:
    made = initialize(GenerativeSpeechSpec(plugged=SPEC, width=8, heads=2, feedforward=12, **request.param), 3, seed=2)
    assert isinstance(made, GenerativeSpeechCodec)
    made.plug_in(codec())
    return made.eval()


def test_plugged_in_it_sends_what_its_teacher_sends_of_the_same_layers(student: GenerativeSpeechCodec) -> None:
    teacher, batch = codec(), words(900, 2300)
    made = {name for name, each in student.named_parameters() if each.requires_grad}
    assert made and all(name.startswith("transmitter.maker.") for name in made)
    with torch.no_grad():
        theirs, ours = teacher.send(batch), student.send(batch)
        assert ours.places is not None and torch.equal(ours.places, places_of(_trace(teacher, batch), "sent"))
        assert len(ours.layers) == len(student.spec.wanted("sent"))
        chosen = tuple(theirs.layers[number - 1] for number in student.spec.wanted("sent"))
        student.transmitter.maker = _Given(chosen)
        same = student.send(batch)
    if len(chosen) == SPEC.layers:
        torch.testing.assert_close(same.symbols, theirs.symbols)
    assert not torch.allclose(ours.symbols, theirs.symbols, atol=1e-2)


class _Given(torch.nn.Module):
    def __init__(self, layers: tuple[torch.Tensor, ...]) -> None:
        super().__init__()
        self.given = layers

    def forward(self, *_: object) -> tuple[torch.Tensor, ...]:
        return self.given


def test_led_or_free_only_frames_that_are_real_count() -> None:
    spec = GenerativeSpeechSpec(plugged=SPEC, width=8, heads=2, feedforward=12)
    student = initialize(spec, 3, seed=2)
    assert isinstance(student, GenerativeSpeechCodec)
    student.plug_in(codec())
    for forced in (0.0, 1.0):
        method = GeneratedLayers(side="encoder", forced=forced, forced_at_end=forced)
        lesson = Teaching(teacher="teacher", methods=(method,), label_weight=0, hears="own")
        distiller = Distiller(student, [codec()], lesson).train()
        (loss,) = distiller(words(900, 2300), [LINK], Chance(1)).values()
        loss.backward()
        assert loss.item() > 0 and all(each.grad is not None for each in student.transmitter.maker.parameters())  # type: ignore[union-attr]


def test_gaps_are_averaged_over_each_sides_own_places() -> None:
    trace = _trace(codec(), words(900, 2300))
    places = places_of(trace, "sent")
    assert places.sum().item() == 6 + 15 and places_of(trace, "heard").shape == (2, 1)
    sent = torch.where(places, 2.0, 99.0)
    heard = torch.full((2, 1), 8.0)
    assert over_places({"sent": [sent]}, trace).item() == pytest.approx(2)
    assert over_places({"sent": [sent, sent, sent], "heard": [heard]}, trace).item() == pytest.approx((3 * 2 + 8) / 4)


def _trace(made: SpeechCodec, batch: SpeechBatch) -> Any:
    with torch.no_grad():
        return rehearse(made, batch, [(LINK, draw(LINK, air_shape(made, batch), Chance(1)))])
