"""Plain data out of YAML text that nobody vouches for, every value with its place; and back into text."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, DocumentStartEvent, Event, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.representer import SafeRepresenter

from semcom.scenario.explain import SHOWN, dotted, shown
from semcom.scenario.forms import Loc

# Far above any scenario a person writes, far below what makes the reader slow.
DEPTH_LIMIT = 24
COUNT_LIMIT = 20_000

_TAG = "tag:yaml.org,2002:"
_NOT_FINITE = re.compile(r"[-+]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Place:
    """Where a value was typed: a line and column of a file, or an option of the command line."""

    is_option: bool
    line: int
    column: int
    source: str

    def __str__(self) -> str:
        return self.source if self.is_option else f"{self.source}:{self.line}:{self.column}"


@dataclass(eq=False)
class Reading:
    """One text being read.

    Only null, truth values, numbers, text, lists and mappings with text keys come out. Anchors, aliases, merge keys,
    tags and directives are refused rather than followed, so no text can make the reader build an object or grow
    without end.

    Args:
        start: place of the text; its source names the file or the option.
        places: by path, for every value read; that of a mapping's value is the place of its key.
        problems: what is wrong; if there is any, the data is not to be used.
    """

    start: Place
    places: dict[Loc, Place] = field(default_factory=dict)
    problems: list[tuple[Place, str]] = field(default_factory=list)

    def read(self, text: str) -> Any:
        """The data in the text; None where it is empty, or where something is wrong before anything can be built.

        Numbers follow YAML 1.2: 1e-3 is one, 010 is ten, and `off`, dates and 1:20 are text. Problems of all values are
        gathered; only broken syntax, and what is refused on sight, ends the reading early.
        """
        self.places[()] = self.start
        try:
            # Anchors and depth must be known before anything is built from them.
            for event in self._bearable(_yaml().parse(text)):
                self._refuse(event)
            node = None if self.problems else _yaml().compose(text)
        except MarkedYAMLError as error:
            self._complain(error.problem_mark or error.context_mark, f"not valid YAML: {error.problem}")
        except ReaderError as error:
            before, wrong = text[: error.position], text[error.position]
            place = self._place(before.count("\n") + 1, error.position - before.rfind("\n"))
            self.problems.append((place, f"not valid YAML: character U+{ord(wrong):04X} is not allowed"))
        except (YAMLError, ValueError, OverflowError) as error:
            # Escapes that name no character end as Python's own errors, without a mark.
            self.problems.append((self.start, f"not valid YAML: {str(error).splitlines()[0]}"))
        else:
            return None if node is None else self._data(node, ())
        return None

    def _place(self, line: int, column: int) -> Place:
        return Place(self.start.is_option, line, column, self.start.source)

    def _at(self, mark: Any) -> Place:
        return self._place(mark.line + 1, mark.column + 1) if mark else self.start

    def _complain(self, mark: Any, what: str) -> None:
        self.problems.append((self._at(mark), what))

    def _bearable(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events of one document; where it grows too deep or too large, reading ends."""
        depth = documents = 0
        for count, event in enumerate(events):
            name = type(event).__name__
            depth += name.endswith("StartEvent") - name.endswith("EndEvent")
            documents += isinstance(event, DocumentStartEvent)
            excess = ""
            if depth - 2 > DEPTH_LIMIT:  # the stream and the document are no depth of their own
                excess = f"must be nested at most {DEPTH_LIMIT} deep, got deeper"
            elif count > COUNT_LIMIT:
                excess = f"must hold at most {COUNT_LIMIT} values, got more"
            elif documents > 1:
                excess = "must hold one YAML document, got a second one"
            if excess:
                return self._complain(event.start_mark, excess)
            yield event

    def _refuse(self, event: Event) -> None:
        """Complain of everything in YAML that is more than plain data."""
        mark = event.start_mark
        if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
            self._complain(mark, "YAML directives are not allowed; remove the lines that begin with '%'")
        if isinstance(event, AliasEvent):
            self._complain(mark, f"aliases are not allowed, got *{event.anchor}; write the value out")
        elif isinstance(event, NodeEvent) and event.anchor:
            self._complain(mark, f"anchors are not allowed, got &{event.anchor}; write the value out")
        if tag := getattr(event, "tag", None):
            self._complain(mark, f"tags are not allowed, got {shown(str(tag))}; write the plain value")

    def _data(self, node: Node, path: Loc) -> Any:
        """What a node holds; the places of all that is below it are noted on the way.

        Nodes are nested at most DEPTH_LIMIT deep by now, so this may call itself.
        """
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self.places[*path, index] = self._at(item.start_mark)
            return [self._data(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._leaf(node, path)

    def _mapping(self, node: MappingNode, path: Loc) -> dict[str, Any]:
        """Keys that are text and come once, with their data; other keys are complained of and left out."""
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            key = _scalar(key_node) if isinstance(key_node, ScalarNode) else None
            if key_node.tag == _TAG + "merge":
                self._complain(mark, "merge keys are not allowed, got <<; write the keys out")
            elif not isinstance(key, str) or not _is_text(key):
                got = shown(key_node.value) if isinstance(key_node, ScalarNode) else "a list or a mapping"
                is_rest = node.flow_style and isinstance(value_node, ScalarNode) and not value_node.value
                hint = "a comma ends a value, so write 1000 and 0.5" if is_rest else "put it in quotes"
                self._complain(mark, f"a key must be text, got {got}; {hint}")
            elif key in data:
                first = self.places[*path, key].line
                self._complain(mark, f"{dotted((*path, key))}: must be given once, got it first in line {first}")
            else:
                self.places[*path, key] = self._at(mark)
                data[key] = self._data(value_node, (*path, key))
        return data

    def _leaf(self, node: Node, path: Loc) -> Any:
        """A single value that every part of the program can take: finite, of 64 bits, of whole characters."""
        value = _scalar(node)
        expected = ""
        if isinstance(value, str):
            # pydantic would take the bare word nan for the number, so both spellings end here.
            if _NOT_FINITE.fullmatch(value) and not getattr(node, "style", None):
                expected = "a finite number"
            elif not _is_text(value):
                expected = "text of whole characters"
        elif isinstance(value, float) and not math.isfinite(value):
            expected = "a finite number"
        elif isinstance(value, int) and abs(value) >= 2**63:
            expected = "a number below 2^63"
        if expected:
            name = f"{dotted(path)}: " if path else ""
            got = node.value if len(node.value) <= SHOWN and node.value.isprintable() else shown(node.value)
            self._complain(node.start_mark, f"{name}must be {expected}, got {got}")
        return value


def written(data: Any) -> str:
    """YAML text that reads back as this data, keys in the order given."""
    yaml = _yaml()
    yaml.Representer = _Representer
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 120
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    # The pure reader of YAML 1.2: 1e-3 is a number and off is a word.
    return YAML(typ="safe", pure=True)


def _scalar(node: Node) -> Any:
    """Null, a truth value, a number or else text: dates and the rest of YAML's zoo stay what was typed."""
    if str(node.tag).removeprefix(_TAG) not in ("null", "bool", "int", "float"):
        return node.value
    try:
        return _yaml().constructor.construct_object(node)
    except ValueError:
        # ruamel's pattern for integers lets through what cannot be counted, such as -_ or 5000 digits.
        return node.value


def _is_text(value: str) -> bool:
    """Whether UTF-8 can hold it: an escape can write half of a surrogate pair, which no file can."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Representer(SafeRepresenter):
    """Writes text so that it reads back as the same text."""


def _represent_text(representer: _Representer, value: str) -> Any:
    """Quotes where a bare word would be refused, such as nan; only double quotes carry every character."""
    style = '"' if _NOT_FINITE.fullmatch(value) or not value.isprintable() else None
    return representer.represent_scalar(_TAG + "str", value, style=style)


_Representer.add_representer(str, _represent_text)
