"""Language work: the languages and tunings that a scenario comes to, each with an identity."""

from __future__ import annotations

from typing import Any

from semcom.identity import identity
from semcom.languages.settings import SearchSettings
from semcom.scenario.scenario import Scenario
from semcom.scenario.work import Build, LanguageBuild, Tuning

READING = 1
"""Raised by hand when the code itself changes what a language, a tuning or a search gives."""


def language_build(scenario: Scenario, name: str, fingerprint: str) -> LanguageBuild:
    """How a language of this name is made.

    Args:
        fingerprint: of the scenario's messages.
    """
    plan = scenario.languages[name]
    decisive: dict[str, Any] = {
        **scenario.goal.facts(fingerprint),
        "spec": plan.spec,
        "share": plan.share,
        "corpus": plan.corpus.fingerprint() if plan.corpus else None,
        "reading": READING,
    }
    return LanguageBuild(
        name=name,
        identity=identity(what="language", **decisive),
        task=scenario.goal,
        fingerprint=fingerprint,
        spec=plan.spec,
        share=plan.share,
        corpus=plan.corpus,
    )


def tuning_of(codec: Build, language: LanguageBuild, search: SearchSettings) -> Tuning:
    """How much this language counts beside what this codec's receiver makes of a signal."""
    decisive = {"codec": codec.identity, "language": language.identity, "search": search, "reading": READING}
    return Tuning(
        name=f"{codec.name} with {language.name}",
        identity=identity(what="tuning", **decisive),
        task=codec.task,
        fingerprint=codec.fingerprint,
        codec=codec,
        language=language,
        search=search,
    )
