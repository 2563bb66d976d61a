"""How long a scenario will take, roughly, before anything is loaded."""

from __future__ import annotations

from semcom.distillation.method import needs_teacher
from semcom.distillation.sight import settled
from semcom.languages.made_up_spec import MadeUpSpec
from semcom.languages.transformer_spec import TransformerSpec
from semcom.metrics.catalog import listening
from semcom.models.semantic_spec import USUAL_VOCABULARY
from semcom.scenario.work import Build, LanguageBuild, Run, Sweep

# One core of a 2020s server, measured on the teacher: multiply-adds a second in training and in decoding, and
# the fixed cost of one step. A guess for a plan, never a result.
RATE = 2.5e10
STEP_SECONDS = 0.012
SIMILARITY_SECONDS = 1 / 90
TUNING_SECONDS = 20.0
MADE_UP_RATE = 1000.0  # sentences a second, by counts


def build_seconds(build: Build) -> float:
    """Core-seconds of one training: three passes (forward, and twice that backward), plus each teacher's forward."""
    settings = build.settings
    passes = 3.0 * settings.batch * build.task.usual_units * build.spec.rough_multiply_adds
    if build.lesson:
        passes *= 1 + 0.8 * len(build.lesson.teachers)
        # A method without a teacher sends every message once more in every way.
        for method in settled(build.lesson.methods, build.spec):
            passes *= 1 if needs_teacher(method) or not method.ways else 2 + len(method.ways)
            passes *= 2 if method.kind == "masked_prediction" else 1
    return build.steps * (STEP_SECONDS + passes / RATE)


def language_seconds(language: LanguageBuild) -> float:
    """Core-seconds of making one language; counting takes next to none."""
    spec, recipe = language.spec, language.recipe
    if isinstance(spec, MadeUpSpec):
        return spec.sentences / MADE_UP_RATE
    if recipe is None or not isinstance(spec, TransformerSpec):
        return 0.0
    layer = 4 * spec.width**2 + 2 * spec.width * spec.feedforward
    passes = 3.0 * recipe.batch * language.task.usual_units * (spec.layers * layer + spec.width * USUAL_VOCABULARY)
    taught = 1.8 if language.lesson else 1.0
    return recipe.steps * (STEP_SECONDS + taught * passes / RATE)


def run_seconds(run: Run) -> float:
    """Core-seconds of one operating point: decoding, and embedding what did not arrive exactly."""
    scored = 1 if run.measure.users == "wanted" else 1 + run.link.interferers
    sentences = run.measure.sentences * run.measure.repeats * scored
    beams = run.measure.beam if getattr(run.build.spec, "decoding", "") == "autoregressive" else 1
    decoding = beams * sentences * run.build.task.usual_units * run.build.spec.rough_multiply_adds / RATE
    similarity = listening(run.measure.metrics, "similarity")
    return decoding + (0.9 * sentences * SIMILARITY_SECONDS if similarity else 0.0)


def sweep_seconds(sweep: Sweep, done: set[str]) -> float:
    """Core-seconds of everything that is not done yet."""
    builds = sum(build_seconds(build) for build in sweep.builds if build.identity not in done)
    builds += sum(language_seconds(each) for each in sweep.languages if each.identity not in done)
    builds += TUNING_SECONDS * sum(each.identity not in done for each in sweep.tunings)
    runs = {run.identity: run for run in sweep.runs if run.identity not in done}
    return builds + sum(run_seconds(run) for run in runs.values())
