"""What the ablation promises: students of one teacher in a row each, means and intervals that can be done by hand."""

from __future__ import annotations

import csv
import io
import math

import pytest
from rich.console import Console
from scipy import stats

from semcom.making import Making
from semcom.report.ablation import ablation_of
from semcom.report.averaging import ratio_interval
from semcom.report.drawing import report
from semcom.report.summary import ablation_summary
from semcom.report.tables import to_csv, to_latex, to_markdown

HINTS = Making(methods="relations", teachers="teacher", adopted="transmitter", donor="teacher")
SMALL = {"snrs": (0.0, 6.0), "counts": (0, 2), "metrics": ("bleu_4",), "seeds": (1, 2, 3)}


def students(made, **changes):
    """Two students that share teacher and control, the second with one side adopted."""
    second = {"role": "student", "making": HINTS, "parameters": 900_000, "skill": -1.6}
    codecs = {**made.codecs, "hints": second}
    pairs = (("teacher", "plain"), ("distilled", "plain"), ("hints", "plain"))
    lines = made.sweep(**{**SMALL, **changes}, codecs=codecs, pairs=pairs)
    return lines + made.shared(lines) + made.shared(lines, student="hints")


def full(table):
    return list(csv.DictReader(io.StringIO(to_csv(table))))


def seed_means(lines, codec):
    """One number a seed: the mean over all points."""
    values = {}
    for row in lines:
        if row["codec"] == codec and not row["against"]:
            values.setdefault(row["seed"], []).append(row["value"])
    return [sum(each) / len(each) for each in values.values()]


def test_a_row_per_student_with_what_was_done(made):
    table = ablation_of(made.table(students(made)))
    assert table.header == ("metric", "student", "method", "compressed", "control", "gain", "share of the gap")
    assert [row[1:5] for row in table.rows] == [
        ("distilled", "soft_logits+symbols", "both sides, 0.38 M of 1.42 M", "plain"),
        ("hints", "relations", "receiver, 0.90 M of 1.42 M", "plain"),
    ]
    assert "mean over 4 operating points (SNR 0 to 6 dB, 0 to 2 interferers), mean over 3 seeds" in table.caption
    assert "SNR is the wanted user's mean received power" in table.caption


def test_gain_and_share_are_those_of_seed_means(made):
    lines = students(made)
    row = full(ablation_of(made.table(lines)))[0]
    student, control, teacher = (seed_means(lines, codec) for codec in ("distilled", "plain", "teacher"))
    gains = [one - other for one, other in zip(student, control, strict=True)]
    gaps = [one - other for one, other in zip(teacher, control, strict=True)]
    assert float(row["difference"]) == pytest.approx(sum(gains) / 3)
    assert float(row["share"]) == pytest.approx(sum(gains) / sum(gaps))
    # Every paired interval reaches 0.006 to either side, and so does their mean.
    spread = stats.t.ppf(0.975, 2) * stats.tstd(gains) / math.sqrt(3)
    half = math.hypot(0.006, spread)
    ends = (float(row["difference_low"]), float(row["difference_high"]))
    assert ends == pytest.approx((sum(gains) / 3 - half, sum(gains) / 3 + half))
    assert (float(row["share_low"]), float(row["share_high"])) == pytest.approx(
        ratio_interval(gains, gaps, luck=0.006)[1:]
    )
    assert (row["points"], row["snr_db"], row["interferers"], row["seeds"]) == ("4", "0 to 6", "0 to 2", "1;2;3")


def test_points_that_somebody_missed_count_for_nobody(made):
    lines = made.failed(students(made), "hints", 6.0, 2)
    rows = full(ablation_of(made.table(lines)))
    assert [(row["student"], row["points"]) for row in rows] == [("distilled", "4"), ("hints", "3")]


def test_one_seed_has_the_interval_of_its_sentences_and_no_interval_of_its_share(made):
    table = ablation_of(made.table(students(made, seeds=(1,))))
    row = full(table)[0]
    value = float(row["difference"])
    assert (float(row["difference_low"]), float(row["difference_high"])) == pytest.approx(
        (value - 0.006, value + 0.006)
    )
    assert row["share"] and (row["share_low"], row["share_high"]) == ("", "")
    assert "one seed" in table.caption and "Fieller" not in table.caption


def test_without_paired_rows_there_is_no_interval_at_all(made):
    unpaired = [row for row in students(made) if row["gap_to"] or row["against"] != "plain"]
    row = full(ablation_of(made.table(unpaired)))[0]
    assert row["difference"] and (row["difference_low"], row["difference_high"]) == ("", "")
    assert row["share"] and (row["share_low"], row["share_high"]) == ("", "")


def test_training_time_is_a_multiple_of_the_controls(made):
    path = made.table(students(made))
    costs = [f"{codec},{seed},100,{ms}" for codec, ms in (("plain", 10), ("distilled", 25)) for seed in (1, 2, 3)]
    path.with_name("costs.csv").write_text("\n".join(["codec,seed,steps,step_ms", *costs]) + "\n")
    table = ablation_of(path)
    assert table.header[-1] == "training time"
    assert [row[-1] for row in table.rows] == ["2.50", ""]
    assert "Training time: as a multiple of the control's." in table.caption


def test_one_student_is_no_ablation(made):
    lines = made.sweep(**SMALL)
    path = made.table(lines + made.shared(lines))
    assert ablation_of(path) is None
    assert ablation_summary(path) is None


def test_a_table_of_before_the_shares_has_its_ablation_too(made):
    path = made.table([row for row in students(made) if not row["gap_to"]])
    assert len(ablation_of(path).rows) == 2


def test_where_the_teacher_is_behind_there_is_no_gap(made):
    lines = [{**row, "metric": "word_error_rate"} for row in students(made)]
    table = ablation_of(made.table(lines))
    assert {row[-1] for row in table.rows} == {"no gap"}
    assert "No gap: the teacher's mean is not ahead of the control's." in table.caption


def test_it_is_written_printed_and_taken_away(made, tmp_path, monkeypatch):
    monkeypatch.setattr("semcom.report.drawing.save", lambda figure, path: [])
    path = made.table(students(made))
    report(path, tmp_path)
    written = {file.name for file in (tmp_path / "tables").iterdir()}
    assert {"ablation.md", "ablation.tex", "ablation.csv", "bleu_4__shares.md"} <= written
    table = ablation_of(path)
    assert (tmp_path / "tables" / "ablation.md").read_text() == to_markdown(table)
    assert r"soft\_logits" in to_latex(table)
    console = Console(width=160, file=io.StringIO())
    console.print(ablation_summary(path))
    assert table.rows[0][5] in console.file.getvalue()
    report(made.table(made.sweep(**SMALL)), tmp_path)
    assert not list((tmp_path / "tables").glob("ablation.*"))


# Fieller's interval of a ratio


def test_a_ratio_over_a_certain_bottom_is_a_t_interval():
    tops, bottoms = [0.2, 0.3, 0.4], [2.0, 2.0, 2.0]
    half = stats.t.ppf(0.975, 2) * stats.sem(tops) / 2
    assert ratio_interval(tops, bottoms) == pytest.approx((0.15, 0.15 - half, 0.15 + half))


def test_the_ends_are_where_t_tells_the_two_sides_apart():
    tops, bottoms = [0.21, 0.35, 0.42, 0.30], [0.9, 1.2, 1.1, 1.3]
    _, low, high = ratio_interval(tops, bottoms)
    for end in (low, high):
        left = [top - end * bottom for top, bottom in zip(tops, bottoms, strict=True)]
        assert stats.ttest_1samp(left, 0.0).pvalue == pytest.approx(0.05)


def test_a_share_may_be_nothing_where_the_gain_may():
    """The luck of the sentences is in both: an end of the one at zero is an end of the other."""
    tops, bottoms = [0.2, 0.3, 0.4], [2.0, 2.1, 1.8]
    just = math.sqrt(0.3**2 - stats.t.ppf(0.975, 2) ** 2 * stats.sem(tops) ** 2)
    assert ratio_interval(tops, bottoms, luck=just)[1] == pytest.approx(0.0, abs=1e-12)
    assert ratio_interval(tops, bottoms, luck=0.9 * just)[1] > 0 > ratio_interval(tops, bottoms, luck=1.1 * just)[1]


@pytest.mark.parametrize(
    ("bottoms", "bounded"), [([1.0, 1.1, 0.9], True), ([1.0, 2.0, 0.1], False), ([-1, -1.1, -1.2], True)]
)
def test_a_bottom_that_may_be_zero_bounds_nothing(bottoms, bounded):
    value, low, high = ratio_interval([0.3, 0.4, 0.2], bottoms)
    assert (stats.ttest_1samp(bottoms, 0.0).pvalue < 0.05) == bounded
    assert math.isfinite(value) and math.isfinite(low) == math.isfinite(high) == bounded
    assert low <= value <= high


def test_no_bottom_no_ratio():
    assert all(map(math.isnan, ratio_interval([1.0, 2.0], [1.0, -1.0])))
    value, low, high = ratio_interval([1.0], [4.0])
    assert value == 0.25 and math.isnan(low) and math.isnan(high)


def test_seeds_that_the_teacher_lacks_count_for_nobody(made):
    lines = [row for row in students(made) if (row["codec"], row["seed"]) != ("teacher", 3)]
    rows = full(ablation_of(made.table(lines)))
    assert [(row["student"], row["points"], row["seeds"]) for row in rows] == [
        ("distilled", "4", "1;2"), ("hints", "4", "1;2"),
    ]  # fmt: skip


def test_intervals_of_unequal_length_count_by_their_mean_over_points(made):
    """Upwards 0.018 at two of four points and 0.006 at the others, 0.012 on average; downwards 0.006 everywhere."""
    lines = students(made)
    for row in lines:
        if (row["codec"], row["against"], row["gap_to"], row["snr_db"]) == ("distilled", "plain", "", 6.0):
            row["high"] = row["value"] + 0.018
    row = full(ablation_of(made.table(lines)))[0]
    student, control = (seed_means(lines, codec) for codec in ("distilled", "plain"))
    gains = [one - other for one, other in zip(student, control, strict=True)]
    spread = stats.t.ppf(0.975, 2) * stats.tstd(gains) / math.sqrt(3)
    value, low, high = (float(row[name]) for name in ("difference", "difference_low", "difference_high"))
    assert (value - low, high - value) == pytest.approx((math.hypot(0.006, spread), math.hypot(0.012, spread)))
