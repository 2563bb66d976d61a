"""Meanings: what every key of a scenario means, read from the docstring of the class that holds the key."""

from __future__ import annotations

import inspect
import re
from typing import Any

KINDS = ("kind", "source")  # the keys that tell variants apart
_ENTRY = re.compile(r"    (\w+): (.*)")
_UNIT = re.compile(r" \[([^\[\],]+)\]")  # [dB], not [low, high]


def meanings_of(docstring: str | None) -> dict[str, str]:
    """The entries of a docstring's `Args:` section, each on one line."""
    lines = iter(inspect.cleandoc(docstring or "").splitlines())
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line == "Args:":
            break
    for line in lines:
        if line.strip() and not line.startswith("    "):
            break
        if entry := _ENTRY.fullmatch(line):
            name = entry[1]
            found[name] = [entry[2]]
        elif line.strip():
            found[name].append(line.strip())
    return {each: " ".join(parts) for each, parts in found.items()}


def said_of(variant: type) -> dict[str, str]:
    """The meanings of all keys of a class, those that it has from its bases included."""
    said: dict[str, str] = {}
    for each in reversed(variant.__mro__):
        # Of a base, its own docstring alone: inspect would hand on one that is not there.
        said |= meanings_of(each.__dict__.get("__doc__"))
    return said


def unit_of(name: str, meaning: str) -> str:
    """The unit that a meaning holds in brackets; decibels where the name ends with `_db`."""
    unit = _UNIT.search(meaning)
    return unit[1] if unit else "dB" if name.endswith("_db") else ""


def without_unit(meaning: str) -> str:
    """A meaning whose unit stands in a column of its own."""
    return _UNIT.sub("", meaning, count=1)


def without_sections(docstring: str | None) -> str:
    """A docstring without its entries, its errors and its source."""
    return re.split(r"\n\n(?:Args|Raises|Source):", inspect.cleandoc(docstring or ""))[0]


def describe(schema: dict[str, Any], variant: type) -> None:
    """Give the keys in a JSON schema their meanings, each a `description`; the class keeps what is said of it whole."""
    said = said_of(variant)
    schema["description"] = without_sections(variant.__doc__)
    for name, key in schema.get("properties", {}).items():
        if name in said:
            key["description"] = said[name]
        elif "const" in key:
            key["description"] = f"names this variant: {schema['description'].partition(chr(10))[0]}"
