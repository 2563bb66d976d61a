"""Codebooks in scenarios: measured beside learned codecs, with a language, in a crowd, and sent through."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcom.experiment.preview import preview
from semcom.experiment.sending import send_sentence
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.unused_keys import unused_keys
from semcom.store.folder import RunFolder
from semcom.store.results import read_csv
from semcom.store.store import Store

CODECS = (
    "codecs={big: {size: tiny, symbols_per_token: 2}, random: {kind: codebook, symbols_per_token: 2}, chained: "
    "{size: codebook, symbols_per_token: 2, memory: 1, language: pairs}, trained: {kind: codebook, learned: true, "
    "symbols_per_token: 2}}"
)
CHANGES = (
    CODECS,
    "languages={pairs: {kind: ngram, order: 2}}",
    "sweep={codec: [random, chained, trained], snr_db: [0, 15], interferers: [0, 1]}",
    "link.crowd=[random]",
    "link.interference={kind: neighbors, level_db: -10}",
)


@pytest.fixture(scope="module")
def run(carry_out, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("codebooks") / "run"
    done = carry_out(folder, *CHANGES)
    assert done.failures == 0, done.said
    return folder


def test_it_is_measured_and_better_in_better_air(run: Path) -> None:
    rows = [row for row in read_csv(run / "results.csv") if row.kind == "value" and row.metric == "bleu_1"]
    found = {(row.codec, row.snr_db, row.interferers): row.value for row in rows}
    for codec in ("random", "chained", "trained"):
        assert found[codec, 15.0, 0] > found[codec, 0.0, 0]
        assert found[codec, 15.0, 0] >= found[codec, 15.0, 1]
    assert found["chained", 15.0, 0] > 0.95, "a language and a code with memory leave nothing wrong at 15 dB"
    assert {row.codec: row.method for row in rows} == {
        "random": "nothing learned", "chained": "nothing learned", "trained": "trained",
    }  # fmt: skip


def test_its_record_tells_that_nothing_was_trained(run: Path) -> None:
    with Store(RunFolder(run).store_file, reading=True) as store:
        builds = {each.record["name"]: each.record for each in store.builds().values() if "spec" in each.record}
    assert builds["random"]["parameters"] == 0 and builds["random"]["history"]["steps"] == []
    assert builds["random"]["size_bytes"] > 0 and builds["trained"]["parameters"] > 0
    assert builds["trained"]["history"]["steps"]


def test_sentences_are_sent_through_it(run: Path) -> None:
    table = send_sentence(
        run, "the cat sees the river again .", snr_db=20.0, interferers=0, repeats=1, seed=0, codecs=("chained",)
    )
    assert [list(map(str, column.cells)) for column in table.columns][-2] == ["the cat sees the river again ."]


def test_what_a_codebook_cannot_use_is_told(tiny_yaml) -> None:
    alone = (*CHANGES[:2], "sweep={codec: [random], snr_db: [0]}", "codecs.random.training={steps: 5, snr_db: 3}")
    said = unused_keys(load_scenario(tiny_yaml, alone)[0])
    assert "codecs.random.training.steps has no effect: nothing of random is learned" in said
    assert any(each.startswith("training.steps has no effect: no codec learns") for each in said)
    assert not any("snr_db" in each for each in said)
    # A code with memory is searched, so a beam has an effect.
    beam = (*CHANGES[:2], "measure.beam=4", "sweep={codec: [chained], snr_db: [0]}")
    assert not any("beam" in each for each in unused_keys(load_scenario(tiny_yaml, beam)[0]))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("codecs.random.start=chained", r"codecs.random.start must be left out: random has nothing to learn"),
        (
            "codecs.random.distill={teacher: trained, methods: [soft_logits]}",
            r"codecs.random.distill must be left out: random has nothing to learn",
        ),
        ("codecs.random.adopt={transmitter: chained}", r"adopt must be left out"),
        ("codecs.random={kind: codebook, memory: 1, learned: true}", r"learned must be without memory"),
        ("codecs.random={kind: codebook, size: tiny}", r"must be one of codebook, got 'tiny'"),
    ],
)
def test_what_makes_no_sense_is_refused(tiny_yaml, changes: str, said: str) -> None:
    with pytest.raises(Exception, match=said):
        load_scenario(tiny_yaml, (*CHANGES, changes))


def test_the_plan_tells_the_code_and_no_steps(tiny_yaml, tmp_path: Path) -> None:
    scenario = load_scenario(tiny_yaml, CHANGES)[0]
    told = preview(scenario, tmp_path / "none")
    line = next(each for each in told.splitlines() if "chained" in each)
    assert "random codebook with memory 1, 2 symbols a token, nothing learned, seed 3" in line
    assert len({build.identity for build in expand(scenario).builds}) == 3
