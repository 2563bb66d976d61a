"""The air as a library: whole from one import, and free of torch for whoever only wants to read a scenario."""

from __future__ import annotations

import subprocess
import sys

import channels

WITHOUT_TORCH = """
import sys, types
sys.modules["torch"] = types.ModuleType("torch")  # empty: whoever touches an attribute of it falls here
import channels
link = channels.Link(interferers=2, interference=channels.Qam(level_db=(-3.0, -6.0)), fading=channels.Rician())
assert channels.mean_sinr_db(link) < channels.mean_sir_db(link) < channels.mean_sir_db(channels.Link())
for variant in (*channels.FADING, *channels.COHERENCE, *channels.INTERFERENCE, *channels.EQUALIZERS, *channels.CSI):
    hash(variant())
waveform = channels.Waveform(multipath=channels.Multipath(fading=channels.Rayleigh(), paths=3), interferers=2)
assert hash(waveform) != hash(channels.Waveform())
heavy = {"numpy", "scipy", "sionna", "pydantic"} & set(sys.modules)
assert not heavy, heavy
"""


def test_links_are_made_and_compared_without_touching_torch() -> None:
    result = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_public_name_is_there() -> None:
    assert sorted(channels.__all__) == sorted(set(channels.__all__))
    for name in channels.__all__:
        assert hasattr(channels, name), name
