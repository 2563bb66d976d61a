"""Checks of detectors and scrambling: whether there is anybody whom they could tell apart."""

from __future__ import annotations

from channels import Neighbors
from semcom.scenario.scenario import Scenario
from semcom.tasks.detectors import AS_NOISE


def check_detectors(scenario: Scenario) -> None:
    """Refuse detectors of users that cannot be decoded, and scrambling of signals that no codec sends.

    Raises:
        ValueError: beginning with the path of the key that is wrong.
    """
    where = "sweep.detector" if scenario.sweep.detector else "link.detector"
    found = [each.kind for each in scenario.detectors if each != AS_NOISE]
    if (scenario.sweep.detector or found) and not scenario.most_interferers:
        raise ValueError(f"{where} must have interferers to tell apart, got none; raise sweep.interferers")
    others = [each.carries for each in scenario.goals_of(scenario.heard_codecs) if each.carries != "sentences"]
    if found and others:
        raise ValueError(
            f"{where} must be noise where {others[0]} are sent, got {found[0]}; only sentences can be "
            "decoded and sent again"
        )
    if found and scenario.measure.users != "all":
        raise ValueError(
            f"{where} must be noise where measure.users is wanted, got {found[0]}; there the neighbors are heard from "
            "the middle of a sentence on, which no receiver of sentences decodes: set measure.users to all"
        )
    apart = [name for name in scenario.heard_codecs if scenario.resolved(name).begun.kind == "separate"]
    if found and apart:
        raise ValueError(
            f"{where} must be noise where codecs are of kind separate, got {found[0]} with '{apart[0]}'; a failed "
            "block leaves nothing to subtract"
        )
    if not scenario.link.scrambling:
        return
    if not scenario.most_interferers:
        raise ValueError("link.scrambling must have interferers to part users from, got none; raise sweep.interferers")
    for interference in scenario.sweep.interference or (scenario.link.interference,):
        if not isinstance(interference, Neighbors):
            raise ValueError(
                f"link.scrambling must have interferers of kind neighbors, who scramble too, got kind "
                f"{interference.kind}; leave it out"
            )
