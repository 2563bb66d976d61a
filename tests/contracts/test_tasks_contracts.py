"""What every task in the catalog keeps, with its messages and its codecs; a new task is tested by being named there."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from channels import Chance, Link, NoCsi, NoEqualizer, draw
from semcom.compression.cost import count
from semcom.identity import canonical
from semcom.metrics.catalog import check_suited, metric_named
from semcom.metrics.score import score
from semcom.models.codebook_spec import CodebookSpec
from semcom.models.codec import Codec, air_shape
from semcom.models.generative_spec import GenerativeSpec
from semcom.models.generative_speech_spec import GenerativeSpeechSpec
from semcom.models.make import initialize, make, spec_from
from semcom.models.semantic_spec import symmetric
from semcom.models.speech_spec import SpeechSpec
from semcom.scenario.codec_plans import CODECS
from semcom.scenario.plans import MeasurePlan
from semcom.sources.batch import Batch
from semcom.sources.formant_words import FormantWords
from semcom.sources.generated_frames import GeneratedFrames
from semcom.sources.textfile import TextFile
from semcom.tasks.catalog import TASKS
from semcom.tasks.cell import deliver_cell
from semcom.tasks.modulation import Modulation
from semcom.tasks.pictures import Pictures
from semcom.tasks.speech import Speech
from semcom.tasks.task import Data, Task
from semcom.tasks.text import Text
from semcom.tasks.trip import deliver, encode_once, rehearse

ROOT = Path(__file__).resolve().parents[2]
CLEAN, LOUD = Link(snr_db=60.0), Link(snr_db=5.0, interferers=2)
# Tasks whose usual messages are too many for a test; all others are taken as they are.
SMALL: dict[str, Callable[[Path], Task]] = {
    "text": lambda text: Text(TextFile(path=str(text), longest=20)),
    "modulation": lambda _: Modulation(
        GeneratedFrames(classes=("BPSK", "QPSK", "8PSK"), train=90, validation=30, test=60)
    ),
    "speech": lambda _: Speech(FormantWords(words=3, speakers=4)),
}
KINDS = tuple(task.kind for task in TASKS)
# Tasks whose receivers want something else than usual.
REBUILT: dict[str, Task] = {
    "pictures, rebuilt": Pictures(wants="picture"),
    "speech, rebuilt": Speech(FormantWords(words=3, speakers=4), wants="spectrum"),
}


@pytest.fixture(scope="module", params=(*KINDS, *REBUILT))
def task(request: pytest.FixtureRequest, text_file: Path) -> Task:
    if request.param in REBUILT:
        return REBUILT[request.param]
    kind = TASKS[KINDS.index(request.param)]
    return SMALL[kind.kind](text_file) if kind.kind in SMALL else kind()


def usual(task: Task) -> tuple[str, Mapping[str, Any]]:
    """The kind of its codecs, and what keys mean that are left out."""
    return task.usually({"wants": getattr(task, "wants", None)})


def is_rebuilt(task: Task) -> bool:
    return task.scores in ("pictures", "spectra")


@pytest.fixture(scope="module")
def data(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Data:
    return task.load(tmp_path_factory.mktemp("kept"), task.fingerprint())


@pytest.fixture(scope="module", params=("usual", "codebook", "codebook with memory", "learned codebook", "generative"))
def codec(request: pytest.FixtureRequest, task: Task, data: Data) -> Codec:
    """Of the smallest named size of the task's usual kind of codec, and of each other kind that it has."""
    others = ("generative",) if task.kind == "speech" and not is_rebuilt(task) else ()
    if request.param != "usual" and task.kind != "text" and request.param not in others:
        pytest.skip("codebooks are of sentences, generated layers of sentences and speech")
    smallest = min(
        (task.fitted(each) for each in task.sizes.values() if each.kind == usual(task)[0]),
        key=lambda each: each.rough_multiply_adds,
    )
    other = {
        "codebook": CodebookSpec(),
        "codebook with memory": CodebookSpec(symbols_per_token=4, memory=2),
        "learned codebook": CodebookSpec(symbols_per_token=4, learned=True),
        "generative": GenerativeSpec(plugged=symmetric(16, 2, heads=2), width=8, heads=2)
        if task.kind == "text"
        else GenerativeSpeechSpec(plugged=SpeechSpec(mels=20, width=16, layers=2, heads=2), width=8, heads=2),
    }
    return initialize(other.get(request.param, smallest), data.outputs, seed=1).eval()


@pytest.fixture(scope="module")
def batch(data: Data) -> Batch:
    return data.exam(12, 8).batches[0]


def tensors_of(batch: Batch) -> dict[str, Tensor]:
    return {name: value for name, value in vars(batch).items() if isinstance(value, Tensor)}


def assert_alike(one: Batch, other: Batch) -> None:
    assert one.rows == other.rows
    ours, theirs = tensors_of(one), tensors_of(other)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


# The task itself


def test_every_task_has_a_name_of_its_own() -> None:
    assert len(set(KINDS)) == len(KINDS)
    names = [name for task in TASKS for name in task.sizes]
    assert len(set(names)) == len(names), "a size tells the kind of its codec"


@pytest.mark.parametrize("kind", TASKS, ids=KINDS)
def test_a_task_is_a_frozen_value_with_a_default_for_every_key(kind: type[Task]) -> None:
    task = kind()
    assert dataclasses.is_dataclass(kind) and hash(task) == hash(kind()) and task == kind()
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.kind = "another"  # type: ignore[misc]


@pytest.mark.parametrize("kind", TASKS, ids=KINDS)
def test_what_a_task_says_of_itself_fits_together(kind: type[Task]) -> None:
    assert kind.usual_size in kind.sizes and kind().usual_units >= 1
    for name, spec in kind.sizes.items():
        assert spec.carries == kind.carries, name
        assert name != kind.usual_size or spec.kind == kind.codec
        assert spec.symbols_per_unit >= 1 and spec.rough_multiply_adds > 0 and spec.told and 0 <= spec.dropout < 1
        assert spec.may_differ <= {each.name for each in dataclasses.fields(spec)}
        assert all(set(names) <= {each.name for each in dataclasses.fields(spec)} for names in spec.settled.values())
        like = next(each for each in kind.sizes.values() if each.kind == spec.kind)
        assert spec_from(like, json.loads(json.dumps(canonical(spec)))) == spec
        assert kind().fitted(kind().fitted(spec)) == kind().fitted(spec)
        assert CODECS[spec.kind](size=name).spec() == spec
    # As in "15 sentences" and "8 symbols a token".
    assert all(word.isidentifier() and word.islower() for word in (kind().unit, kind.message, kind.carries))


def test_tasks_are_named_without_torch() -> None:
    program = (
        "import sys, semcom.cli, semcom.tasks.catalog\n"
        "for task in semcom.tasks.catalog.TASKS: hash(task()), task().fingerprint\n"
        "print(*(name for name in ('torch._C', 'torch.nn', 'pandas', 'tokenizers') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_its_facts_are_plain_and_its_fingerprint_stays(task: Task, tmp_path: Path) -> None:
    print_ = task.fingerprint()
    assert print_ and print_ == task.fingerprint() == dataclasses.replace(task).fingerprint()  # type: ignore[type-var]
    for facts in (task.facts(print_), task.exam_facts(print_)):
        text = json.dumps(canonical(facts), sort_keys=True)
        assert print_ in text, "other messages must be another identity"
        assert text != json.dumps(canonical(task.facts("another")), sort_keys=True)
    assert all(path.parent == tmp_path for path in task.kept_files(tmp_path, print_))


def test_tasks_do_not_share_an_identity() -> None:
    told = [json.dumps(canonical(task().facts("same")), sort_keys=True) for task in TASKS]
    assert len(set(told)) == len(told)


# Its messages


def test_what_it_counts_is_what_it_loads(task: Task, data: Data) -> None:
    there, everything = task.count(), 10**6
    assert there.training == data.training_messages > 0
    assert there.test == len(data.exam(everything, 64).messages)
    assert 0 < sum(map(len, data.validation(64))) <= there.validation
    assert isinstance(task.source_name, str) and isinstance(task.is_at_hand, bool)
    assert data.outputs >= 2


def test_training_batches_are_found_by_their_step(data: Data) -> None:
    def batches(seed: int, share: float = 1.0) -> Callable[[int], Batch]:
        return data.training(batch=8, share=share, chance=Chance(seed), neighbors=1).at

    first, again, other = batches(3), batches(3), batches(4)
    for step in (200, 0, 7):
        assert_alike(first(step), again(step))
    assert any(first(step).rows != other(step).rows for step in range(3))
    shared = batches(3, 0.25)
    rows = {row for step in range(100) for row in shared(step).rows}
    assert 1 <= len(rows) <= 0.25 * data.training_messages + 1


def test_its_batches_are_batches(data: Data) -> None:
    training = data.training(batch=8, share=1.0, chance=Chance(3), neighbors=1).at(0)
    for batch in (training, *data.validation(8)[:2], *data.exam(12, 8).batches):
        size, longest = batch.mask.shape
        assert 0 < size <= 8 and size == len(batch) == len(set(batch.rows)) == len(batch.lengths)
        assert batch.targets.shape == (size, longest) and batch.targets.dtype == batch.lengths.dtype == torch.long
        assert torch.equal(batch.mask, torch.arange(longest) < batch.lengths[:, None])
        assert batch.ragged == (not batch.mask.all()) and batch.lengths.max() == longest
        assert batch.targets.min() >= 0 and batch.targets.max() < data.outputs
        turned = batch.turned(1)
        assert turned.rows == (*batch.rows[1:], batch.rows[0])
        for name, held in tensors_of(batch).items():
            assert torch.equal(tensors_of(turned)[name], held.roll(-1, dims=0)), name
        assert {each.device.type for each in tensors_of(batch.to("meta")).values()} == {"meta"}


def test_validation_and_exam_stay_the_same_and_exams_nest(data: Data) -> None:
    for one, other in zip(data.validation(8), data.validation(8), strict=True):
        assert_alike(one, other)
    whole = data.exam(20, 8)
    for part, messages in ((data.exam(12, 8), whole.messages[:12]), (data.exam(12, 5, skip=8), whole.messages[8:20])):
        assert all(_alike(one, other) for one, other in zip(part.messages, messages, strict=True))
        assert sorted(row for batch in part.batches for row in batch.rows) == list(range(12))
        assert part.units == sum(int(batch.lengths.sum()) for batch in part.batches)
        assert part.words is None or part.words >= len(messages)


def _alike(one: Any, other: Any) -> bool:
    # A spectrum that was worked out in another batch has other last digits.
    return np.allclose(one, other, atol=1e-3) if isinstance(one, np.ndarray) else bool(one == other)


def test_what_it_reads_is_what_its_metrics_take(task: Task, data: Data) -> None:
    names = usual(task)[1].get("measure", {}).get("metrics") or MeasurePlan().metrics
    check_suited(names, task.scores, classes=data.classes)
    assert len(data.classes) == (data.outputs if task.scores == "classes" else 0)
    # An encoder of sentences takes seconds to load, and is tested where it is.
    metrics = [metric_named(name, classes=data.classes) for name in names if "similarity" not in name]
    exam = data.exam(12, 8)
    answers = {
        row: ids[:length]
        for batch in exam.batches
        for row, ids, length in zip(batch.rows, batch.targets.tolist(), batch.lengths.tolist(), strict=True)
    }
    if is_rebuilt(task):
        # What is rebuilt comes unit by unit: one picture, or as many frames as there are.
        rebuilt = [each if task.scores == "spectra" else each[None] for each in exam.messages]
        assert [len(each) for each in rebuilt] == [len(answers[row]) for row in sorted(answers)]
        answers = dict(enumerate(rebuilt))
    arrived = data.read([answers[row] for row in sorted(answers)])
    best = tuple(metric.axis.best for metric in metrics)
    assert metrics and score(metrics, exam.messages, arrived) == best
    assert (
        score(metrics, exam.messages, [None, *arrived[1:]] if is_rebuilt(task) else [*arrived[1:], arrived[0]]) != best
    )


# Its codecs


def test_a_codec_sends_hears_and_decodes(codec: Codec, task: Task, batch: Batch, data: Data) -> None:
    with torch.no_grad():
        symbols = codec.send(batch).symbols
        assert symbols.shape == air_shape(codec, batch) and symbols.is_complex()
        sent = batch.mask.repeat_interleave(codec.spec.symbols_per_unit, dim=1)
        power = symbols.abs().square()
        assert power[sent].mean().item() == pytest.approx(1.0, rel=0.05)
        assert not power[~sent].any(), "padding is silent"
        trace = rehearse(codec, batch, [(CLEAN, draw(CLEAN, air_shape(codec, batch), Chance(1)))])
        # Nothing is chosen where something is rebuilt.
        assert trace.heard.logits.shape == (*batch.mask.shape, 0 if is_rebuilt(task) else data.outputs)
        assert torch.isfinite(trace.heard.logits).all()
        answers = codec.decode(trace.arrived, batch)
    if is_rebuilt(task):
        assert answers.shape[:2] == batch.mask.shape and torch.isfinite(answers.float()).all()
        return
    assert answers.shape == batch.mask.shape
    assert all(0 <= each < data.outputs for row in answers.tolist() for each in row)


def test_a_trace_holds_what_the_spec_shows(codec: Codec, batch: Batch) -> None:
    with torch.no_grad():
        trace = rehearse(codec, batch, [(CLEAN, draw(CLEAN, air_shape(codec, batch), Chance(1)))])
    own = batch.mask if trace.sent.places is None else trace.sent.places
    assert own.dtype == torch.bool and len(own) == len(batch) and own.any(dim=1).all()
    for stack, layers, places in (("sent", trace.sent.layers, own), ("heard", trace.heard.layers, batch.mask)):
        assert tuple(each.shape[-1] for each in layers) == codec.spec.widths_of(stack), stack
        assert all(each.shape[:2] == places.shape for each in layers)
    assert bool(trace.stages) == ("stages" in codec.spec.shows)


def test_a_codec_can_be_counted_and_taken_apart(codec: Codec) -> None:
    example = codec.example()
    assert len(example) == 1
    assert all(len(stack) > 0 for stack in codec.stacks())
    cost = count(codec)
    assert cost.parameters == sum(each.numel() for each in codec.parameters())
    assert cost.body_parameters <= cost.parameters
    assert (cost.body_parameters > 0) == codec.spec.learns
    assert cost.multiply_adds == cost.transmitter_multiply_adds + cost.receiver_multiply_adds > 0
    with torch.device("meta"):
        assert count(make(codec.spec, codec.outputs)) == cost


def test_a_step_against_the_loss_lowers_it(codec: Codec, batch: Batch, data: Data) -> None:
    if not codec.spec.learns:
        pytest.skip("nothing of it is trained")
    pupil = initialize(codec.spec, data.outputs, seed=1).eval()
    air = draw(LOUD, air_shape(pupil, batch), Chance(1))
    optimizer = torch.optim.SGD(pupil.parameters(), lr=1e-2)
    losses = []
    for _ in range(2):
        loss = pupil.loss(rehearse(pupil, batch, [(LOUD, air)]), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    idle = [name for name, each in pupil.named_parameters() if each.grad is None]
    assert not idle, "weights that nothing reaches"


def test_messages_are_delivered_alone_and_in_a_cell(codec: Codec, data: Data) -> None:
    exam = data.exam(12, 6)
    encoded = encode_once(codec, exam.batches)
    alone = deliver(encoded, LOUD, Chance(1))
    cell = deliver_cell(encoded, LOUD, Chance(1))
    assert len(cell) == 1 + LOUD.interferers
    for delivery in (alone, *cell):
        assert len(data.read(delivery.answers)) == len(exam.messages)
        assert delivery.energies.snr_db == pytest.approx(LOUD.snr_db, abs=1.0)
    again = deliver(encoded, LOUD, Chance(1)).answers
    assert all(np.array_equal(one, other) for one, other in zip(again, alone.answers, strict=True))


def test_nothing_it_needs_to_know_is_unknown_to_a_receiver_without_csi(codec: Codec, batch: Batch) -> None:
    blind = Link(snr_db=5.0, csi=NoCsi(), equalizer=NoEqualizer())
    with torch.no_grad():
        trace = rehearse(codec, batch, [(blind, draw(blind, air_shape(codec, batch), Chance(1)))])
    assert torch.isfinite(trace.heard.logits).all()
