"""Speech as a task: it is learned for a speaker that nobody heard, and goes from a scenario to its tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from rich.console import Console

from channels import Chance, Link
from semcom.distillation.attention_features import AttentionFeatures
from semcom.distillation.catalog import METHODS
from semcom.distillation.distiller import Distiller
from semcom.distillation.method import needs_teacher
from semcom.distillation.sight import check_sight, fitting
from semcom.distillation.teaching import Teaching
from semcom.experiment.conduct import conduct
from semcom.experiment.workers import Means
from semcom.mistakes import UserMistake
from semcom.models.make import initialize
from semcom.models.speech_spec import SpeechSpec
from semcom.scenario.load import load_scenario
from semcom.sources.formant_words import FormantWords
from semcom.tasks.speech import Speech
from semcom.tasks.speech_data import SpeechData
from semcom.tasks.trip import deliver, encode_once
from semcom.training.fit import fit
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

WORDS = FormantWords(words=4, speakers=6, takes=4)
TINY = SpeechSpec(mels=20, width=16, layers=2, heads=2, feedforward=24, symbols=4, hidden=16)
OF_SPEECH = [method for make in METHODS if (method := fitting(make(), TINY))]
SCENARIO = """\
# Do words arrive?
name: words
task: {kind: speech, source: {kind: formant_words, words: 3, speakers: 4, takes: 4}}
codecs:
  teacher: {size: speech_tiny, layers: 2, symbols: 4}
  made:
    size: generated_speech
    width: 8
    heads: 2
    adopt: {around: teacher}
    distill: {teacher: teacher, label_weight: 0, hears: own, methods: [{kind: generated_layers, side: encoder}]}
  taken: {size: speech_tiny, layers: 2, symbols: 4, adopt: {transmitter: teacher}}
training: {steps: 4, batch: 8, warmup: 2, snr_db: [0, 12], interferers: [0, 1], validate_every: 4}
sweep: {snr_db: [0, 12], interferers: [0, 1], codec: [teacher, made, taken]}
measure: {sentences: 12, batch: 6, resamples: 100}
"""


def data_of(task: Speech) -> SpeechData:
    return task.load(Path(), task.fingerprint())


@pytest.mark.slow
def test_words_of_a_speaker_that_nobody_heard_are_named_and_noise_still_wins() -> None:
    task, chance = Speech(WORDS), Chance(1)
    data = data_of(task)
    codec = initialize(task.fitted(TINY), data.outputs, seed=1)
    settings = TrainingSettings(steps=120, batch=16, learning_rate=5e-3, warmup=10, snr_db=(5.0, 15.0))
    fit(
        HardLabels(codec),
        data.training(batch=16, share=1.0, chance=chance.of("order"), neighbors=0),
        settings,
        chance.of("training"),
    )
    exam = data.exam(16, 16)
    encoded = encode_once(codec.eval(), exam.batches)
    right = []
    for snr_db in (15.0, -20.0):
        answers = data.read(deliver(encoded, Link(snr_db=snr_db), chance.of("air")).answers)
        right.append(sum(told == true for told, true in zip(answers, exam.messages, strict=True)) / len(answers))
    assert right[0] >= 0.8 > right[1]


@pytest.mark.parametrize("method", [*filter(needs_teacher, OF_SPEECH)], ids=lambda method: method.kind)
def test_every_method_that_fits_has_a_loss_and_gradients(method: object) -> None:
    task = Speech(WORDS)
    data = data_of(task)
    student, teacher = (initialize(task.fitted(TINY), data.outputs, seed=seed) for seed in (1, 2))
    lesson = Teaching(teacher="teacher", methods=(method,), label_weight=0, hears="own")  # type: ignore[arg-type]
    distiller = Distiller(student, [teacher], lesson).train()
    (loss,) = distiller(data.exam(6, 6).batches[0], [Link(snr_db=5.0, interferers=1)], Chance(1)).values()
    loss.backward()
    assert loss.item() > 0 and any(each.grad is not None and each.grad.any() for each in student.parameters())


def test_what_does_not_fit_is_refused_with_the_reason() -> None:
    refused = {make().kind for make in METHODS} - {each.kind for each in OF_SPEECH}
    assert refused == {"stage_hints", "stage_attention", "layered", "attention_maps", "components"}
    for on, words in (("both", "layers of unequal places"), ("receiver", "a single place")):
        with pytest.raises(ValueError, match=words):
            check_sight([AttentionFeatures(on=on)], TINY, whose="a student")  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_run_measures_them_and_tells_how_close_the_layers_come(tmp_path: Path) -> None:
    path, out = tmp_path / "words.yaml", tmp_path / "out"
    path.write_text(SCENARIO)
    scenario, kept = load_scenario(path, ())
    assert not conduct(scenario, kept, out, means=Means(), console=Console(quiet=True))
    with (out / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} == {"done"} and {row["metric"] for row in rows} == {"accuracy"}
    with (out / "layers.csv").open() as file:
        layers = [row for row in csv.DictReader(file) if row["metric"] == "cosine"]
    assert [(row["codec"], row["stack"], row["layer"]) for row in layers] == [
        ("made", "transmitter", "1"),
        ("made", "transmitter", "2"),
    ]
    # Twelve words of more than a few frames each, and no frame behind their ends.
    assert 12 * 10 < int(layers[0]["tokens"]) < 12 * 40 and -1 <= float(layers[0]["value"]) <= 1
    assert int(layers[0]["own_parameters"]) > 0
    with (out / "costs.csv").open() as file:
        costs = {row["codec"]: row for row in csv.DictReader(file)}
    assert {"teacher", "made", "taken"} <= costs.keys()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("codecs.made={size: generated_speech}", "codecs.made.adopt must say whose layers are generated"),
        ("codecs.made.layers=[1]", "layers must end with 2"),
        ("codecs.made.size=generated", "must name a codec of kind semantic"),
        (
            "codecs.taken={size: teacher}",
            "codecs.taken must carry speech, which task speech sends, got a codec of sent",
        ),
        ("corpus=docstrings", "corpus belongs to task text, got it with task speech"),
        ("task.source.speakers=2", "speakers must be at least 3"),
        ("codecs.teacher.mels=500", "mels must be from 2"),
    ],
)
def test_what_does_not_fit_speech_is_refused(tmp_path: Path, change: str, words: str) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(SCENARIO)
    with pytest.raises(UserMistake, match=words):
        load_scenario(path, (change,))
