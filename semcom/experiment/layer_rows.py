"""layers.csv: how close generated layers come to a teacher's, layer by layer, with what messages leave uncertain."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from scipy.special import ndtri

from semcom.experiment.layers import SUMS
from semcom.experiment.tabulate import compared
from semcom.metrics.bootstrap import Array, Combine
from semcom.metrics.crossed import common_share, influences
from semcom.scenario.scenario import Scenario
from semcom.scenario.work import Build, Sweep
from semcom.store.results import kind_of, rewrite_table
from semcom.store.store import Finished

# Of sums over messages in the order of `SUMS` (tokens, apart, gap, size), [..., 4] -> [...].
METRICS: dict[str, Combine] = {
    "cosine": lambda sums: 1 - sums[..., 1] / sums[..., 0],
    "l1": lambda sums: sums[..., 2] / sums[..., 0],
    "l1_share": lambda sums: sums[..., 2] / sums[..., 3],
}
Z = float(ndtri(0.975))

# A stack and the number of a layer in it.
Place: TypeAlias = tuple[str, int]
# A codec of one seed, or one and that which is subtracted from it.
Sides: TypeAlias = tuple["_Told", ...]


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One line of layers.csv, one number of one layer that a codec of one seed generates; the fields are its columns.

    Compared on the first test sentences, the codec running free, with what the codec around makes of the same sentences
    in the same air, drawn like the training air. Each hears its own transmitter: a layer of the receiver is to be what
    it would have been there, and every codec is held against the same layers.

    Args:
        around: the codec whose layers they are.
        family: generated one after another, or from heads.
        stack: transmitter or receiver, where the layers stand.
        layer: its number among the layers of the codec around, from 1 on.
        metric: cosine, mean over tokens of the cosine between the two; l1, their mean absolute difference over tokens
            and channels; l1_share, the same over the mean absolute value of the teacher's layer.
        kind: value is the number itself, difference that of two codecs around the same one.
        against: the codec subtracted in a paired difference; empty in a value.
        low: lower end of the 95 % interval over messages; None in records of before it was kept.
        high: upper end.
        common: of the variance over messages, the share that all seeds of this codec, or of these two, have in common,
            as in results.csv. None of one seed.
        count: messages behind it.
        tokens: how many were compared; frames, where words are spoken.
        own_parameters: of all makers of the codec's layers together, apart from what it took over.
    """

    codec: str
    seed: int
    around: str
    family: str
    stack: str
    layer: int
    metric: str
    kind: str
    against: str = ""
    value: float
    low: float | None = None
    high: float | None = None
    common: float | None = None
    count: int | None = None
    tokens: int
    own_parameters: int


COLUMNS = tuple(each.name for each in dataclasses.fields(LayerRow))


@dataclass(frozen=True, eq=False)
class _Told:
    """What the record of one build tells of its layers.

    Args:
        rows: by stack and number.
        messages: that were compared; none in records of before that was kept.
    """

    build: Build
    rows: Mapping[Place, Mapping[str, Any]]
    messages: tuple[int, ...]
    own_parameters: int

    @property
    def donor(self) -> str:
        """Identity of the codec around."""
        return self.build.adoption.donor if self.build.adoption else ""

    def sums(self, place: Place) -> Array:
        """Of every message, [messages, 4]."""
        return np.array([self.rows[place]["sums"][name] for name in SUMS], dtype=float).T


def layer_rows(scenario: Scenario, sweep: Sweep, builds: Mapping[str, Finished]) -> list[LayerRow]:
    """Rows of every codec of the sweep that generates layers, seed by seed; behind them paired differences.

    These are of the pairs that results.csv has as well, where both generate layers of the same codec.

    Args:
        builds: what the store remembers, by identity.
    """
    names = {build.identity: build.name for build in sweep.builds}
    told = _told(sweep, builds)
    codecs: dict[str, list[Sides]] = {}
    for (name, _), each in told.items():
        codecs.setdefault(name, []).append((each,))
    pairs: list[list[Sides]] = [
        [
            (ours, theirs)
            for (name, seed), ours in told.items()
            if name == one and (theirs := told.get((other, seed))) and theirs.donor == ours.donor
        ]
        for one, other in compared(scenario)
    ]
    return [row for seeds in (*codecs.values(), *pairs) for row in _of_seeds(seeds, names)]


def _told(sweep: Sweep, builds: Mapping[str, Finished]) -> dict[tuple[str, int], _Told]:
    """By codec and seed, in the order of the table."""
    named: dict[tuple[str, int], Build] = {}
    for build in (*(run.build for run in sweep.runs), *sweep.builds):
        named.setdefault((build.name, build.seed), build)
    found = {}
    for name, build in named.items():
        finished = builds.get(build.identity)
        layers = finished.record.get("layers") if finished and finished.status == "done" else None
        if layers:
            rows = {(row["stack"], row["layer"]): row for row in layers["rows"]}
            found[name] = _Told(build, rows, tuple(layers.get("messages", ())), layers["own_parameters"])
    return found


def _of_seeds(seeds: Sequence[Sides], names: Mapping[str, str]) -> list[LayerRow]:
    """What a codec, or two, of several seeds add to the table.

    Args:
        names: of codecs, by identity.
    """
    found = []
    for place in seeds[0][0].rows if seeds else ():
        if any(place not in each.rows for sides in seeds for each in sides):
            continue
        for metric in METRICS:
            moved = [_moved(sides, place, metric) for sides in seeds]
            common = _common(seeds, moved)
            for sides, parts in zip(seeds, moved, strict=True):
                around = names.get(sides[0].donor, "")
                found.append(_row(sides, parts, place=place, metric=metric, common=common, around=around))
    order = [sides[0].build.seed for sides in seeds]
    return sorted(found, key=lambda row: order.index(row.seed))


def _moved(sides: Sides, place: Place, metric: str) -> Array | None:
    """What each message moves the number by, or the difference of two; None where the records do not tell."""
    messages = sides[0].messages
    if len(messages) < 2 or any(each.messages != messages for each in sides):
        return None
    # Silent layers have no size to take a share of.
    with np.errstate(divide="ignore", invalid="ignore"):
        first, *others = (influences(each.sums(place), METRICS[metric]) for each in sides)
    moved = first - others[0] if others else first
    return moved if np.isfinite(moved).all() else None


def _common(seeds: Sequence[Sides], moved: Sequence[Array | None]) -> float | None:
    """The column `common`; only seeds that were compared on the same messages can tell."""
    parts = [each for each in moved if each is not None]
    if len({sides[0].messages for sides in seeds}) > 1 or len(parts) < 2:
        return None
    share = common_share(np.stack(parts))
    return None if math.isnan(share) else share


def _row(
    sides: Sides, moved: Array | None, *, place: Place, metric: str, common: float | None, around: str
) -> LayerRow:
    first, others = sides[0], sides[1:]
    value, *less = (each.rows[place][metric] for each in sides)
    value -= sum(less)
    half = None if moved is None else Z * float(np.std(moved, ddof=1)) / math.sqrt(len(moved))
    against = others[0].build.name if others else ""
    return LayerRow(
        codec=first.build.name,
        seed=first.build.seed,
        around=around,
        family=getattr(first.build.spec, "family", ""),
        stack=place[0],
        layer=place[1],
        metric=metric,
        kind=kind_of(against, ""),
        against=against,
        value=value,
        low=None if half is None else value - half,
        high=None if half is None else value + half,
        common=common,
        count=len(first.messages) or None,
        tokens=first.rows[place]["tokens"],
        own_parameters=first.own_parameters,
    )


def write_layers(rows: Sequence[LayerRow], path: Path) -> None:
    """Replace the table by these rows; without any there is no table.

    Raises:
        UserMistake: the disk refuses.
    """
    rewrite_table(rows, COLUMNS, path)
