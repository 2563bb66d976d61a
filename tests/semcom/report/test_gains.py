"""The ablation in one picture: the marks are the table's numbers, the best student on top, nothing for nothing."""

from __future__ import annotations

import dataclasses

import pytest

from semcom.making import Making
from semcom.report.ablation import ablation_lines
from semcom.report.costs import read_costs
from semcom.report.gains import gains_of_students
from semcom.report.reading import read_rows, results_of

HINTS = Making(methods="relations", teachers="teacher", adopted="transmitter", donor="teacher")
SMALL = {"snrs": (0.0, 6.0), "counts": (0, 2), "metrics": ("bleu_4", "wer"), "seeds": (1, 2, 3)}


@pytest.fixture
def told(made):
    """Parts and lines of a teacher's two students, of which "hints" is the worse one, each over two controls."""
    hints = {"role": "student", "making": HINTS, "parameters": 900_000, "skill": -1.6}
    longer = {**made.codecs["plain"], "skill": -1.2}
    codecs = {**made.codecs, "hints": hints, "longer": longer}
    pairs = [("teacher", "plain"), *((name, other) for name in ("hints", "distilled") for other in ("plain", "longer"))]
    path = made.table(made.sweep(**SMALL, codecs=codecs, pairs=pairs))
    times = [f"{codec},{seed},100,{ms}" for codec, ms in (("plain", 10), ("distilled", 25)) for seed in (1, 2, 3)]
    path.with_name("costs.csv").write_text("\n".join(["codec,seed,steps,step_ms", *times]) + "\n")
    rows = read_rows(path)
    results = results_of(rows)
    return list(results.parts(levels_apart=False)), ablation_lines(rows, results, read_costs(path.parent))


def marks(figure):
    (axes,) = figure.axes
    return {line.get_label(): line for line in axes.lines if " minus " in str(line.get_label())}


def test_every_mark_is_a_gain_of_the_table_with_its_interval(told):
    parts, lines = told
    for part in parts:
        figure = gains_of_students(part, lines)
        found = marks(figure)
        here = [line for line in lines if line.metric == part.metric]
        assert len(found) == len(here) == 4
        bars = {tuple(line.get_xdata()) for line in figure.axes[0].lines if len(line.get_xdata()) == 2}
        for line in here:
            mark = found[f"{line.trial.student.codec} minus {line.trial.control.codec}"]
            assert mark.get_xdata()[0] == line.difference[0]
            assert line.difference[1:] in bars


def test_the_best_student_is_on_top_and_where_less_is_better_too(told):
    parts, lines = told
    for part in parts:
        figure = gains_of_students(part, lines)
        found = marks(figure)
        top, bottom = (found[f"{name} minus plain"].get_ydata()[0] for name in ("distilled", "hints"))
        assert top < bottom and figure.axes[0].yaxis_inverted()
        names = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
        assert names == ["distilled (soft_logits+symbols, 2.5\u00d7 time)", "hints (relations)"]


def test_all_intervals_and_nothing_at_all_are_in_sight_beside_the_names(told):
    parts, every = told
    # The best student alone leaves zero outside all intervals.
    lines = [line for line in every if line.trial.student.codec == "distilled" and line.trial.control.codec == "plain"]
    for part in parts:
        axes = gains_of_students(part, lines).axes[0]
        ends = [end for line in lines if line.metric == part.metric for end in line.difference]
        left, right = axes.get_xlim()
        names = left + 0.3 * (right - left)
        assert names < min(0.0, *ends) and max(0.0, *ends) < right
        assert all(min(0.0, *ends) - 0.01 <= tick <= right for tick in axes.get_xticks())


def test_what_an_ablation_does_not_hold_is_not_drawn(told):
    parts, lines = told
    assert gains_of_students(parts[0], [line for line in lines if line.metric != parts[0].metric]) is None
    assert gains_of_students(parts[0], []) is None


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (lambda spot: True, "4 operating points (SNRs and numbers of interferers), then"),
        (lambda spot: spot.interferers == 2, "2 operating points (SNRs), then"),
        (lambda spot: spot.snr_db == 6, "2 operating points (numbers of interferers), then"),
        (lambda spot: spot.snr_db == 6 and spot.interferers == 2, "1 operating point, then"),
    ],
)
def test_the_caption_says_in_what_the_averaged_points_differ(told, keep, said):
    parts, every = told
    lines = [dataclasses.replace(line, spots=tuple(filter(keep, line.spots))) for line in every]
    figure = gains_of_students(parts[0], lines)
    assert said in " ".join(text.get_text().replace("\n", " ") for text in figure.texts)


def test_levels_of_interferers_are_among_what_points_differ_in(told):
    parts, every = told
    louder = [every[0].spots[-1]._replace(level=(level,)) for level in (-6.0, 3.0)]
    lines = [dataclasses.replace(line, spots=(*line.spots, *louder)) for line in every]
    figure = gains_of_students(parts[0], lines)
    told_of = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert "(SNRs, numbers of interferers and levels of interferers), then" in told_of
