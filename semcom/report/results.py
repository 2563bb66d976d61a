"""System, Condition, Point, Results: what a results.csv holds once its seeds are averaged."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from semcom.report.costs import Costs
from semcom.store.limits import Limit

__all__ = ["DIFFERENCE", "NO_GAP", "SHARE", "SUM", "VALUE", "WANTED", "Condition", "Point", "Results", "System"]
__all__ += ["Bound", "evenly", "in_order"]

NO_GAP = "no gap"  # the status of a share where the teacher is not ahead of the control
T = TypeVar("T")
Bound: TypeAlias = Literal["", "at least", "at most"]
Number = TypeVar("Number", int, float)
WANTED = "0"
SUM = "sum"
VALUE, DIFFERENCE, SHARE = "value", "difference", "share"  # the metric, two subtracted, a part of a gap


@dataclass(frozen=True)
class System:
    """One codec that was measured, or one that somebody else published.

    Args:
        method: how it came to be; for a published system the note that has to stand beside its curve.
        adopted: what it took over, transmitter, receiver or around, or empty.
        own_method: how it came to be apart from what it took over.
        parameters: of transmitter and receiver together; None where nobody says.
        body_parameters: the same without the embeddings, which hide compression.
        language: the language that its receiver decides with, or empty; all sizes count it in.
    """

    codec: str
    role: str
    method: str = ""
    adopted: str = ""
    own_method: str = ""
    parameters: int | None = None
    body_parameters: int | None = None
    size_bytes: int | None = None
    symbols_per_token: float | None = None
    symbols_per_word: float | None = None
    language: str = ""

    @property
    def is_published(self) -> bool:
        """Whether the numbers are somebody else's."""
        return self.role == "published"


@dataclass(frozen=True)
class Condition:
    """What stands still along a curve: the air apart from SNR and crowd, and what the receiver does about it.

    Args:
        crowd: the codecs that the interferers send through in turn, joined by +; empty if all use the wanted user's.
        detector: how the receivers of a cell tell its users apart; empty if each takes the others for noise.
    """

    task: str = ""
    fading: str = ""
    coherence: str = ""
    interference: str = ""
    equalizer: str = ""
    csi: str = ""
    antennas: int | None = None
    crowd: str = ""
    detector: str = ""

    @property
    def air(self) -> Condition:
        """The condition without its interferers: all that counts where there are none."""
        return dataclasses.replace(self, interference="", crowd="", detector="")


@dataclass(frozen=True)
class Point:
    """One averaged number and where it stands; value, low and high are NaN where nothing was measured.

    Args:
        level: of each interferer relative to the wanted user [dB]; one number means all alike, none means nobody.
        kind: of number: value, difference or share; what is of two kinds is never averaged.
        against: the system subtracted, for a paired difference; for a share of a gap, where the gap begins.
        gap_to: where the gap ends, for a share of a gap.
        seeds: those that finished, or none where the table names no seed.
        count: sentences behind the value, the fewest of its seeds.
        missing: the status of every run that gave no number here.
        user: of a cell, whom the number is about: 0 is the wanted one, `sum` is all of them added up.
        bound: near an end of the metric, where the interval reaches to that end and its other end is one-sided.
        is_crossed: whether the interval tells what sentences and what seeds leave uncertain apart.
    """

    system: System
    condition: Condition
    metric: str
    snr_db: float
    interferers: int
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    kind: str = VALUE
    against: System | None = None
    level: tuple[float, ...] = ()
    sir_db: float = math.inf
    sinr_db: float = math.nan
    seeds: tuple[int, ...] = ()
    count: int | None = None
    missing: tuple[str, ...] = ()
    user: str = WANTED
    gap_to: System | None = None
    bound: Bound = ""
    is_crossed: bool = False

    @property
    def spot(self) -> tuple[object, ...]:
        """By whom, where and in what it was measured."""
        return (self.system, self.condition, self.metric, self.snr_db, self.interferers, self.level)

    @property
    def limit(self) -> float:
        """What a one-sided bound says: at least, or at most, so much."""
        return self.low if self.bound == "at least" else self.high

    @property
    def is_measured(self) -> bool:
        """Whether there is a number to draw."""
        return math.isfinite(self.value)


@dataclass(frozen=True, eq=False)
class Results:
    """The points of a table, or of a part of it.

    Args:
        systems: of the whole table, in order of appearance, so that a part keeps the colors of the whole.
        distinction: the words that tell this part from its sisters; none if it has no sisters.
        costs: by codec, where they are known.
        limits: of any code for the same sentences, where they were asked for.
    """

    points: tuple[Point, ...]
    systems: tuple[System, ...]
    distinction: tuple[str, ...] = ()
    costs: Mapping[str, Costs] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metric names, in order of appearance."""
        return in_order(point.metric for point in self.points)

    @property
    def metric(self) -> str:
        """The one metric of a part."""
        if len(self.metrics) != 1:
            raise ValueError(f"a part must hold one metric, got {', '.join(self.metrics)}; take one of parts()")
        return self.metrics[0]

    @property
    def condition(self) -> Condition:
        """The one condition of a part; interferers count only where there are any."""
        crowded = in_order(point.condition for point in self._measured() if point.interferers)
        found = crowded or in_order(point.condition for point in self._measured())
        if len(found) != 1:
            raise ValueError(f"a part must hold one condition, got {len(found)}; take one of parts()")
        return found[0]

    @property
    def levels(self) -> tuple[tuple[float, ...], ...]:
        """Interferer levels, a list that only begins a longer one left out: two interferers use two of its entries."""
        found = in_order(point.level for point in self._measured() if point.interferers)
        return tuple(sorted(each for each in found if not any(_begins(each, other) for other in found)))

    @property
    def absolute(self) -> tuple[Point, ...]:
        """Points that stand for themselves."""
        return tuple(point for point in self.points if point.kind == VALUE)

    @property
    def paired(self) -> tuple[Point, ...]:
        """Paired differences; of a pair both ways round not what every table has, its first codec minus each other."""
        pairs = [point for point in self.points if point.kind == DIFFERENCE]
        both, first = {(point.system, point.against) for point in pairs}, self.systems[:1]
        return tuple(p for p in pairs if (p.system,) != first or (p.against, p.system) not in both)

    @property
    def shares(self) -> tuple[Point, ...]:
        """Shares of the gap from a control to a teacher that a student closes."""
        return tuple(point for point in self.points if point.kind == SHARE)

    def having(self, test: Callable[[Point], bool]) -> Results:
        """The points that pass."""
        return dataclasses.replace(self, points=tuple(point for point in self.points if test(point)))

    def parts(self, *, levels_apart: bool = True) -> tuple[Results, ...]:
        """Cut into what one picture may hold: one metric under one condition, and one interferer level if asked.

        Only the wanted user's points: what other users of a cell got has pictures and tables of its own (`cells`).
        Points without interferers belong to every interference kind and level of their air. A published point belongs
        wherever its task, its fading and, in a crowd, its interference and level do not contradict.
        """
        return self.having(lambda point: point.user == WANTED)._parts(levels_apart=levels_apart)

    def cells(self, *, levels_apart: bool = True) -> tuple[Results, ...]:
        """The same cut for the points of all users of a cell, one wanted codec at a time; none where none were scored.

        Paired differences are left out.
        """
        if all(point.user == WANTED for point in self.points):
            return ()
        parts = []
        for part in self.having(lambda point: point.kind == VALUE)._parts(levels_apart=levels_apart):
            for system in in_order(point.system for point in part._measured()):
                own = part.having(lambda point, system=system: point.system == system)  # type: ignore[misc]
                parts.append(dataclasses.replace(own, distinction=(*part.distinction, f"wanted codec {system.codec}")))
        return tuple(parts)

    def kinds(self, kind: str = VALUE) -> tuple[Results, ...]:
        """Cut for comparing kinds of interference: one metric in one air, under all kinds and levels.

        None where only one kind was met.

        Args:
            kind: of number; values are cut by wanted codec too, differences of all pairs stand together.
        """
        crowded = self.having(lambda p: p.interferers > 0 and p.user == WANTED and p.kind == kind)
        airs = in_order(dataclasses.replace(point.condition, interference="") for point in crowded._measured())
        words, parts = _distinctions(airs), []
        systems = in_order(point.system for point in crowded._measured()) if kind == VALUE else (None,)
        for metric, (air, told), system in itertools.product(self.metrics, zip(airs, words, strict=True), systems):
            part = crowded.having(
                lambda p, metric=metric, air=air, system=system: (  # type: ignore[misc]
                    (p.metric, dataclasses.replace(p.condition, interference="")) == (metric, air)
                    and system in (None, p.system)
                )
            )
            if len({point.condition.interference for point in part.points}) > 1:
                whose = (f"wanted codec {system.codec}",) if system else ()
                parts.append(dataclasses.replace(part, distinction=(*told, *whose)))
        return tuple(parts)

    def _parts(self, *, levels_apart: bool) -> tuple[Results, ...]:
        conditions = _conditions(self._measured())
        words = _distinctions(conditions)
        parts = []
        for metric in self.metrics:
            of_metric = self.having(lambda point, metric=metric: point.metric == metric)  # type: ignore[misc]
            for condition, told in zip(conditions, words, strict=True):
                part = dataclasses.replace(of_metric._under(condition), distinction=told)
                parts.extend(part._level_by_level() if levels_apart else [part])
        return tuple(part for part in parts if part._measured())

    def _measured(self) -> tuple[Point, ...]:
        return tuple(point for point in self.points if not point.system.is_published)

    def _under(self, condition: Condition) -> Results:
        quiet = in_order(
            p.condition for p in self._measured() if not p.interferers and p.condition.air == condition.air
        )
        # A point without interferers may have been written once, under any interference kind: it is the same air.
        alone = condition if condition in quiet or not quiet else quiet[0]

        def belongs(point: Point) -> bool:
            if point.system.is_published:
                return _agrees(point, condition)
            return point.condition == (condition if point.interferers else alone)

        return self.having(belongs)

    def _level_by_level(self) -> list[Results]:
        if len(self.levels) < 2:
            return [self]
        return [
            dataclasses.replace(
                self.having(lambda p, level=level: not p.interferers or _fits(p, level)),  # type: ignore[misc]
                distinction=(*self.distinction, f"interferers at {', '.join(f'{each:g}' for each in level)} dB"),
            )
            for level in self.levels
        ]


def in_order(values: Iterable[T]) -> tuple[T, ...]:
    """Each value once, as first met."""
    return tuple(dict.fromkeys(values))


def evenly(values: Iterable[Number], most: int) -> tuple[Number, ...]:
    """At most so many of the values, first and last among them, the rest evenly spread."""
    ordered = sorted(set(values))
    if len(ordered) <= most:
        return tuple(ordered)
    return tuple(ordered[round(index * (len(ordered) - 1) / (most - 1))] for index in range(most))


def _begins(short: tuple[float, ...], long: tuple[float, ...]) -> bool:
    return len(short) < len(long) and long[: len(short)] == short


def _fits(point: Point, level: tuple[float, ...]) -> bool:
    """Whether a crowd is of this level; a published one that tells none fits anywhere."""
    if point.system.is_published and not point.level:
        return True
    return point.level == level or _begins(point.level, level)


def _agrees(point: Point, condition: Condition) -> bool:
    """Whether a published point may lie over a curve; its receiver is its own business, and the caption tells it."""
    told = point.condition
    same_crowd = not point.interferers or told.interference in ("", condition.interference)
    return told.task in ("", condition.task) and told.fading in ("", condition.fading) and same_crowd


def _conditions(points: tuple[Point, ...]) -> tuple[Condition, ...]:
    crowded = in_order(point.condition for point in points if point.interferers)
    airs = {condition.air for condition in crowded}
    # Several interference kinds may be written where nobody interferes: one of them speaks for the air.
    quiet = {point.condition.air: point.condition for point in reversed(points) if point.condition.air not in airs}
    wanted = {*crowded, *quiet.values()}
    return tuple(each for each in in_order(point.condition for point in points) if each in wanted)


def _distinctions(conditions: tuple[Condition, ...]) -> list[tuple[str, ...]]:
    """Per condition the fields in which it differs from any other, as words."""
    names = [each.name for each in dataclasses.fields(Condition)]
    varied = [name for name in names if len({getattr(each, name) for each in conditions}) > 1]
    return [
        tuple(_told(name, getattr(each, name)) for name in varied if name != "crowd" or _has_crowd(each))
        for each in conditions
    ]


def _has_crowd(condition: Condition) -> bool:
    """Whether interferers send through codecs; what is only noise is of no crowd."""
    return bool(condition.crowd) or condition.interference.partition("(")[0] in ("", "neighbors")


def _told(name: str, value: object) -> str:
    """A field as a reader is told of it; what speaks for itself goes without its name."""
    if name == "crowd":
        return f"crowd of {value or 'the wanted codec'}"
    if name == "detector":
        return f"detector {value or 'noise'}"
    return str(value) if name in ("task", "interference") and value else f"{name} {value if value != '' else 'unknown'}"
