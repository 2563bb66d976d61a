"""Who speaks: a second thing that may be wanted of spoken words, and heads of both on one frozen encoder."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from semcom.experiment.build import load_codec
from semcom.experiment.conduct import conduct
from semcom.experiment.workers import Means
from semcom.mistakes import UserMistake
from semcom.models.speech import SpeechCodec
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.sources.formant_words import FormantWords
from semcom.sources.speech import SpeechCorpus
from semcom.sources.speech_splits import of_speakers
from semcom.sources.wav_folder import WavFolder
from semcom.tasks.speech import Speech

WORDS = FormantWords(words=3, speakers=4, takes=8)
SCENARIO = """\
# Does one encoder serve two heads?
name: heads
task: {kind: speech, source: {kind: formant_words, words: 3, speakers: 4, takes: 8}}
codecs:
  word: {size: speech_tiny, layers: 2, symbols: 4}
  speaker:
    size: speech_tiny
    layers: 2
    symbols: 6
    task: {kind: speech, source: {kind: formant_words, words: 3, speakers: 4, takes: 8}, wants: speaker}
    adopt: {encoder: word}
training: {steps: 4, batch: 8, warmup: 2, snr_db: [0, 12], validate_every: 4}
sweep: {snr_db: [0, 12], codec: [word, speaker]}
measure: {sentences: 8, batch: 6, resamples: 100}
"""


def corpus() -> SpeechCorpus:
    return WORDS.load()


def test_every_speaker_is_in_every_split_and_no_recording_in_two() -> None:
    before, after = corpus(), of_speakers(corpus())
    assert after.classes == tuple(sorted({*before.train.speakers, *before.validation.speakers, *before.test.speakers}))
    splits = (after.train, after.validation, after.test)
    assert [len(each) for each in splits] == [80, 8, 8]
    for each in splits:
        assert [after.classes[label] for label in each.labels.tolist()] == list(each.speakers)
        assert set(each.labels.tolist()) == set(range(4))
    rows = torch.cat([each.samples for each in splits])
    assert len(rows.unique(dim=0)) == len(rows) == 96


def test_a_source_that_does_not_tell_who_speaks_is_refused_before_it_is_read() -> None:
    with pytest.raises(ValueError, match="wants: speaker must have a source that tells who speaks, got speakers: none"):
        Speech(WavFolder(path="nowhere"), wants="speaker")
    assert Speech(WavFolder(path="nowhere", speakers="name"), wants="speaker").wants == "speaker"


def test_it_is_of_the_same_recordings_but_another_task() -> None:
    words, speakers = Speech(WORDS), Speech(WORDS, wants="speaker")
    print_ = words.fingerprint()
    assert print_ == speakers.fingerprint()
    assert words.facts(print_) != speakers.facts(print_)
    assert speakers.load(Path(), print_).outputs == 4
    assert (speakers.scores, speakers.unit, speakers.count().test) == ("classes", "word", 8)


def test_speakers_that_nobody_knows_are_refused() -> None:
    known = corpus()
    nobody = {name: replace(getattr(known, name), speakers=()) for name in ("train", "validation", "test")}
    with pytest.raises(UserMistake, match=r"task\.wants: speaker must have recordings of two speakers at least"):
        of_speakers(replace(known, **nobody))
    with pytest.raises(UserMistake, match="recordings of everybody for every split, got too few of"):
        of_speakers(FormantWords(words=2, speakers=3, takes=1).load())


def test_a_head_on_a_frozen_encoder_learns_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "heads.yaml"
    path.write_text(SCENARIO)
    scenario, kept = load_scenario(path, ())
    out = tmp_path / "run"
    assert not conduct(scenario, kept, out, means=Means(), console=Console(quiet=True))
    builds = {build.name: build for build in expand(scenario).builds}
    word, speaker = (load_codec(builds[name], out) for name in ("word", "speaker"))
    assert isinstance(word, SpeechCodec) and isinstance(speaker, SpeechCodec)
    assert speaker.outputs == 4 and word.outputs == 3
    ours, theirs = speaker.transmitter.state_dict(), word.transmitter.state_dict()
    taken = [key for key in theirs if key.startswith(("into.", "layers."))]
    assert taken and all(torch.equal(ours[key], theirs[key]) for key in taken)
    assert not torch.equal(ours["weights"], torch.zeros(2))
    with (out / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["codec"], row["adopted"], row["donor"]) for row in rows} == {
        ("word", "", ""),
        ("speaker", "encoder", "word"),
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("codecs.speaker.layers=1", "codecs.speaker.layers must be 2, as in 'word', whose encoder is adopted"),
        ("codecs.speaker.task.source.seed=5", "codecs.speaker must be made from codecs of its own task"),
        ("codecs.speaker.adopt={encoder: word, receiver: word}", "must name one of transmitter, receiver, encoder and"),
        ("codecs.speaker.adopt={transmitter: word}", "codecs.speaker must be made from codecs of its own task"),
        ("codecs.speaker.start=word", "codecs.speaker must be made from codecs of its own task"),
        (
            "codecs.speaker.distill={teacher: word, methods: [{kind: soft_logits}]}",
            "codecs.speaker must be made from codecs of its own task",
        ),
        (
            "codecs.speaker.distill={methods: [{kind: masked_prediction}]}",
            "method masked_prediction must teach something, got a student whose encoder is adopted and frozen",
        ),
        (
            "codecs.speaker.distill={teacher: word, methods: [{kind: hidden_hints, side: encoder}]}",
            "method hidden_hints must teach something, got a student whose encoder is adopted and frozen",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, change: str, words: str) -> None:
    path = tmp_path / "heads.yaml"
    path.write_text(SCENARIO)
    with pytest.raises(UserMistake, match=words):
        load_scenario(path, (change,))
