"""expand: the product of the axes, nothing twice, origins before what is made from them, and who plays which part."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import Bursts, Link, Mmse, Neighbors, NoFading, NoisyCsi, PerfectCsi, Qam, Rayleigh, ZeroForcing
from semcom.mistakes import UserMistake
from semcom.scenario.checks import check_sense
from semcom.scenario.expand import expand, operating_points
from semcom.scenario.load import load_scenario
from semcom.scenario.plans import LinkPlan
from semcom.scenario.scenario import Scenario
from semcom.scenario.sweep import SweepPlan

SOFT_LOGITS = "codecs.small.distill.methods=[{kind: soft_logits}]"  # which a receiver alone can learn from too


@pytest.fixture
def tiny(tiny_yaml):
    """Hand out `tiny("seed=4")`: the tiny scenario with changes."""
    return lambda *changes: load_scenario(tiny_yaml, changes)[0]


def points_of(sweep: SweepPlan, link: LinkPlan | None = None) -> list[Link]:
    scenario = Scenario(
        name="one", question="?", codecs={"one": {"kind": "semantic"}}, sweep=sweep, link=link or LinkPlan()
    )
    check_sense(scenario)
    return list(operating_points(scenario))


def several(*choices: object) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.sampled_from(choices), min_size=1, max_size=3, unique=True).map(tuple)


sweeps = st.builds(
    SweepPlan,
    codec=st.just(("one",)),
    fading=st.none() | several(NoFading(), Rayleigh()),
    interference=st.none() | several(Neighbors(), Qam(), Qam(order=16), Bursts()),
    csi=st.none() | several(PerfectCsi(), NoisyCsi(), NoisyCsi(pilots=16)),
    equalizer=st.none() | several(Mmse(), ZeroForcing()),
    antennas=st.none() | several(1, 2),
    level_db=st.none() | several(-6.0, 0.0, 3.0),
    interferers=several(0, 1, 2, 4),
    snr_db=several(-3.0, 0.0, 6.0, 12.0),
).filter(lambda sweep: any(sweep.interferers) or (sweep.level_db is None and sweep.interference is None))


@given(sweeps)
def test_points_are_the_product_of_the_axes(sweep: SweepPlan) -> None:
    points = points_of(sweep)
    assert len(set(points)) == len(points), "nothing twice"
    receivers = len(sweep.csi or [0]) * len(sweep.equalizer or [0]) * len(sweep.antennas or [0])
    everywhere = len(sweep.fading or [0]) * receivers * len(sweep.snr_db)
    loudness = len(sweep.interference or [0]) * len(sweep.level_db or [0])
    crowds = [count for count in sweep.interferers if count]
    # Without interferers there is nobody of any kind or level.
    assert len(points) == everywhere * (loudness * len(crowds) + (0 in sweep.interferers))


@given(sweeps)
def test_every_point_is_as_the_axes_say(sweep: SweepPlan) -> None:
    for point in points_of(sweep):
        assert point.snr_db in sweep.snr_db
        assert point.interferers in sweep.interferers
        assert point.fading in (sweep.fading or (NoFading(),))
        assert point.csi in (sweep.csi or (PerfectCsi(),))
        assert point.equalizer in (sweep.equalizer or (Mmse(),))
        assert point.antennas in (sweep.antennas or (1,))
        if point.interferers:
            assert point.interference.level_db in (sweep.level_db or (0.0,))
            kinds = sweep.interference or (Neighbors(),)
            assert replace(point.interference, level_db=0.0) in kinds
        else:
            assert point.interference == Neighbors()


@pytest.mark.parametrize("axis", [{"level_db": (-6, 0)}, {"interference": (Qam(), Bursts())}], ids=str)
def test_levels_and_kinds_of_nobody_are_refused(axis: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"sweep\.\w+ must have interferers to be of, got none"):
        points_of(SweepPlan(codec=("one",), **axis))


def test_snr_runs_fastest_and_interferers_next() -> None:
    points = points_of(SweepPlan(codec=("one",), snr_db=(0, 6), interferers=(2, 0), level_db=(-6, 0)))
    found = [(point.interference.level_db, point.interferers, point.snr_db) for point in points]
    loud, alone, quiet = (
        list(itertools.product(*axes))
        for axes in (
            ((-6.0,), (2,), (0.0, 6.0)),
            ((0.0,), (0,), (0.0, 6.0)),
            ((0.0,), (2,), (0.0, 6.0)),
        )
    )
    assert found == [*loud, *alone, *quiet]


def test_what_is_not_swept_stands_as_the_link_says() -> None:
    link = LinkPlan.model_validate(
        {
            "fading": {"kind": "rayleigh"},
            "coherence": {"kind": "block", "length": 8},
            "interference": {"kind": "tone", "level_db": -3},
            "csi": {"kind": "none"},
            "antennas": 3,
        }
    )
    point = points_of(SweepPlan(codec=("one",), interferers=1), link)[0]
    assert (point.fading, point.coherence, point.csi, point.antennas) == (link.fading, link.coherence, link.csi, 3)
    assert point.interference == link.interference


def test_too_many_points_are_refused_before_any_is_made(tiny) -> None:
    with pytest.raises(UserMistake, match="sweep: must hold at most 100000 points a codec, got 1002001; take larger"):
        expand(
            tiny(
                "sweep.interferers={start: 0, stop: 1000, step: 1}",
                "sweep.snr_db={start: 0, stop: 10, step: 0.01}",
                "measure.sentences=2000",
            )
        )


# Builds and runs


def test_every_codec_meets_every_point_with_every_seed(tiny) -> None:
    sweep = expand(tiny("sweep.seed=[5, 6, 7]"))
    assert len(sweep.runs) == 2 * 3 * 6
    assert len({run.identity for run in sweep.runs}) == len(sweep.runs)
    assert [(build.name, build.seed) for build in sweep.builds] == [
        (name, seed) for seed in (5, 6, 7) for name in ("big", "small")
    ]
    assert {run.build for run in sweep.runs} == set(sweep.builds)


def test_the_scenario_s_seed_is_the_one_unless_seeds_are_swept(tiny) -> None:
    assert {build.seed for build in expand(tiny("seed=9")).builds} == {9}
    assert {build.seed for build in expand(tiny("seed=9", "sweep.seed=[1]")).builds} == {1}
    assert expand(tiny("sweep.seed=[9]")).builds == expand(tiny("seed=9")).builds


def test_origins_come_first_and_once(tiny) -> None:
    sweep = expand(
        tiny(
            "codecs.last={size: tiny, symbols_per_token: 2, start: small}",
            "codecs.last.distill={teacher: big, methods: [{kind: soft_logits}]}",
            "sweep.codec=[last, small, plain]",
            "sweep.seed=[1, 2]",
        )
    )
    assert len({build.identity for build in sweep.builds}) == len(sweep.builds) == 2 * 4
    for number, build in enumerate(sweep.builds):
        assert set(build.needs) <= {each.identity for each in sweep.builds[:number]}
        assert all(each.seed == build.seed for each in sweep.builds if each.identity in build.needs)
    named = {(build.name, build.seed): build for build in sweep.builds}
    last = named["last", 2]
    assert last.start == named["small", 2].identity
    assert last.lesson is not None
    assert last.lesson.teacher == named["big", 2].identity
    assert "big" not in {run.build.name for run in sweep.runs}, "a teacher may stay out of the sweep"


def test_nothing_is_built_that_nobody_asked_for(tiny) -> None:
    assert [build.name for build in expand(tiny("sweep.codec=[plain]")).builds] == ["plain"]


def test_codecs_made_alike_are_built_once_and_keep_their_names(tiny) -> None:
    sweep = expand(tiny("codecs.twin={size: tiny, symbols_per_token: 2}", "sweep.codec=[plain, twin]"))
    assert len(sweep.builds) == 1
    assert [run.build.name for run in sweep.runs] == ["plain"] * 6 + ["twin"] * 6
    assert len({run.identity for run in sweep.runs}) == 6


@pytest.mark.parametrize(
    ("changes", "roles"),
    [
        ((), {"big": "teacher", "small": "student", "plain": "control"}),
        (("codecs.plain.symbols_per_token=3",), {"big": "teacher", "small": "student", "plain": "codec"}),
        # A chain: who learned and now teaches is a student all the same.
        (
            ("codecs.plain.distill={teacher: small, methods: [{kind: symbols}]}",),
            {"big": "teacher", "small": "student", "plain": "student"},
        ),
        # A control has what its student has, the adopted side included.
        (
            ("codecs.plain.adopt={transmitter: big}",),
            {"big": "teacher", "small": "student", "plain": "codec"},
        ),
        (
            ("codecs.plain.adopt={transmitter: big}", "codecs.small.adopt={transmitter: big}", SOFT_LOGITS),
            {"big": "teacher", "small": "student", "plain": "control"},
        ),
    ],
)
def test_roles(tiny, changes: tuple[str, ...], roles: dict[str, str]) -> None:
    sweep = expand(tiny("sweep.codec=[big, small, plain]", *changes))
    assert {run.build.name: run.role for run in sweep.runs} == roles


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        (("codecs.small.distill.methods=[{kind: soft_logits}]",), "soft_logits"),
        ((), "soft_logits+symbols"),
        (("codecs.small={size: tiny, symbols_per_token: 2}",), "trained"),
        (("codecs.small={size: tiny, symbols_per_token: 2, start: plain}",), "trained, from weights"),
        (("codecs.small.adopt={transmitter: big}", SOFT_LOGITS), "soft_logits, transmitter adopted"),
    ],
)
def test_how_a_codec_was_made_in_a_word(tiny, changes: tuple[str, ...], method: str) -> None:
    assert {build.name: build.method for build in expand(tiny(*changes)).builds}["small"] == method


def test_only_the_same_seed_and_link_are_the_same_air(tiny) -> None:
    runs = expand(tiny("sweep.seed=[1, 2]")).runs
    met: dict[object, list[str]] = {}
    for run in runs:
        met.setdefault(run.point, []).append(run.build.name)
    assert all(names == ["big", "small"] for names in met.values())
    assert len(met) == 2 * 6


def test_a_control_adopts_what_its_student_adopts_though_the_shape_be_the_same(tiny) -> None:
    """A donor of the very same shape leaves nothing to tell the two apart by but the adoption."""
    donor = "codecs.donor={size: tiny, symbols_per_token: 2}"
    codecs = "sweep.codec=[big, small, plain]"
    sweep = expand(tiny(donor, "codecs.plain.adopt={transmitter: donor}", codecs))
    specs = {run.build.name: run.build.spec for run in sweep.runs}
    assert specs["plain"] == specs["small"]
    assert {run.build.name: run.role for run in sweep.runs} == {"big": "teacher", "small": "student", "plain": "codec"}
