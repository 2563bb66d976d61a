"""The parts of a scenario: axes of points, changes to a base, and dataclasses of lower floors filled by pydantic."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from channels import Bursts, Mmse, Neighbors, Qam, Rician
from channels.catalog import COHERENCE, CSI, EQUALIZERS, FADING, INTERFERENCE
from semcom.distillation.catalog import METHODS
from semcom.distillation.method import needs_teacher
from semcom.distillation.teaching import Teaching
from semcom.models.semantic_spec import SemanticSpec, SideSpec
from semcom.models.sizes import SIZES
from semcom.scenario.axes import Steps, values
from semcom.scenario.codec_plans import AdoptPlan, TrainingChanges
from semcom.scenario.codec_plans import SemanticPlan as CodecPlan
from semcom.scenario.plan import Plan, changed
from semcom.scenario.plans import LinkPlan, MeasurePlan
from semcom.scenario.sweep import SweepPlan
from semcom.training.settings import TrainingSettings

halves = st.integers(-100, 100).map(lambda number: number / 2)


@given(halves, st.integers(1, 20).map(lambda number: number / 4), st.integers(0, 50))
def test_steps_meet_their_stop(start: float, step: float, count: int) -> None:
    points = Steps(start=start, stop=start + count * step, step=step).values()
    assert points == tuple(start + index * step for index in range(count + 1))


@given(halves, halves, st.floats(0.01, 30))
def test_steps_stay_inside_and_go_as_far_as_they_can(start: float, stop: float, size: float) -> None:
    step = size if stop >= start else -size
    points = Steps(start=start, stop=stop, step=step).values()
    low, high = sorted((start, stop))
    assert points[0] == start
    assert all(low - 1e-6 <= point <= high + 1e-6 for point in points)
    assert abs(stop - points[-1]) < size + 1e-6, "one more would have fitted"


def test_errors_of_steps_do_not_add_up() -> None:
    assert Steps(start=0, stop=100, step=0.1).values()[700] == 700 * 0.1


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        (6, (6,)),
        ([0, 6], (0, 6)),
        ({"start": 0, "stop": 6, "step": 3}, (0, 3, 6)),
        ({"start": 6, "stop": 6, "step": 1}, (6,)),
    ],
)
def test_an_axis_has_three_forms(typed: object, points: tuple[float, ...]) -> None:
    sweep = SweepPlan.model_validate({"codec": ["one"], "snr_db": typed, "interferers": typed})
    assert values(sweep.snr_db) == values(sweep.interferers) == points
    assert all(type(count) is int for count in values(sweep.interferers))


def test_an_error_of_an_axis_names_one_form() -> None:
    with pytest.raises(ValidationError) as caught:
        SweepPlan.model_validate({"codec": ["one"], "snr_db": {"start": 0, "stop": 1, "steps": 3}})
    assert {error["loc"][:2] for error in caught.value.errors()} == {("snr_db", "steps")}


@pytest.mark.parametrize("catalog", [FADING, COHERENCE, INTERFERENCE, CSI, EQUALIZERS, METHODS])
def test_every_variant_of_every_catalog_can_be_typed_by_its_kind(catalog: tuple[type, ...]) -> None:
    keys = {
        FADING: (LinkPlan, "fading"),
        COHERENCE: (LinkPlan, "coherence"),
        INTERFERENCE: (LinkPlan, "interference"),
        CSI: (LinkPlan, "csi"),
        EQUALIZERS: (LinkPlan, "equalizer"),
    }
    for variant in catalog:
        made = variant()
        typed = {"kind": made.kind}
        if catalog is METHODS:
            taught = {"methods": [typed], **({"teacher": "one"} if needs_teacher(made) else {})}
            assert TypeAdapter(Teaching).validate_python(taught).methods == (made,)
        else:
            plan, key = keys[catalog]
            assert getattr(plan.model_validate({key: typed}), key) == made


@pytest.mark.parametrize("plan", [LinkPlan, TrainingSettings])
def test_variants_inside_variants_are_told_by_their_kind_too(plan: type) -> None:
    typed = {"interference": {"kind": "bursts", "level_db": [-3, -6.5], "fading": {"kind": "rician", "k_factor_db": 4}}}
    made = TypeAdapter(plan).validate_python(typed).interference
    assert made == Bursts(level_db=(-3.0, -6.5), fading=Rician(k_factor_db=4.0))
    assert isinstance(hash(made), int)
    typed["interference"]["fading"]["kfactor"] = 1
    with pytest.raises(ValidationError, match="kfactor"):
        TypeAdapter(plan).validate_python(typed)


def test_only_what_was_typed_differs_from_the_base() -> None:
    base = TrainingSettings(steps=70, level_db=(-3.0, 0.0), interferers=1)
    changes = TrainingChanges.model_validate({"steps": 9, "equalizer": {"kind": "mmse"}, "snr_db": [1, 2]})
    assert changed(base, changes) == replace(base, steps=9, equalizer=Mmse(), snr_db=(1.0, 2.0))
    assert changed(base, TrainingChanges.model_validate({"level_db": None})) == replace(base, level_db=None)
    assert changed(base, None) is base


@pytest.mark.parametrize("changes", [{"step": 3}, {"fading": {"kind": "rayleih"}}, {"fading": 3}, {"batch": "many"}])
def test_changes_are_checked_like_the_whole(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainingChanges.model_validate(changes)


def test_changes_know_every_field_of_their_base() -> None:
    assert set(TrainingChanges.model_fields) == {each.name for each in fields(TrainingSettings)}
    assert set(CodecPlan.model_fields) >= {each.name for each in fields(SemanticSpec)}


@pytest.mark.parametrize("name", SIZES)
def test_a_size_alone_is_that_size(name: str) -> None:
    assert CodecPlan(size=name).spec() == SIZES[name]


def test_what_stands_beside_a_size_changes_it() -> None:
    plan = CodecPlan.model_validate(
        {"size": "tiny", "symbols_per_token": 3, "tied": False, "dropout": 0.1, "receiver": {"layers": 2, "heads": 4}}
    )
    tiny = SIZES["tiny"]
    expected = replace(tiny, symbols_per_token=3, tied=False, dropout=0.1)
    assert plan.spec() == replace(expected, receiver=replace(tiny.receiver, layers=2, heads=4))
    assert plan.spec().transmitter == SideSpec(
        **{each.name: getattr(tiny.transmitter, each.name) for each in fields(SideSpec)}
    )


def test_an_adopted_side_and_its_donor() -> None:
    assert (AdoptPlan(transmitter="one").side, AdoptPlan(transmitter="one").donor) == ("transmitter", "one")
    assert (AdoptPlan(receiver="two").side, AdoptPlan(receiver="two").donor) == ("receiver", "two")
    for sides in ({}, {"transmitter": "one", "receiver": "two"}):
        with pytest.raises(ValidationError, match="must name one of transmitter, receiver"):
            AdoptPlan(**sides)


@pytest.mark.parametrize(
    "plan", [LinkPlan(), SweepPlan(codec=("one",)), MeasurePlan(), CodecPlan(), Steps(start=0, stop=1, step=1)]
)
def test_a_plan_does_not_change(plan: Plan) -> None:
    name = next(iter(type(plan).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(plan, name, getattr(plan, name))
    with pytest.raises(ValidationError, match="nonsense"):
        type(plan).model_validate({**plan.model_dump(), "nonsense": 1})


def test_a_level_of_its_own_for_each_interferer() -> None:
    link = LinkPlan.model_validate({"interference": {"kind": "qam", "order": 16, "level_db": [-3, 0]}})
    assert link.interference == Qam(order=16, level_db=(-3.0, 0.0))
    assert LinkPlan().interference == Neighbors()
