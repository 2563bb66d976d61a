"""Checks of languages: whether those that are named are there, and made from others that are."""

from __future__ import annotations

from semcom.baselines.separate_spec import SeparateSpec, counts_with_language
from semcom.scenario.hints import suggestion
from semcom.scenario.scenario import Scenario


def check_languages(scenario: Scenario) -> None:
    """Refuse codecs that name no language that there is, and languages made from none or from themselves.

    Raises:
        ValueError: beginning with the path of the key that is wrong.
    """
    for name, codec in scenario.codecs.items():
        if codec.language:
            _check_language(scenario, name, codec.language)
    defined = [name for name in scenario.heard_codecs if name in scenario.codecs]
    others = [each.carries for each in scenario.goals_of(defined) if each.carries != "sentences"]
    if scenario.measure.corpus and others:
        raise ValueError(f"measure.corpus must be left out where {others[0]} are sent; it is of sentences")
    if scenario.languages and scenario.goal.carries != "sentences":
        raise ValueError(f"languages must be left out where {scenario.goal.carries} are sent; they are of sentences")
    _check_limits(scenario)
    for name, plan in scenario.languages.items():
        seen, waiting = [name], list(plan.origins)
        while waiting:
            if (origin := waiting.pop()) not in scenario.languages:
                known, near = ", ".join(scenario.languages), suggestion(origin, scenario.languages)
                raise ValueError(
                    f"languages.{name}.{plan.key_of(origin)} names '{origin}', none of the languages: {known}{near}"
                )
            if origin == name:
                raise ValueError(f"languages.{name} is made from itself: {' <- '.join([*seen, name])}")
            if origin not in seen:
                seen.append(origin)
                waiting.extend(scenario.languages[origin].origins)


def _check_limits(scenario: Scenario) -> None:
    """Refuse limits of sentences that nobody counts, or that have no language to have their bits under."""
    measure, where = scenario.measure, "measure.limits"
    if measure.limits is None:
        return
    if scenario.goal.carries != "sentences":
        raise ValueError(f"{where} must be left out where {scenario.goal.carries} are sent; it is of sentences")
    if "exact_match" not in measure.metrics:
        named = ", ".join(measure.metrics)
        raise ValueError(
            f"{where} must have exact_match among the metrics, which counts sentences that arrive whole, got {named}; "
            "add it to measure.metrics"
        )
    if measure.limits.language is None:
        for name in scenario.sweep.codec:
            if not scenario.codecs[name].language:
                raise ValueError(
                    f"{where}.language must name the language that sentences have their bits under, got none, and "
                    f"codec {name} knows none of its own; name one of languages"
                )
    elif measure.limits.language not in scenario.languages:
        known, near = ", ".join(scenario.languages), suggestion(measure.limits.language, scenario.languages)
        raise ValueError(
            f"{where}.language names '{measure.limits.language}', none of the languages: {known or 'there are none'}"
            f"{near or '; write it under languages'}"
        )


def check_counting(scenario: Scenario) -> None:
    """Refuse separate coding that lacks the language it counts with, or has one that it does not ask."""
    for name in scenario.codecs:
        _check_counting(scenario, name)


def _check_counting(scenario: Scenario, name: str) -> None:
    spec, where = scenario.resolved(name).begun, f"codecs.{name}.language"
    if not isinstance(spec, SeparateSpec):
        return
    if counts_with_language(spec) and not scenario.codecs[name].language:
        raise ValueError(f"{where} must name the language that arithmetic coding counts with, got none; write one")
    if scenario.codecs[name].language and not counts_with_language(spec):
        raise ValueError(
            f"{where} must be left out where the source is {spec.source}, got one; only the source arithmetic asks it"
        )


def _check_language(scenario: Scenario, name: str, language: str) -> None:
    where = f"codecs.{name}.language"
    if language not in scenario.languages:
        known = f"none of the languages: {', '.join(scenario.languages)}" if scenario.languages else "not defined"
        near = suggestion(language, scenario.languages) or "; write it under languages"
        raise ValueError(f"{where} names '{language}', which is {known}{near}")
    if (carries := scenario.goal_of(name).carries) != "sentences":
        raise ValueError(f"{where} must be of a codec of sentences, got one of {carries}; leave it out")
