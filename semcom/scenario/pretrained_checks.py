"""Checks of codecs with a pretrained encoder: whether a folder is named, and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
