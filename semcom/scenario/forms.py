"""Forms: what a JSON schema allows at a place of the data, and how to say it in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from pydantic import BaseModel

from semcom.scenario.hints import either

Loc = tuple[str | int, ...]
Schema = dict[str, Any]

LISTED = 16  # longer lists of allowed keys hide the mistake they should explain
_DEEPEST = 5  # codecs.NAME.distill.methods.temperature
# What a codec may have of its own in the keys of the scenario's.
_AS_ABOVE = (("codecs", "NAME", "training"), ("codecs", "NAME", "task"))


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    """The JSON schema of a model, which takes longer to make than a scenario takes to read; not to be changed."""
    return model.model_json_schema()


def nodes_at(schema: Schema, loc: Loc) -> list[Schema]:
    """The parts of a JSON schema that a location may mean: several where a union leaves it open.

    The schema rather than the classes, because there dataclasses, models and unions of both look alike.
    """
    nodes = spread(schema, schema)
    for part in loc:
        # Where variants are told apart the next part is a tag, even if one of them has a key of that name.
        tagged = [node for node in nodes if part in kinds_of([node]).values()] if len(nodes) > 1 else []
        stepped = [each for node in nodes for child in children(node, part) for each in spread(child, schema)]
        nodes = tagged or stepped or nodes
    return nodes


def spread(node: Schema, root: Schema, *, keep_variants: bool = False) -> list[Schema]:
    """A schema with its reference followed and its unions laid out.

    Args:
        keep_variants: leave unions whole whose variants a key tells apart.
    """
    if "$ref" in node:
        return spread(root["$defs"][node["$ref"].rsplit("/", 1)[-1]], root, keep_variants=keep_variants)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in node and not (keep_variants and "discriminator" in node):
            return [each for branch in node[union] for each in spread(branch, root, keep_variants=keep_variants)]
    return [node]


def children(node: Schema, part: str | int) -> list[Schema]:
    """The schema of an entry of a list or of the value of a key, if the schema knows of any."""
    if isinstance(part, int):
        fixed = node.get("prefixItems", [])
        found = fixed[part] if part < len(fixed) else node.get("items")
    else:
        # Names that must match a pattern are told of under that pattern.
        named = next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties"))
        found = node.get("properties", {}).get(part, named)
    return [found] if isinstance(found, dict) else []


def kinds_of(nodes: list[Schema]) -> dict[tuple[str, str], str]:
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


def described(nodes: list[Schema]) -> str:
    """What a schema wants, in words: a number, a list or a mapping of start, stop, step."""
    kinds = kinds_of(nodes)
    names = list(kinds.values())
    alone = any(names and node.get("enum") == names for node in nodes)
    forms = [
        _SIMPLE[node["type"]](node)
        for node in nodes
        if node.get("type") in _SIMPLE and "const" not in node and not (alone and node.get("enum") == names)
    ]
    forms += [repr(node["const"]) for node in nodes if "const" in node]
    for name in dict.fromkeys(key for key, _ in kinds):
        told = either([value for key, value in kinds if key == name])
        forms.append(f"{told}, alone or as {name} of a mapping" if alone else f"a mapping with {name} {told}")
    for node in nodes:
        if node.get("type") == "object" and not kinds_of([node]):
            keys = list(node.get("properties", {}))
            forms.append(f"a mapping of {', '.join(keys)}" if 0 < len(keys) <= LISTED else "a mapping")
    return either(list(dict.fromkeys(forms))) or "another value"


def homes(schema: Schema) -> dict[str, list[str]]:
    """Where in a scenario every key may stand, the shallowest place first.

    Not told are the points of an axis, what a codec changes of the training, which has the keys of `training`, and a
    task of its own, which has those of `task`.
    """
    found: dict[str, list[str]] = {}
    waiting: list[tuple[Loc, Schema]] = [((), schema)]
    for path, whole in waiting:
        for node in spread(whole, schema):
            below = [((*path, key), child) for key, child in node.get("properties", {}).items() if "const" not in child]
            for (*_, key), _ in below:
                place = ".".join(map(str, (*path, key))) if path else f"{key} at the top"
                found.setdefault(str(key), []).append(place)
            below += [((*path, "NAME"), child) for child in node.get("patternProperties", {}).values()]
            below += [(path, child) for child in (node.get("items"),) if isinstance(child, dict)]
            waiting += [each for each in below if _has_keys_of_its_own(each[0])]
    return {key: list(dict.fromkeys(places)) for key, places in found.items()}


def _has_keys_of_its_own(path: Loc) -> bool:
    is_axis = len(path) > 1 and path[0] == "sweep"
    return len(path) < _DEEPEST and not is_axis and path not in _AS_ABOVE
