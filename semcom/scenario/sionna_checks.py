"""Whether Sionna is at hand for what needs it: the channels of a standard, and separate coding with codes of 5G."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from channels import Cdl, Tdl
from semcom.baselines.separate_spec import SeparateSpec
from semcom.mistakes import UserMistake
from semcom.scenario.work import Build, Run


def check_sionna(builds: tuple[Build, ...], runs: tuple[Run, ...]) -> None:
    """Refuse work that needs Sionna where there is none. It is located, never imported.

    Raises:
        UserMistake: what needs it, and what to install.
    """
    asking = next(_asking(builds, runs), None)
    if asking and find_spec("sionna") is None:
        raise UserMistake(f"{asking} must have Sionna, got none installed; pip install 'semcom[classical]'")


def _asking(builds: tuple[Build, ...], runs: tuple[Run, ...]) -> Iterator[str]:
    """What of this work needs it."""
    for build in builds:
        if isinstance(build.spec, SeparateSpec) and (build.spec.code == "ldpc" or build.spec.crc):
            yield f"codec {build.name}"
        settings = build.settings
        if build.steps and any(isinstance(each, Tdl | Cdl) for each in (settings.fading, settings.interference.fading)):
            yield f"the fading that codec {build.name} trains in"
    yield from (f"fading {each.kind}" for run in runs for each in run.link.fadings if isinstance(each, Tdl | Cdl))
