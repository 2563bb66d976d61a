"""Checks of codecs with a pretrained encoder: whether a folder is named, what it holds, and whom it teaches what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semcom.distillation.sight import settled
from semcom.mistakes import UserMistake
from semcom.models.pretrained_speech_spec import PretrainedSpeechSpec

if TYPE_CHECKING:
    from semcom.scenario.scenario import Scenario


def check_folder(scenario: Scenario, name: str) -> None:
    """Refuse such a codec without a folder, and folders whose encoder cannot be read.

    Raises:
        ValueError: beginning with the path of the key that is wrong.
    """
    plan = scenario.codecs[name]
    if not isinstance(plan.NAMED[plan.USUAL], PretrainedSpeechSpec):
        return
    try:
        found = scenario.resolved(name).begun
    except UserMistake as mistake:
        raise ValueError(f"codecs.{name}.folder: {mistake}") from None
    if isinstance(found, PretrainedSpeechSpec) and not found.digest:
        raise ValueError(
            f"codecs.{name}.folder must name the folder of a pretrained encoder, got none; write one that holds "
            "config.json and model.safetensors"
        )


def check_places(scenario: Scenario, name: str) -> None:
    """Refuse to hold layers of unlike places against each other: an encoder has frames of its own.

    Raises:
        ValueError: beginning with the path of the key that is wrong.
    """
    plan = scenario.codecs[name].distill
    ours = getattr(scenario.resolved(name).begun, "places", None)
    for teacher in plan.teachers if plan else ():
        if getattr(scenario.resolved(teacher).begun, "places", None) == ours:
            continue
        for method in settled(plan.methods, scenario.resolved(name).begun) if plan else ():
            if getattr(method, "by_place", False) and "sent" in method.sees:
                raise ValueError(
                    f"codecs.{name}.distill.methods: {method.kind} must have layers of equal places to compare, got "
                    f"'{name}' and '{teacher}', whose transmitters have frames of their own; take what a receiver "
                    f"makes, such as soft_logits, or a codec that is plugged in (adopt: {{around: {teacher}}})"
                )
