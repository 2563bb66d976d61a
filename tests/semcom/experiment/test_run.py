"""A run: encoded once for all operating points, the same air for every codec, statistics that give its numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from channels import Chance
from semcom.experiment.data import data_of
from semcom.experiment.run import carry_out_run, encoded_exam, family_of, metrics_of
from semcom.metrics.bootstrap import bootstrap
from semcom.models.make import initialize
from semcom.models.sides import Transmitter
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.work import Build, Run
from semcom.store.folder import RunFolder
from semcom.tasks.trip import deliver
from semcom.training.checkpoint import save_weights

MANY = ("sweep.snr_db={start: 0, stop: 14, step: 2}", "sweep.interferers=[0, 1, 2, 4]")


@pytest.fixture
def runs(tiny_yaml, tmp_path):
    """Hand out `runs("seed=4")`: the runs of the tiny scenario, their codecs being there but untrained."""

    def call(*changes: str) -> list[Run]:
        sweep = expand(load_scenario(tiny_yaml, changes)[0])
        for build in sweep.builds:
            put_weights(build, tmp_path)
        return list(sweep.runs)

    return call


def put_weights(build: Build, folder: Path) -> None:
    save_weights(
        initialize(build.spec, data_of(build, folder).outputs, seed=build.seed),
        RunFolder(folder).weights(build.identity),
        about={"build": build.identity},
    )


@pytest.mark.parametrize("codecs", ["[big]", "[big, small]"])
def test_the_encoder_runs_once_per_batch_and_codec_for_all_points(runs, tmp_path, monkeypatch, codecs: str) -> None:
    seen: list[tuple[int, int]] = []
    forward = Transmitter.forward

    def counting(self, batch):
        seen.append((self.spec.transmitter.width, *batch.tokens.shape))
        return forward(self, batch)

    monkeypatch.setattr(Transmitter, "forward", counting)
    todo = runs(*MANY, f"sweep.codec={codecs}")
    count = codecs.count(",") + 1
    assert len(todo) == count * 8 * 4
    for run in todo:
        carry_out_run(run, tmp_path)
    batches = data_of(todo[0].build, tmp_path).exam(20, 8).batches
    assert len(batches) > 1
    assert len(seen) == count * len(batches), "one encoding for 8 SNRs times 4 crowds"


def test_a_run_carried_out_twice_gives_the_same_numbers(runs, tmp_path) -> None:
    run = runs()[-1]
    once = carry_out_run(run, tmp_path)
    encoded_exam.cache_clear()
    torch.manual_seed(5)
    again = carry_out_run(run, tmp_path)
    assert once.intervals == again.intervals
    assert all(np.array_equal(once.statistics[name], again.statistics[name]) for name in once.statistics)
    assert {**once.record, "seconds": 0} == {**again.record, "seconds": 0}


def test_intervals_come_from_the_statistics_that_are_kept(runs, tmp_path) -> None:
    run = runs("measure.repeats=3")[2]
    outcome = carry_out_run(run, tmp_path)
    assert set(outcome.statistics) == {"bleu", "exact_match"}, "both orders of BLEU are one family"
    for metric in metrics_of(run.measure):
        interval = outcome.intervals[""][metric.name]
        statistics = outcome.statistics[family_of(metric)]
        assert statistics.shape[0] == interval.count == 20, "a sentence sent three times is one sentence"
        assert interval.value == pytest.approx(float(metric.combine(statistics.sum(axis=0))))
        assert interval.low <= interval.value <= interval.high
        seed = Chance(run.build.seed).of("air", "bootstrap").integer()
        assert bootstrap(statistics, metric.combine, resamples=100, seed=seed) == interval


def test_all_codecs_meet_the_same_air(runs, tmp_path) -> None:
    """Powers measured on the air tell one draw from another to the last digit; all codecs here send as many symbols."""
    found: dict[object, set[float]] = {}
    for run in runs("link.fading={kind: rayleigh}"):
        record = carry_out_run(run, tmp_path).record
        if not run.link.interferers:
            found.setdefault(run.link, set()).add(round(record["measured_snr_db"], 4))
    assert len(found) == 3
    assert all(len(each) == 1 for each in found.values())


def test_other_seeds_meet_other_air(runs, tmp_path) -> None:
    found: dict[int, set[float]] = {}
    for run in runs("sweep.seed=[1, 2]", "sweep.codec=[plain]", "sweep.snr_db=0"):
        found.setdefault(run.build.seed, set()).add(carry_out_run(run, tmp_path).record["measured_snr_db"])
    assert len(found[1]) == len(found[2]) == 1, "interferers do not change the noise"
    assert found[1] != found[2]


def test_repeats_are_sent_through_new_air_each(runs, tmp_path) -> None:
    one = carry_out_run(runs("sweep.codec=[plain]")[0], tmp_path)
    four = carry_out_run(runs("sweep.codec=[plain]", "measure.repeats=4")[0], tmp_path)
    assert one.record["measured_snr_db"] != four.record["measured_snr_db"]
    assert four.statistics["bleu"].shape == one.statistics["bleu"].shape


def test_measured_powers_are_near_what_was_asked_for(runs, tmp_path) -> None:
    for run in runs("measure.repeats=20", "link.interference={kind: gaussian, level_db: -3}", "sweep.codec=[plain]"):
        record = carry_out_run(run, tmp_path).record
        # Some 7600 symbols: five standard errors of a mean of as many squared magnitudes are 0.25 dB.
        assert record["measured_snr_db"] == pytest.approx(run.link.snr_db, abs=0.25)
        if run.link.interferers:
            assert record["measured_sinr_db"] < record["measured_snr_db"]
        else:
            assert record["measured_sinr_db"] == record["measured_snr_db"]


def test_the_record_counts_symbols_a_word(runs, tmp_path) -> None:
    run = runs()[0]
    record = carry_out_run(run, tmp_path).record
    assert record["symbols_per_word"] == 2.0, "two symbols a token, one token a word"
    assert set(record["metrics"]) == set(run.measure.metrics)
    assert record["seconds"] >= 0
    json.dumps(record, allow_nan=False)


def test_more_sentences_than_there_are_means_all(runs, tmp_path) -> None:
    run = runs("measure.sentences=5000")[0]
    assert carry_out_run(run, tmp_path).intervals[""]["bleu_1"].count == run.build.task.count().test


def test_a_beam_reaches_the_search(runs, tmp_path, monkeypatch) -> None:
    beams: list[int] = []

    def watched(*trip, beam, **more):
        beams.append(beam)
        return deliver(*trip, beam=beam, **more)

    monkeypatch.setattr("semcom.experiment.run.deliver", watched)
    slow = "codecs.plain={size: tiny, symbols_per_token: 2, decoding: autoregressive}"
    carry_out_run(runs(slow, "sweep.codec=[plain]", "measure.beam=3", "measure.repeats=2")[0], tmp_path)
    assert beams == [3, 3]


def test_a_finer_measure_does_not_disturb_the_run_of_another(runs, tmp_path) -> None:
    first, second = runs("sweep.codec=[plain]")[:2]
    before = carry_out_run(first, tmp_path).intervals
    carry_out_run(replace(second, link=replace(second.link, interferers=4)), tmp_path)
    assert carry_out_run(first, tmp_path).intervals == before
