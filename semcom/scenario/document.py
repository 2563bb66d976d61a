"""Document: a scenario file as plain data with places, `--set` laid over it, checked against a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from semcom.mistakes import UserMistake
from semcom.scenario.explain import check, dotted, of_the_whole, reach, shown
from semcom.scenario.forms import Loc, Schema, schema_of
from semcom.scenario.shorthand import in_full, with_kinds
from semcom.scenario.yaml_data import DEPTH_LIMIT, Place, Reading, written

SIZE_LIMIT = 256 * 1024  # bytes; the longest scenario one can imagine has a tenth of it
MESSAGES_LIMIT = 50

_FOR_EDITORS = re.compile(r"yaml-language-server:|-\*-|!|vim?:")

M = TypeVar("M", bound=BaseModel)


class ScenarioError(UserMistake):
    """Everything that is wrong with a scenario at once, one message a line, in the order of the file."""

    def __init__(self, messages: Sequence[str]) -> None:
        self.messages = tuple(messages)
        more = len(messages) - MESSAGES_LIMIT
        super().__init__("\n".join([*messages[:MESSAGES_LIMIT], *([f"... and {more} more"] if more > 0 else [])]))


@dataclass(frozen=True, eq=False)
class Document:
    """Plain data from a YAML file, and where each of its values stands.

    Args:
        name: of the file, as messages give it.
        data: mappings with text keys, lists, text, whole and finite numbers, truth values and None; nothing else.
        text: the file as it was read, without what `--set` changed.
        question: the first line, if it is a comment.
        places: by path, for every value.
        schema: of what the data is to become; with it the data is written out in full.
    """

    name: str
    data: dict[str, Any]
    text: str
    question: str | None
    places: dict[Loc, Place]
    schema: Schema = field(default_factory=dict)

    def place(self, loc: Loc) -> Place:
        """The place of the nearest value there is, for a location that may also hold tags of unions."""
        path = reach(self.data, loc)
        while path not in self.places:
            path = path[:-1]
        return self.places[path]

    def position(self, loc: Loc) -> str:
        """The place in words: file:line:column, or --set key."""
        return str(self.place(loc))

    def is_told_by(self, text: str) -> bool:
        """Whether such a file would read as this data."""
        data = Reading(Place(False, 1, 1, self.name)).read(text)
        return isinstance(data, dict) and in_full(data, self.schema) == self.data

    def resolved(self) -> str:
        """YAML text that reads back as this data: the file itself, unless `--set` changed it."""
        if not any(place.is_option for place in self.places.values()):
            return self.text
        return (f"# {self.question}\n" if self.question else "") + written(self.data)


def read_document(path: Path, overrides: Sequence[str] = (), model: type[BaseModel] | None = None) -> Document:
    """Read a YAML 1.2 file of plain data and lay `key.path=value` strings over it, the last one on top.

    Values of overrides are YAML too, so numbers, lists and {mappings} work. Entries of lists go by their number, from
    0. Mappings on the way are made where there are none; nothing else is replaced to make room.

    Args:
        path: as the person typed it; messages repeat it.
        model: what the data is to become; with it shorthand is written out, so that overrides reach below bare names.

    Raises:
        ScenarioError: what is wrong with the file or with an override.
    """
    text = _text_of(path)
    reading = Reading(Place(False, 1, 1, str(path)))
    data = reading.read(text)
    _refuse(reading)
    if data is None:
        raise ScenarioError([f"{path}: must hold the keys of a scenario, got an empty file"])
    if not isinstance(data, dict):
        raise ScenarioError([f"{path}:1:1: a scenario must be a mapping of keys to values, got {shown(data)}"])
    schema = schema_of(model) if model else {}
    document = Document(str(path), data, text, _question(text), reading.places, schema)
    meant: set[tuple[str, str]] = set()
    for override in overrides:
        # Below a bare name there is nothing to set; below what it stands for there is.
        untold, typed = _without_kind(document.data), _own_training(document.data)
        document.data.update(with_kinds(document.data, schema))
        meant |= _own_training(document.data) - typed
        _lay_over(document, override)
        # A kind that followed from a size must follow from the size that is there now.
        for name in untold:
            codecs = document.data.get("codecs")
            codec = codecs.get(name) if isinstance(codecs, dict) else None
            told = override.partition("=")[0].strip() in ("codecs", f"codecs.{name}", f"codecs.{name}.kind")
            if isinstance(codec, dict) and not told:
                codec.pop("kind", None)
        _forget(document.data, meant, override.partition("=")[0].strip().split("."))
    document.data.update(in_full(document.data, schema))
    return document


def _own_training(data: dict[str, Any]) -> set[tuple[str, str]]:
    """The keys of training that stand beside a task of a codec's own: the codec's name and the key."""
    codecs, found = data.get("codecs"), set()
    for name, codec in codecs.items() if isinstance(codecs, dict) else ():
        training = codec.get("training") if isinstance(codec, dict) and codec.get("task") is not None else None
        found |= {(name, key) for key in training} if isinstance(training, dict) else set()
    return found


def _forget(data: dict[str, Any], meant: set[tuple[str, str]], path: list[str]) -> None:
    """Take out of codecs what their own task meant by a key of training that was left out, once it is typed.

    Args:
        meant: those keys; what is typed for the codec itself is none of them any more.
        path: what was typed.
    """
    meant -= {each for each in meant if path[:2] in (["codecs"], ["codecs", each[0]])}
    if path[0] != "training":
        return
    for name, key in [each for each in meant if path[1:2] in ([], [each[1]])]:
        data["codecs"][name]["training"].pop(key, None)
        meant.remove((name, key))


def _without_kind(data: dict[str, Any]) -> list[str]:
    """The codecs that do not say of what kind they are."""
    codecs = data.get("codecs")
    if not isinstance(codecs, dict):
        return []
    return [name for name, codec in codecs.items() if isinstance(codec, dict) and "kind" not in codec]


def validate(document: Document, model: type[M], finished: Callable[[M], M] | None = None) -> M:
    """The document as a model.

    Args:
        finished: what is made of a model whose parts are each allowed; it may refuse with a ValueError that begins with
            the path of the key that is wrong.

    Raises:
        ScenarioError: all that is wrong, each as `file:line:column: path: what`, sorted by position.
    """
    value, complaints = check(document.data, model)
    if value is not None and finished is not None:
        try:
            return finished(value)
        except ValueError as error:
            value, complaints = None, [of_the_whole(document.data, str(error))]
    if value is None:
        found = sorted((document.place(each.path), each.name, each.what) for each in complaints)
        raise ScenarioError([_message(*each) for each in found])
    return value


def _message(place: Place, name: str, what: str) -> str:
    """One line of the error; an option that names the very key is not named twice."""
    is_said = not name or str(place) == f"--set {name}"
    return f"{place}: {what}" if is_said else f"{place}: {name}: {what}"


def _refuse(reading: Reading) -> None:
    """Nothing, or all that is wrong with what was read."""
    if reading.problems:
        raise ScenarioError([f"{place}: {what}" for place, what in sorted(reading.problems)])


def _text_of(path: Path) -> str:
    """The text of a file that may be anything, endless or missing or a folder."""
    try:
        # One byte more than allowed is enough to know; the rest of an endless file is never read.
        with path.open("rb") as file:
            raw = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise ScenarioError([f"{path}: no such file; write the path of a YAML file"]) from None
    except (IsADirectoryError, PermissionError) as error:
        # Windows reports a folder as a lack of permission.
        what = "must be a YAML file, got a folder" if path.is_dir() else f"must be readable, got: {error.strerror}"
        raise ScenarioError([f"{path}: {what}"]) from None
    except (OSError, ValueError) as error:
        raise ScenarioError([f"{shown(str(path))}: must be a readable file, got: {error}"]) from None
    if len(raw) > SIZE_LIMIT:
        raise ScenarioError([f"{path}: must be at most {SIZE_LIMIT // 1024} KiB of YAML, got more"])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"{path}:{line}: must be UTF-8 text, got byte 0x{raw[error.start]:02x}; save it as UTF-8"
        raise ScenarioError([message]) from None


def _question(text: str) -> str | None:
    """The first comment, if it stands before everything else; lines meant for editors are passed over."""
    for line in filter(None, map(str.strip, text.splitlines())):
        if not line.startswith("#"):
            return None
        comment = line.strip("# \t")
        if comment and not _FOR_EDITORS.match(comment):
            return comment
    return None


def _lay_over(document: Document, override: str) -> None:
    """Set one value, with the mappings on the way to it."""
    key, equals, typed = override.partition("=")
    # Messages write an entry of a list in brackets, so it may come back that way.
    parts = re.sub(r"\[(\d+)\]", r".\1", key.strip()).split(".")
    if not equals or not all(parts):
        raise ScenarioError([f"--set must be key.path=value, such as --set link.antennas=2, got {shown(override)}"])
    if len(parts) > DEPTH_LIMIT:
        raise ScenarioError([f"--set must name a key at most {DEPTH_LIMIT} deep, got {shown(key)}"])
    reading = Reading(Place(True, 1, 1, f"--set {dotted(parts)}"))
    value = reading.read(typed)
    _refuse(reading)
    path = _put(document, parts, value, reading.start)
    for below in [each for each in document.places if each[: len(path)] == path and each != path]:
        del document.places[below]


def _put(document: Document, parts: list[str], value: Any, place: Place) -> Loc:
    """Leave the value at the end of the path, making mappings where there are none; the path that was walked."""
    node: Any = document.data
    path: Loc = ()
    while True:
        part, parts = _step(node, parts, path, place)
        path = (*path, part)
        is_new = isinstance(node, dict) and node.get(str(part)) is None
        if not parts:
            node[part] = value
        elif is_new:
            node[part] = {}
        if is_new or not parts:
            document.places[path] = place
        if not parts:
            return path
        node = node[part]


def _step(node: Any, parts: list[str], path: Loc, place: Place) -> tuple[str | int, list[str]]:
    """The next key or index, and what is left of the path after it."""
    name, here = shown(parts[0]), dotted(path)
    if isinstance(node, list):
        index = int(parts[0]) if parts[0].isdecimal() and len(parts[0]) < 10 else -1
        if index not in range(len(node)):
            what = f"{here} is a list of {len(node)} entries, counted from 0; {name} is none of them"
            raise ScenarioError([f"{place}: {what}"])
        return index, parts[1:]
    if not isinstance(node, dict):
        raise ScenarioError([f"{place}: {here} must be a mapping to hold {name}, got {shown(node)}"])
    # Names may hold dots, so a key that is there already wins over cutting it up.
    for length in range(len(parts), 1, -1):
        if ".".join(parts[:length]) in node:
            return ".".join(parts[:length]), parts[length:]
    return parts[0], parts[1:]
