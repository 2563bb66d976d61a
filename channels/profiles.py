"""Profiles: delays, powers and angles of the paths of 3GPP TR 38.901, read from the tables that Sionna comes with.

The tables lie beside Sionna's code as JSON. They are read as files: its code, which seeds torch's generator when it is
imported, is not run.
"""

from __future__ import annotations

import importlib.resources
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable
from typing import Any

import torch

from channels.units import db_to_ratio

__all__ = ["Directions", "Profile", "profile_named"]

# Folders of the tables, the newest release first; Sionna 2.0 had them all in one.
_FOLDERS = ("phy/channel/tr38901/models/v19_2", "phy/channel/tr38901/models")
# The directions of 20 rays of equal power around that of their cluster, at a spread of one.
# Source: 3GPP TR 38.901, table 7.5-3.
_OFFSETS = (0.0447, 0.1413, 0.2492, 0.3715, 0.5129, 0.6797, 0.8844, 1.1481, 1.5195, 2.1551)


@dataclass(frozen=True, eq=False)
class Directions:
    """From where the rays of every cluster come, as one end of a link sees them.

    Args:
        azimuth: [L, M] of M rays in each of L clusters [radian].
        zenith: [L, M], from above: the horizon is at pi/2 [radian].
        steady: azimuth and zenith of the steady path [radian]; zeros where there is none.
    """

    azimuth: torch.Tensor
    zenith: torch.Tensor
    steady: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Profile:
    """The paths of one model.

    Args:
        delays: [L] of the scattered paths, over the delay spread; the steady path's is 0.
        powers: [L] mean powers of the scattered paths; with the steady path they add up to 1.
        steady: mean power of the steady path; 0 where there is none.
        base: directions at the base station; None of a model without any.
        terminal: directions at the terminal; None of a model without any.
    """

    delays: torch.Tensor
    powers: torch.Tensor
    steady: float
    base: Directions | None = None
    terminal: Directions | None = None


@lru_cache(maxsize=16)
def profile_named(name: str) -> Profile:
    """The profile of a model, such as "TDL-C" or "CDL-D".

    Raises:
        ModuleNotFoundError: Sionna is not installed, or has no such table.

    Source: 3GPP TR 38.901, tables 7.7.1-1 to 7.7.1-5 (CDL) and 7.7.2-1 to 7.7.2-5 (TDL); rays by equation 7.7-0a.
    """
    told = json.loads(_table(name).read_text(encoding="utf-8"))
    powers = db_to_ratio(torch.tensor(told["powers"], dtype=torch.float64))
    powers /= powers.sum()
    first = int(told["los"])  # the steady path stands in front of the scattered ones
    has_directions = "aoa" in told
    return Profile(
        delays=torch.tensor(told["delays"], dtype=torch.float64)[first:],
        powers=powers[first:],
        steady=float(powers[0]) if first else 0.0,
        base=_directions(told, "d") if has_directions else None,
        terminal=_directions(told, "a") if has_directions else None,
    )


def _directions(told: dict[str, Any], end: str) -> Directions:
    """Columns of departure (d) or arrival (a) in a CDL table, in degrees there, as of a terminal that is sent to."""
    offsets = torch.tensor([sign * offset for offset in _OFFSETS for sign in (1, -1)], dtype=torch.float64)
    azimuth, zenith = (torch.tensor(told[f"{which}o{end}"], dtype=torch.float64).deg2rad() for which in "az")
    wide, high = (math.radians(told[f"c{which}S{end.upper()}"]) * offsets for which in "AZ")
    first = int(told["los"])
    steady = (float(azimuth[0]), float(zenith[0])) if first else (0.0, 0.0)
    return Directions(azimuth=azimuth[first:, None] + wide, zenith=zenith[first:, None] + high, steady=steady)


def _table(name: str) -> Traversable:
    """The file of a table among those of the installed package."""
    try:
        package = importlib.resources.files("sionna")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{name} must have Sionna, got none installed; pip install 'semcom[classical]'"
        ) from None
    for folder in _FOLDERS:
        if (found := package.joinpath(folder, f"{name}.json")).is_file():
            return found
    raise ModuleNotFoundError(
        f"{name} must be a table of the installed Sionna, got none under {' or '.join(_FOLDERS)}; "
        "install a release from 2.0 to below 3"
    )
