"""Speech as a task: it is learned for a speaker that nobody heard, and goes from a scenario to its tables."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
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
from semcom.models.speech_rebuilder_spec import SpeechRebuilderSpec
from semcom.models.speech_spec import SpeechSpec
from semcom.report.examples import example_drawings
from semcom.report.spectra import spectra_of_word
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.sources.formant_words import FormantWords
from semcom.store.examples import read_examples
from semcom.tasks.speech import Speech
from semcom.tasks.speech_data import SpeechData
from semcom.tasks.trip import deliver, encode_once
from semcom.training.fit import fit
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

WORDS = FormantWords(words=4, speakers=6, takes=4)
TINY = SpeechSpec(mels=20, width=16, layers=2, heads=2, feedforward=24, symbols=4, hidden=16)
REBUILDER = SpeechRebuilderSpec(width=16, layers=2, heads=2, feedforward=24, symbols=4, hidden=16)
OF_SPECTRA = [method for make in METHODS if (method := fitting(make(), REBUILDER))]
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
SPECTRA = """\
# Do spectra arrive?
name: spectra
task: {kind: speech, source: {kind: formant_words, words: 3, speakers: 4, takes: 4}, wants: spectrum}
codecs:
  two: {size: spectrum_tiny, symbols: 2}
  one: {size: spectrum_tiny, symbols: 1}
  namer:
    size: speech_tiny
    symbols: 40
    task: {kind: speech, source: {kind: formant_words, words: 3, speakers: 4, takes: 4}}
training: {steps: 4, batch: 8, warmup: 2, snr_db: [0, 12], validate_every: 4}
sweep: {snr_db: [0, 12], interferers: [0, 1], codec: [two, one], crowd: [[namer]]}
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


def test_what_is_wanted_decides_codecs_metrics_and_identity() -> None:
    word, spectrum = Speech(WORDS), Speech(WORDS, wants="spectrum")
    # What was kept before anything else could be wanted keeps its identity.
    assert word.facts("same") == {"task": "speech", "source": "same"} != spectrum.facts("same")
    assert (word.unit, word.scores, spectrum.unit, spectrum.scores) == ("word", "classes", "frame", "spectra")
    assert Speech.usually({"wants": "spectrum"})[0] == "speech_rebuilder" and Speech.usually({})[0] == "speech"
    assert data_of(spectrum).classes == () and len(data_of(word).classes) == 4
    exam, words = data_of(spectrum).exam(6, 4), data_of(word).exam(6, 4)
    assert exam.units == sum(map(len, exam.messages)) > 6 == words.units
    with pytest.raises(ValueError, match="wants must be 'word', 'speaker' or 'spectrum'"):
        Speech(wants="picture")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", [*filter(needs_teacher, OF_SPECTRA)], ids=lambda method: method.kind)
def test_every_method_that_fits_teaches_a_rebuilder(method: object) -> None:
    data, shape = data_of(Speech(WORDS, wants="spectrum")), Speech(WORDS).fitted(REBUILDER)
    student, teacher = (initialize(shape, data.outputs, seed=seed) for seed in (1, 2))
    lesson = Teaching(teacher="teacher", methods=(method,), label_weight=0, hears="own")  # type: ignore[arg-type]
    distiller = Distiller(student, [teacher], lesson).train()
    (loss,) = distiller(data.exam(6, 6).batches[0], [Link(snr_db=5.0, interferers=1)], Chance(1)).values()
    loss.backward()
    assert loss.item() > 0 and any(each.grad is not None and each.grad.any() for each in student.parameters())


@pytest.mark.slow
def test_a_run_rebuilds_spectra_and_draws_them_beside_users_who_name_words(tmp_path: Path) -> None:
    path, out = tmp_path / "spectra.yaml", tmp_path / "out"
    path.write_text(SPECTRA)
    scenario, kept = load_scenario(path, ())
    assert not conduct(scenario, kept, out, means=Means(), console=Console(quiet=True))
    with (out / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} == {"done"}
    assert {row["metric"] for row in rows} == {"log_spectral_distance"}
    values = [row for row in rows if row["kind"] == "value"]
    assert {row["codec"]: float(row["symbols_per_token"]) for row in values} == {"two": 2.0, "one": 1.0}
    crowded = [row for row in values if row["interferers"] == "1"]
    # Whoever names words counts them otherwise, so that its ring is not that of the wanted user.
    assert not any(each.sends_as(run.build) for run in expand(scenario).runs for each in run.crowd or ())
    assert crowded and all(abs(float(row["measured_sinr_db"]) - float(row["sinr_db"])) < 1 for row in crowded)
    examples = read_examples(out / "examples.json")
    assert examples.spectra is not None and examples.sent.shape[:3] == (3, 1, 40) and not examples.classes
    assert max(examples.spectra.frames) == examples.sent.shape[3]
    data = data_of(scenario.goal)  # type: ignore[arg-type]
    sent = examples.spectra.decibels(examples.sent[1], 1)
    assert np.abs(sent - data.spectra([data.rows(0, 3)])[1]).max() <= 60 / 255 / 2 + 1e-6
    crowds = ("0_interferers", "1_interferer")
    names = {f"examples__{crowd}__{word}" for crowd in crowds for word in examples.spectra.words}
    drawn = dict(example_drawings(examples))
    assert set(drawn) == names
    figure = next(iter(drawn.values()))()
    # What was sent, two codecs at two SNRs, and the bar of colors.
    assert figure is not None and len(figure.axes) == 1 + 2 * 2 + 1
    assert spectra_of_word(examples, 0, 7) is None
    facts = json.loads((out / "examples.json").read_text())
    for change, words in (
        ({"frames": [2, 3]}, "frames in pictures of shape"),
        ({"frames": [10**9] * 3}, "frames in pictures of shape"),
        ({"rate": 10**9}, "samples a second"),
        ({"hop": 0}, "frames in pictures of shape"),
        ({"words": []}, "words that are not told"),
    ):
        (tmp_path / "examples.json").write_text(json.dumps(facts | {"spectra": facts["spectra"] | change}))
        with pytest.raises(UserMistake, match=words):
            read_examples(tmp_path / "examples.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "codecs.one={size: speech_tiny}",
            "must have a receiver that says spectra, as this task wants",
        ),
        ("task.wants=picture", "wants"),
        ("measure.metrics=[accuracy]", "metrics must score spectra"),
        ("codecs.one.mels=20", "mels"),
    ],
)
def test_what_does_not_fit_spectra_is_refused(tmp_path: Path, change: str, words: str) -> None:
    path = tmp_path / "spectra.yaml"
    path.write_text(SPECTRA)
    with pytest.raises(UserMistake, match=words):
        load_scenario(path, (change,))


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
