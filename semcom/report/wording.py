"""Words for the reader: axes of the air with units, system labels, picture captions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from semcom.metrics.catalog import axis_of
from semcom.metrics.rare import NEAR
from semcom.report.results import DIFFERENCE, NO_GAP, SHARE, SUM, Condition, Point, Results, System, in_order
from semcom.words import counted

__all__ = [
    "INTERFERERS",
    "LEVEL",
    "SNR",
    "SNR_SHORT",
    "air_of",
    "by_user",
    "caption",
    "crowd_title",
    "label",
    "margin",
    "millions",
    "over_seeds",
    "snr_title",
    "spoken",
    "user_name",
]

SNR = "SNR [dB] (wanted user's mean received power over noise power, per complex symbol)"
SNR_SHORT = "SNR is the wanted user's mean received power over the receiver's noise power, per complex symbol"
INTERFERERS = "Number of interferers; below it, total signal-to-interference ratio SIR [dB]"
LEVEL = "Level of each interferer relative to the wanted user [dB]"


def millions(parameters: int | None) -> str:
    """A parameter count as people say it: 0.38 M; nothing where nothing is known or nothing is learned."""
    if not parameters:
        return ""
    return f"{parameters / 1e6:.2f} M" if parameters >= 5e3 else f"{parameters / 1e3:.2g} k"


def label(system: System) -> str:
    """Name, role, method, language and size: distilled (student, soft_logits+symbols, 0.38 M).

    A published system's note is a sentence; it stands in the caption.
    """
    if system.is_published:
        return f"{system.codec} (published; see below)"
    told = [system.role, system.method, spoken(system), millions(system.parameters)]
    return f"{system.codec} ({', '.join(each for each in told if each)})"


def spoken(system: System) -> str:
    """Which language a receiver knows, if any."""
    return f"language {system.language}" if system.language else ""


def user_name(user: str, part: Results) -> str:
    """A user of a cell as people know it: user 2 (plain).

    Args:
        part: of one wanted codec.
    """
    if user == SUM:
        return "sum of all"
    number, crowd = int(user), part.condition.crowd
    wanted = next(point.system.codec for point in part.points)
    codec = crowd.split("+")[(number - 1) % (crowd.count("+") + 1)] if number and crowd else wanted
    return f"user {number} ({'wanted, ' if not number else ''}{codec})"


def by_user(point: Point) -> float:
    """The order of users: by number, their sum last."""
    return math.inf if point.user == SUM else int(point.user)


def crowd_title(interferers: int, points: Iterable[Point]) -> str:
    """A panel's title: how many interferers, and how loud they are together.

    Args:
        points: where the SIR is looked up; several interferer levels give a range.
    """
    if not interferers:
        return "no interferers"
    # Adding zero turns the -0.0 of a closed form into 0.
    sirs = {round(p.sir_db, 1) + 0.0 for p in points if p.interferers == interferers and math.isfinite(p.sir_db)}
    loud = f", SIR {_range(sirs)} dB" if sirs else ""
    return f"{counted(interferers, 'interferer')}{loud}"


def snr_title(snr_db: float) -> str:
    """A panel's title: the SNR with its unit."""
    return f"SNR {snr_db:g} dB"


def caption(part: Results, drawn: Iterable[Point], *, first: Iterable[str] = ()) -> str:
    """All that a reader needs to trust the picture, as one paragraph.

    Args:
        drawn: the points in the picture; what is said of sentences, seeds and gaps is said of them alone.
        first: sentences of the picture's own, to begin with.
    """
    points = list(drawn)
    own = [point for point in points if not point.system.is_published]
    said = [
        *first,
        SNR_SHORT,
        air_of(part.condition),
        _crowd(own),
        _symbols(own, axis_of(part.metric).unit),
        _languages(own),
        _effort(own),
        _interval(own),
        _bounds(own),
        _gaps(own),
    ]
    return " ".join(f"{each}." for each in [*said, *_notes(points, part)] if each)


def _range(values: Iterable[float], form: str = "g") -> str:
    """One number, or from the least to the largest."""
    ordered = sorted(values)
    low, high = f"{ordered[0]:{form}}", f"{ordered[-1]:{form}}"
    return low if low == high else f"{low} to {high}"


def air_of(told: Condition) -> str:
    """Fading and what the receiver knows of it and does about it; what the table leaves empty is left unsaid."""
    fading = {"": "", "none": "No fading (AWGN)"}.get(told.fading, f"Fading: {told.fading}")
    # Within a standard channel gains vary from carrier to carrier.
    lasting = "channel" if told.fading.partition("(")[0] in ("tdl", "cdl") else "gain"
    held = f", one {lasting} per {told.coherence}" if told.coherence and told.fading not in ("", "none") else ""
    receiver = [
        {"": "", "none": "no equalizer"}.get(told.equalizer, f"{told.equalizer} equalizer"),
        {"": "", "none": "no knowledge of the gains (CSI none)"}.get(told.csi, f"{told.csi} CSI"),
        counted(told.antennas, "antenna") if told.antennas else "",
        f"{told.detector} detector" if told.detector else "",
    ]
    known = ", ".join(each for each in receiver if each)
    return "; ".join(each for each in (f"{fading}{held}", f"receiver: {known}" if known else "") if each)


def _crowd(points: list[Point]) -> str:
    """What the interferers send and how loud each is; nothing where there are none."""
    crowded = [point for point in points if point.interferers]
    if not crowded:
        return ""
    kinds = ", ".join(in_order(point.condition.interference for point in crowded if point.condition.interference))
    codecs = in_order(point.condition.crowd for point in crowded if point.condition.crowd)
    through = f"through {', '.join(each.replace('+', ' and ') for each in codecs)} in turn" if codecs else ""
    levels = in_order(point.level for point in crowded if point.level)
    if not levels:
        loud = ""
    elif all(len(level) == 1 for level in levels):
        loud = f"each {_range([level[0] for level in levels])} dB relative to the wanted user"
    else:
        longest = max(levels, key=len)
        loud = f"at {', '.join(f'{each:g}' for each in longest)} dB relative to the wanted user"
    return f"Interferers: {', '.join(each for each in (kinds, through, loud) if each)}"


def _symbols(points: list[Point], unit: str) -> str:
    """The bandwidth that every codec took."""
    systems = in_order(point.system for point in points)
    tokens = {system.symbols_per_token for system in systems if system.symbols_per_token is not None}
    words = {system.symbols_per_word for system in systems if system.symbols_per_word is not None}
    told = [f"{_range(tokens)} per {unit}" if tokens else "", f"{_range(words, '.3g')} per word" if words else ""]
    if not any(told):
        return ""
    return f"Complex symbols: {', '.join(one for one in told if one)}{_unequal(systems)}"


def _languages(points: list[Point]) -> str:
    """Whose receiver knows a language, and which: the first thing to ask of two curves of one codec."""
    systems = in_order(each for point in points for each in (point.system, point.against, point.gap_to) if each)
    told = [f"{each.codec} ({each.language})" for each in systems if each.language]
    return f"Receivers that know a language, counted into their parameters: {', '.join(told)}" if told else ""


def _unequal(systems: tuple[System, ...]) -> str:
    """Unequal bandwidth, by name: the first thing to suspect in a comparison."""
    rates = [s.symbols_per_token if s.symbols_per_word is None else s.symbols_per_word for s in systems]
    amounts = ["unknown" if rate is None else f"{rate:.3g}" for rate in rates]
    usual, times = Counter(amounts).most_common(1)[0]
    if times == len(amounts):
        return ""
    odd = [f"{s.codec} {amount}" for s, amount in zip(systems, amounts, strict=True) if amount != usual or times == 1]
    return f" ({', '.join(odd)}{f', the others {usual}' if times > 1 else ''})"


def _effort(points: list[Point]) -> str:
    """On how much was measured: messages and seeds."""
    counts = {point.count for point in points if point.count is not None}
    seeds = sorted({seed for point in points for seed in point.seeds})
    named = ", ".join(map(str, seeds)) if len(seeds) <= 8 else f"{len(seeds)} of them, {seeds[0]} to {seeds[-1]}"
    messages = f"{_range(counts, '.0f')} {_messages(points)} per point and seed" if counts else ""
    return "; ".join(each for each in (messages, f"seed{'s' * (len(seeds) > 1)}: {named}" if seeds else "") if each)


def _messages(points: list[Point]) -> str:
    """What those messages are called that the numbers rest on."""
    return axis_of(points[0].metric).messages


def _interval(points: list[Point]) -> str:
    """What the bands mean, and with one seed what they leave out."""
    if not any(math.isfinite(point.low) for point in points):
        return ""
    if any(point.kind == SHARE for point in points):
        return _interval_of_shares(max(len(point.seeds) for point in points), _messages(points))
    pairs = "paired " if any(point.kind == DIFFERENCE for point in points) else ""
    averaged = [point for point in points if len(point.seeds) > 1 and math.isfinite(point.low)]
    return f"Bands and bars: {over_seeds(averaged, pairs, _messages(points))}"


def over_seeds(averaged: Sequence[Point], pairs: str, messages: str) -> str:
    """What an interval holds that is over messages and, where there are several, over seeds.

    Args:
        averaged: the points that are means over seeds.
        pairs: `paired `, or nothing.
        messages: what they are called.
    """
    bootstrap = f"{pairs}bootstrap over {messages}"
    if not averaged:
        interval = f"95 % {pairs}bootstrap interval over {messages}"
        return f"{interval}; one seed, so the spread between trainings is not in it"
    if all(point.is_crossed for point in averaged):
        return (
            f"95 % interval of the mean over seeds: Student-t spread over seeds and, of the {bootstrap}, the part that "
            "all seeds have in common"
        )
    return (
        f"interval of the mean over seeds, 95 % or more: {bootstrap} and Student-t spread over seeds, added in squares "
        f"as if all seeds shared the luck of their {messages}"
    )


def _interval_of_shares(seeds: int, messages: str) -> str:
    """The same for shares of a gap, whose ends are those of the differences that they divide."""
    said = f"Bands and bars: 95 % interval, paired, with Fieller's ends, over {messages}"
    if seeds < 2:
        return f"{said}; one seed, so the spread between trainings is not in it"
    return f"{said} and {seeds} seeds, whose spread is that of Student's t"


def margin(intervals: Iterable[tuple[float, float]]) -> list[str]:
    """Within what margin those differences are level whose intervals hold zero, as a sentence; none where none does."""
    level = [max(-low, high) for low, high in intervals if low <= 0 <= high and math.isfinite(high - low)]
    if not level:
        return []
    return [f"Where an interval holds zero the two are level within its ends alone (at most {max(level):.3f} here)"]


def _bounds(points: list[Point]) -> str:
    """What is one-sided near an end of the metric."""
    told = " and ".join(in_order(f"'{point.bound}'" for point in points if point.bound))
    if not told:
        return ""
    return (
        f"Within {NEAR:g} of an end of the metric intervals are one-sided, {told} with 95 %, by the gamma distribution"
    )


def _gaps(points: list[Point]) -> str:
    """How many runs gave no number, by their status."""
    missing = Counter(status for point in points for status in point.missing if status != NO_GAP)
    if not missing:
        return ""
    told = " and ".join(f"{count} {status}" for status, count in sorted(missing.items()))
    partial = any(point.missing and point.is_measured for point in points)
    others = "; where other seeds finished, the mean is theirs" if partial else ""
    return f"Not measured, left as gaps: {told}{others}"


def _notes(points: list[Point], part: Results) -> list[str]:
    """One sentence for each published system: its note, and where its receiver was not ours."""
    notes = []
    for system in in_order(point.system for point in points if point.system.is_published):
        theirs = next(point.condition for point in points if point.system == system)
        ours = part.condition
        names = ("coherence", "equalizer", "csi", "antennas")
        other = [f"{n} {getattr(theirs, n)}" for n in names if getattr(theirs, n) not in ("", None, getattr(ours, n))]
        unlike = f" [{', '.join(other)}]" if other else ""
        notes.append(f"Dashed and hollow, published: {system.codec}: {system.method.rstrip('.')}{unlike}")
    return notes
