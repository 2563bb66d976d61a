"""told_of: what a finished build came to, in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semcom.experiment.layers import closeness_of
from semcom.experiment.pruning import saved_by
from semcom.scenario.work import AnyBuild, Build, Tuning


def told_of(build: AnyBuild, outcome: Mapping[str, Any]) -> str:
    """What a finished build came to, in a line."""
    if isinstance(build, Build):
        made = "trained" if build.spec.learns else "drawn"
        return f"{outcome['parameters']:,} parameters{saved_by(outcome)}{closeness_of(outcome)}, {made}"
    if isinstance(build, Tuning):
        alone, together = (f"{100 * outcome[name]:.1f}" for name in ("error_alone", "error"))
        return f"{together} % of validation tokens wrong, {alone} % by the signal alone, weighed"
    if outcome["kind"] == "made_up":
        return f"{outcome['tokens']:,} tokens, made up"
    what = "n-grams, counted" if outcome["kind"] == "ngram" else "parameters, made"
    return f"{outcome['bits_per_token']:.2f} bits a token, {outcome['parameters']:,} {what}"
