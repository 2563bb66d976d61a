"""Generated layers in a run: a scenario that asks for them, the plan, and layers.csv."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from channels import Chance
from semcom.experiment.layers import closeness
from semcom.experiment.preview import preview
from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.models.generative import GenerativeCodec
from semcom.models.generative_spec import GenerativeSpec
from semcom.models.make import initialize
from semcom.models.semantic_spec import symmetric
from semcom.scenario.load import load_scenario
from semcom.sources.batches import make_batch
from semcom.store.folder import RunFolder
from semcom.store.store import Store
from semcom.training.settings import TrainingSettings

TAUGHT = "distill: {teacher: big, label_weight: 0, methods: [{kind: generated_layers}]}"
CHANGES = (
    "codecs.big={size: tiny, symbols_per_token: 2, transmitter: {layers: 3}, receiver: {layers: 3}}",
    f"codecs.made={{size: generated, width: 8, feedforward: 16, adopt: {{around: big}}, {TAUGHT}}}",
    "codecs.half={kind: generative, width: 8, layers: [1, 3], generates: decoder, adopt: {around: big}, "
    "distill: {teacher: big, methods: [{kind: generated_layers, side: decoder}]}}",
    f"codecs.heads={{size: layer_heads, width: 8, feedforward: 16, adopt: {{around: big}}, {TAUGHT}}}",
    *("training.steps=2", "sweep.snr_db=[6]", "sweep.interferers=[0]", "sweep.codec=[big, made, half, heads]"),
    "measure.compare=[[made, heads], [made, big]]",
)


@pytest.fixture(scope="module")
def ran(carry_out, tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("ran") / "out"
    assert carry_out(folder, *CHANGES).failures == 0
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_generated_layer_has_a_line_for_every_number(ran: Path) -> None:
    found = [row for row in rows(RunFolder(ran).layers_file) if row["kind"] == "value"]
    both = [(stack, str(layer)) for stack in ("transmitter", "receiver") for layer in (1, 2, 3)]
    of_codecs = [
        *(("made", "generated", *place) for place in both),
        *(("half", "generated", "receiver", layer) for layer in ("1", "3")),
        *(("heads", "heads", *place) for place in both),
    ]
    assert [(row["codec"], row["family"], row["stack"], row["layer"], row["metric"]) for row in found] == [
        (*each, metric) for each in of_codecs for metric in ("cosine", "l1", "l1_share")
    ]
    for row in found:
        assert row["around"] == "big" and int(row["tokens"]) > 0 and int(row["own_parameters"]) > 0
        assert float(row["low"]) < float(row["value"]) < float(row["high"]) and int(row["count"]) > 1
        assert -1 <= float(row["value"]) <= 1 if row["metric"] == "cosine" else float(row["value"]) > 0
    place = RunFolder(ran)
    assert place.layers_file in place.tables_written
    assert digest_of(place.layers_file) in (ran / "record.json").read_text()


def test_what_is_compared_has_a_paired_difference_at_every_layer_that_both_make(ran: Path) -> None:
    every = rows(RunFolder(ran).layers_file)
    values = {(row["codec"], row["stack"], row["layer"], row["metric"]): row for row in every if not row["against"]}
    found = [row for row in every if row["against"]]
    assert {(row["codec"], row["against"], row["kind"]) for row in found} == {("made", "heads", "difference")}
    assert len(found) == 6 * 3
    for row in found:
        ours, theirs = (values[row[each], row["stack"], row["layer"], row["metric"]] for each in ("codec", "against"))
        assert float(row["value"]) == pytest.approx(float(ours["value"]) - float(theirs["value"]))
        assert float(row["low"]) < float(row["value"]) < float(row["high"])


def test_messages_are_in_the_store_and_not_in_the_record_of_the_run(ran: Path) -> None:
    with Store(RunFolder(ran).store_file) as store:
        kept = [each.record["layers"] for each in store.builds().values() if "layers" in each.record]
    told = json.loads((ran / "record.json").read_text())["builds"].values()
    shown = [each["record"]["layers"] for each in told if "layers" in each["record"]]
    assert len(kept) == len(shown) == 3
    for ours, theirs in zip(kept, shown, strict=True):
        assert sum(ours["rows"][0]["sums"]["tokens"]) == ours["rows"][0]["tokens"]
        assert ours["messages"] == list(range(len(ours["rows"][0]["sums"]["apart"])))
        assert "messages" not in theirs and not any("sums" in row for row in theirs["rows"])
        assert theirs["rows"][0]["cosine"] == ours["rows"][0]["cosine"]


def test_tables_tell_that_it_is_plugged_in(ran: Path) -> None:
    made = next(row for row in rows(RunFolder(ran).results_file) if row["codec"] == "made")
    assert (made["adopted"], made["donor"], made["method"]) == ("around", "big", "generated_layers, plugged in")
    costs = {row["codec"]: int(row["transmitter_body_parameters"]) for row in rows(RunFolder(ran).costs_file)}
    assert costs["half"] == costs["big"] > costs["made"]


def test_a_run_without_generated_layers_leaves_no_table(carry_out, tmp_path: Path) -> None:
    short = ("training.steps=1", "sweep.codec=[big]", "sweep.snr_db=[6]", "sweep.interferers=[0]")
    assert carry_out(tmp_path / "out", *short).failures == 0
    assert not RunFolder(tmp_path / "out").layers_file.exists()


def test_a_plan_says_what_generates_what(tiny_yaml: Path, tmp_path: Path) -> None:
    text = preview(load_scenario(tiny_yaml, CHANGES)[0], tmp_path / "out")
    assert "layers generated by 1x8, in 3x16 -> 3x16" in text
    assert "decoder layers 1, 3 generated by 1x8" in text
    assert "layers from heads by 2x8" in text
    assert "never learned" not in text


def test_a_student_that_makes_the_layers_themselves_is_as_close_as_can_be() -> None:
    around = initialize(replace(symmetric(8, 2, heads=2), symbols_per_token=2), 19, seed=5).eval()
    student = initialize(GenerativeSpec(plugged=around.spec, width=8, heads=2), 19, seed=1).eval()  # type: ignore[arg-type]
    assert isinstance(student, GenerativeCodec)
    student.plug_in(around)
    batch = make_batch([[4 + (5 * row + 3 * place) % 15 for place in range(3 + row % 3)] for row in range(6)])
    settings = TrainingSettings(batch=6, interferers=(0, 1))
    apart = closeness(student, around, [batch], settings, chance=Chance(1))
    assert all(row["cosine"] < 0.99 and row["l1"] > 0.01 for row in apart["rows"])

    class Own(torch.nn.Module):
        """The layers of the codec around in the place of a maker."""

        def __init__(self, layers: torch.nn.ModuleList) -> None:
            super().__init__()
            self.layers = layers

        def forward(self, features: torch.Tensor, mask: torch.Tensor, guide: None) -> tuple[torch.Tensor, ...]:
            made = []
            for layer in self.layers:
                features = layer(features, mask)
                made.append(features)
            return tuple(made)

    student.transmitter.maker, student.receiver.maker = (Own(stack) for stack in around.stacks())
    found = closeness(student, around, [batch], settings, chance=Chance(1))
    assert [(row["stack"], row["layer"]) for row in found["rows"]] == [
        *(("transmitter", 1), ("transmitter", 2), ("receiver", 1), ("receiver", 2)),
    ]
    for row in found["rows"]:
        assert row["cosine"] == pytest.approx(1) and row["l1"] == 0 and row["tokens"] == int(batch.mask.sum())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("codecs.made={size: generated}", "adopt must say whose layers are generated"),
        ("codecs.made={size: generated, adopt: {transmitter: big}}", "must name around, got transmitter"),
        ("codecs.made={size: tiny, adopt: {around: big}}", "must name transmitter or receiver, got around"),
        ("codecs.made={size: generated, adopt: {around: nobody}}", "nobody"),
        ("codecs.made={size: generated, adopt: {around: half}}", "must name a codec of kind semantic"),
        ("codecs.made={size: generated, layers: [1, 2], adopt: {around: big}}", "layers must end with 3"),
        ("codecs.made={size: generated, project: false, adopt: {around: big}}", "width must be 16"),
        ("codecs.made={size: generated, layers: [2, 1], adopt: {around: big}}", "layers must rise"),
        (
            "codecs.made={size: generated, adopt: {around: big}, "
            "distill: {teacher: plain, methods: [generated_layers]}}",
            "must be of the shape of the codec in adopt.around",
        ),
        (
            "codecs.half={size: generated, generates: decoder, adopt: {around: big}, "
            "distill: {teacher: big, methods: [generated_layers]}}",
            "must teach something",
        ),
    ],
)
def test_what_cannot_be_generated_is_refused_when_the_scenario_is_read(
    tiny_yaml: Path, change: str, message: str
) -> None:
    with pytest.raises(UserMistake, match=message):
        load_scenario(tiny_yaml, (*CHANGES, change))
