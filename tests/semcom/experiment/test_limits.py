"""Limits in a run: bits of sentences are counted once and kept, limits follow from them; off unless asked for."""

from __future__ import annotations

import math
import re

import pytest
import torch

from channels import Link, snr_db_for_share
from semcom.experiment import limits
from semcom.experiment.data import exam_of, text_of
from semcom.experiment.spoken import load_language
from semcom.languages.bits import bits_per_token
from semcom.report import drawing
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.unused_keys import unused_keys
from semcom.store.limits import read_limits
from semcom.store.results import read_csv
from semcom.store.store import Store

BASE = (
    "languages={counts: {kind: ngram, order: 2}, poor: {kind: ngram, order: 1}}",
    "codecs.plain.language=counts",
    "sweep={codec: [big, plain], snr_db: [6, 18], interferers: [0, 2]}",
    "link.interference={kind: gaussian, level_db: -9}",
    "measure.metrics=[exact_match]",
)
ASKED = "measure.limits={language: poor, whole: [0.5, 0.9]}"


@pytest.fixture(scope="module")
def ran(carry_out, tmp_path_factory):
    folder = tmp_path_factory.mktemp("limits") / "out"
    assert carry_out(folder, *BASE).failures == 0
    # Asked afterwards, on what is measured already.
    said = carry_out(folder, *BASE, ASKED).said
    assert "0 of 2 codecs to train" in said
    assert "0 of 8 points to measure" in said
    return folder


@pytest.fixture
def sweep(tiny_yaml):
    return expand(load_scenario(tiny_yaml, (*BASE, ASKED))[0])


def kept(folder, sweep, codec: str):
    with Store(folder / "results.sqlite", reading=True) as store:
        return store.statistics(sweep.surprises[codec, 3].identity, limits.FAMILY)


def test_bits_are_those_of_each_codecs_own_language_or_the_named_one(ran, sweep) -> None:
    found = {limit.codec: limit for limit in read_limits(ran / "limits.csv")}
    assert {name: limit.language for name, limit in found.items()} == {"big": "poor", "plain": "counts"}
    known = {each.identity: each for each in sweep.languages}
    for name, limit in found.items():
        build = sweep.surprises[name, 3].language
        language, data = load_language(build, known, ran), text_of(build, ran)
        exam = exam_of(data, 20, 8, skip=0, foreign=None)
        assert limit.bits_per_token == pytest.approx(bits_per_token(language, exam.batches))
        tokens, bits = kept(ran, sweep, name).T
        # In the order of the exam, which is that of the statistics of every metric.
        assert tokens.tolist() == [len(ids) for ids in data.tokenizer.encode(list(exam.messages))]
        assert bits.sum() / tokens.sum() == pytest.approx(limit.bits_per_token)


def test_limits_are_those_of_the_air(ran, sweep) -> None:
    found = [limit for limit in read_limits(ran / "limits.csv") if limit.codec == "plain"]
    assert [(limit.interferers, limit.whole) for limit in found] == [(0, 0.5), (0, 0.9), (2, 0.5), (2, 0.9)]
    tokens, bits = torch.from_numpy(kept(ran, sweep, "plain")).T
    (alone,) = (limit for limit in found if (limit.interferers, limit.whole) == (0, 0.9))
    assert alone.limit_snr_db == pytest.approx(snr_db_for_share(Link(), 0.9, symbols=2 * tokens, bits=bits))
    # Two interferers of -9 dB are so much more noise: 1 / SINR = 1 / SNR + 2 p.
    (crowded,) = (limit for limit in found if (limit.interferers, limit.whole) == (2, 0.9))
    sinr = 1 / (10 ** (-crowded.limit_snr_db / 10) + 2 * 10**-0.9)
    assert 10 * math.log10(sinr) == pytest.approx(alone.limit_snr_db, abs=1e-3)
    row = next(row for row in read_csv(ran / "results.csv") if row.codec == "plain" and row.interferers)
    assert (crowded.interference, crowded.level_db, crowded.fading) == (row.interference, str(row.level_db), "none")


def test_bits_are_counted_once(ran, carry_out, monkeypatch) -> None:
    before = (ran / "limits.csv").read_bytes()

    def counted_again(*_: object, **__: object) -> None:
        raise AssertionError("counted again")

    monkeypatch.setattr(limits, "bits_of_sentences", counted_again)
    assert carry_out(ran, *BASE, ASKED).failures == 0
    assert (ran / "limits.csv").read_bytes() == before


def test_the_report_has_a_table_of_them(ran, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(drawing, "drawings", lambda *_: iter(()))
    written = drawing.report(ran / "results.csv", tmp_path)
    assert tmp_path / "tables" / "limits.md" in written
    assert "not reached at 18" in (tmp_path / "tables" / "limits.md").read_text()


def test_who_does_not_ask_has_the_same_runs_and_no_table(ran, carry_out, tiny_yaml, tmp_path, sweep) -> None:
    carry_out(tmp_path / "out", *BASE)
    assert not (tmp_path / "out" / "limits.csv").exists()
    plain = expand(load_scenario(tiny_yaml, BASE)[0])
    assert [run.identity for run in plain.runs] == [run.identity for run in sweep.runs]
    assert not plain.surprises
    assert {each.name for each in plain.languages} == {"counts"}


def test_airs_without_a_limit_say_why(carry_out, tmp_path) -> None:
    carry_out(tmp_path / "out", *BASE, ASKED, "link.interference={kind: tone, level_db: -9}", "sweep.snr_db=[6]")
    found = [limit for limit in read_limits(tmp_path / "out" / "limits.csv") if limit.interferers]
    assert found
    assert all(limit.limit_snr_db is None and "no noise of one power" in limit.why for limit in found)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (("measure.metrics=[bleu_1]",), "must have exact_match among the metrics.*got bleu_1; add it"),
        (("measure.limits={whole: [0.5]}",), "language must name the language.*codec big knows none"),
        (("measure.limits={language: cuonts}",), "names 'cuonts', none of the languages: counts, poor"),
        (("measure.limits={language: poor, whole: [1.0]}",), "whole"),
    ],
)
def test_limits_that_cannot_be_are_refused(changes, why, refused, tiny_yaml) -> None:
    told = refused("check", tiny_yaml, *(word for each in (*BASE, ASKED, *changes) for word in ("--set", each)))
    assert re.search(why, told), told


def test_a_language_that_no_codec_needs_is_told(tiny_yaml) -> None:
    scenario, _ = load_scenario(tiny_yaml, (*BASE, ASKED, "sweep.codec=[plain]"))
    assert any(line.startswith("measure.limits.language has no effect") for line in unused_keys(scenario))
