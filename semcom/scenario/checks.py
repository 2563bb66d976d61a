"""Checks that need more than one part of a scenario: whether names, shapes and crowds fit together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from channels import Interference, Link, Neighbors, mean_sinr_db
from semcom.distillation.share import share_in
from semcom.distillation.sight import check_sight
from semcom.scenario.detector_checks import check_detectors
from semcom.scenario.generative_checks import check_followed
from semcom.scenario.hints import suggestion
from semcom.scenario.language_checks import check_counting, check_languages
from semcom.scenario.pretrained_checks import check_places
from semcom.scenario.scenario import Scenario
from semcom.scenario.sweep import MOST_DECIBELS
from semcom.scenario.task_checks import check_company, check_kinds, check_scores
from semcom.training.settings import bounds, extreme_links


def check_sense(scenario: Scenario) -> None:
    """Refuse what every part alone allows: names of nothing, circles, shapes and crowds that do not fit.

    Raises:
        ValueError: beginning with the path of the key that is wrong.
    """
    _check_names(scenario, "sweep.codec", scenario.sweep.codec)
    for name, codec in scenario.codecs.items():
        if codec.distill:
            _check_names(scenario, f"codecs.{name}.distill.teacher", codec.distill.teachers)
        if codec.start:
            _check_names(scenario, f"codecs.{name}.start", (codec.start,))
        if codec.adopt:
            _check_names(scenario, f"codecs.{name}.adopt.{codec.adopt.side}", (codec.adopt.donor,))
        _check_training(scenario, name)
        _check_share(scenario, name)
    check_languages(scenario)
    _check_order(scenario)
    check_kinds(scenario)
    check_counting(scenario)  # of shapes, which there are only once no codec is made from itself
    _check_shapes(scenario)
    check_scores(scenario)
    _check_comparisons(scenario)
    _check_gaps(scenario)
    _check_crowds(scenario)
    _check_senders(scenario)
    check_company(scenario)
    check_detectors(scenario)


def _check_names(scenario: Scenario, where: str, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in scenario.codecs:
            known, near = ", ".join(scenario.codecs), suggestion(name, scenario.codecs)
            raise ValueError(f"{where} names '{name}', which is none of the codecs: {known}{near}")


def _check_training(scenario: Scenario, name: str) -> None:
    where = f"codecs.{name}.training" if scenario.codecs[name].training else "training"
    try:
        settings = scenario.resolved(name).training
        levels = (0.0, 0.0) if settings.level_db is None else bounds(settings.level_db)
        interference = settings.interference if settings.level_db is None else Neighbors()
        if settings.own_share and scenario.goal_of(name).carries == "frames":
            raise ValueError("own_share must be left out with frames; it deals out sentences or pictures")
        _check_air(interference, settings.interferers, (*bounds(settings.snr_db), *levels))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _check_share(scenario: Scenario, name: str) -> None:
    """Refuse methods that would count in no air of the training at all."""
    plan = scenario.codecs[name].distill
    if plan is None:
        return
    training = scenario.resolved(name).training
    airs = extreme_links(training)
    above, rise = plan.above_sinr_db, plan.rises_over_db
    key = "rises_over_db" if above is None else "above_sinr_db"
    if training.airs is not None and (above is not None or rise is not None):
        raise ValueError(
            f"codecs.{name}.distill.{key} must have one air a step to go by, got training.airs of {training.airs}; "
            f"set airs to 1, or leave {key} out"
        )
    # Between the two a share only grows or only falls.
    if not any(share_in(air, above_sinr_db=above, rises_over_db=rise) for air in airs):
        worst, best = map(mean_sinr_db, airs)
        raise ValueError(
            f"codecs.{name}.distill.{key} must leave some air of the training in which methods count, got none from "
            f"its worst mean SINR of {worst:.1f} dB to its best of {best:.1f} dB; move it or train in other air"
        )


def _check_order(scenario: Scenario) -> None:
    """Refuse circles: every codec must be reachable by building its origins first."""
    for first in scenario.codecs:
        seen: list[str] = []
        waiting = [first]
        while waiting:
            name = waiting.pop()
            if name == first and seen:
                raise ValueError(f"codecs.{first} is built from itself: {' <- '.join([*seen, first])}")
            if name not in seen:
                seen.append(name)
                waiting.extend(scenario.origins(name))


def _check_seen(scenario: Scenario, name: str) -> None:
    """Refuse methods that compare what a codec of this kind does not have."""
    plan = scenario.codecs[name].distill
    if plan is None:
        return
    for each in (name, *plan.teachers):
        try:
            check_sight(plan.methods, scenario.resolved(each).spec, whose=f"'{each}'")
        except ValueError as error:
            raise ValueError(f"codecs.{name}.distill.methods: {error}") from None


def _check_shapes(scenario: Scenario) -> None:
    """Refuse origins that do not fit; shapes can be asked for once nothing is built from itself."""
    for name, codec in scenario.codecs.items():
        _check_adopted(scenario, name)
        _check_teachers(scenario, name)
        _check_seen(scenario, name)
        check_followed(scenario, name)
        check_places(scenario, name)
        # Dropout has no weights; everything else shapes them.
        if codec.start and _without_dropout(scenario.resolved(codec.start).spec) != _without_dropout(
            scenario.resolved(name).begun
        ):
            raise ValueError(
                f"codecs.{name}.start must name a codec of the same shape, got '{codec.start}', whose weights do "
                "not fit; give both the same size"
            )


def _without_dropout(spec: Any) -> Any:
    return replace(spec, dropout=0.0) if spec.dropout else spec


def _check_adopted(scenario: Scenario, name: str) -> None:
    """Refuse keys that would have no effect, because an adopted side settles them."""
    plan, shaped = scenario.codecs[name], scenario.resolved(name).spec
    if (adopt := plan.adopt) is None:
        return
    settled = [key for key in shaped.settled[adopt.side] if key in shaped.may_differ]
    typed = {key: getattr(plan, key) for key in settled if getattr(plan, key) is not None}
    side = typed.pop(adopt.side, None)
    pairs = {key: (ours, getattr(shaped, key)) for key, ours in typed.items()}
    for each in side.model_fields_set if side else ():
        pairs[f"{adopt.side}.{each}"] = (getattr(side, each), getattr(getattr(shaped, adopt.side), each))
    for key, (ours, theirs) in pairs.items():
        if ours != theirs:
            raise ValueError(
                f"codecs.{name}.{key} must be {theirs}, as in '{adopt.donor}', whose {adopt.side} is adopted as it is, "
                f"got {ours}; leave it out"
            )


def _check_teachers(scenario: Scenario, name: str) -> None:
    """Refuse teachers that cannot share their student's air, and several that are one."""
    plan, ours = scenario.codecs[name].distill, scenario.resolved(name).spec.symbols_per_unit
    teachers, unit = plan.teachers if plan else (), scenario.goal_of(name).unit
    for teacher in teachers:
        theirs = scenario.resolved(teacher).spec.symbols_per_unit
        if theirs != ours:
            raise ValueError(
                f"codecs.{name}.distill.teacher must send as many symbols a {unit} as its student to share the air, "
                f"got {theirs} of '{teacher}' and {ours}; give both the same symbols_per_{unit}"
            )
    for one, other in itertools.combinations(teachers, 2):
        if _making(scenario, one) == _making(scenario, other):
            raise ValueError(
                f"codecs.{name}.distill.teacher must name codecs that differ, got '{one}' and '{other}', which are "
                "made alike to the bit; give one another draw, such as draw: 2"
            )


def _making(scenario: Scenario, name: str) -> tuple[object, ...]:
    """All that decides what a codec becomes, however much of it was typed."""
    plan = scenario.codecs[name]
    return (
        scenario.resolved(name).spec,
        scenario.resolved(name).training,
        plan.draw,
        plan.start,
        plan.adopt,
        plan.distill,
    )


def _check_comparisons(scenario: Scenario) -> None:
    """Refuse pairs that no row could be made of."""
    pairs = scenario.measure.compare
    for pair in pairs:
        _check_same_air(scenario, "measure.compare", pair)
        if pair[0] == pair[1] or pairs.count(pair) > 1:
            raise ValueError(f"measure.compare must name two codecs, every pair once, got {', '.join(pair)}")


def _check_gaps(scenario: Scenario) -> None:
    """Refuse students, controls and teachers that no row could be made of."""
    triples = scenario.measure.gap or ()
    for triple in triples:
        _check_same_air(scenario, "measure.gap", triple)
        if len(set(triple)) < 3 or triples.count(triple) > 1:
            what = "measure.gap must name a student, a control and a teacher, three codecs, all three together once"
            raise ValueError(f"{what}, got {', '.join(triple)}")


def _check_same_air(scenario: Scenario, where: str, names: tuple[str, ...]) -> None:
    """Refuse codecs that are not measured or do not meet the same air."""
    _check_names(scenario, where, names)
    if missing := [name for name in names if name not in scenario.sweep.codec]:
        raise ValueError(f"{where} names '{missing[0]}', which is not measured; add it to sweep.codec")
    rates = {name: scenario.resolved(name).spec.symbols_per_unit for name in names}
    if len(goals := scenario.goals_of(names)) > 1:
        raise ValueError(
            f"{where} must name codecs of one task, whose messages have a difference, got {', '.join(names)} of "
            f"{' and '.join(each.kind for each in goals)}; compare those of each with each other"
        )
    for name, rate in rates.items():
        if rate != rates[names[0]]:
            raise ValueError(
                f"{where} must name codecs that send equally many symbols a {goals[0].unit} and so meet the same "
                f"air, got {rates[names[0]]} of '{names[0]}' and {rate} of '{name}'"
            )


def _check_crowds(scenario: Scenario) -> None:
    """Refuse levels and kinds of nobody, and levels that are missing for somebody."""
    for name in ("level_db", "interference"):
        if getattr(scenario.sweep, name) is not None and not scenario.most_interferers:
            raise ValueError(f"sweep.{name} must have interferers to be of, got none; raise sweep.interferers")
    if scenario.sweep.level_db is not None:
        return
    where = "sweep.interference" if scenario.sweep.interference else "link.interference"
    for interference in scenario.sweep.interference or (scenario.link.interference,):
        try:
            _check_air(interference, scenario.most_interferers)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


def _check_senders(scenario: Scenario) -> None:
    """Refuse crowds of codecs that are none, and where nobody would send through them."""
    where = "sweep.crowd" if scenario.sweep.crowd else "link.crowd"
    if scenario.measure.users == "all" and scenario.most_neighbors >= scenario.measure.batch:
        raise ValueError(
            f"measure.batch must be above {scenario.most_neighbors} where measure.users is all, got "
            f"{scenario.measure.batch}; every user of a cell sends a message of its own of the same batch"
        )
    if scenario.sweep.crowd and scenario.link.crowd:
        raise ValueError("link.crowd must be left out where sweep.crowd names crowds, got both; keep one of them")
    named = [crowd for crowd in scenario.crowds if crowd is not None]
    if named and not scenario.most_interferers:
        raise ValueError(f"{where} must have interferers to send through it, got none; raise sweep.interferers")
    for crowd in named:
        _check_names(scenario, where, crowd)
    kinds = scenario.sweep.interference or (scenario.link.interference,)
    if named and not any(isinstance(each, Neighbors) for each in kinds):
        raise ValueError(
            f"{where} names codecs for interferers of kind neighbors to send through, got kind {kinds[0].kind}; leave "
            "out either"
        )
    for interference in kinds:
        if scenario.measure.users == "all" and not isinstance(interference, Neighbors):
            raise ValueError(
                f"measure.users must be wanted where interferers are of kind {interference.kind}, got all; only "
                "neighbors send messages that could be scored"
            )


def _check_air(interference: Interference, interferers: int | tuple[int, int], decibels: Sequence[float] = ()) -> None:
    """Refuse levels that are missing for an interferer, and decibels that no radio meets."""
    Link(interferers=int(bounds(interferers)[1]), interference=interference)
    levels = interference.level_db
    for each in (*decibels, *(levels if isinstance(levels, tuple) else (levels,))):
        if abs(each) > MOST_DECIBELS:
            raise ValueError(f"decibels must be between -{MOST_DECIBELS} and {MOST_DECIBELS}, got {each:g}")
