"""What figures promise: they exist where the data hold them, tell their units and names, and invent no point."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection

from semcom.report import curves, gaps, sizes
from semcom.report.figures import ACROSS_LEVELS, FIGURES
from semcom.report.results import Condition
from semcom.report.sheet import EDGE, WIDTH
from semcom.report.tables import codec_table, difference_table
from semcom.report.wording import air_of

SMALL = {"snrs": (-6.0, 3.0, 12.0), "counts": (0, 2), "metrics": ("bleu_4",)}


def lines_of(axes):
    """What each line of a panel draws, by its legend text; the zero line has none."""
    return {str(line.get_label()): line for line in axes.lines if not str(line.get_label()).startswith("_")}


def words_in(figure):
    """All that is written around the panels, as one line; signs and spaces as they were typed."""
    text = " ".join(text.get_text() for text in figure.texts)
    return " ".join(text.split()).replace("\u2212", "-").replace("\u00a0", " ")


def legend_of(figure):
    return [" ".join(text.get_text().split()) for text in figure.legends[0].get_texts()]


def ladder(made):
    """Students and controls of three sizes each, and a rate of its own."""
    codecs = dict(made.codecs)
    for name, parameters, skill in (("small", 90_000, -3.0), ("middle", 190_000, -1.9)):
        about = {"parameters": parameters, "skill": skill}
        codecs[f"distilled_{name}"] = {"role": "student", "making": codecs["distilled"]["making"], **about}
        codecs[f"plain_{name}"] = {"role": "control", "making": codecs["plain"]["making"], **about}
    codecs["fast"] = {**codecs["distilled"], "skill": 0.3, "symbols_per_token": 8}
    codecs["slow"] = {**codecs["distilled"], "skill": -2.9, "symbols_per_token": 2}
    codecs["separate"] = {"role": "codec", "method": "source and channel code", "parameters": 0, "skill": -2.0}
    return codecs


def test_the_full_table_holds_every_figure_of_its_kind(made):
    part = made.part(made.sweep(**SMALL))
    drawn = {draw.__name__ for draw in FIGURES if draw(part) is not None}
    assert drawn == {
        "against_snr",
        "shortfall_against_snr",
        "against_interferers",
        "gap_to_teacher_against_snr",
        "gap_to_teacher_against_interferers",
        "gain_against_snr",
        "gain_against_interferers",
    }


def test_a_single_point_holds_no_figure(made):
    part = made.part(made.sweep(snrs=(0.0,), counts=(0,), metrics=("bleu_4",)))
    assert [draw(part) for draw in (*FIGURES, *ACROSS_LEVELS)] == [None] * (len(FIGURES) + len(ACROSS_LEVELS))


def test_failures_alone_hold_no_figure(made):
    gone = {"value": "", "low": "", "high": "", "status": "failed"}
    part = made.part([{**line, **gone} for line in made.sweep(**SMALL)])
    assert [draw(part) for draw in FIGURES] == [None] * len(FIGURES)


def test_sizes_and_rates_need_more_than_two(made):
    part = made.part(made.sweep(**SMALL, codecs=ladder(made), pairs=()))
    assert sizes.against_parameters(part) is not None
    assert sizes.against_symbols(part) is not None
    few = made.part(made.sweep(**SMALL))
    assert sizes.against_parameters(few) is None
    assert sizes.against_symbols(few) is None


def test_levels_need_two(made):
    lines = made.sweep(**SMALL) + made.sweep(**{**SMALL, "counts": (2,)}, level_db=0.0)
    (part,) = made.results(lines).parts(levels_apart=False)
    figure = curves.against_level(part)
    assert figure.get_supxlabel() == curves.LEVEL
    assert all(list(line.get_xdata()) == [-6.0, 0.0] for line in lines_of(figure.axes[0]).values())


def test_axes_carry_units_and_the_legend_carries_role_method_and_size(made):
    figure = curves.against_snr(made.part(made.sweep(**SMALL)))
    assert figure.get_supxlabel().startswith("SNR [dB] (wanted user's mean received power over noise power")
    assert figure.get_supylabel() == "BLEU-4 (corpus, 0 to 1)"
    assert "distilled (student, soft_logits+symbols, 0.38 M)" in legend_of(figure)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "no interferers",
        "2 interferers, SIR\u00a03\u00a0dB",
    ]
    assert figure.axes[0].get_ylim()[0] <= 0 and figure.axes[0].get_ylim()[1] >= 1


def test_the_caption_tells_what_a_reader_needs(made):
    said = words_in(curves.against_snr(made.part(made.sweep(**SMALL, seeds=(11, 12)))))
    for each in (
        "SNR is the wanted user's mean received power over the receiver's noise power, per complex symbol",
        "Fading: rayleigh, one gain per sentence",
        "receiver: mmse equalizer, perfect CSI, 1 antenna",
        "Interferers: neighbors, each -6 dB relative to the wanted user",
        "Complex symbols: 4 per token, 5.24 per word",
        "2000 sentences per point and seed; seeds: 11, 12",
        "interval of the mean over seeds, 95 % or more",
    ):
        assert each in said


def test_unequal_bandwidth_is_told_by_name(made):
    said = words_in(curves.against_snr(made.part(made.sweep(**SMALL, codecs=ladder(made), pairs=()))))
    assert "(fast 10.5, slow 2.62, the others 5.24)" in said


def test_one_seed_says_what_its_band_leaves_out(made):
    said = words_in(curves.against_snr(made.part(made.sweep(**SMALL))))
    assert "one seed, so the spread between trainings is not in it" in said


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_a_point_without_a_number_breaks_its_line_and_is_counted(made, status):
    figure = curves.against_snr(made.part(made.failed(made.sweep(**SMALL), "distilled", 3.0, 2, status)))
    line = next(line for name, line in lines_of(figure.axes[1]).items() if name.startswith("distilled"))
    assert list(np.isnan(line.get_ydata())) == [False, True, False]
    assert not any((value == 0).any() for value in (each.get_ydata() for each in lines_of(figure.axes[1]).values()))
    assert f"left as gaps: 1 {status}" in words_in(figure)


def test_published_curves_are_dashed_hollow_and_carry_their_note(made):
    figure = curves.against_snr(made.part(made.sweep(**SMALL) + made.published(("bleu_4",))))
    lines = lines_of(figure.axes[0])
    name = next(each for each in lines if each.startswith("reference"))
    assert lines[name].get_markerfacecolor() == "white"
    assert lines[name].is_dashed()
    assert len(figure.axes[0].collections) == len(lines) - 1, "a band for each of the others"
    assert "axis shifted +3 dB to our SNR, 8 symbols a word [equalizer zero_forcing]" in words_in(figure)
    assert "reference (published; see below)" in legend_of(figure)


def test_ticks_stand_where_our_points_are(made):
    """The published axis falls at 3.01 dB and its like, a hair beside ours."""
    figure = curves.against_snr(made.part(made.sweep(**SMALL) + made.published(("bleu_4",))))
    assert list(figure.axes[0].get_xticks()) == [-6.0, 3.0, 12.0]


def test_only_published_curves_are_dashed_and_hollow(made):
    figure = curves.against_snr(made.part(made.sweep(**SMALL, codecs=ladder(made), pairs=())))
    assert all(line.get_markerfacecolor() != "white" for line in lines_of(figure.axes[0]).values())


def test_a_codec_looks_the_same_in_every_figure(made):
    part = made.part(made.sweep(**SMALL))
    one = lines_of(curves.against_snr(part).axes[0])
    other = lines_of(curves.against_interferers(part).axes[0])
    gap = lines_of(gaps.gap_to_teacher_against_snr(part).axes[0])
    name = "distilled (student, soft_logits+symbols, 0.38 M)"
    assert one[name].get_color() == other[name].get_color() == gap[f"teacher minus {name}"].get_color()
    assert one[name].get_marker() == other[name].get_marker() == gap[f"teacher minus {name}"].get_marker()


def test_the_gap_is_teacher_minus_student_whatever_sign_the_table_has(made):
    pairs = (("distilled", "teacher"),)
    turned = (("teacher", "distilled"),)
    for chosen in (pairs, turned):
        figure = gaps.gap_to_teacher_against_snr(made.part(made.sweep(**SMALL, pairs=chosen)))
        (line,) = lines_of(figure.axes[0]).values()
        assert line.get_ydata()[1] > 0.02
        assert gaps.gain_against_snr(made.part(made.sweep(**SMALL, pairs=chosen))) is None
    assert "teacher minus student" in figure.get_supylabel()
    assert "Above zero the first of the two is better" in words_in(figure)


def test_an_error_rate_is_better_below_zero(made):
    part = made.part(made.sweep(**{**SMALL, "metrics": ("word_error_rate",)}))
    assert "Below zero the first of the two is better" in words_in(gaps.gap_to_teacher_against_snr(part))
    assert curves.shortfall_against_snr(part) is None


def test_accuracy_rests_on_messages_and_not_on_sentences(made):
    part = made.part(made.sweep(metrics=("accuracy",), counts=(0,)))
    figure = curves.against_snr(part)
    assert figure.get_supylabel() == "Accuracy (share of messages, 0 to 1)"
    assert "2000 messages per point and seed" in words_in(figure)
    assert "bootstrap interval over messages" in words_in(figure)
    assert "sentences" not in words_in(figure)


def test_the_gain_over_the_control_has_a_figure_and_a_zero_line(made):
    figure = gaps.gain_against_interferers(made.part(made.sweep(**SMALL)))
    assert list(lines_of(figure.axes[0])) == ["distilled (student, soft_logits+symbols, 0.38 M) minus plain"]
    assert any(set(line.get_ydata()) == {0.0} for line in figure.axes[0].lines)


def test_the_shortfall_is_one_minus_the_metric(made):
    part = made.part(made.sweep(**SMALL))
    plain, short = (lines_of(draw(part).axes[0]) for draw in (curves.against_snr, curves.shortfall_against_snr))
    for name, line in plain.items():
        assert short[name].get_ydata() == pytest.approx(1 - line.get_ydata())


def test_a_narrow_band_is_zoomed_and_the_caption_says_so(made):
    figure = curves.against_snr(made.part(made.sweep(**{**SMALL, "snrs": (9.0, 12.0), "counts": (0,)})))
    bottom = figure.axes[0].get_ylim()[0]
    assert bottom > 0.4
    assert f"The vertical axis starts at {bottom:g}" in words_in(figure)


def test_more_snrs_than_panels_are_counted(made):
    part = made.part(made.sweep(snrs=range(0, 18, 2), counts=(0, 1), metrics=("bleu_4",)))
    figure = curves.against_interferers(part)
    assert len(figure.axes) == 6
    assert "6 of 9 SNRs shown" in words_in(figure)


@pytest.mark.parametrize(
    ("draw", "snrs", "counts"),
    [
        (curves.against_snr, None, 6),
        (curves.against_interferers, 6, None),
        (sizes.against_parameters, 3, 2),
        (gaps.gap_to_teacher_against_snr, None, 6),
        (gaps.gain_against_interferers, 6, None),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_what_does_not_fit_the_panels_is_counted(made, draw, snrs, counts):
    codecs = ladder(made) if draw is sizes.against_parameters else made.codecs
    pairs = () if draw is sizes.against_parameters else (("teacher", "plain"), ("distilled", "plain"))
    table = made.sweep(snrs=range(0, 18, 2), counts=range(8), metrics=("bleu_4",), codecs=codecs, pairs=pairs)
    figure = draw(made.part(table))
    told = words_in(figure)
    for shown, all_of, what in ((snrs, 9, "SNRs"), (counts, 8, "numbers of interferers")):
        assert (f"of {all_of} {what} shown" in told) == (shown is not None)
        assert shown is None or f"{shown} of {all_of} {what} shown" in told


@pytest.mark.parametrize(
    ("value", "high", "perfect", "cut"),
    [(0.98, 0.995, False, True), (0.98, 0.985, False, False), (0.99, 0.99, False, False), (1.0, 1.0, True, True)],
    ids=["beyond", "within", "power of ten", "perfect"],
)
def test_what_ends_on_the_lower_edge_is_told_apart_from_a_perfect_score(made, value, high, perfect, cut):
    part = made.part(made.sweep(snrs=(0, 6), counts=(0,), metrics=("bleu_4",)))
    values = {0: (0.8, 0.75, 0.82), 6: (value, 0.97, high)}
    points = tuple(
        dataclasses.replace(point, **dict(zip(("value", "low", "high"), values[point.snr_db], strict=True)))
        for point in part.absolute
        if not point.system.is_published
    )
    figure = curves.shortfall_against_snr(dataclasses.replace(part, points=points))
    least = min(height for line in figure.axes[0].lines for height in line.get_ydata())
    assert (least == pytest.approx(figure.axes[0].get_ylim()[0])) == perfect
    told = words_in(figure)
    assert ("edge: a perfect score" in told) == perfect
    assert ("intervals that go below the lower edge end there" in told) == cut


def test_families_join_what_differs_in_size_alone(made):
    figure = sizes.against_parameters(made.part(made.sweep(**SMALL, codecs=ladder(made), pairs=())))
    lines = lines_of(figure.axes[0])
    name = "student, soft_logits+symbols: distilled_small 0.09 M, distilled_middle 0.19 M, distilled 0.38 M"
    assert lines[name].get_xdata() == pytest.approx([90e3, 190e3, 380e3], rel=sizes.APART)
    assert figure.axes[0].get_xscale() == "log"
    level = next(line for each, line in lines.items() if each.startswith("separate"))
    assert len(set(level.get_ydata())) == 1
    assert "SINR" in figure.axes[-1].get_title(loc="left")


def test_names_are_written_as_they_are(made):
    odd = {f"${name}_{{x}}$": about for name, about in made.codecs.items()}
    figure = curves.against_snr(made.part(made.sweep(**SMALL, codecs=odd, pairs=())))
    assert any(text.startswith("$teacher_{x}$") for text in legend_of(figure))
    assert all(not text.get_parse_math() for text in figure.legends[0].get_texts())


def everything(made):
    codecs = ladder(made)
    lines = made.sweep(**{**SMALL, "counts": (0, 1, 2, 4)}, codecs=codecs) + made.published(("bleu_4",))
    part = made.part(lines)
    return [figure for figure in (draw(part) for draw in FIGURES) if figure is not None]


def test_nothing_overlaps_and_nothing_leaves_the_sheet(made):
    """Of the texts around the panels, and of the panels with their titles and numbers, no two meet."""
    for figure in everything(made):
        figure.draw_without_rendering()
        renderer = figure._get_renderer()
        around = [*figure.texts, *figure.legends]
        boxes = [each.get_window_extent(renderer) for each in around]
        boxes += [axes.get_tightbbox(renderer) for axes in figure.axes]
        sheet = figure.bbox
        assert figure.get_figwidth() == WIDTH
        slack = EDGE / 2 * figure.dpi
        for index, box in enumerate(boxes):
            assert box.x0 >= sheet.x0 and box.y0 >= sheet.y0 and box.y1 <= sheet.y1 and box.x1 <= sheet.x1 + slack
            for other in boxes[index + 1 :]:
                wide = min(box.x1, other.x1) - max(box.x0, other.x0)
                tall = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert wide <= slack or tall <= slack, (figure.texts[0].get_text(), wide, tall)


def test_a_pair_that_stands_both_ways_round_is_drawn_and_tabled_once_as_the_scenario_has_it(made):
    codecs = {name: {**about, "role": "codec"} for name, about in made.codecs.items()}
    part = made.part(made.sweep(**SMALL, codecs=codecs, pairs=(("teacher", "plain"), ("plain", "teacher"))))
    figure = gaps.gain_against_snr(part)
    assert [text.split(" minus ")[1] for text in legend_of(figure)] == ["teacher"]
    assert [name for name in difference_table(part).header if "minus" in name] == ["plain minus teacher"]


def test_where_a_scenario_compares_codecs_the_first_minus_each_is_left_to_the_tables(made):
    codecs = {name: {**about, "role": "codec"} for name, about in made.codecs.items()}
    pairs = (("teacher", "plain"), ("teacher", "distilled"), ("distilled", "plain"))
    part = made.part(made.sweep(**SMALL, codecs=codecs, pairs=pairs))
    figure = gaps.gain_against_snr(part)
    assert len(legend_of(figure)) == 1 and legend_of(figure)[0].startswith("distilled")
    assert "in the table of differences alone" in words_in(figure)
    assert len([name for name in difference_table(part).header if "minus" in name]) == 3


def test_many_differences_stand_side_by_side_with_bars_and_looks_of_their_own(made):
    names = ("plain", "second", "third", "fourth")
    codecs = {**made.codecs, **dict.fromkeys(names[1:], made.codecs["plain"])}
    part = made.part(made.sweep(**SMALL, codecs=codecs, pairs=[("distilled", name) for name in names]))
    figure = gaps.gain_against_snr(part)
    lines = [line for axes in figure.axes for line in lines_of(axes).values()]
    assert len({tuple(line.get_xdata()) for line in lines}) == len(names)
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == len(names)
    assert not any(isinstance(each, FillBetweenPolyCollection) for axes in figure.axes for each in axes.collections)
    assert "side by side" in words_in(figure)


def test_differences_have_a_figure_against_the_level_of_interferers(made):
    rows = [row for level in (-9.0, -3.0) for row in made.sweep(**SMALL, level_db=level) if row["interferers"]]
    (part,) = made.results(rows).parts(levels_apart=False)
    figure = gaps.gain_against_level(part)
    (line,) = lines_of(figure.axes[0]).values()
    assert list(line.get_xdata()) == [-9.0, -3.0]
    assert gaps.gain_against_level(made.part(made.sweep(**SMALL))) is None


def test_what_a_receiver_knows_is_told_and_joined_to_nothing_else(made):
    """In legends, in captions, in the table of codecs; a line over sizes or rates joins receivers of one language."""
    codecs = {
        f"{name}_{rate}": {**made.codecs["plain"], "role": "codec", "symbols_per_token": rate}
        for name in ("alone", "reading")
        for rate in (2, 4, 8)
    }
    lines = made.sweep(**SMALL, codecs=codecs, pairs=())
    spoken = [{**row, "language": "counts" * str(row["codec"]).startswith("reading")} for row in lines]
    part = made.part(spoken)
    told = [text for text in legend_of(curves.against_snr(part)) if "language counts" in text]
    assert len(told) == 3 and all(text.startswith("reading") for text in told)
    assert "counted into their parameters: reading_2 (counts)" in words_in(curves.against_snr(part))
    assert [len(text.split(", ")) for text in legend_of(sizes.against_symbols(part))] == [4, 5]
    table = codec_table(part)
    assert [row[table.header.index("language")] for row in table.rows] == [""] * 3 + ["counts"] * 3
    assert "language" not in codec_table(made.part(lines)).header


@pytest.mark.parametrize(
    ("fading", "said"),
    [
        ("tdl(model=A)", "one channel per sentence"),
        ("cdl", "one channel per sentence"),
        ("rician", "one gain per sentence"),
    ],
)
def test_of_a_standard_channel_a_channel_lasts_and_not_a_gain(fading, said):
    assert air_of(Condition(fading=fading, coherence="sentence")) == f"Fading: {fading}, {said}"
