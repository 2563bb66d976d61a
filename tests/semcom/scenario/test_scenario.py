"""Scenario: what may be typed, what is refused together, and where shipped scenarios are found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from semcom.mistakes import UserMistake
from semcom.models.sizes import SIZES
from semcom.scenario import load as module
from semcom.scenario.document import ScenarioError
from semcom.scenario.load import find_scenario, load_scenario, names, shipped
from semcom.scenario.scenario import Scenario
from semcom.training.settings import TrainingSettings


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


def test_the_first_line_is_the_question(tiny) -> None:
    assert tiny().question == "Does the whole chain hold, from text to table?"
    assert tiny("question=Why?").question == "Why?"


def test_the_text_gives_the_scenario_again(tiny_yaml, tmp_path) -> None:
    changes = (
        "training.steps=9",
        "sweep.interferers={start: 0, stop: 4, step: 2}",
        "codecs.plain.size=tiny",
        "name=other",
    )
    scenario, text = load_scenario(tiny_yaml, changes)
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    again, same = load_scenario(path)
    assert again == scenario
    assert same == text
    assert load_scenario(tiny_yaml)[1] == tiny_yaml.read_text(), "unchanged, it is kept with its comments"


def test_defaults_are_those_of_the_parts(tmp_path) -> None:
    path = tmp_path / "least.yaml"
    path.write_text("# What is the least one can say?\nname: least\ncodecs: {one: {}}\nsweep: {codec: [one]}\n")
    least = load_scenario(path)[0]
    assert least.training == least.resolved("one").training == TrainingSettings()
    assert least.resolved("one").spec == SIZES["teacher"]
    assert (least.seeds, least.most_interferers, least.most_neighbors) == ((0,), 0, 0)


def test_a_codec_trains_as_the_scenario_says_but_for_its_own_changes(tiny) -> None:
    scenario = tiny("codecs.big.training={steps: 9, fading: {kind: rayleigh}}")
    assert scenario.resolved("plain").training == scenario.training
    own = scenario.resolved("big").training
    assert (own.steps, own.fading.kind) == (9, "rayleigh")
    assert (own.batch, own.snr_db) == (scenario.training.batch, scenario.training.snr_db)


def test_origins_are_found_along_every_way(tiny) -> None:
    scenario = tiny(
        "codecs.last={size: tiny, symbols_per_token: 2, start: plain}",
        "codecs.last.distill={teacher: small, methods: [{kind: soft_logits}]}",
        "codecs.under={size: tiny, adopt: {transmitter: big}}",
        "sweep.codec=[last, under]",
    )
    assert scenario.origins("last") == ("plain", "small")
    assert scenario.origins("under") == ("big",)
    assert scenario.needed_codecs == ("big", "plain", "small", "last", "under")
    assert tiny("sweep.codec=[plain]").needed_codecs == ("plain",)


def test_an_adopted_transmitter_brings_its_shape_and_what_both_sides_agree_on(tiny) -> None:
    scenario = tiny(
        "codecs.big={size: deepsc, symbols_per_token: 2}", "codecs.under={size: tiny, adopt: {transmitter: big}}"
    )
    spec, donor, own = scenario.resolved("under").spec, scenario.resolved("big").spec, SIZES["tiny"]
    assert spec.transmitter == donor.transmitter
    assert (spec.symbols_per_token, spec.norm) == (2, "post")
    assert (spec.receiver, spec.decoding, spec.tied) == (own.receiver, own.decoding, own.tied)


def test_an_adopted_receiver_brings_how_it_decodes(tiny) -> None:
    scenario = tiny(
        "codecs.big={size: deepsc, symbols_per_token: 2}", "codecs.over={size: tiny, adopt: {receiver: big}}"
    )
    spec, donor = scenario.resolved("over").spec, scenario.resolved("big").spec
    assert spec.receiver == donor.receiver
    assert (spec.symbols_per_token, spec.norm, spec.decoding, spec.tied) == (2, "post", "autoregressive", False)
    assert spec.transmitter == SIZES["tiny"].transmitter


@pytest.mark.parametrize(
    ("side", "typed", "key"),
    [
        ("transmitter", "transmitter: {width: 16}", "transmitter"),
        ("transmitter", "symbols_per_token: 3", "symbols_per_token"),
        ("receiver", "receiver: {layers: 2}", "receiver"),
        ("receiver", "tied: true", "tied"),
    ],
)
def test_what_comes_with_an_adopted_side_may_not_be_typed_otherwise(tiny, side: str, typed: str, key: str) -> None:
    big = "codecs.big={size: deepsc, symbols_per_token: 2}"
    with pytest.raises(
        ScenarioError, match=rf"codecs\.of\.{key}[a-z.]* must be .*, as in 'big', whose {side} is adopted"
    ):
        tiny(big, f"codecs.of={{size: tiny, {typed}, adopt: {{{side}: big}}}}")
    # The same again is no contradiction, and what shapes the own side is heard.
    own = {"transmitter": "tied: true", "receiver": "transmitter: {width: 16}"}[side]
    tiny(big, f"codecs.of={{size: tiny, symbols_per_token: 2, {own}, adopt: {{{side}: big}}}}")


def test_of_an_adopted_side_what_is_typed_alike_may_stand(tiny) -> None:
    adopted = "adopt: {transmitter: big}"
    tiny(
        "codecs.big={symbols_per_token: 2, transmitter: {layers: 2, width: 32}}",
        f"codecs.of={{transmitter: {{layers: 2}}, {adopted}}}",
    )
    with pytest.raises(ScenarioError, match=r"codecs\.of\.transmitter\.layers must be 2, as in 'big', .* got 3"):
        tiny(
            "codecs.big={symbols_per_token: 2, transmitter: {layers: 2, width: 32}}",
            f"codecs.of={{transmitter: {{layers: 3}}, {adopted}}}",
        )


def test_a_start_may_differ_in_dropout_alone(tiny) -> None:
    tiny("codecs.again={size: tiny, symbols_per_token: 2, dropout: 0.2, start: plain}")
    for other in ("symbols_per_token: 3", "symbols_per_token: 2, norm: post", "symbols_per_token: 2, tied: false"):
        with pytest.raises(ScenarioError, match=r"codecs\.again\.start must name a codec of the same shape"):
            tiny(f"codecs.again={{size: tiny, {other}, start: plain}}")


def test_a_crowd_of_neighbors_needs_sentences_and_another_does_not(tiny) -> None:
    with pytest.raises(UserMistake, match=r"measure\.sentences: 30 interferers need at least 31 sentences"):
        tiny("sweep.interferers=30")
    scenario = tiny("sweep.interferers=30", "link={interference: {kind: qam}}")
    assert (scenario.most_interferers, scenario.most_neighbors) == (30, 0)
    swept = tiny("sweep.interference=[{kind: qam}, {kind: neighbors}]")
    assert swept.most_neighbors == 2


def test_levels_that_are_swept_replace_the_ones_of_the_link(tiny) -> None:
    changes = ("link={interference: {kind: qam, level_db: [-3]}}", "sweep.interferers=[4]")
    with pytest.raises(ScenarioError, match="level_db must name a level for each of 4 interferers"):
        tiny(*changes)
    tiny(*changes, "sweep.level_db=[-6, 0]")


def test_all_mistakes_are_told_at_once(tiny) -> None:
    with pytest.raises(ScenarioError) as caught:
        tiny("sede=3", "tokenizer.kind=wrods", "training.steps=few")
    assert len(caught.value.messages) == 3


def test_shipped_scenarios_come_from_the_repository_or_from_the_wheel(monkeypatch, tmp_path) -> None:
    assert shipped() == Path(module.__file__).parents[2] / "scenarios"
    assert {"quickstart", "snr", "interferers", "model_size"} <= set(names())
    # Anywhere but in the repository the package's own copy is meant.
    monkeypatch.setattr(module, "__file__", str(tmp_path / "semcom" / "experiment" / "load.py"))
    assert str(shipped()).endswith(os.path.join("semcom", "_scenarios"))


def test_a_bare_name_is_a_shipped_scenario_unless_a_file_has_it(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_scenario("quickstart").name == "quickstart.yaml"
    # After `semcom run quickstart --out quickstart` the name must still mean what it meant.
    Path("quickstart").mkdir()
    assert find_scenario("quickstart").parent.name == "scenarios"
    Path("snr").write_text("mine")
    assert find_scenario("snr") == Path("snr")
    for missing in ("nope", "quickstart.yaml", "quickstarts", str(tmp_path)):
        with pytest.raises(UserMistake, match="quickstart"):
            find_scenario(missing)


def test_the_schema_can_be_had_for_editors() -> None:
    schema = Scenario.model_json_schema()
    assert set(schema["required"]) == {"name", "question", "codecs", "sweep"}
    assert schema["additionalProperties"] is False
