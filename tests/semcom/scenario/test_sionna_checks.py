"""Who needs Sionna is told what to install before any work; who does not is left alone."""

from __future__ import annotations

import pytest

from semcom.mistakes import UserMistake
from semcom.scenario import sionna_checks
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario

SEPARATE = "codecs.big={kind: separate, source: characters%s}"


@pytest.mark.parametrize(
    ("changes", "asking"),
    [
        ((), None),
        (("link.fading=tdl",), "fading tdl"),
        (("link.interference.fading=cdl", "sweep.interferers=[1]"), "fading cdl"),
        (("link.interference.fading=cdl", "sweep.interferers=[0]"), None),
        (("training.fading=tdl",), "the fading that codec big trains in"),
        ((SEPARATE % "",), "codec big"),
        ((SEPARATE % ", code: none, crc: 16",), "codec big"),
        ((SEPARATE % ", code: none, crc: 0",), None),
    ],
)
def test_what_needs_sionna_says_so_where_there_is_none(tiny_yaml, monkeypatch, changes, asking) -> None:
    if changes and "separate" in changes[0]:
        # Nobody learns from a codec that learns nothing.
        changes = (*changes, "codecs.small={kind: semantic}", "sweep.codec=[big]", "measure.compare=[]")
    scenario = load_scenario(tiny_yaml, changes)[0]
    expand(scenario)
    monkeypatch.setattr(sionna_checks, "find_spec", lambda name: None)
    if asking is None:
        expand(scenario)
    else:
        with pytest.raises(
            UserMistake, match=rf"^{asking} must have Sionna, got none installed; pip install 'semcom\["
        ):
            expand(scenario)
