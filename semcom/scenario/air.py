"""air: what codecs meet when they are tested, beside what they met in training, and what of it is new to them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from channels import Fading, Interference, Link, Neighbors, NoFading, Qam
from semcom.training.settings import TrainingSettings, bounds

if TYPE_CHECKING:
    from semcom.scenario.scenario import Scenario

WIDTH = 98  # of the table; longer cells go on in the next line
NAMES = 12  # so that the lines below the table begin where its cells do
_Line = tuple[str, str, str, str]


def in_words(variant: Any) -> str:
    """A variant of physics in one cell: its kind, and what differs from its defaults; levels have their own column."""
    options = []
    for each in fields(variant):
        value = getattr(variant, each.name)
        if each.name not in ("kind", "level_db") and value != each.default:
            options.append(f"{each.name}={in_words(value) if is_dataclass(value) else value}")
    return f"{variant.kind}({', '.join(options)})" if options else str(variant.kind)


def air_lines(scenario: Scenario, links: Sequence[Link]) -> list[str]:
    """The air of the test beside that of each training, what training lacks named in the last column.

    Codecs that train in one air share a table. Those after the first show only what they train in otherwise.
    """
    trained: dict[tuple[str, ...], list[str]] = {}
    airs: dict[tuple[str, ...], list[_Line]] = {}
    for name in scenario.needed_codecs:
        found = list(_compared(links, scenario.resolved(name).training))
        key = tuple(theirs for _, _, theirs, _ in found)
        airs[key] = found
        trained.setdefault(key, []).append(name)
    first, *others = airs.values()
    shown = [first, *([line for line in each if line not in first] for each in others)]
    lines: list[str] = []
    for names, found in zip(trained.values(), shown, strict=True):
        who = f"trained{' otherwise' if lines else ''}: {'all codecs' if len(airs) == 1 else ', '.join(names)}"
        if not set(names) & set(scenario.sweep.codec):
            # Nobody tests them: what they have not met, they will not meet.
            found = [(*line[:3], "") for line in found]
        lines += _table(("", "tested", who, ""), found)
    return lines


def in_phase(link: Link) -> bool:
    """Whether interferers arrive in step with the wanted user, and send what that matters for."""
    return _meet_in_phase(link.interferers, link.fading, link.interference)


def phase_note(scenario: Scenario, links: Iterable[Link]) -> tuple[str, ...]:
    """One sentence where interferers arrive in phase, which those of a real cell do not."""
    trainings = [scenario.resolved(name).training for name in scenario.needed_codecs]
    training = any(_meet_in_phase(bounds(each.interferers)[1], each.fading, each.interference) for each in trainings)
    places = [name for name, is_so in (("test", any(map(in_phase, links))), ("training", training)) if is_so]
    # A frame's carrier has a phase of its own.
    if not places or all(each.carries == "frames" for each in scenario.goals_of(scenario.needed_codecs)):
        return ()
    return (
        f"in {' and in '.join(places)} interferers arrive in phase with the wanted user, since nobody fades; real ones "
        "come at any phase, as with interference: {fading: {kind: random_phase}}",
    )


def _meet_in_phase(interferers: float, fading: Fading, interference: Interference) -> bool:
    """Tones and Gaussian signals have a random phase of their own."""
    steady = isinstance(fading, NoFading) and isinstance(interference.fading, NoFading | None)
    return interferers > 0 and steady and isinstance(interference, Neighbors | Qam)


def _compared(links: Sequence[Link], settings: TrainingSettings) -> Iterator[_Line]:
    """Lines of name, tested, trained, and what is not in training."""
    crowded = [link for link in links if link.interferers]
    most = int(bounds(settings.interferers)[1])
    yield _range_line("snr_db", [link.snr_db for link in links], bounds(settings.snr_db))
    yield _range_line("interferers", [link.interferers for link in links], bounds(settings.interferers))
    theirs = settings.interference
    if crowded or most:
        loud = [level for link in crowded for level in _levels(link.interference.level_db)]
        trained = _levels(theirs.level_db) if settings.level_db is None else bounds(settings.level_db)
        yield _range_line("level_db", loud, (min(trained), max(trained)) if most else None)
        kinds = [_kind(link.interference) for link in crowded]
        yield _variant_line("interference", kinds, _kind(theirs) if most else None)
        if any(each.fading for each in (theirs, *(link.interference for link in crowded))):
            arriving = settings.fading if theirs.fading is None else theirs.fading
            yield _variant_line(
                "their fading", [each.interferer_fading for each in crowded], arriving if most else None
            )
    for name in ("fading", "coherence", "csi", "equalizer"):
        yield _variant_line(name, [getattr(link, name) for link in links], getattr(settings, name))
    antennas = sorted({link.antennas for link in links})
    lacking = [each for each in antennas if each != settings.antennas]
    yield "antennas", _listed(antennas), str(settings.antennas), _lacking(lacking)


def _range_line(name: str, tested: Sequence[float], trained: tuple[float, float] | None) -> _Line:
    values = sorted(set(tested))
    if trained is None:
        # That nobody interferes in training is said of their number.
        return name, _listed(values), "-", ""
    low, high = trained
    span = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return name, _listed(values), span, _lacking([each for each in values if not low <= each <= high])


def _variant_line(name: str, tested: Sequence[Any], trained: Any) -> _Line:
    values = list(dict.fromkeys(tested))
    said = _listed(sorted({in_words(each) for each in values}))
    if trained is None:
        return name, said, "-", ""
    lacking = sorted({in_words(each) for each in values if _alike(each) != _alike(trained)})
    return name, said, in_words(trained), _lacking(lacking)


def _alike(variant: Any) -> Any:
    """The same without how evenly it is drawn, which changes no distribution."""
    return replace(variant, stratified=None) if getattr(variant, "stratified", None) else variant


def _kind(interference: Interference) -> Interference:
    """What is sent, without how loud it is and how it arrives."""
    return replace(interference, level_db=0.0, fading=None)


def _levels(level_db: float | tuple[float, ...]) -> tuple[float, ...]:
    return level_db if isinstance(level_db, tuple) else (level_db,)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(f"{each:g}" if isinstance(each, float) else str(each) for each in values) or "-"


def _lacking(values: Sequence[object]) -> str:
    return f"not in training: {_listed(values)}" if values else ""


def _table(head: _Line, lines: Sequence[_Line]) -> list[str]:
    """Columns as wide as they need, wrapped where there is no room."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for place, title in enumerate(head):
        table.add_column(Text(title), min_width=NAMES if place == 0 else None, no_wrap=place == 0)
    for line in lines:
        table.add_row(*map(Text, line))
    text = io.StringIO()
    Console(file=text, width=WIDTH - 2, no_color=True, legacy_windows=False).print(table)
    return [f"  {line}".rstrip() for line in text.getvalue().splitlines()]
