"""Separate coding in scenarios: measured beside learned codecs, in a crowd, sent through, and refused where wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcom.experiment.preview import preview
from semcom.experiment.sending import send_sentence
from semcom.mistakes import UserMistake
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.store.folder import RunFolder
from semcom.store.results import read_csv
from semcom.store.store import Store

CODECS = (
    "codecs={big: {size: tiny, symbols_per_token: 2}, counted: {kind: separate, source: arithmetic, language: pairs, "
    "symbols_per_token: 2}, words: {kind: separate, source: huffman_words, symbols_per_token: 2, on_failure: keep}, "
    "crowded: {kind: separate, code: none, symbols_per_token: 2}}"
)
CHANGES = (
    CODECS,
    "languages={pairs: {kind: ngram, order: 2}}",
    "sweep={codec: [big, counted, words], snr_db: [0, 25], interferers: [0, 1]}",
    "link.crowd=[crowded]",
    "link.interference={kind: neighbors, level_db: -25}",
)


@pytest.fixture(scope="module")
def run(carry_out, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("separate") / "run"
    done = carry_out(folder, *CHANGES)
    assert done.failures == 0, done.said
    return folder


def test_it_is_measured_in_quiet_and_in_company(run: Path) -> None:
    rows = [row for row in read_csv(run / "results.csv") if row.kind == "value" and row.metric == "exact_match"]
    found = {(row.codec, row.snr_db, row.interferers): row.value for row in rows}
    for codec in ("counted", "words"):
        for interferers in (0, 1):
            assert found[codec, 25.0, interferers] == 1.0 > found[codec, 0.0, interferers]
    assert {row.codec: row.language for row in rows} == {"big": "", "counted": "pairs", "words": ""}
    assert {row.method for row in rows if row.codec != "big"} == {"nothing learned"}


def test_what_it_counts_with_belongs_to_its_size(run: Path) -> None:
    rows = {row.codec: row for row in read_csv(run / "results.csv") if row.kind == "value"}
    assert rows["words"].parameters == 0 and rows["words"].size_bytes > 262_144
    with Store(RunFolder(run).store_file, reading=True) as store:
        pairs = next(each.record for each in store.builds().values() if each.name == "pairs")
    assert rows["counted"].parameters == pairs["parameters"] > 0


def test_sentences_are_sent_through_it(run: Path) -> None:
    sentence = "my friend hears the green hill at night ."
    table = send_sentence(run, sentence, codecs=("counted", "words"), snr_db=25, interferers=1, repeats=1, seed=1)
    assert [str(each) for each in table.columns[2]._cells] == [sentence, sentence]


def test_its_language_decides_its_identity_and_no_receiver_is_tuned(tiny_yaml: Path) -> None:
    sweep = expand(load_scenario(tiny_yaml, CHANGES)[0])
    other = expand(load_scenario(tiny_yaml, (*CHANGES, "languages.pairs.order=3"))[0])

    def identities(of) -> dict[str, str]:
        return {build.name: build.identity for build in of.builds}

    moved = {name for name, found in identities(sweep).items() if identities(other)[name] != found}
    assert moved == {"counted"} and sweep.tunings == ()
    (pairs,) = sweep.languages
    assert {run.build.name for run in sweep.runs if pairs.identity in run.needs} == {"counted"}


def test_the_plan_says_what_it_is(tiny_yaml: Path, tmp_path: Path) -> None:
    told = preview(load_scenario(tiny_yaml, CHANGES)[0], tmp_path)
    assert "separate coding: arithmetic, 5G LDPC, QAM that fits, 2 symbols a token" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("codecs.counted.language=null", "codecs.counted.language must name the language that arithmetic coding"),
        ("codecs.words.language=pairs", "codecs.words.language must be left out where the source is huffman_words"),
        ("codecs.counted.language=pears", "codecs.counted.language names 'pears', which is none of the languages"),
        ("codecs.words.crc=5", "crc must be one of 0, 6, 11, 16, 24 bits, got 5"),
        ("codecs.words.source=morse", "codecs.words.*source"),
        ("codecs.words.start=crowded", "codecs.words.start must be left out: words has nothing to learn"),
        ("codecs.big.distill={teacher: words, methods: [{kind: soft_logits}]}", "soft_logits.*'words'"),
    ],
)
def test_what_cannot_be_is_refused(tiny_yaml: Path, change: str, told: str) -> None:
    with pytest.raises(UserMistake, match=told):
        load_scenario(tiny_yaml, (*CHANGES, change))


def test_nobody_subtracts_what_separate_coding_sends(tiny_yaml: Path) -> None:
    changes = ("measure.users=all", "link.crowd=[words]", "link.detector=successive")
    with pytest.raises(UserMistake, match="separate"):
        load_scenario(tiny_yaml, (*CHANGES, *changes))
