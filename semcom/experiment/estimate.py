"""How long a scenario will take, roughly, before anything is loaded."""

from __future__ import annotations

from semcom.metrics.catalog import listening
from semcom.models.spec import CodecSpec, SideSpec
from semcom.scenario.work import Build, Run, Sweep

# One core of a 2020s server, measured on the teacher: multiply-adds a second in training and in decoding, and
# the fixed cost of one step. A guess for a plan, never a result.
RATE = 2.5e10
STEP_SECONDS = 0.012
TOKENS = 22
SIMILARITY_SECONDS = 1 / 90
VOCABULARY = 4000


def build_seconds(build: Build) -> float:
    """Core-seconds of one training: three passes (forward, and twice that backward), plus each teacher's forward."""
    settings = build.settings
    passes = 3.0 * settings.batch * TOKENS * _multiply_adds(build.spec)
    if build.lesson:
        passes *= 1 + 0.8 * len(build.lesson.teachers)
    return settings.steps * (STEP_SECONDS + passes / RATE)


def run_seconds(run: Run) -> float:
    """Core-seconds of one operating point: decoding, and embedding what did not arrive exactly."""
    scored = 1 if run.measure.users == "wanted" else 1 + run.link.interferers
    sentences = run.measure.sentences * run.measure.repeats * scored
    beams = run.measure.beam if run.build.spec.decoding == "autoregressive" else 1
    decoding = beams * sentences * TOKENS * _multiply_adds(run.build.spec) / RATE
    similarity = listening(run.measure.metrics, "similarity")
    return decoding + (0.9 * sentences * SIMILARITY_SECONDS if similarity else 0.0)


def sweep_seconds(sweep: Sweep, done: set[str]) -> float:
    """Core-seconds of everything that is not done yet."""
    builds = sum(build_seconds(build) for build in sweep.builds if build.identity not in done)
    runs = {run.identity: run for run in sweep.runs if run.identity not in done}
    return builds + sum(run_seconds(run) for run in runs.values())


def _multiply_adds(spec: CodecSpec) -> float:
    sides = sum(_side(side) for side in (spec.transmitter, spec.receiver))
    return sides + spec.receiver.width * VOCABULARY


def _side(side: SideSpec) -> float:
    return side.layers * (4 * side.width**2 + 2 * side.width * side.feedforward) + 2 * side.width * side.channel_hidden
