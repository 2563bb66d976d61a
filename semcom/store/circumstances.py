"""Circumstances: what can change a number and is in no identity, and whether a run folder mixes it."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcom.scenario.work import Build, Sweep
from semcom.store.store import Finished
from semcom.words import counted, visible

MOST_NAMES = 6


@dataclass(frozen=True)
class Circumstances:
    """In what a number was computed. The number of workers is not among it: that changes none.

    What an earlier version did not record is None, and agrees with anything.

    Args:
        threads: of torch, in the process that computed; sums are cut into as many parts.
        device: cpu or cuda.
        torch: its version, with the build behind the plus sign.
        arithmetic: what the processor or the accelerator computes with.
    """

    threads: int | None = None
    device: str | None = None
    torch: str | None = None
    arithmetic: str | None = None

    def told(self, names: Sequence[str]) -> str:
        """These of its parts in words, as far as they are known."""
        words = {
            "threads": counted(self.threads or 0, "thread"),
            "device": f"device {self.device}",
            "torch": f"torch {self.torch}",
            "arithmetic": f"{self.arithmetic}",
        }
        return ", ".join(words[name] for name in names if getattr(self, name) is not None)


NAMES = tuple(each.name for each in dataclasses.fields(Circumstances))


@dataclass
class Made:
    """What was made in the same circumstances."""

    how: Circumstances
    codecs: list[str] = field(default_factory=list)
    points: int = 0
    points_of: list[str] = field(default_factory=list)

    def told(self, names: Sequence[str]) -> str:
        """As a part of the one line."""
        whose = "their " if self.points_of == self.codecs else ""
        of = "" if whose else f" of {_listed(self.points_of)}"
        points = [f"{whose}{counted(self.points, 'point')}{of}"] if self.points else []
        return f"{' and '.join([_listed(self.codecs), *points] if self.codecs else points)} with {self.how.told(names)}"

    def facts(self) -> dict[str, Any]:
        """For the record."""
        return {**vars(self.how), "codecs": self.codecs, "points": self.points}


def circumstances(device: str, *, threads: int | None = None) -> Circumstances:
    """Those of this process.

    Args:
        threads: those asked for; None for those it has.
    """
    import torch

    on_gpu = not device.startswith("cpu")
    instructions = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return Circumstances(
        threads=torch.get_num_threads() if threads is None else threads,
        device=device.partition(":")[0],
        torch=str(torch.__version__),
        arithmetic=torch.cuda.get_device_name(device) if on_gpu else instructions,
    )


def foreseen(threads: int) -> Circumstances:
    """What is known of a run that is only planned, without loading torch."""
    return Circumstances(threads=threads, torch=_torch_version())


def _torch_version() -> str | None:
    """As torch itself would say; the package's own version may lack what stands behind the plus sign."""
    try:
        told = Path(str(importlib.metadata.distribution("torch").locate_file("torch/version.py"))).read_text()
    except (OSError, ValueError, importlib.metadata.PackageNotFoundError):
        return None
    found = re.search(r"^__version__\b.*= *['\"](.+)['\"]", told, re.MULTILINE)
    return found[1] if found else None


def made(sweep: Sweep, builds: Mapping[str, Finished], runs: Mapping[str, Finished]) -> list[Made]:
    """The codecs and points of a sweep that are done, by what they were made in.

    Args:
        builds: what the store remembers, by identity; without those that will be made again.
        runs: the same of runs.
    """
    groups: dict[Circumstances, Made] = {}

    def group(finished: Finished) -> Made:
        how = _recorded(finished.record)
        return groups.setdefault(how, Made(how))

    several = len({build.seed for build in sweep.builds}) > 1
    for build in sweep.builds:
        if (built := builds.get(build.identity)) and built.status == "done":
            group(built).codecs.append(_named(build, several))
    for run in {run.identity: run for run in sweep.runs}.values():
        if (ran := runs.get(run.identity)) and ran.status == "done":
            here = group(ran)
            here.points += 1
            here.points_of = list(dict.fromkeys([*here.points_of, _named(run.build, several)]))
    return list(groups.values())


def otherwise(groups: Sequence[Made], now: Circumstances) -> str | None:
    """One line where what is done was not all made as the rest will be; None where it was."""
    known = {name: [value for each in groups if (value := getattr(each.how, name)) is not None] for name in NAMES}
    current = {name: value for name in NAMES if (value := getattr(now, name)) is not None}
    names = [name for name in NAMES if len({*known[name], *([current[name]] if name in current else [])}) > 1]
    if not names:
        return None
    told = [each.told(names) for each in _joined(groups, names)]
    asked = f"; now asked for: {wanted}" if (wanted := now.told(names)) else ""
    before = {name: known[name][0] for name in names if len(set(known[name])) == 1}
    return (
        f"not all made alike, which can change numbers: {'; '.join(told)}{asked}. "
        f"{_advice(before) if len(before) == len(names) else 'Begin again with another --out'}"
    )


def _advice(before: Mapping[str, Any]) -> str:
    words = {
        "threads": "--threads {}",
        "device": "--device {}",
        "torch": "torch {}",
        "arithmetic": "a machine that computes with {}",
    }
    return (
        f"Use {' and '.join(words[name].format(value) for name, value in before.items())} as before, or another --out"
    )


def _joined(groups: Sequence[Made], names: Sequence[str]) -> list[Made]:
    """The groups as far as these parts tell them apart, without those of which none is known."""
    joined: dict[Circumstances, Made] = {}
    for each in groups:
        how = Circumstances(**{name: getattr(each.how, name) for name in names})
        if how.told(names):
            one = joined.setdefault(how, Made(how))
            one.codecs += each.codecs
            one.points += each.points
            one.points_of += [name for name in each.points_of if name not in one.points_of]
    return list(joined.values())


def _recorded(record: Mapping[str, Any]) -> Circumstances:
    """What a record says, which may come from somebody else's folder."""
    threads = record.get("threads")
    device, torch, arithmetic = (
        visible(text) if isinstance(text := record.get(name), str) else None
        for name in ("device", "torch", "arithmetic")
    )
    return Circumstances(threads if isinstance(threads, int) else None, device, torch, arithmetic)


def _named(build: Build, several: bool) -> str:
    return f"{build.name} (seed {build.seed})" if several else build.name


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:MOST_NAMES])} and {more} more"
