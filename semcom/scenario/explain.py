"""What pydantic found wrong, in the words of the house: what was expected, what came, what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from semcom.scenario.forms import LISTED, Loc, Schema, described, homes, kinds_of, nodes_at, schema_of
from semcom.scenario.hints import either, key_hint, suggestion
from semcom.scenario.rewriting import flow, rewritten

M = TypeVar("M", bound=BaseModel)

SHOWN = 60  # characters of a wrong value
ADD = "got nothing; add this key"

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
        coerced = [each for each in error.errors(include_url=False) if _is_coerced(each) and each["loc"] not in told]
        # What a check of ours says of a value that was taken for another, "0-18" for -18, is about that other.
        errors = [each for each in errors if not any(_is_about(each, other) for other in coerced)] + coerced
    if not errors:
        return value, []
    schema = schema_of(model)
    return None, _tidied([_complaint(each, data, schema) for each in errors])


def of_the_whole(data: dict[str, Any], what: str) -> Complaint:
    """A message of our own about parts that do not fit together, which begins with the key that it is about."""
    return Complaint(_pointed(data, (), what), "", what)


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


def _is_coerced(error: ErrorDetails) -> bool:
    wrong = _COERCED.get(error["type"], ())
    value = error["input"]
    # bool is an int to Python, but where true or false is wanted it is what should have come.
    return isinstance(value, wrong) and not (error["type"] == "bool_type" and isinstance(value, bool))


def _is_about(error: ErrorDetails, coerced: ErrorDetails) -> bool:
    """Whether a check of ours looked at this value or at what holds it."""
    loc = error["loc"]
    return error["type"] in ("value_error", "assertion_error") and coerced["loc"][: len(loc)] == loc


def _tidied(complaints: list[tuple[Complaint, bool]]) -> list[Complaint]:
    """Each complaint once; one about a whole value gives way to those from within, which know what was meant."""
    kept = []
    for complaint, is_whole in complaints:
        within = any(
            other.name != complaint.name and other.name.startswith((f"{complaint.name}.", f"{complaint.name}["))
            for other, _ in complaints
        )
        # To add a key that is there under a name like its own would be the wrong advice.
        renamed = complaint.what.endswith(ADD) and any(_is_renamed(complaint, other) for other, _ in complaints)
        # A list is of the right form where another complaint counts its entries.
        counted = complaint.what.endswith("got a list") and any(
            other.name == complaint.name and " entries, got " in other.what for other, _ in complaints
        )
        if not renamed and not (is_whole and (within or counted)):
            kept.append(complaint)
    return list(dict.fromkeys(kept))


def _is_renamed(missing: Complaint, other: Complaint) -> bool:
    """Whether the other complaint is of an unknown key, and advises the one that is missing beside it."""
    place, _, key = missing.name.rpartition(".")
    advice = rf"unknown key.*(; write |did you mean '){re.escape(key)}\b"
    return place == other.name.rpartition(".")[0] and re.match(advice, other.what) is not None


def _complaint(error: ErrorDetails, data: Any, schema: Schema) -> tuple[Complaint, bool]:
    """One error in our words, and whether it gives way to any from within the same value."""
    kind, loc, context = error["type"], error["loc"], error.get("ctx", {})
    path = reach(data, loc)
    if kind in ("value_error", "assertion_error"):
        what = str(context["error"])
        return Complaint(_pointed(data, path, what), dotted(path), what), False
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return Complaint(path, dotted(path), _unknown_key(loc, schema)), False
    if kind == "missing" and isinstance(loc[-1], int):
        return _wrong_count(error, path, schema), True
    if kind in ("missing", "missing_argument"):
        expected = described(nodes_at(schema, loc))
        return Complaint(path, dotted((*path, loc[-1])), f"must be {expected}, {ADD}"), False
    if kind in ("union_tag_invalid", "union_tag_not_found") and "()" not in context["discriminator"]:
        return _wrong_variant(error, path, schema), False
    if kind == "too_long" and any("prefixItems" in node for node in nodes_at(schema, loc)):
        return _wrong_count(error, path, schema), True
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
    return _wrong_type(error, data, path, schema), True


def _wrong_count(error: ErrorDetails, path: Loc, schema: Schema) -> Complaint:
    """A pair or a triple with more or fewer entries."""
    typed = error["input"]
    nodes = nodes_at(schema, error["loc"] if error["type"] == "too_long" else error["loc"][:-1])
    count = next((len(node["prefixItems"]) for node in nodes if "prefixItems" in node), 0)
    is_range = any(node.get("type") in ("number", "integer") for node in nodes)
    hint = ""
    if is_range and typed and all(isinstance(each, int | float) for each in typed):
        hint = f"; write {flow([min(typed), max(typed)] if len(typed) > 1 else typed[0])}"
        hint += ", the lowest and the highest" if len(typed) > 1 else ""
    return Complaint(path, dotted(path), f"must have {count} entries, got {len(typed)}{hint}")


def _wrong_type(error: ErrorDetails, data: Any, path: Loc, schema: Schema) -> Complaint:
    """A value of another type than any that is allowed there.

    The schema is asked for all forms the value may take: pydantic's own message knows one branch of a union.
    """
    loc, value = error["loc"], error["input"]
    while loc and loc[-1] not in path:
        loc = loc[:-1]
    nodes = nodes_at(schema, loc)
    if whole := _list_in_a_list(data, path, nodes):
        text = flow([whole])
        hint = f"; write {text}" if len(text) <= SHOWN and text.isprintable() else ""
        return Complaint(path[:-1], dotted(path[:-1]), f"must be a list of lists, got one list{hint}")
    expected = "a finite number" if error["type"] == "finite_number" else described(nodes)
    if path[:1] == ("codecs",) and len(path) == 2:
        expected = "a mapping"  # its kind is told by its size, so that nobody types a kind alone
    hint = _rewriting(value, path, nodes, schema) or (
        "; put it in quotes" if expected == "text" and isinstance(value, int | float) else ""
    )
    return Complaint(path, dotted(path), f"must be {expected}, got {shown(value)}{hint}")


def _rewriting(value: Any, path: Loc, nodes: list[Schema], schema: Schema) -> str:
    """What to write instead of a value of the wrong form, after a semicolon; nothing where there is no telling."""
    names = kinds_of(nodes).values()
    if names and not isinstance(value, dict | list | None):
        # `fading: false` and `fading: off` are one thought.
        near = suggestion(shown(value).strip("'"), names)
        is_path = not near and "file" in names and re.search(r"[./\\]", str(value))
        return f"; write {{source: file, path: {shown(value)}}}" if is_path else near
    around = nodes_at(schema, path[:-1]) if path and isinstance(path[-1], int) else []
    said = rewritten(value, nodes, around)
    axes = [key for node in nodes_at(schema, ("sweep",)) for key in node.get("properties", {})]
    if isinstance(value, list) and path and said.startswith("write one value") and path[-1] in axes:
        said = f"write one value here, or several in sweep.{path[-1]}"
    return f"; {said}" if said else ""


def _list_in_a_list(data: Any, path: Loc, nodes: list[Schema]) -> list[Any]:
    """The list that holds this entry, if it was to be itself an entry: [small, plain] for [[small, plain]]."""
    if not (path and isinstance(path[-1], int) and {node.get("type") for node in nodes} == {"array"}):
        return []
    for part in path[:-1]:
        data = data[part]
    return list(data) if not any(isinstance(each, dict | list) for each in data) else []


def _wrong_variant(error: ErrorDetails, path: Loc, schema: Schema) -> Complaint:
    """A mapping whose `kind`, or whatever key tells the variants apart, is missing or unknown."""
    key = error["ctx"]["discriminator"].strip("'")
    if error["type"] == "union_tag_not_found":
        nodes = [node for node in nodes_at(schema, error["loc"]) if key in node.get("properties", {})]
        names = [node["properties"][key]["const"] for node in nodes]
        typed = set(error["input"]) if isinstance(error["input"], dict) else set()
        fitting = [name for name, node in zip(names, nodes, strict=True) if typed <= set(node["properties"])]
        hint = "add this key"
        if typed and 0 < len(fitting) < len(names):
            hint = f"add {key}: {either(fitting)}, to go with {', '.join(sorted(typed))}"
        what = f"must be one of {', '.join(names)}, got nothing; {hint}"
        return Complaint(path, dotted((*path, key)), what)
    names = _quoted(error["ctx"]["expected_tags"])
    got = error["input"][key] if isinstance(error["input"], dict) else error["ctx"]["tag"]
    what = f"must be one of {', '.join(names)}, got {shown(got)}{suggestion(got, names)}"
    return Complaint((*path, key), dotted((*path, key)), what)


def _unknown_key(loc: Loc, schema: Schema) -> str:
    """What to write instead of a key that no one knows."""
    word = str(loc[-1])
    nodes = nodes_at(schema, loc[:-1])
    keys = list(dict.fromkeys(key for node in nodes for key in node.get("properties", {})))
    if kind := _of_another_kind(word, nodes, nodes_at(schema, loc[:-2])):
        return f"unknown key{kind}"
    hint = key_hint(word, keys, _nearest_first(homes(schema), loc))
    is_sure = hint.startswith(("write", "there"))
    listed = f"; use {', '.join(keys)}" if 0 < len(keys) <= LISTED and not is_sure else ""
    return f"unknown key{listed}{'; ' if hint else ''}{hint}"


def _nearest_first(places: dict[str, list[str]], loc: Loc) -> dict[str, list[str]]:
    """By key at most three places: first those in the same part of the scenario, last those in training.

    What a source of messages or a language calls alike is told beside those alone, or where nothing else has that key.
    """

    def distance(place: str) -> tuple[bool, bool]:
        part = place.partition(".")[0]
        return part != loc[0], part == "training"

    def told(found: list[str]) -> list[str]:
        rare = [part for part, of in (("task.source.", "task"), ("languages.", "languages")) if loc[0] != of]
        common = [place for place in found if not place.startswith(tuple(rare))]
        return common or found

    own = dotted(loc[:2])
    return {
        key: [
            place.replace("codecs.NAME", own) if loc[0] == "codecs" else place
            for place in sorted(told(found), key=distance)
        ][:3]
        for key, found in places.items()
    }


def _of_another_kind(word: str, nodes: list[Schema], variants: list[Schema]) -> str:
    """Which variants have a key that this one does not have."""
    ours = kinds_of(nodes) if len(nodes) == 1 else {}
    if len(ours) == 1 and word in kinds_of(variants).values():
        return f"; write {next(iter(ours))[0]}: {word}"
    others = [node for node in variants if word in node.get("properties", {}) and set(ours) ^ set(kinds_of([node]))]
    names = [name for node in others for (key, name) in kinds_of([node]) if (key, name) not in ours]
    if len(ours) != 1 or not names:
        return ""
    ((key, kind),) = ours
    return f" where {key} is {kind}; write {key}: {either(names)}, which {'has' if len(names) == 1 else 'have'} it"


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
