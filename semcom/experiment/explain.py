"""What pydantic found wrong, in the words of the house: what was expected, what came, what to do."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Loc = tuple[str | int, ...]
Schema = dict[str, Any]
M = TypeVar("M", bound=BaseModel)

LISTED = 16  # longer lists of allowed keys hide the mistake they should explain
SHOWN = 60  # characters of a wrong value

_COERCED = {"int_type": (bool, str), "float_type": (bool, str), "bool_type": (int, float, str)}
_BOUNDS = {
    "greater_than": ("gt", "above {}"),
    "greater_than_equal": ("ge", "at least {}"),
    "less_than": ("lt", "below {}"),
    "less_than_equal": ("le", "at most {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
    "string_pattern_mismatch": ("pattern", "text that matches {}"),
    "literal_error": ("expected", "{}"),
    "enum": ("expected", "{}"),
}
_LENGTHS = {
    "too_short": ("min_length", "have {} or more entries"),
    "too_long": ("max_length", "have {} or fewer entries"),
    "string_too_short": ("min_length", "have {} or more characters"),
    "string_too_long": ("max_length", "have {} or fewer characters"),
}


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong.

    Args:
        path: the nearest place that exists in the data.
        name: how the place is called in the message; it may name a key that is missing.
        what: the rest of the message.
    """

    path: Loc
    name: str
    what: str


def check(data: dict[str, Any], model: type[M]) -> tuple[M | None, list[Complaint]]:
    """The data as a model, or everything that is wrong with it.

    pydantic takes `true` for 1 and "6" for 6. A scenario must not: a second, strict look finds those. It cannot be
    the only look, since strictness also refuses lists for tuples once a validator of our own has touched them.

    Returns:
        The model and no complaints, or None and at least one.
    """
    # Through JSON because there strictness still lets a list be a tuple and a mapping be a dataclass.
    raw = json.dumps(data)
    errors: list[ErrorDetails] = []
    value = None
    try:
        value = model.model_validate_json(raw)
    except ValidationError as error:
        errors += error.errors(include_url=False)
    try:
        model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        told = {each["loc"] for each in errors}
        errors += [each for each in error.errors(include_url=False) if _is_coerced(each) and each["loc"] not in told]
    if not errors:
        return value, []
    schema = model.model_json_schema()
    return None, _tidied([_complaint(each, data, schema) for each in errors])


def reach(data: Any, loc: Loc) -> Loc:
    """The longest path through the data that a pydantic location names.

    Locations also hold the tags of unions and the names of branches, which no one typed; those are passed over.
    """
    if not loc:
        return ()
    passed = reach(data, loc[1:])
    part = loc[0]
    is_there = part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
    if not is_there:
        return passed
    taken = (part, *reach(data[part], loc[1:]))
    # A tag may be spelled like a key beside it; then the end of the location decides which was meant.
    return max(taken, passed, key=lambda path: (len(path), path[-1:] == loc[-1:]))


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it: sweep.snr_db[2]."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if part.isprintable() and len(part) <= SHOWN else shown(part))
    return text


def shown(value: Any) -> str:
    """A wrong value in a message: short, and without control characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def suggestion(word: Any, options: Iterable[str]) -> str:
    """A trailing question if a word is nearly one of the options."""
    near = difflib.get_close_matches(str(word), list(options), n=1)
    return f"; did you mean '{near[0]}'?" if near and near[0] != word else ""


def _is_coerced(error: ErrorDetails) -> bool:
    wrong = _COERCED.get(error["type"], ())
    value = error["input"]
    # bool is an int to Python, but where true or false is wanted it is what should have come.
    return isinstance(value, wrong) and not (error["type"] == "bool_type" and isinstance(value, bool))


def _tidied(complaints: list[tuple[Complaint, bool]]) -> list[Complaint]:
    """Each complaint once; one about a whole value gives way to those from within, which know what was meant."""
    kept = []
    for complaint, is_whole in complaints:
        within = any(
            other.name != complaint.name and other.name.startswith((f"{complaint.name}.", f"{complaint.name}["))
            for other, _ in complaints
        )
        if not (is_whole and within):
            kept.append(complaint)
    return list(dict.fromkeys(kept))


def _complaint(error: ErrorDetails, data: Any, schema: Schema) -> tuple[Complaint, bool]:
    """One error in our words, and whether it gives way to any from within the same value."""
    kind, loc, context = error["type"], error["loc"], error.get("ctx", {})
    path = reach(data, loc)
    if kind in ("value_error", "assertion_error"):
        what = str(context["error"])
        return Complaint(_pointed(data, path, what), dotted(path), what), False
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return Complaint(path, dotted(path), _unknown_key(loc, schema)), False
    if kind in ("missing", "missing_argument"):
        expected = _described(_nodes(schema, loc))
        return Complaint(path, dotted((*path, loc[-1])), f"must be {expected}, got nothing; add this key"), False
    if kind in ("union_tag_invalid", "union_tag_not_found") and "()" not in context["discriminator"]:
        return _wrong_variant(error, path, schema), False
    if kind in _LENGTHS:
        key, form = _LENGTHS[kind]
        count = context.get("actual_length", len(error["input"]))
        # Entries that were refused are not counted either, so one of them may be all there is to say.
        return Complaint(path, dotted(path), f"must {form.format(context[key])}, got {count}"), True
    if kind in _BOUNDS:
        key, form = _BOUNDS[kind]
        bound = f"{context[key]:g}" if isinstance(context[key], float) else str(context[key])
        hint = suggestion(error["input"], _quoted(bound))
        what = f"must be {form.format(bound)}, got {shown(error['input'])}{hint}"
        return Complaint(path, dotted(path), what), False
    return _wrong_type(error, path, schema), True


def _wrong_type(error: ErrorDetails, path: Loc, schema: Schema) -> Complaint:
    """A value of another type than any that is allowed there.

    The schema is asked for all forms the value may take: pydantic's own message knows one branch of a union.
    """
    loc = error["loc"]
    while loc and loc[-1] not in path:
        loc = loc[:-1]
    nodes = _nodes(schema, loc)
    expected = _described(nodes)
    if error["type"] == "finite_number":
        expected = "a finite number"
    hint = ""
    if isinstance(error["input"], str) and error["input"] in _kinds(nodes).values():
        key = next(key for key, each in _kinds(nodes).items() if each == error["input"])
        hint = f"; write {{{key[0]}: {error['input']}}}"
    elif expected == "text" and isinstance(error["input"], int | float):
        hint = "; put it in quotes"
    return Complaint(path, dotted(path), f"must be {expected}, got {shown(error['input'])}{hint}")


def _wrong_variant(error: ErrorDetails, path: Loc, schema: Schema) -> Complaint:
    """A mapping whose `kind`, or whatever key tells the variants apart, is missing or unknown."""
    key = error["ctx"]["discriminator"].strip("'")
    if error["type"] == "union_tag_not_found":
        names = [value for (name, value) in _kinds(_nodes(schema, error["loc"])) if name == key]
        return Complaint(path, dotted((*path, key)), f"must be one of {', '.join(names)}, got nothing; add this key")
    names = _quoted(error["ctx"]["expected_tags"])
    got = error["input"][key] if isinstance(error["input"], dict) else error["ctx"]["tag"]
    what = f"must be one of {', '.join(names)}, got {shown(got)}{suggestion(got, names)}"
    return Complaint((*path, key), dotted((*path, key)), what)


def _unknown_key(loc: Loc, schema: Schema) -> str:
    """What to write instead of a key that no one knows."""
    keys = list(dict.fromkeys(key for node in _nodes(schema, loc[:-1]) for key in node.get("properties", {})))
    listed = f"; use {', '.join(keys)}" if 0 < len(keys) <= LISTED else ""
    return f"unknown key{listed}{suggestion(loc[-1], keys)}"


def _pointed(data: Any, path: Loc, what: str) -> Loc:
    """Where a message of our own points when it begins with the name of a key.

    A check of several fields together is reported for the mapping that holds them: `sweep.codec names ...`.
    """
    node = data
    for part in path:
        node = node[part]
    parts: Sequence[str] = what.split(" ", 1)[0].rstrip(":").split(".")
    found = reach(node, tuple(parts))
    return (*path, *found) if found[:1] == tuple(parts[:1]) else path


def _quoted(text: str) -> list[str]:
    """The words that pydantic lists in single quotes."""
    return re.findall(r"'([^']*)'", text)


def _nodes(schema: Schema, loc: Loc) -> list[Schema]:
    """The parts of a JSON schema that a location may mean: several where a union leaves it open.

    The schema rather than the classes, because there dataclasses, models and unions of both look alike.
    """
    nodes = _spread(schema, schema)
    for part in loc:
        # Where variants are told apart the next part is a tag, even if one of them has a key of that name.
        tagged = [node for node in nodes if part in _kinds([node]).values()] if len(nodes) > 1 else []
        stepped = [each for node in nodes for child in _children(node, part) for each in _spread(child, schema)]
        nodes = tagged or stepped or nodes
    return nodes


def _spread(node: Schema, root: Schema) -> list[Schema]:
    """A schema with its reference followed and its unions laid out."""
    if "$ref" in node:
        return _spread(root["$defs"][node["$ref"].rsplit("/", 1)[-1]], root)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in node:
            return [each for branch in node[union] for each in _spread(branch, root)]
    return [node]


def _children(node: Schema, part: str | int) -> list[Schema]:
    """The schema of an entry of a list or of the value of a key, if the schema knows of any."""
    if isinstance(part, int):
        fixed = node.get("prefixItems", [])
        found = fixed[part] if part < len(fixed) else node.get("items")
    else:
        # Names that must match a pattern are told of under that pattern.
        named = next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties"))
        found = node.get("properties", {}).get(part, named)
    return [found] if isinstance(found, dict) else []


def _kinds(nodes: list[Schema]) -> dict[tuple[str, str], str]:
    """The keys that tell variants apart, with their values."""
    constants = [
        (key, str(each["const"]))
        for node in nodes
        for key, each in node.get("properties", {}).items()
        if "const" in each
    ]
    return {(key, value): value for key, value in constants}


_SIMPLE: dict[str, Callable[[Schema], str]] = {
    "integer": lambda node: "a whole number",
    "number": lambda node: "a number",
    "string": lambda node: " or ".join(map(repr, node["enum"])) if "enum" in node else "text",
    "boolean": lambda node: "true or false",
    "array": lambda node: "a list",
}


def _described(nodes: list[Schema]) -> str:
    """What a schema wants, in words: a number, a list or a mapping of start, stop, step."""
    forms = [_SIMPLE[node["type"]](node) for node in nodes if node.get("type") in _SIMPLE and "const" not in node]
    forms += [repr(node["const"]) for node in nodes if "const" in node]
    kinds = _kinds(nodes)
    for name in dict.fromkeys(key for key, _ in kinds):
        forms.append(f"a mapping with {name} {_either([value for key, value in kinds if key == name])}")
    for node in nodes:
        if node.get("type") == "object" and not _kinds([node]):
            keys = list(node.get("properties", {}))
            forms.append(f"a mapping of {', '.join(keys)}" if 0 < len(keys) <= LISTED else "a mapping")
    return _either(list(dict.fromkeys(forms))) or "another value"


def _either(words: list[str]) -> str:
    """a, b or c."""
    return " or ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
