"""Warn about points whose measured SNR or SINR is far from the one on the axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from channels import Link, Nakagami, Rayleigh, Rician, link_for, mean_sinr_db
from semcom.scenario.air import in_phase
from semcom.scenario.work import Run
from semcom.store.store import Finished
from semcom.words import counted

FAR_DB = 0.5  # less moves no curve visibly


def off_label(runs: Iterable[Run], finished: Mapping[str, Finished]) -> str | None:
    """One line for all points whose measured SNR or SINR is further from their label than `FAR_DB`; None without any.

    A label is a mean over fading. Where few gains are drawn, as with one for each of a few sentences, chance may lay a
    whole curve beside it: every codec meets the same gains.

    Args:
        finished: the records of runs by identity; runs without one, or that failed, are passed over.
    """
    done = {run.identity: run for run in runs if run.identity in finished and finished[run.identity].status == "done"}
    far: dict[str, list[tuple[float, Run]]] = {"SNR": [], "SINR": []}
    for key, run in done.items():
        for name, gap in _gaps(run.link, finished[key].record):
            # Where nobody interferes the two are one.
            if abs(gap) > FAR_DB and (name == "SNR" or run.link.interferers):
                far[name].append((gap, run))
    told = [_told(name, found, of=len(done)) for name, found in far.items() if found]
    links = [run.link for found in far.values() for _, run in found]
    return f"{', and '.join(told)}; {_advice(links)}" if told else None


def _told(name: str, found: list[tuple[float, Run]], *, of: int) -> str:
    gap, run = max(found, key=lambda each: abs(each[0]))
    what = f"measured {name} more than {FAR_DB:g} dB off the label"
    # Next to the bound one decimal would say the bound itself.
    furthest = f"{gap:+.2f}" if abs(gap) < FAR_DB + 0.05 else f"{gap:+.1f}"
    return f"{len(found)} of {counted(of, 'point')} with {what}, up to {furthest} dB for {place_of(run)}"


def place_of(run: Run) -> str:
    """Where a run stands in the sweep, for people."""
    return f"{run.build.name} at {run.link.snr_db:g} dB, {counted(run.link.interferers, 'interferer')}"


def _gaps(link: Link, record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """How far SNR and SINR were from what the link says [dB]: for the user of the cell that met the furthest."""
    users = record.get("users", [record])
    for name, key in (("SNR", "measured_snr_db"), ("SINR", "measured_sinr_db")):
        labels = (link_for(link, number) for number in range(len(users)))
        wanted = ((each.snr_db if name == "SNR" else mean_sinr_db(each)) for each in labels)
        gaps = [
            met[key] - label for met, label in zip(users, wanted, strict=True) if not math.isnan(met.get(key, math.nan))
        ]
        yield name, max(gaps, key=abs, default=0.0)


def _advice(links: list[Link]) -> str:
    """What brings measured values nearer to these links' labels."""
    advice = "more measure.sentences or measure.repeats bring them nearer"
    fadings = [fading for link in links for fading in link.fadings]
    if any(isinstance(each, Rayleigh | Rician | Nakagami) and not each.stratified for each in fadings):
        advice += ", and so does stratified: true in the fading"
    if any(map(in_phase, links)):
        advice += "; interferers without fading arrive in phase and add up: fading: {kind: random_phase}"
    return advice
