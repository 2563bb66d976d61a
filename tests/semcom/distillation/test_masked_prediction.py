"""Masked prediction: what is hidden is not heard, clusters are those of the frames, and they are learned to be told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from channels import Chance, Link
from semcom.distillation.distiller import Distiller
from semcom.distillation.frame_clusters import FrameClusters
from semcom.distillation.masked_prediction import MaskedPrediction
from semcom.distillation.sight import check_sight
from semcom.distillation.teaching import Teaching
from semcom.experiment.conduct import conduct
from semcom.experiment.workers import Means
from semcom.models.make import initialize
from semcom.models.semantic_spec import SemanticSpec
from semcom.models.speech import SpeechCodec
from semcom.models.speech_spec import SpeechSpec
from semcom.scenario.load import load_scenario
from semcom.sources.formant_words import FormantWords
from semcom.sources.speech import SpeechBatch

WORDS = FormantWords(words=3, speakers=3, takes=3)
SPEC = SpeechSpec(mels=20, width=16, layers=2, heads=2, feedforward=24, symbols=4, hidden=16)
METHOD = MaskedPrediction(clusters=8)
SCENARIO = """\
# Does what is heard without labels help?
name: heard_before
task: {kind: speech, source: {kind: formant_words, words: 3, speakers: 4, takes: 4}}
codecs:
  heard: {size: speech_tiny, distill: {label_weight: 0, methods: [{kind: masked_prediction, clusters: 8}]}}
  begun: {start: heard}
training: {steps: 4, batch: 8, warmup: 2, snr_db: [0, 12], validate_every: 4}
sweep: {snr_db: 12, codec: [begun]}
measure: {sentences: 12, batch: 6, resamples: 100}
"""


def batch_of(count: int = 9) -> SpeechBatch:
    return WORDS.load().train.batch(tuple(range(count)))


def codec(seed: int = 1) -> SpeechCodec:
    made = initialize(SPEC, 3, seed=seed)
    assert isinstance(made, SpeechCodec)
    return made


def test_stretches_are_hidden_by_chance_and_what_is_hidden_is_not_heard() -> None:
    batch = batch_of()
    hidden = MaskedPrediction(share=0.2, span=4).hide(batch, SPEC, Chance(1)).hidden
    assert hidden is not None and hidden.shape == (9, -(-batch.longest // SPEC.hop))
    again = MaskedPrediction(share=0.2, span=4).hide(batch, SPEC, Chance(1)).hidden
    assert again is not None and torch.equal(again, hidden)
    # A frame is heard where no stretch began in it or in the three before: 0.8^4 = 41 %, of more than 200 frames.
    assert abs(hidden[:, 3:].float().mean().item() - 0.59) < 0.2
    for row in hidden.tolist():
        runs = "".join("x" if each else "." for each in row).split(".")
        assert all(len(run) >= 4 for run in runs[:-1] if run), "whole stretches, but for one that the end cuts"
    made = codec().eval()
    silent = replace(batch, hidden=torch.ones_like(hidden))
    with torch.no_grad():
        heard = made.send(silent)
        other = made.send(replace(silent, samples=batch.samples.roll(1, dims=0)))
    torch.testing.assert_close(heard.symbols, other.symbols)
    assert heard.spectrum is not None and heard.spectrum.any(), "but what was spoken is known to the loss"


def test_clusters_are_found_and_then_stay() -> None:
    centers = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    generator = torch.Generator().manual_seed(1)

    def frames() -> torch.Tensor:
        near = torch.randint(3, (4, 30), generator=generator)
        return centers[near] + 0.3 * torch.randn(4, 30, 2, generator=generator)

    found = FrameClusters(3, 2, settle=3).train()
    real = torch.ones(4, 30, dtype=torch.bool)
    real[:, 25:] = False
    for _ in range(3):
        noisy = torch.where(real[..., None], frames(), 1e4)
        numbers = found(noisy, real)
    assert torch.cdist(found.means, centers).amin(dim=0).max() < 0.3, "padding is none of theirs"
    assert len(set(numbers[real].tolist())) == 3 and found.counts.sum() == 3 * 100
    before = found.means.clone()
    found(frames() + 5, real)
    assert torch.equal(found.means, before), "settled"
    found.eval()
    assert torch.equal(found(centers[None], real[:1, :3]), torch.cdist(centers, before).argmin(dim=1)[None])


def test_it_learns_to_tell_what_is_hidden() -> None:
    made = codec()
    lesson = Teaching(methods=(METHOD,), label_weight=0)
    distiller = Distiller(made, [], lesson).train()
    optimizer = torch.optim.Adam([*made.parameters(), *distiller.adapters.parameters()], lr=5e-3)
    losses = []
    for step in range(25):
        (loss,) = distiller(batch_of(), [Link(snr_db=5.0)], Chance(step)).values()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.85 * sum(losses[:5])
    assert all(each.grad is not None for each in made.transmitter.layers.parameters())
    assert all(each.grad is None for each in made.receiver.parameters())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"clusters": 1}, "clusters must be from 2"),
        ({"share": 0.0}, "share must be above 0"),
        ({"span": 0}, "span and settle must be at least 1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MaskedPrediction(**changes)


def test_sentences_have_no_frames_to_hide() -> None:
    with pytest.raises(ValueError, match="must have the parts of a codec of kind speech to compare"):
        check_sight([METHOD], SemanticSpec(), whose="a student")


@pytest.mark.slow
def test_a_codec_may_start_from_one_that_only_listened(tmp_path: Path) -> None:
    path = tmp_path / "heard.yaml"
    path.write_text(SCENARIO)
    scenario, kept = load_scenario(path, ())
    assert not conduct(scenario, kept, tmp_path / "out", means=Means(), console=Console(quiet=True))
    assert (tmp_path / "out" / "results.csv").is_file()
