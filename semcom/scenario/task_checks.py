"""Checks of tasks: whether codecs and metrics are of the messages that are sent, and who may meet whom."""

from __future__ import annotations

import itertools

from semcom.compression.catalog import EVIDENCE
from semcom.metrics.catalog import METRICS, check_suited, metric_named
from semcom.mistakes import UserMistake
from semcom.scenario.codec_plans import CodecPlan
from semcom.scenario.generative_checks import check_plugged
from semcom.scenario.pretrained_checks import check_folder
from semcom.scenario.scenario import Scenario


def check_kinds(scenario: Scenario) -> None:
    """Refuse codecs that carry other messages than their task sends, and prunings that leave no shape."""
    goals = (scenario.goal, *scenario.goals_of(scenario.codecs))
    for key in ("corpus", "tokenizer"):
        if key in scenario.model_fields_set and "sentences" not in {each.carries for each in goals}:
            raise ValueError(
                f"{key} belongs to task text, got it with task {scenario.goal.kind}; leave it out: the keys under task "
                "say where its messages come from"
            )
    for name in scenario.codecs:
        _check_made_of_its_kind(scenario, name)
        check_folder(scenario, name)
    for name in scenario.codecs:
        check_plugged(scenario, name)
        _check_learning(scenario, name)
    for name, codec in scenario.codecs.items():
        goal, carries = scenario.goal_of(name), scenario.resolved(name).begun.carries
        if carries != goal.carries:
            raise ValueError(
                f"codecs.{name} must carry {goal.carries}, which task {goal.kind} sends, got a codec of {carries}; "
                "name another size"
            )
        if (says := scenario.resolved(name).begun.says) != goal.scores:
            raise ValueError(
                f"codecs.{name} must have a receiver that says {goal.scores}, as this task wants, got one of "
                f"kind {_kind(codec)} that says {says}; name another size, or another kind"
            )
        if codec.prune:
            if _kind(codec) not in EVIDENCE:
                raise ValueError(
                    f"codecs.{name}.prune must be of a codec of kind {' or '.join(EVIDENCE)}, got kind {_kind(codec)}; "
                    "leave it out"
                )
            try:
                _ = scenario.resolved(name).spec
            except UserMistake as mistake:
                raise ValueError(f"codecs.{name}.prune: {mistake}") from None


def _check_made_of_its_kind(scenario: Scenario, name: str) -> None:
    """Refuse weights and sides of a codec of another kind, before shapes are asked for that do not compare."""
    codec = scenario.codecs[name]
    donor = codec.adopt.donor if codec.adopt and codec.adopt.side != "around" else None
    for key, origin in (("start", codec.start), ("adopt", donor)):
        if origin and (theirs := _kind(scenario.codecs[origin])) != (ours := _kind(codec)):
            raise ValueError(
                f"codecs.{name}.{key} must name a codec of kind {ours}, as {name} is, got '{origin}' of kind {theirs}; "
                "name another"
            )
    # Who gives more than an encoder, weights of a head or lessons in answers, must have the same answers.
    more = (codec.start, *(codec.distill.teachers if codec.distill else ()))
    for origin in scenario.origins(name):
        gives_encoder = codec.adopt and codec.adopt.encoder == origin and origin not in more
        if gives_encoder and _same_messages(scenario, origin, name):
            continue
        if scenario.goal_of(origin) != scenario.goal_of(name):
            raise ValueError(
                f"codecs.{name} must be made from codecs of its own task, {scenario.goal_of(name).kind}, got "
                f"'{origin}', whose task, messages or aim are others; give both the same task"
            )


def _same_messages(scenario: Scenario, one: str, other: str) -> bool:
    """Whether two codecs send the same messages, whatever their receivers want of them."""
    ours, theirs = scenario.goal_of(one), scenario.goal_of(other)
    # The same recordings may lie in two places.
    return type(ours) is type(theirs) and ours.fingerprint() == theirs.fingerprint()


def _check_learning(scenario: Scenario, name: str) -> None:
    """Refuse lessons and beginnings of a codec that learns nothing."""
    codec = scenario.codecs[name]
    for key in ("start", "distill"):
        if getattr(codec, key) and not scenario.resolved(name).begun.learns:
            raise ValueError(f"codecs.{name}.{key} must be left out: {name} has nothing to learn, as {_kind(codec)} is")


def _kind(plan: CodecPlan) -> str:
    return plan.NAMED[plan.USUAL].kind


def check_scores(scenario: Scenario) -> None:
    """Refuse metrics that score nothing that is said here, and codecs whose messages none of them scores."""
    goals = scenario.goals_of(scenario.sweep.codec)
    if len({each.scores for each in goals}) == 1:
        try:
            check_suited(scenario.measure.metrics, goals[0].scores)
        except UserMistake as error:
            raise ValueError(f"measure.metrics: {error}") from None
    else:
        _check_scored(scenario)
    carried = [each.carries for each in goals if each.carries != "sentences"]
    if scenario.measure.confidence and (scenario.measure.users == "all" or carried):
        what = "users: all" if scenario.measure.users == "all" else carried[0]
        raise ValueError(f"measure.confidence must be left out with {what}; it is of the wanted user's sentences")


def _check_scored(scenario: Scenario) -> None:
    """The same where codecs of several tasks are measured: each by the metrics of what its receiver says."""
    says = {scenario.goal_of(name).scores: name for name in scenario.sweep.codec}
    for name in scenario.measure.metrics:
        if (scores := metric_named(name).scores) not in says:
            raise ValueError(
                f"measure.metrics must score {' or '.join(says)}, which is what the receivers that are measured say, "
                f"got {name}, which scores {scores}; leave it out"
            )
    for scores, name in says.items():
        if not scenario.measure_of(name).metrics:
            fit = ", ".join(each.name for each in METRICS if each.scores == scores)
            raise ValueError(
                f"measure.metrics must name one that scores {scores}, which the receiver of '{name}' says, got "
                f"{', '.join(scenario.measure.metrics)}; add one of {fit}"
            )


def check_company(scenario: Scenario) -> None:
    """Refuse to decode everybody in a cell whose users send messages of several tasks.

    There each user sends every message of one exam once, and what all of them got is added up message by message.
    Sentences and pictures have no such sum: of such a cell one user at a time is wanted, and any codec of a crowd may
    be measured as the wanted one beside.
    """
    if scenario.measure.users != "all":
        return
    for name, crowd in itertools.product(scenario.sweep.codec, scenario.crowds):
        for other in crowd or ():
            if scenario.goal_of(other) != scenario.goal_of(name):
                raise ValueError(
                    f"measure.users must be wanted where '{other}', of another task, is in the crowd of '{name}', got "
                    "all; measure both in sweep.codec, each as the wanted user"
                )
