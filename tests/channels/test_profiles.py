"""The tables are those of TR 38.901, read without running Sionna's code; and that code moves no draw."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest
import torch

from channels import Chance, Link, Tdl, draw
from channels.profiles import profile_named

MODELS = "ABCDE"


@pytest.mark.parametrize("name", [f"{kind}-{model}" for kind, model in product(("TDL", "CDL"), MODELS)])
def test_a_profile_is_what_the_report_says_of_it(name: str) -> None:
    profile = profile_named(name)
    powers = torch.cat((profile.powers, torch.tensor([profile.steady], dtype=torch.float64)))
    delays = torch.cat((profile.delays, torch.zeros(1, dtype=torch.float64)))
    assert float(powers.sum()) == pytest.approx(1.0)
    # Delays are given over their root mean square, with few digits.
    spread = float((powers * delays.square()).sum() - (powers * delays).sum().square()) ** 0.5
    assert spread == pytest.approx(1.0, abs=0.02)
    assert len(profile.powers) == {"A": 23, "B": 23, "C": 24, "D": 13, "E": 14}[name[-1]]
    assert (profile.steady > 0) == (name[-1] in "DE")


SAME_AS_SIONNA = """
import torch
from channels.profiles import profile_named
from sionna.phy.channel.tr38901 import CDL, TDL, PanelArray
for model in "ABCDE":
    theirs, ours = TDL(model, 1.0, 3.5e9, device="cpu", precision="double"), profile_named(f"TDL-{model}")
    powers = ours.powers.clone()
    powers[0] += ours.steady
    torch.testing.assert_close(theirs.mean_powers, powers)
    torch.testing.assert_close(theirs.delays, ours.delays)
    if ours.steady:
        assert abs(float(theirs.k_factor) * float(ours.powers[0]) / ours.steady - 1) < 1e-9
    one = PanelArray(1, 1, "single", "V", "omni", 3.5e9, device="cpu", precision="double")
    theirs = CDL(model, 1.0, 3.5e9, one, one, "uplink", device="cpu", precision="double")
    ours = profile_named(f"CDL-{model}")
    torch.testing.assert_close(theirs._powers * (1 - ours.steady), ours.powers)
    rays = (theirs._aod, theirs._zod, theirs._aoa, theirs._zoa)
    ends = (ours.terminal.azimuth, ours.terminal.zenith, ours.base.azimuth, ours.base.zenith)
    for those, these in zip(rays, ends):
        torch.testing.assert_close(those, these)
"""


@pytest.mark.slow
def test_sionna_reads_its_tables_alike() -> None:
    result = subprocess.run([sys.executable, "-c", SAME_AS_SIONNA], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


NOBODY_NOTICES = """
import sys, torch
torch.manual_seed(3)
from channels import Cdl, Chance, Link, PerBlock, Rayleigh, Tdl, draw
links = [Link(fading=fading, interferers=1, antennas=2) for fading in (Tdl(), Cdl(model="D"), Rayleigh())]
if sys.argv[1] == "first":
    import sionna.phy
    torch.manual_seed(3)
drawn = [draw(link, (4, 20), Chance(1)).gains.sum().item() for link in links]
assert ("sionna.phy" in sys.modules) == (sys.argv[1] == "first")
print(drawn, torch.rand(3).tolist(), torch.get_default_dtype(), torch.get_num_threads())
"""


@pytest.mark.slow
def test_no_draw_moves_whether_or_not_sionna_is_imported() -> None:
    told = [
        subprocess.run([sys.executable, "-c", NOBODY_NOTICES, when], capture_output=True, text=True, check=True).stdout
        for when in ("first", "never")
    ]
    assert told[0] == told[1]


def test_without_sionna_somebody_says_what_to_install(monkeypatch) -> None:
    profile_named.cache_clear()
    monkeypatch.setitem(sys.modules, "sionna", None)
    with pytest.raises(ModuleNotFoundError, match=r"TDL-C must have Sionna, got none installed; pip install 'semcom\["):
        draw(Link(fading=Tdl()), (2, 3), Chance(1))
