"""Reference: every key of a scenario with its type, default, unit and meaning, as Markdown tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from semcom.scenario.forms import Schema, schema_of, spread
from semcom.scenario.hints import either
from semcom.scenario.meanings import KINDS, unit_of, without_unit
from semcom.scenario.scenario import Scenario

CHANGES = "Changes"  # ends the title of what differs from a base, which has the keys of the base


@dataclass(frozen=True)
class Section:
    """The keys of one part of a scenario: of one plan, or of several variants that `kind` tells apart.

    Args:
        name: the key that the part belongs to, `fading`.
        nodes: the JSON schema of each variant.
    """

    name: str
    nodes: tuple[Schema, ...]

    @property
    def titles(self) -> set[str]:
        """The classes whose keys these are; changes count for their base."""
        return {each["title"].removesuffix(CHANGES) for each in self.nodes}


def reference() -> dict[str, str]:
    """The Markdown tables of every part of a scenario, by the key that the part belongs to."""
    root = schema_of(Scenario)
    parts = sections(root)
    homes = {title: each.name for each in parts for title in each.titles}
    return {each.name: "\n".join((*_variants(each), *_keys(each, root, homes))) for each in parts}


def sections(root: Schema) -> list[Section]:
    """All parts of a scenario, each once, the outermost first."""
    found: list[Section] = []
    waiting: list[tuple[str, Schema]] = [("scenario", root)]
    for name, node in waiting:
        for nodes in _parts(node, root):
            section = Section(name, nodes)
            if any(section.titles <= other.titles for other in found):
                continue
            taken = any(other.name == name for other in found)
            found.append(Section(nodes[0]["title"].lower(), nodes) if taken or _is_axis(node) else section)
            waiting += [pair for each in nodes for pair in each.get("properties", {}).items()]
    return found


def _parts(node: Schema, root: Schema) -> list[tuple[Schema, ...]]:
    """The mappings with keys of their own that may stand at a place, variants of one kind together."""
    found: list[tuple[Schema, ...]] = []
    for each in spread(node, root, keep_variants=True):
        if "discriminator" in each:
            found.append(_objects(each, root))
        elif "properties" in each:
            found.append((each,))
        else:
            found += [part for child in _inside(each) for part in _parts(child, root)]
    return found


def _objects(union: Schema, root: Schema) -> tuple[Schema, ...]:
    return tuple(each for each in spread(union, root) if "properties" in each)


def _is_axis(node: Schema) -> bool:
    """Whether a mapping is one form among others, and so belongs to no key alone."""
    return any("oneOf" in each and "discriminator" not in each for each in (node, *node.get("anyOf", ())))


def _inside(node: Schema) -> list[Schema]:
    """The entries of a list and the values of a mapping of free names."""
    entries = [*node.get("prefixItems", []), node.get("items"), *node.get("patternProperties", {}).values()]
    return [each for each in entries if isinstance(each, dict)]


def _kind(node: Schema) -> str:
    """What tells a variant apart; empty for a plan that has no variants."""
    return next((str(node["properties"][key]["const"]) for key in KINDS if "const" in _key(node, key)), "")


def _key(node: Schema, name: str) -> Schema:
    found: Schema = node.get("properties", {}).get(name, {})
    return found


def _variants(section: Section) -> list[str]:
    """A table of the variants with one line each."""
    if len(section.nodes) == 1:
        return []
    key = next(key for key in KINDS if _key(section.nodes[0], key))
    lines = [f"| `{_kind(each)}` | {_cell(each['description'].partition(chr(10))[0])} |" for each in section.nodes]
    return [f"| `{key}` | what it is |", "| --- | --- |", *lines, ""]


def _keys(section: Section, root: Schema, homes: dict[str, str]) -> list[str]:
    """A table of the keys; one that several variants share with all it says is one row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for node in section.nodes:
        for name, key in node.get("properties", {}).items():
            if name in KINDS and "const" in key:
                continue
            meaning = key["description"]
            default = "required" if name in node.get("required", ()) else _default(key)
            row = (f"`{name}`", _type(key, root, homes), default, unit_of(name, meaning), without_unit(meaning))
            rows.setdefault(row, []).append(_kind(node))
    if not rows:
        return ["None of them has a key of its own."]
    several = len(section.nodes) > 1
    head = ["key", *(["of"] if several else []), "type", "default", "unit", "meaning"]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for (name, *rest), kinds in rows.items():
        of = "all" if len(kinds) == len(section.nodes) else ", ".join(f"`{each}`" for each in kinds)
        cells = [name, *([of] if several else []), *rest]
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _default(node: Schema) -> str:
    """A default as it would be typed; nothing for a key that says nothing unless it is there."""
    value = node.get("default")
    if isinstance(value, dict):
        return f"`{value[node['discriminator']['propertyName']]}`" if "discriminator" in node else "its defaults"
    return "" if value is None else f"`{_typed(value)}`"


def _typed(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_typed, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _type(node: Schema, root: Schema, homes: dict[str, str]) -> str:
    """What may stand at a key, in words, with links to the parts that have keys of their own."""
    forms = []
    for each in spread(node, root, keep_variants=True):
        if "discriminator" in each or "properties" in each:
            home = homes[(_objects(each, root) or (each,))[0]["title"].removesuffix(CHANGES)]
            forms.append(f"[{home}](#{home.lower()})")
        elif "prefixItems" in each:
            forms.append(f"[{', '.join(_type(item, root, homes) for item in each['prefixItems'])}]")
        elif each.get("type") == "array":
            forms.append(_listed(_type(each["items"], root, homes)))
        elif "patternProperties" in each:
            forms.append(f"names, each with {_type(_inside(each)[0], root, homes)}")
        elif each.get("type") != "null":
            forms.append(_simple(each))
    return either([form if form != _listed(forms[0]) else "a list of them" for form in dict.fromkeys(forms)])


def _listed(form: str) -> str:
    return f"list of {form.replace('number', 'numbers')}"


def _simple(node: Schema) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return either([f"`{each}`" for each in node["enum"]])
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}[node["type"]]
    return f"{words}{_limits(node)}"


def _limits(node: Schema) -> str:
    low, high, under = (node.get(name) for name in ("minimum", "maximum", "exclusiveMaximum"))
    if low is None:
        return ""
    if high is not None:
        return f" ({low:g} to {high:g})"
    return f" ({low:g} or more)" if under is None else f" ({low:g} or more, below {under:g})"
