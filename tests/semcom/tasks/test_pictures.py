"""Pictures as a task: learned end to end, for their class and for themselves; examples are kept and drawn."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from channels import Chance, Link
from semcom.experiment.conduct import conduct
from semcom.experiment.workers import Means
from semcom.metrics.catalog import metric_named
from semcom.metrics.score import score
from semcom.mistakes import UserMistake
from semcom.models.make import initialize
from semcom.report.examples import example_drawings, example_pictures
from semcom.scenario.load import load_scenario
from semcom.sources.digits import Digits
from semcom.store.examples import read_examples
from semcom.tasks.picture_data import PictureData
from semcom.tasks.pictures import Pictures
from semcom.tasks.trip import deliver, encode_once
from semcom.training.fit import fit
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

SCENARIO = """\
# Do digits arrive?
name: digits
task: {kind: pictures, WANTS}
codecs: CODECS
training: {steps: 4, batch: 16, warmup: 2, snr_db: [0, 12], interferers: [0, 1], validate_every: 4}
sweep: {snr_db: [0, 12], interferers: [0, 1], codec: NAMES}
measure: {sentences: 20, batch: 10, resamples: 100}
"""
CLASSES = (
    "{big: {size: resnet8_tiny, widths: [4, 6, 8]}, raw: {size: resnet8_tiny, transmitter_stages: 0}, "
    "small: {size: resnet8_tiny, distill: {teacher: big, hears: own, methods: [soft_logits, stage_hints]}}}"
)
REBUILT = "{one: {size: deepjscc_quarter}}"


def data_of(task: Pictures) -> PictureData:
    return task.load(Path(), task.fingerprint())


@pytest.mark.slow
def test_digits_are_learned_and_noise_still_wins() -> None:
    task, chance = Pictures(), Chance(1)
    data = data_of(task)
    spec = task.fitted(replace(task.sizes["resnet8_tiny"], symbols=4))  # type: ignore[type-var]
    codec = initialize(spec, data.outputs, seed=1)
    settings = TrainingSettings(steps=350, batch=32, learning_rate=5e-3, snr_db=(5.0, 15.0))
    batches = data.training(batch=32, share=1.0, chance=chance.of("order"), neighbors=0)
    fit(HardLabels(codec), batches, settings, chance.of("training"))
    exam = data.exam(359, 64)
    encoded = encode_once(codec.eval(), exam.batches)
    right = []
    for snr_db in (15.0, -20.0):
        answers = data.read(deliver(encoded, Link(snr_db=snr_db), chance.of("air")).answers)
        right.append(sum(told == true for told, true in zip(answers, exam.messages, strict=True)) / len(answers))
    assert right[0] > 0.85
    # Four symbols at -20 dB carry 4 log2(1.01) = 0.06 bit: by Fano (0.06 + 1) / log2(10) at most.
    assert right[1] < 0.32


def test_what_is_wanted_decides_codecs_metrics_and_identity() -> None:
    wanting = {name: Pictures(wants=name) for name in ("class", "picture")}  # type: ignore[arg-type]
    facts = [each.facts("same") for each in (*wanting.values(), Pictures(augmentation=None))]
    assert facts[0] == facts[2] != facts[1]
    data = data_of(wanting["picture"])
    assert data.classes == () and data.outputs == 256
    exam = data.exam(12, 8)
    answers = {
        row: picture[None]
        for batch in exam.batches
        for row, picture in zip(batch.rows, batch.pixels.numpy(), strict=True)  # type: ignore[attr-defined]
    }
    arrived = data.read([answers[row] for row in sorted(answers)])
    metrics = [metric_named(name) for name in Pictures.usually({"wants": "picture"})[1]["measure"]["metrics"]]
    assert score(metrics, exam.messages, arrived) == tuple(metric.axis.best for metric in metrics)
    assert score(metrics, exam.messages, arrived[::-1]) < tuple(metric.axis.best for metric in metrics)


def test_shares_of_ones_own_differ_by_seed() -> None:
    data = data_of(Pictures())
    first, second = (
        data.training(batch=10, share=0.01, chance=Chance(1), neighbors=1, salt=salt).at(0) for salt in (1, 2)
    )
    assert sorted(first.labels.tolist()) == sorted(second.labels.tolist())
    assert first.pixels.sum() != second.pixels.sum()


def test_pictures_that_changed_meanwhile_are_refused() -> None:
    with pytest.raises(UserMistake, match="the pictures must stay as they are"):
        _ = PictureData(Digits(), Digits(seed=3).fingerprint()).pictures


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wants", "codecs", "names"), [("class", CLASSES, "[big, raw, small]"), ("picture", REBUILT, "[one]")]
)
def test_a_run_keeps_examples_and_draws_them(tmp_path: Path, wants: str, codecs: str, names: str) -> None:
    text = SCENARIO.replace("WANTS", f"wants: {wants}").replace("CODECS", codecs).replace("NAMES", names)
    out = tmp_path / "out"
    path = tmp_path / "digits.yaml"
    path.write_text(text)
    scenario, kept = load_scenario(path, ())
    failures = conduct(scenario, kept, out, means=Means(), console=Console(quiet=True))
    assert not failures
    with (out / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} == {"done"}
    assert {row["metric"] for row in rows} == ({"accuracy"} if wants == "class" else {"psnr", "ms_ssim"})
    examples = read_examples(out / "examples.json")
    assert examples.sent.shape == (3, 1, 8, 8)
    assert {(each.snr_db, each.interferers) for each in examples.arrivals} == {(0, 0), (12, 0), (0, 1), (12, 1)}
    for each in examples.arrivals:
        assert (each.pictures is not None) == (wants == "picture" or each.codec == "raw")
        assert len(each.classes) == (3 if wants == "class" else 0)
    if wants == "class":
        raw = [each for each in examples.arrivals if each.codec == "raw" and not each.interferers]
        received = {each.snr_db: np.asarray(each.pictures, dtype=float) for each in raw}
        wrong = [np.abs(received[snr_db] - examples.sent).mean() for snr_db in (0, 12)]
        assert wrong[0] > 2 * wrong[1] > 0, "pixels arrive, the noisier the further off"
    drawn = dict(example_drawings(examples))
    assert list(drawn) == ["examples__0_interferers", "examples__1_interferer"]
    figure = drawn["examples__1_interferer"]()
    # What was sent, and a field for each codec at each SNR.
    assert figure is not None and len(figure.axes) == 1 + 2 * len(names.split(","))
    assert example_pictures(examples, 7) is None
    facts = json.loads((out / "examples.json").read_text())
    facts["sent"]["shape"] = [3, 1, 800_000, 800_000]
    shutil.copy(out / "examples.json", tmp_path / "examples.json")
    (tmp_path / "examples.json").write_text(json.dumps(facts))
    with pytest.raises(UserMistake, match=r"must be the example pictures of a run, got: pictures of .* values"):
        read_examples(tmp_path / "examples.json")
