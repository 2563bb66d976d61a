"""Paths of a scenario: where they start, and how they are kept so that they lead there from any folder."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from semcom.metrics.embedding_model import HUB_NAME
from semcom.scenario.document import Document, ScenarioError
from semcom.scenario.explain import dotted, shown
from semcom.scenario.forms import Loc
from semcom.scenario.yaml_data import written
from semcom.words import visible

TEXT: Loc = ("corpus", "path")
MESSAGES: Loc = ("task", "source", "path")  # frames and pictures
FOLDER: Loc = ("folder",)  # of a codec's pretrained encoder
ARCHIVE: Loc = ("corpus", "url")
ENCODER: Loc = ("measure", "similarity", "model")
_WEB = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # one letter is a drive


def beside(file: Path) -> tuple[Path, ...]:
    """The folders in which a scenario's own paths start: its own, and where it is a link, also that of what it is."""
    return tuple(dict.fromkeys((Path(_plain(file.parent.absolute())), file.resolve().parent)))


def anchored(document: Document, homes: tuple[Path, ...]) -> Document:
    """The document with absolute paths: those of the file start in these folders, those of `--set` where one works.

    Absolute paths, `~/...`, web addresses and names on a hub stay as they are typed, and so does everything else.

    Raises:
        ScenarioError: a path of the file leads somewhere from the working directory alone, or no text can hold it.
    """
    moved: dict[Loc, str] = {}
    codecs = document.data.get("codecs")
    names = codecs if isinstance(codecs, dict) else ()
    own = [("codecs", name, *path) for name in names for path in (MESSAGES, FOLDER)]
    for loc in (TEXT, MESSAGES, ARCHIVE, ENCODER, *own):
        typed = _text_at(document.data, loc)
        found = _found(document, loc, typed, homes) if typed is not None and _is_relative(loc, typed) else None
        if found is None:
            continue
        if not _can_be_kept(found):
            what = f"must lie below folders whose names are UTF-8, as the run folder keeps them, got {visible(found)}"
            raise ScenarioError([f"{document.position(loc)}: {dotted(loc)}: {what}; rename the folder"])
        moved[loc] = found
    if not moved:
        return document
    for loc, path in moved.items():
        _mapping_of(document.data, loc)[loc[-1]] = path
    return replace(document, text=_respelled(document, moved))


def from_here(url: str) -> str:
    """An archive's address as `anchored` keeps it, typed on the command line."""
    return _plain(Path.cwd() / url) if _is_relative(ARCHIVE, url) else url


def _found(document: Document, loc: Loc, typed: str, homes: tuple[Path, ...]) -> str | None:
    """The absolute path, or None for what is none."""
    is_option = document.place(loc).is_option
    starts = (Path.cwd(),) if is_option else homes
    exists = os.path.isdir if loc == ENCODER else os.path.exists
    there = next((home / typed for home in starts if exists(home / typed)), None)
    if there is None and not is_option and exists(typed):
        raise ScenarioError([f"{document.position(loc)}: {dotted(loc)}: {_elsewhere(loc, typed, homes)}"])
    if there is None and loc == ENCODER and HUB_NAME.fullmatch(typed) and not typed.startswith("."):
        return None
    return _plain(there or starts[0] / typed)


def _elsewhere(loc: Loc, typed: str, homes: tuple[Path, ...]) -> str:
    """What to tell of a path that is right for the working directory only."""
    right = visible(os.path.relpath(typed, homes[0]))
    hub = f", or {typed}@main for what a hub calls so" if loc == ENCODER and HUB_NAME.fullmatch(typed) else ""
    return (
        f"must start in the scenario's own folder or be absolute, got {shown(typed)}, of which there is nothing in "
        f"{' or '.join(map(str, homes))} but something in the working directory; write {right}{hub}, or type "
        f"--set {dotted(loc)}={visible(typed)}, which starts in the working directory"
    )


def _is_relative(loc: Loc, typed: str) -> bool:
    """Whether it depends on a folder where this leads."""
    if not typed.strip() or typed.startswith("~") or os.path.isabs(typed):
        return False
    return not (loc == ARCHIVE and _WEB.match(typed)) and not (loc == ENCODER and typed == "bundled")


def _can_be_kept(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain(path: Path) -> str:
    """The path without dots, unless they lead elsewhere, as behind a link."""
    plain = os.path.normpath(path)
    return plain if not os.path.exists(path) or _is_same(plain, path) else str(path)


def _is_same(one: str, other: Path) -> bool:
    return os.path.exists(one) and os.path.samefile(one, other)


def _mapping_of(data: Any, loc: Loc) -> Any:
    """What holds the last key, if there is such a mapping."""
    for key in loc[:-1]:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _text_at(data: Any, loc: Loc) -> str | None:
    holder = _mapping_of(data, loc)
    typed = holder.get(loc[-1]) if isinstance(holder, dict) else None
    return typed if isinstance(typed, str) else None


def _respelled(document: Document, moved: dict[Loc, str]) -> str:
    """The file's text with these values in the place of the old ones, and everything else as it was."""
    text = document.text
    try:
        spans = [(_span(YAML(typ="safe", pure=True).compose(text), loc), path) for loc, path in moved.items()]
        for (start, end), path in sorted(spans, reverse=True):
            text = text[:start] + json.dumps(path, ensure_ascii=False) + text[end:]
    except (YAMLError, StopIteration):
        text = ""
    # Whatever the spelling was: what is kept must read as what is carried out.
    if document.is_told_by(text):
        return text
    return (f"# {document.question}\n" if document.question else "") + written(document.data)


def _span(node: Any, loc: Loc) -> tuple[int, int]:
    """Where a value begins and ends in the text."""
    for key in loc:
        node = next(value for name, value in node.value if name.value == key)
    return node.start_mark.index, node.end_mark.index
