"""Language work: the languages and tunings that a scenario comes to, each with an identity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from semcom.identity import identity
from semcom.languages.made_up_spec import MadeUp, MadeUpSpec
from semcom.languages.settings import SearchSettings
from semcom.scenario.language_plans import AnyLanguagePlan, FromText, TransformerPlan
from semcom.scenario.scenario import Scenario
from semcom.scenario.work import Build, LanguageBuild, Tuning

READING = 2
"""Raised by hand when the code itself changes what a language, a tuning or a search gives."""


class Languages:
    """The languages of a scenario, made when they are asked for; origins stand before those made from them.

    Args:
        fingerprint: of the scenario's messages.
    """

    def __init__(self, scenario: Scenario, fingerprint: str) -> None:
        self._scenario, self._fingerprint = scenario, fingerprint
        self._asked: dict[tuple[str, int], LanguageBuild] = {}

    @property
    def made(self) -> tuple[LanguageBuild, ...]:
        """All that were asked for and what they are made from, nothing twice."""
        return tuple({build.identity: build for build in self._asked.values()}.values())

    def of(self, name: str, seed: int) -> LanguageBuild:
        """The language of this name under a seed of the scenario."""
        if (name, seed) not in self._asked:
            plan = self._scenario.languages[name]
            origins = [self.of(each, seed) for each in plan.origins]
            if isinstance(plan, FromText) and plan.made_up:
                origins[-1] = self._text(plan.made_up, origins[-1], seed)
            self._asked[name, seed] = self._made(name, plan, origins, seed)
        return self._asked[name, seed]

    def _made(self, name: str, plan: AnyLanguagePlan, origins: list[LanguageBuild], seed: int) -> LanguageBuild:
        text = plan if isinstance(plan, FromText) else None
        trained = plan if isinstance(plan, TransformerPlan) else None
        own = trained.seed if trained and trained.seed is not None else seed
        depends = trained is not None or (text is not None and text.own_share)
        lesson = replace(trained.distill, teacher=origins[0].identity) if trained and trained.distill else None
        build = LanguageBuild(
            name=name,
            identity="",
            task=self._scenario.goal,
            fingerprint=self._fingerprint,
            spec=plan.spec,
            share=text.share if text else 1.0,
            salt=own if text and text.own_share else None,
            corpus=text.corpus if text else None,
            recipe=trained.recipe if trained else None,
            lesson=lesson,
            seed=own if depends else None,
            needs=tuple(each.identity for each in origins),
            made_up=origins[-1].identity if text and text.made_up else None,
        )
        decisive: dict[str, Any] = {
            **self._scenario.goal.facts(self._fingerprint),
            "kind": plan.kind,
            "corpus": build.corpus.fingerprint() if build.corpus else None,
            **{key: getattr(build, key) for key in ("spec", "share", "salt", "recipe", "lesson", "seed", "needs")},
            "reading": READING,
        }
        return replace(build, identity=identity(what="language", **decisive))

    def _text(self, made_up: MadeUp, teacher: LanguageBuild, seed: int) -> LanguageBuild:
        """The sentences that a language makes up; one text for all that ask for as many."""
        spec = MadeUpSpec(made_up.sentences)
        key = (f"{made_up.by}'s {spec.told}", seed)
        if key not in self._asked:
            made = identity(what="made-up text", spec=spec, teacher=teacher.identity, reading=READING)
            self._asked[key] = replace(
                teacher,
                name=key[0],
                identity=made,
                spec=spec,
                share=1.0,
                salt=None,
                corpus=None,
                recipe=None,
                lesson=None,
                needs=(teacher.identity,),
                made_up=None,
            )
        return self._asked[key]


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
