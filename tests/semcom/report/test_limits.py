"""Thresholds between points and never beyond, their intervals, the table of distances, and lines beside curves."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import beta

from semcom.mistakes import UserMistake
from semcom.report.curves import against_snr
from semcom.report.limits import distances_of, limit_table
from semcom.report.results import Condition, Point, Results, System
from semcom.report.thresholds import threshold
from semcom.store.limits import Limit, read_limits, write_limits

CODEC = System("plain", "codec", symbols_per_token=4.0)
AIR = Condition(task="text", fading="none", coherence="sentence", interference="none", antennas=1)
FIRST, STEP = -1.0, 0.4  # a true curve: Phi((snr_db - FIRST) * STEP)
LIMIT = Limit(
    codec="plain",
    language="counts",
    seed=1,
    symbols_per_token=4.0,
    bits_per_token=4.8,
    fading="none",
    coherence="sentence",
    interference="none",
    whole=0.9,
    limit_snr_db=-2.5,
)


def point(snr_db: float, value: float, low: float = math.nan, high: float = math.nan, **more: object) -> Point:
    about = {"system": CODEC, "condition": AIR, "metric": "exact_match", "interferers": 0, "count": 600, "seeds": (1,)}
    return Point(**{**about, "snr_db": snr_db, "value": value, "low": low, "high": high, **more})


def curve(*values: float, width: float = 0.03) -> list[Point]:
    snrs = range(-3, 3 * len(values) - 3, 3)
    return [point(s, v, max(0.0, v - width), min(1.0, v + width)) for s, v in zip(snrs, values, strict=True)]


def test_a_curve_that_is_straight_on_the_probit_scale_is_met_exactly() -> None:
    points = [point(snr_db, float(ndtr((snr_db - FIRST) * STEP))) for snr_db in (-3.0, 0.0, 3.0, 6.0)]
    for share in (0.3, 0.5, 0.9):
        found = threshold(points, share)
        assert float(ndtr((found.snr_db - FIRST) * STEP)) == pytest.approx(share)
        assert math.isnan(found.low)


def test_nothing_is_told_beyond_the_sweep() -> None:
    points = curve(0.1, 0.4, 0.8)
    assert threshold(points, 0.9).told == "not reached at 3"
    assert threshold(points, 0.05).told == "below -3"
    # The interval of the last point ends above the share, that of the first below it.
    assert threshold(curve(0.48, 0.6, 0.7, width=0.05), 0.5).told.endswith("[below -3, -1.2]")
    assert threshold(curve(0.1, 0.6, 0.7, width=0.25), 0.65).told.endswith(", above 3]")
    assert threshold([], 0.5) is None


def test_a_point_without_a_number_is_not_bridged() -> None:
    points = curve(0.1, 0.4, 0.8)
    missing = [points[0], dataclasses.replace(points[1], value=math.nan), points[2]]
    assert threshold(missing, 0.5).told == "not measured"
    assert threshold(missing[:2], 0.5).told == "not measured"


def test_where_every_sentence_arrives_half_a_sentence_stands_for_none() -> None:
    found = threshold([point(0.0, 0.5, 0.45, 0.55), point(3.0, 1.0, 0.99, 1.0)], 0.9)
    assert 0 < found.low < found.snr_db < found.high < 3


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """With each point's own interval at 95 %, Clopper and Pearson's, the threshold's holds it as often or more."""
    generator, count, trials, held = np.random.default_rng(3), 400, 400, 0
    truth = FIRST + 1.2815515655 / STEP  # of 90 %
    snrs = (-4.5, -1.5, 1.5, 4.5)
    for _ in range(trials):
        right = generator.binomial(count, [float(ndtr((snr_db - FIRST) * STEP)) for snr_db in snrs])
        lows = np.nan_to_num(beta.ppf(0.025, right, count - right + 1), nan=0.0)
        highs = np.nan_to_num(beta.ppf(0.975, right + 1, count - right), nan=1.0)
        made = [
            point(s, k / count, low, high) for s, k, low, high in zip(snrs, right.tolist(), lows, highs, strict=True)
        ]
        found = threshold(made, 0.9)
        held += found.low <= truth <= found.high
    # Five standard errors below 95 %, and not so wide that they say nothing.
    assert held / trials > 0.95 - 5 * math.sqrt(0.95 * 0.05 / trials)


def results(points: list[Point], *limits: Limit) -> Results:
    return Results(points=tuple(points), systems=(CODEC,), limits=limits)


def test_distances_are_from_the_limit_of_the_same_air_and_share() -> None:
    other = dataclasses.replace(LIMIT, fading="rayleigh", limit_snr_db=30.0)
    half = dataclasses.replace(LIMIT, whole=0.5, limit_snr_db=-4.0)
    points = curve(0.1, 0.6, 0.95)
    found = distances_of(results(points), [LIMIT, other, half])
    assert [each.told.whole for each in found] == [0.9, 0.5]
    assert found[0].away[0] == pytest.approx(threshold(points, 0.9).snr_db + 2.5)
    assert found[0].away[1] < found[0].away[0] < found[0].away[2]
    table = limit_table(found)
    assert table.rows[0][-2] == "-2.5"
    assert table.rows[0][-1].startswith(f"{found[0].away[0]:.1f} [")


def test_seeds_share_a_limit_that_is_their_mean_and_reasons_are_told() -> None:
    second = dataclasses.replace(LIMIT, seed=2, limit_snr_db=-1.5)
    (mean,) = distances_of(results(curve(0.1, 0.95)), [LIMIT, second])
    assert mean.limit == pytest.approx(-2.0)
    (none,) = distances_of(results(curve(0.1, 0.95)), [dataclasses.replace(LIMIT, limit_snr_db=None, why="a tone")])
    assert (none.limit_words, none.words) == ("none", "")
    assert "No limit: a tone." in limit_table([none]).caption
    (never,) = distances_of(results(curve(0.1, 0.2)), [dataclasses.replace(LIMIT, limit_snr_db=math.inf)])
    assert (never.limit_words, never.words) == ("interference forbids it", "")
    (short,) = distances_of(results(curve(0.1, 0.2)), [LIMIT])
    assert short.words == "over 2.5"


def test_lines_are_drawn_beside_whole_sentences_alone_and_on_request() -> None:
    lines = [dataclasses.replace(LIMIT, whole=w, limit_snr_db=s, use="line") for w, s in ((0.1, -2.0), (0.9, 1.0))]
    points = curve(0.1, 0.6, 0.95)
    names = [str(line.get_label()) for line in against_snr(results(points, *lines)).axes[0].lines]
    plain = [str(line.get_label()) for line in against_snr(results(points, LIMIT)).axes[0].lines]
    assert len(names) == len(plain) + 1
    drawn = against_snr(results(points, *lines))
    x, y = (np.asarray(each, dtype=float) for each in drawn.axes[0].lines[0].get_data())
    assert np.nanmin(y) == pytest.approx(0.1, abs=0.02)
    assert x[np.isfinite(y)].max() <= 1.0
    assert "what any code could deliver" in " ".join(" ".join(text.get_text() for text in drawn.texts).split())
    bleu = [dataclasses.replace(each, metric="bleu_1") for each in points]
    assert len(against_snr(results(bleu, *lines)).axes[0].lines) == len(plain)


def test_a_table_is_read_as_it_was_written_and_anything_else_refused(tmp_path) -> None:
    path = tmp_path / "limits.csv"
    every = [LIMIT, dataclasses.replace(LIMIT, limit_snr_db=math.inf), dataclasses.replace(LIMIT, limit_snr_db=None)]
    write_limits(every, path)
    assert read_limits(path) == every
    path.write_text(path.read_text().replace("0.9", "1.9"))
    with pytest.raises(UserMistake, match=r"limits.csv:2: whole must be between 0 and 1"):
        read_limits(path)
    path.write_text("codec,whole\nplain,0.5\n")
    with pytest.raises(UserMistake, match="got none named language"):
        read_limits(path)
    assert read_limits(tmp_path / "none.csv") == []
