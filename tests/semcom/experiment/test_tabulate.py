"""tabulate: rows that the stored statistics give again, pairs only where both met the same air, no wall times."""

from __future__ import annotations

import csv
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from channels import Bursts, Mmse, Neighbors, NoFading, Qam, Rayleigh, Rician, mean_sinr_db, mean_sir_db
from semcom.experiment.run import family_of, metrics_of
from semcom.experiment.tabulate import in_words, tabulate
from semcom.making import MAKING, Making
from semcom.metrics.bootstrap import bootstrap_difference
from semcom.metrics.crossed import common_share, influences, share_of_gap
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario
from semcom.scenario.published import DEEPSC_OFFSET_DB, PUBLISHED
from semcom.scenario.scenario import Scenario
from semcom.scenario.work import Sweep
from semcom.store.results import COLUMNS, Row, read_csv
from semcom.store.store import Store


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


def rows_of(scenario: Scenario, folder: Path, sweep: Sweep | None = None) -> list[Row]:
    with Store(folder / "results.sqlite", reading=True) as store:
        return tabulate(scenario, sweep or expand(scenario), store)


def test_the_table_is_what_the_store_says(tiny, finished) -> None:
    assert rows_of(tiny(), finished) == read_csv(finished / "results.csv")


def test_rows_come_in_the_order_of_the_scenario(tiny, finished) -> None:
    rows = [row for row in rows_of(tiny(), finished) if not row.against]
    assert [(row.codec, row.interferers, row.snr_db, row.metric) for row in rows] == [
        (codec, count, snr, metric)
        for codec in ("big", "small")
        for count in (0, 2)
        for snr in (0.0, 6.0, 12.0)
        for metric in ("bleu_1", "bleu_4", "exact_match")
    ]


def test_every_row_says_where_it_was_measured(tiny, finished) -> None:
    runs = {run.identity: run for run in expand(tiny()).runs}
    for row in rows_of(tiny(), finished):
        run = runs[row.run_id]
        assert (row.task, row.codec, row.role, row.seed) == ("text", run.build.name, run.role, 3)
        assert (row.symbols_per_token, row.symbols_per_word) == (2, 2.0)
        assert (row.snr_db, row.interferers) == (run.link.snr_db, run.link.interferers)
        assert (row.sir_db, row.sinr_db) == (mean_sir_db(run.link), mean_sinr_db(run.link))
        assert row.level_db == (0.0 if row.interferers else None)
        assert row.interference == ("neighbors" if row.interferers else "none")
        assert row.measured_sinr_db <= row.measured_snr_db
        assert row.parameters > row.body_parameters > 0
        assert row.size_bytes > 4 * row.parameters


def test_paired_rows_are_the_bootstrap_of_the_stored_statistics(tiny, finished) -> None:
    scenario = tiny("measure.compare=[[small, big]]")
    runs = {(run.build.name, run.link): run for run in expand(scenario).runs}
    rows = [row for row in rows_of(scenario, finished) if row.against]
    assert {(row.codec, row.against) for row in rows} == {("big", "small"), ("small", "big")}
    assert len(rows) == 2 * 6 * 3
    metrics = {metric.name: metric for metric in metrics_of(scenario.measure)}
    with Store(finished / "results.sqlite", reading=True) as store:
        for row in rows:
            run = next(each for each in expand(scenario).runs if each.identity == row.run_id)
            twin, metric = runs[row.against, run.link], metrics[row.metric]
            ours, theirs = (store.statistics(each.identity, family_of(metric)) for each in (run, twin))
            seed = int(run.identity[:12], 16)
            expected = bootstrap_difference(ours, theirs, metric.combine, resamples=100, seed=seed)
            assert (row.value, row.low, row.high, row.count) == (
                *(expected.value, expected.low, expected.high, expected.count),
            )
            assert (row.codec, row.snr_db, row.interferers) == (run.build.name, run.link.snr_db, run.link.interferers)


def test_a_difference_is_the_difference_of_its_two_rows(tiny, finished) -> None:
    scenario = tiny("measure.compare=[[small, big]]")
    rows = rows_of(scenario, finished)
    absolute = {(row.codec, row.snr_db, row.interferers, row.metric): row.value for row in rows if not row.against}
    for row in (row for row in rows if row.against):
        place = (row.snr_db, row.interferers, row.metric)
        assert row.value == pytest.approx(absolute[row.codec, *place] - absolute[row.against, *place])
    there = {(row.codec, row.snr_db, row.interferers, row.metric): row.value for row in rows if row.against}
    for (codec, *place), value in there.items():
        assert value == pytest.approx(-there["small" if codec == "big" else "big", *place])


def test_codecs_that_send_unequally_many_symbols_are_not_paired(carry_out, finished, tiny, tmp_path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "tiny"))
    changes = ("codecs.plain={size: tiny, symbols_per_token: 3}", "sweep.codec=[big, small, plain]")
    carry_out(folder, *changes)
    rows = read_csv(folder / "results.csv")
    assert {row.codec for row in rows} == {"big", "small", "plain"}
    assert {(row.codec, row.against) for row in rows if row.against} == {("big", "small")}


def test_seeds_are_not_mixed_in_a_pair(carry_out, finished, tiny, tmp_path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "tiny"))
    changes = ("sweep.seed=[3, 4]", "sweep.snr_db=6", "sweep.interferers=0")
    carry_out(folder, *changes)
    rows = read_csv(folder / "results.csv")
    assert [(row.seed, row.metric) for row in rows if row.against] == [
        (seed, metric) for seed in (3, 4) for metric in ("bleu_1", "bleu_4", "exact_match")
    ]
    values = {(row.codec, row.seed): row.value for row in rows if row.metric == "bleu_1" and not row.against}
    for row in (row for row in rows if row.against and row.metric == "bleu_1"):
        assert row.value == pytest.approx(values["big", row.seed] - values["small", row.seed])


THREE = ("sweep.codec=[big, plain, small]", "measure.compare=[[small, plain]]", "sweep.seed=[3, 4]", "sweep.snr_db=6")


@pytest.fixture(scope="module")
def several(carry_out, tmp_path_factory) -> Path:
    """The folder of a finished run of two seeds with a student, its control and its teacher."""
    folder = tmp_path_factory.mktemp("several") / "tiny"
    assert carry_out(folder, *THREE).failures == 0
    return folder


def test_shares_are_those_of_the_stored_statistics_of_all_seeds(tiny, several) -> None:
    scenario = tiny(*THREE)
    runs = {(run.build.name, run.build.seed, run.link.interferers): run for run in expand(scenario).runs}
    rows = [row for row in rows_of(scenario, several) if row.gap_to]
    assert rows == [row for row in read_csv(several / "results.csv") if row.gap_to]
    assert [(row.interferers, row.metric) for row in rows] == [
        (count, metric) for count in (0, 2) for metric in ("bleu_1", "bleu_4", "exact_match")
    ]
    metrics = {metric.name: metric for metric in metrics_of(scenario.measure)}
    with Store(several / "results.sqlite", reading=True) as store:
        for row in rows:
            assert (row.codec, row.role, row.against, row.gap_to) == ("small", "student", "plain", "big")
            first, metric = runs["small", 3, row.interferers], metrics[row.metric]
            assert (row.seed, row.run_id, row.status) == (None, first.identity, "done")
            sides = [
                [store.statistics(runs[name, seed, row.interferers].identity, family_of(metric)) for seed in (3, 4)]
                for name in ("small", "plain", "big")
            ]
            share = share_of_gap(*sides, metric.combine)
            expected = tuple(None if each != each else each for each in (share.value, share.low, share.high))
            assert (row.value, row.low, row.high, row.count) == (*expected, share.count)


def test_rows_of_several_seeds_say_what_their_sentences_have_in_common(tiny, several) -> None:
    scenario = tiny(*THREE)
    runs = {(run.build.name, run.build.seed, run.link.interferers): run for run in expand(scenario).runs}
    metrics = {metric.name: metric for metric in metrics_of(scenario.measure)}
    rows = read_csv(several / "results.csv")
    assert {row.common for row in rows if row.gap_to} == {None}

    with Store(several / "results.sqlite", reading=True) as store:

        def moved(codec: str, seed: int, row: Row) -> np.ndarray:
            metric, run = metrics[row.metric], runs[codec, seed, row.interferers]
            return influences(store.statistics(run.identity, family_of(metric)), metric.combine)

        for row in (row for row in rows if not row.gap_to):
            parts = np.stack([moved(row.codec, seed, row) for seed in (3, 4)])
            if row.against:
                parts = parts - np.stack([moved(row.against, seed, row) for seed in (3, 4)])
            expected = common_share(parts)
            assert row.common == (None if math.isnan(expected) else pytest.approx(expected))
    assert any(row.common is not None and row.common > 0 for row in rows)
    alone = rows_of(tiny(*THREE, "sweep.seed=[3]"), several)
    assert {row.common for row in alone} == {None}, "one seed cannot tell"


def test_which_gaps_there_are_can_be_said(tiny, several) -> None:
    def gaps(*changes: str) -> set[tuple[str, str, str]]:
        rows = rows_of(tiny(*THREE, *changes), several)
        return {(row.codec, row.against, row.gap_to) for row in rows if row.gap_to}

    assert gaps("measure.gap=[]") == set()
    assert gaps("measure.gap=[[plain, small, big]]") == {("plain", "small", "big")}
    twice = "measure.gap=[[small, plain, big], [plain, small, big]]"
    pairs = [(row.codec, row.against) for row in rows_of(tiny(*THREE, "measure.compare=[]", twice), several)]
    assert {("small", "plain"), ("plain", "small")} <= set(pairs), "a share comes with its difference"
    assert gaps("measure.compare=[[plain, small]]") == set(), "the first of a pair is the student"
    assert gaps("measure.compare=[[small, big]]") == set(), "a teacher is no control"
    assert gaps("sweep.codec=[plain, small]") == set(), "without its teacher there is no gap"


def test_a_share_that_lacks_a_part_is_skipped(tiny, several) -> None:
    rows = [row for row in rows_of(tiny(*THREE, "sweep.seed=[3, 4, 5]"), several) if row.gap_to]
    assert {(row.status, row.value, row.low, row.high) for row in rows} == {("skipped", None, None, None)}


def test_what_was_never_simulated_has_no_value(tiny, finished) -> None:
    rows = [row for row in rows_of(tiny("sweep.snr_db=[6, 9]"), finished) if row.snr_db == 9]
    assert {row.status for row in rows} == {"skipped"}
    assert all((row.value, row.low, row.high, row.count, row.measured_snr_db) == (None,) * 5 for row in rows)
    assert all(row.parameters for row in rows), "the codec is known, only the point is not"


def test_the_table_holds_no_wall_time_and_no_path(finished) -> None:
    text = (finished / "results.csv").read_text()
    head = next(csv.reader([text.splitlines()[0]]))
    assert head == list(COLUMNS)
    assert not {name for name in head if "second" in name or "time" in name or "path" in name}
    assert str(finished) not in text


# Published curves


def test_a_published_curve_stands_on_our_axis(tiny, finished) -> None:
    rows = [row for row in rows_of(tiny("overlay=[deepsc_code_awgn]"), finished) if row.role == "published"]
    curve = next(each for each in PUBLISHED if each.name == "deepsc_code_awgn")
    assert {row.metric for row in rows} == {"bleu_1", "bleu_4"}, "those that are measured and were published"
    for row in rows:
        label = row.snr_db - DEEPSC_OFFSET_DB
        assert row.value == curve.scores[row.metric][[round(each) for each in curve.snr_db].index(round(label))]
        assert (row.status, row.interferers, row.sir_db, row.symbols_per_word) == ("published", 0, float("inf"), 8.0)
        assert row.sinr_db == pytest.approx(row.snr_db)
        assert (row.low, row.high, row.seed, row.run_id, row.parameters) == (None, None, None, "", None)
        assert "+3 dB" in row.method
    assert [row.snr_db for row in rows if row.metric == "bleu_1"] == pytest.approx(
        [3.01 + 3 * n for n in range(7)], abs=1e-3
    )
    assert not [row for row in rows_of(tiny(), finished) if row.role == "published"]


# Physics in one cell


@pytest.mark.parametrize(
    ("variant", "cell"),
    [
        (NoFading(), "none"),
        (Rayleigh(), "rayleigh"),
        (Rician(k_factor_db=4.0), "rician(k_factor_db=4.0)"),
        (Rician(), "rician"),
        (Mmse(), "mmse"),
        (Neighbors(level_db=-6.0), "neighbors"),
        (Neighbors(fading=Rayleigh()), "neighbors(fading=rayleigh)"),
        (Qam(order=16, level_db=3.0), "qam(order=16)"),
        (Bursts(duty=0.5, fading=Rician(k_factor_db=1.0)), "bursts(duty=0.5, fading=rician(k_factor_db=1.0))"),
    ],
)
def test_a_variant_in_words(variant: object, cell: str) -> None:
    assert in_words(variant) == cell


def test_points_that_differ_in_options_differ_in_the_table(tiny, finished) -> None:
    scenario = tiny("sweep.interference=[{kind: qam}, {kind: qam, order: 16}]", "sweep.snr_db=6", "sweep.interferers=2")
    rows = [row for row in rows_of(scenario, finished) if not row.against]
    places = [
        tuple(getattr(row, name) for name in COLUMNS if name not in ("run_id", "measured_snr_db", "measured_sinr_db"))
        for row in rows
    ]
    assert len(set(places)) == len(rows) == 2 * 2 * 3


def test_a_pair_is_told_once_however_often_it_is_asked_for(tiny, finished) -> None:
    """The sweep's first codec is compared with every other; who asks for one of these pairs gets no second row."""
    told = rows_of(tiny(), finished)
    assert rows_of(tiny("measure.compare=[[big, small]]"), finished) == told


def test_a_role_is_that_of_today(tiny, finished) -> None:
    """Who taught when it was measured is a codec like any other where nobody learns from it."""
    untaught = ("codecs.small={size: tiny, symbols_per_token: 2}", "sweep.codec=[big]")
    rows = rows_of(tiny(*untaught), finished)
    assert {(row.codec, row.role, row.status) for row in rows} == {("big", "codec", "done")}


def test_every_row_says_how_its_codec_was_made_in_the_names_of_today(tiny_yaml, finished, tmp_path) -> None:
    """The store tells no names, so a folder from before these columns, or before a codec was renamed, gives them."""
    renamed = tmp_path / "renamed.yaml"
    renamed.write_text(tiny_yaml.read_text(encoding="utf-8").replace("big", "large"), encoding="utf-8")
    more = (
        "codecs.again={size: tiny, symbols_per_token: 2, start: small}",
        "codecs.under={size: tiny, adopt: {transmitter: large}}",
        "sweep.codec=[large, small, again, under]",
        "measure.gap=[[small, again, large]]",
    )
    rows = rows_of(load_scenario(renamed, more)[0], finished)
    assert {(row.kind, row.status) for row in rows if row.codec == "small"} == {
        ("value", "done"), ("difference", "skipped"), ("share", "skipped")
    }  # fmt: skip
    made = {(row.codec, *(getattr(row, name) for name in MAKING)) for row in rows}
    assert made == {
        ("large", "", "", "", "", "", "", None),
        ("small", "soft_logits+symbols", "large", "", "", "", "", None),
        ("again", "", "", "", "", "small", "", None),
        ("under", "", "", "transmitter", "large", "", "", None),
    }
    assert all(Making(**{name: getattr(row, name) for name in MAKING}).phrase == row.method for row in rows)
