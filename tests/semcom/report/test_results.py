"""What cutting promises: one metric under one condition in a part, nothing mixed, nothing lost."""

from __future__ import annotations

import pytest

from semcom.report.results import evenly


def tiny(made, **settings):
    return made.sweep(**{"snrs": (0.0, 6.0), "counts": (0, 2), "metrics": ("bleu_4",), "pairs": ()} | settings)


def test_a_part_holds_one_metric(made):
    parts = made.results(tiny(made, metrics=("bleu_1", "similarity"))).parts()
    assert [part.metric for part in parts] == ["bleu_1", "similarity"]
    assert {part.distinction for part in parts} == {()}


def test_conditions_are_never_mixed(made):
    lines = tiny(made) + [{**line, "fading": "none"} for line in tiny(made)]
    parts = made.results(lines).parts()
    assert [part.condition.fading for part in parts] == ["rayleigh", "none"]
    assert [part.distinction for part in parts] == [("fading rayleigh",), ("fading none",)]
    assert all({point.condition.fading for point in part.points} == {part.condition.fading} for part in parts)


@pytest.mark.parametrize("column", ["coherence", "equalizer", "csi", "antennas", "interference"])
def test_every_standing_condition_parts_the_table(made, column):
    other = 4 if column == "antennas" else "other"
    assert len(made.results(tiny(made) + [{**line, column: other} for line in tiny(made)]).parts()) == 2


def test_levels_are_parted_and_nobody_belongs_to_all_of_them(made):
    quiet = tiny(made, counts=(0,))
    lines = quiet + tiny(made, counts=(2,), level_db=-6.0) + tiny(made, counts=(2,), level_db=0.0)
    results = made.results(lines)
    low, high = results.parts()
    assert (low.levels, high.levels) == (((-6.0,),), ((0.0,),))
    for part in (low, high):
        assert {point.interferers for point in part.points} == {0, 2}
    (whole,) = results.parts(levels_apart=False)
    assert whole.levels == ((-6.0,), (0.0,))


def test_a_list_of_levels_that_begins_a_longer_one_is_the_same_crowd(made):
    one = [{**line, "level_db": "-6"} for line in tiny(made, counts=(1,))]
    two = [{**line, "level_db": "-6;-3"} for line in tiny(made, counts=(2,))]
    (part,) = made.results(one + two).parts()
    assert part.levels == ((-6.0, -3.0),)
    assert {point.interferers for point in part.points} == {1, 2}


def test_without_interferers_their_kind_does_not_matter(made):
    lines = tiny(made, counts=(0,)) + tiny(made, counts=(2,))
    other = [{**line, "interference": "gaussian"} for line in tiny(made, counts=(2,))]
    assert {line["interference"] for line in lines} == {"none", "neighbors"}
    parts = made.results(lines + other).parts()
    assert [part.condition.interference for part in parts] == ["neighbors", "gaussian"]
    assert all({point.interferers for point in part.points} == {0, 2} for part in parts)


def test_published_points_lie_where_they_do_not_contradict(made):
    lines = tiny(made) + [{**line, "fading": "none"} for line in tiny(made)] + made.published(("bleu_4",))
    rayleigh, none = made.results(lines).parts()
    assert any(point.system.is_published for point in rayleigh.points)
    assert not any(point.system.is_published for point in none.points)


def test_evenly_keeps_the_ends():
    assert evenly([3, 1, 2], 6) == (1, 2, 3)
    assert evenly(range(19), 4) == (0, 6, 12, 18)


def test_a_mixed_part_has_no_single_metric(made):
    with pytest.raises(ValueError, match=r"one metric, got bleu_1, bleu_4; take one of parts"):
        _ = made.results(tiny(made, metrics=("bleu_1", "bleu_4"))).metric
