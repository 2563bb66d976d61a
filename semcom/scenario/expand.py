"""expand: from a scenario to builds and runs, each with an identity."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from channels import Interference, Link, Neighbors, NoFading, NoisyCsi, PerSentence
from semcom.baselines.separate_spec import counts_with_language
from semcom.distillation.teaching import Teaching
from semcom.files import expanded
from semcom.identity import ESTIMATES, GAINS, identity
from semcom.metrics.catalog import listening
from semcom.metrics.embedding_model import find_model
from semcom.mistakes import UserMistake
from semcom.scenario.axes import values
from semcom.scenario.language_work import NOTHING_TOLD, Languages, tuning_of
from semcom.scenario.plans import MeasurePlan
from semcom.scenario.scenario import Scenario
from semcom.scenario.sionna_checks import check_sionna
from semcom.scenario.work import Adoption, Build, LanguageBuild, Run, Surprise, Sweep, Tuning
from semcom.tasks.detectors import AS_NOISE, Detector
from semcom.tasks.task import Task
from semcom.training.settings import TrainingSettings

MOST_POINTS = 100_000  # of one codec; more would take longer to list than anyone waits


def expand(scenario: Scenario, *, fingerprint: str | None = None, corpora: Mapping[str, str] = NOTHING_TOLD) -> Sweep:
    """Everything a scenario asks for, nothing twice.

    Args:
        fingerprint: of the messages of the scenario's own task as they were; None looks at them as they are, as it is
            done with those of other tasks.
        corpora: the same of the text of languages that have their own, by language.

    Raises:
        UserMistake: more points than anyone waits for, or work that needs what is not installed.
    """
    prints = {goal: goal.fingerprint() for goal in scenario.goals_of(scenario.needed_codecs) if goal != scenario.goal}
    prints[scenario.goal] = fingerprint = fingerprint or scenario.goal.fingerprint()
    builds: dict[tuple[str, int], Build] = {}
    languages = Languages(scenario, fingerprint, corpora)
    for seed in scenario.seeds:
        for name in scenario.heard_codecs:
            _build(scenario, name, seed, prints=prints, builds=builds, languages=languages)
    unique: dict[str, Build] = {}
    for build in builds.values():
        # Codecs that differ in their receiver's language alone are one build, known by the first one's name.
        unique.setdefault(build.identity, build)
    tunings = {
        (name, seed): tuning_of(
            build, languages.of(language, seed), scenario.codecs[name].search or scenario.measure.search
        )
        for (name, seed), build in builds.items()
        if name in scenario.heard_codecs and (language := scenario.codecs[name].language) and not build.languages
    }
    roles = _roles(scenario)
    places, measures = _places(scenario), {name: scenario.measure_of(name) for name in scenario.sweep.codec}
    exams = {
        name: _exam(measure, (goal := scenario.goal_of(name)).exam_facts(prints[goal]))
        for name, measure in measures.items()
    }
    runs = [
        _run(
            builds[name, seed],
            roles[name],
            link,
            measure=measures[name],
            exam=exams[name],
            crowd=None if crowd is None else tuple(builds[each, seed] for each in crowd),
            tuning=tunings.get((name, seed)),
            crowd_tunings=tuple(tunings.get((each, seed)) for each in crowd or ()),
            detector=detector,
            scrambling=scenario.link.scrambling and link.interferers > 0,
        )
        for name in scenario.sweep.codec
        for seed in scenario.seeds
        for link, crowd, detector in places
    ]
    weighed = {each.identity: each for run in runs for each in (run.tuning, *run.crowd_tunings) if each}
    check_sionna(tuple(unique.values()), tuple(runs))
    surprises = _surprises(scenario, fingerprint, languages)
    return Sweep(tuple(unique.values()), tuple(runs), languages.made, tuple(weighed.values()), surprises)


def _surprises(scenario: Scenario, fingerprint: str, languages: Languages) -> dict[tuple[str, int], Surprise]:
    """Under which language the test sentences have their bits, for every measured codec; none where nobody asks."""
    measure = scenario.measure
    if measure.limits is None:
        return {}
    exam = {**scenario.goal.exam_facts(fingerprint), "sentences": measure.sentences, "skip": measure.skip}
    if measure.corpus:
        exam["foreign"] = measure.corpus.fingerprint()
    found = {}
    for name, seed in itertools.product(scenario.sweep.codec, scenario.seeds):
        language = languages.of(scenario.codecs[name].language or measure.limits.language or "", seed)
        known = identity(what="surprise", language=language.identity, **exam)
        found[name, seed] = Surprise(known, language, measure)
    return found


def _build(
    scenario: Scenario,
    name: str,
    seed: int,
    *,
    prints: Mapping[Task, str],
    builds: dict[tuple[str, int], Build],
    languages: Languages,
) -> Build:
    """This codec's build; those of its origins are put before it."""
    if (name, seed) in builds:
        return builds[name, seed]
    plan = scenario.codecs[name]
    origins = {
        each: _build(scenario, each, seed, prints=prints, builds=builds, languages=languages)
        for each in scenario.origins(name)
    }
    lesson = _lesson(plan.distill, origins) if plan.distill else None
    start = origins[plan.start].identity if plan.start else None
    adoption = Adoption(plan.adopt.side, origins[plan.adopt.donor].identity) if plan.adopt else None
    spec = scenario.resolved(name).begun
    counted: tuple[LanguageBuild, ...] = ()
    if plan.language and counts_with_language(spec):
        counted = languages.with_parts(plan.language, seed)
    goal = scenario.goal_of(name)
    decisive: dict[str, Any] = {
        **goal.facts(prints[goal]),
        "spec": spec,
        "settings": scenario.resolved(name).training,
        "seed": seed,
        "lesson": lesson,
        "start": start,
        "adoption": adoption,
        **({"draw": plan.draw} if plan.draw > 1 else {}),
        **({"prune": plan.prune} if plan.prune else {}),
        **({"fresh": True} if plan.fresh else {}),
        **({"language": counted[0].identity} if counted else {}),
        **_renewed(scenario.resolved(name).training),
    }
    build = Build(
        name=name,
        identity=identity(what="build", **decisive),
        task=goal,
        fingerprint=prints[goal],
        spec=spec,
        settings=scenario.resolved(name).training,
        seed=seed,
        lesson=lesson,
        start=start,
        fresh=plan.fresh,
        prune=plan.prune,
        adoption=adoption,
        is_reshaped=scenario.resolved(name).is_reshaped,
        needs=(*(each.identity for each in origins.values()), *(each.identity for each in counted)),
        draw=plan.draw if plan.draw > 1 else None,
        languages=counted,
    )
    builds[name, seed] = build
    return build


def _lesson(plan: Teaching, origins: dict[str, Build]) -> Teaching:
    """The teaching with its teachers named by the identities of their builds."""
    teachers = tuple(origins[name].identity for name in plan.teachers)
    return dataclasses.replace(plan, teacher=teachers[0] if len(teachers) == 1 else teachers)


def _roles(scenario: Scenario) -> dict[str, str]:
    """Who teaches is a teacher, who learns from one a student, and a student's like without one its control."""
    teachers = {name for plan in scenario.codecs.values() if plan.distill for name in plan.distill.teachers}
    taught = {name: plan for name, plan in scenario.codecs.items() if plan.distill}
    sizes = {(scenario.resolved(name).spec, plan.adopt) for name, plan in taught.items()}
    roles = {}
    for name, plan in scenario.codecs.items():
        if name in taught:
            roles[name] = "student"
        elif name in teachers:
            roles[name] = "teacher"
        else:
            roles[name] = "control" if (scenario.resolved(name).spec, plan.adopt) in sizes else "codec"
    return roles


def _places(scenario: Scenario) -> list[tuple[Link, tuple[str, ...] | None, Detector]]:
    """Every operating point under every crowd and detector; where nobody interferes there is nobody to tell apart.

    Signals that no codec sends are of no crowd.
    """
    links = list(operating_points(scenario))
    met = (
        (link, crowd if isinstance(link.interference, Neighbors) else None, detector)
        if link.interferers
        else (link, None, AS_NOISE)
        for crowd in scenario.crowds
        for detector in scenario.detectors
        for link in links
    )
    return list(dict.fromkeys(met))


def _exam(measure: MeasurePlan, facts: dict[str, Any]) -> dict[str, Any]:
    """What decides what is measured, whatever the codec and the air."""
    decisive: dict[str, Any] = measure.model_dump(
        include={"metrics", "sentences", "repeats", "beam", "batch", "resamples"}
    )
    if measure.skip:
        decisive["skip"] = measure.skip
    if measure.corpus:
        decisive["foreign"] = measure.corpus.fingerprint()
    if measure.confidence:
        decisive["confidence"] = True
    if measure.bleu_tokenize and listening(measure.metrics, "bleu_tokenize"):
        decisive["bleu_tokenize"] = measure.bleu_tokenize
    embeds = bool(listening(measure.metrics, "similarity"))
    encoder = measure.similarity
    named = encoder.model
    if embeds and named != "bundled" and expanded(named).is_dir():
        # What lies there decides, not where; what a hub hands out under a name is the hub's to keep.
        found = find_model(encoder)
        encoder = dataclasses.replace(encoder, model="folder")
        decisive["encoder"] = [found.weights_sha256, found.pooling]
    return {**facts, "similarity": encoder if embeds else None, **decisive}


def _run(
    build: Build,
    role: str,
    link: Link,
    *,
    measure: MeasurePlan,
    exam: dict[str, Any],
    crowd: tuple[Build, ...] | None,
    tuning: Tuning | None,
    crowd_tunings: tuple[Tuning | None, ...],
    detector: Detector,
    scrambling: bool,
) -> Run:
    decisive = dict(exam)
    if measure.users != "all":
        crowd_tunings = ()  # nobody decodes what the interferers say
    if tuning:
        decisive["tuning"] = tuning.identity
    if any(crowd_tunings):
        decisive["crowd_tunings"] = [each and each.identity for each in crowd_tunings]
    senders = [crowd[user % len(crowd)].identity for user in range(link.interferers)] if crowd else []
    if measure.users == "all":
        # The slowest codec of the crowd sets how long the air of a cell lasts, whoever it is that carries it.
        decisive |= {"users": "all", "crowd": [each.identity for each in crowd or ()]}
    elif set(senders) - {build.identity}:
        # Where all send through the run's own codec it is the run that it would be without a crowd.
        decisive["crowd"] = senders
    decisive |= _renewed(link)
    if detector != AS_NOISE:
        decisive["detector"] = detector
    if scrambling:
        decisive["scrambling"] = True
    run = identity(what="run", build=build.identity, link=link, **decisive)
    return Run(build, role, link, measure, run, crowd, tuning, crowd_tunings, detector, scrambling)


def _renewed(air: Link | TrainingSettings) -> dict[str, int]:
    """The generations of what the code has come to draw otherwise, where any of it is drawn."""
    if not isinstance(air.fading, NoFading):
        return {"gains": GAINS}
    # A gain that does not fade was once estimated once a sentence, where nobody else faded.
    renewed = isinstance(air.csi, NoisyCsi) and not isinstance(air.coherence, PerSentence)
    return {"estimates": ESTIMATES} if renewed else {}


def operating_points(scenario: Scenario) -> Iterator[Link]:
    """The links of the sweep, SNR running fastest."""
    sweep, link = scenario.sweep, scenario.link
    axes = (
        sweep.fading or (link.fading,),
        sweep.interference or (link.interference,),
        sweep.csi or (link.csi,),
        sweep.equalizer or (link.equalizer,),
        sweep.antennas or (link.antennas,),
        (None,) if sweep.level_db is None else values(sweep.level_db),
        values(sweep.interferers),
        values(sweep.snr_db),
    )
    count = math.prod(map(len, axes))
    if count > MOST_POINTS:
        raise UserMistake(f"sweep: must hold at most {MOST_POINTS} points a codec, got {count}; take larger steps")
    seen = set()
    for fading, interference, csi, equalizer, antennas, level_db, interferers, snr_db in itertools.product(*axes):
        point = Link(
            snr_db=float(snr_db),
            fading=fading,
            coherence=link.coherence,
            interferers=int(interferers),
            interference=_as_loud(interference, level_db),
            csi=csi,
            equalizer=equalizer,
            antennas=antennas,
        )
        if not interferers:
            # Nobody is there to be of a kind or to have a level, so all these points are one.
            point = dataclasses.replace(point, interference=Neighbors())
        if point not in seen:
            seen.add(point)
            yield point


def _as_loud(interference: Interference, level_db: float | None) -> Interference:
    return interference if level_db is None else dataclasses.replace(interference, level_db=float(level_db))
