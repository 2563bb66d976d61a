"""Rebuilders of speech: a word is sent frame by frame, in silence behind its end, and comes back as decibels."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.compression.cost import count
from semcom.models import layers
from semcom.models.codec import air_shape
from semcom.models.make import initialize, make
from semcom.models.mel import MelDecibels, triangles
from semcom.models.speech_rebuilder import SpeechRebuilder
from semcom.models.speech_rebuilder_spec import SpeechRebuilderSpec
from semcom.models.trace import Trace
from semcom.sources.speech import FramedBatch
from semcom.tasks.trip import rehearse

SPEC = SpeechRebuilderSpec(samples=2400, width=16, layers=2, heads=2, feedforward=24, symbols=3, hidden=16)


def words(*lengths: int, scale: float = 3000.0) -> FramedBatch:
    """Noise in place of words of so many samples."""
    samples = torch.zeros(len(lengths), SPEC.samples, dtype=torch.int16)
    for row, length in enumerate(lengths):
        noise = torch.randn(length, generator=Chance(length).generator()) * scale
        samples[row, :length] = noise.clamp(-32767, 32767).to(torch.int16)
    count = len(lengths)
    labels = torch.arange(count) % 3
    return FramedBatch(samples, torch.tensor(lengths), labels, tuple(range(count)), max(lengths), hop=SPEC.hop)


def codec(spec: SpeechRebuilderSpec = SPEC, *, seed: int = 1) -> SpeechRebuilder:
    made = initialize(spec, 3, seed=seed)
    assert isinstance(made, SpeechRebuilder)
    return made.eval()


def trip(made: SpeechRebuilder, batch: FramedBatch, snr_db: float = 60.0) -> Trace:
    link = Link(snr_db=snr_db)
    return rehearse(made, batch, [(link, draw(link, air_shape(made, batch), Chance(1)))])


def test_decibels_are_below_the_loudest_band_whatever_the_level() -> None:
    mel = MelDecibels(8000, window=256, hop=160, mels=20)
    time = torch.arange(1600) / 8000
    # A tenth of the amplitude, which is 20 dB less, from 0.1 s on.
    height = torch.where(time < 0.1, 12_000.0, 1_200.0)
    tone = (torch.sin(2 * math.pi * 1000 * time) * height).to(torch.int16)[None]
    batch = FramedBatch(tone, torch.tensor([1600]), torch.tensor([0]), (0,), 1600, hop=160)
    loud, real = mel(batch)
    half, _ = mel(replace(batch, samples=tone // 2))
    assert real.all() and real.shape == (1, 10) and loud.max() == 0 and loud.min() == -60
    band = int((triangles(8000, 256, 20) * torch.hann_window(256).mean()).argmax(dim=1).sub(32).abs().argmin())
    assert loud[0, :4, band].abs().max() < 0.1
    torch.testing.assert_close(loud[0, 6:8, band], torch.full((2,), -20.0), atol=0.1, rtol=0)
    torch.testing.assert_close(half[0, :, band], loud[0, :, band], atol=0.1, rtol=0)
    quiet, _ = mel(replace(batch, samples=torch.zeros_like(tone)))
    assert (quiet == -60).all(), "digital silence"


def test_a_word_is_sent_frame_by_frame_at_unit_power_and_nothing_behind_it() -> None:
    made, batch = codec(), words(2000, 801)
    assert batch.lengths.tolist() == [13, 6] and batch.ragged
    symbols = made.send(batch).symbols
    power = symbols.detach().abs().square()
    assert symbols.shape == (2, 13 * SPEC.symbols) == air_shape(made, batch)
    torch.testing.assert_close(power[0].mean(), torch.tensor(1.0))
    torch.testing.assert_close(power[1, :18].mean(), torch.tensor(1.0))
    assert not power[1, 18:].any()
    assert "3 symbols a frame, 150 a second" in SPEC.told


def test_a_word_is_the_same_whatever_stands_beside_it() -> None:
    made = codec()
    with torch.no_grad():
        alone, beside = (trip(made, each) for each in (words(801), words(801, 2000)))
    frames = 6
    torch.testing.assert_close(
        beside.sent.symbols[0, : frames * SPEC.symbols], alone.sent.symbols[0], atol=1e-5, rtol=1e-4
    )
    again = made.hear(alone.arrived, words(801)).spectrum
    padded = made.receiver(
        torch.nn.functional.pad(alone.arrived.symbols, (0, 7 * SPEC.symbols), value=9.0), words(801, 2000).mask[:1]
    ).spectrum
    assert again is not None
    torch.testing.assert_close(padded[:, :frames], again, atol=1e-5, rtol=1e-4)


def test_the_loss_is_over_real_frames_in_steps_of_fifteen_decibels() -> None:
    made, batch = codec(), words(2000, 801)
    trace = trip(made, batch, snr_db=5.0)
    heard = made.decode(trace.arrived, batch)
    assert heard.shape == (2, 13, SPEC.mels) and -60 <= heard.min() <= heard.max() <= 0
    wanted, _ = made.transmitter.mel(batch)
    assert trace.heard.spectrum is not None
    raw = trace.heard.spectrum * 15 - 30
    off = torch.cat([(raw[0] - wanted[0]), (raw[1, :6] - wanted[1, :6])]) / 15
    torch.testing.assert_close(made.loss(trace, batch), off.square().mean())
    made.loss(trace, batch).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in made.parameters())


def test_it_is_counted_without_memory_in_a_process_that_knew_nothing_before() -> None:
    """A run that is begun again after it was done counts its codecs first of all."""
    layers._sinusoid.cache_clear()
    with torch.device("meta"):
        cost = count(make(SPEC, 3))
    assert cost == count(codec()) and cost.multiply_adds > 0
    # A guess before anything is loaded.
    assert SPEC.rough_multiply_adds == pytest.approx(cost.multiply_adds, rel=0.1)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rate": 8010}, "multiple of 50"),
        ({"rate": 200}, "8 samples in a frame"),
        ({"symbols": 0}, "symbols must be from 1"),
        ({"samples": 0}, "samples must be from 1"),
        ({"heads": 3}, "heads"),
    ],
)
def test_shapes_that_are_none_are_refused(changes: dict[str, int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(SPEC, **changes)  # type: ignore[arg-type]


def test_messages_of_another_shape_are_refused() -> None:
    other = codec(replace(SPEC, samples=1600))
    with pytest.raises(ValueError, match="make the codec's spec fit its task"):
        other.send(words(801))
    with pytest.raises(ValueError, match=r"a signal must be complex \(1, 18\)"):
        codec().receiver(torch.zeros(1, 17, dtype=torch.complex64), words(801).mask)
