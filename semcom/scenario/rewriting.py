"""Rewriting: a value of the wrong form as it was probably meant, for the end of a message."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from semcom.scenario.forms import Schema

LONGEST = 60  # characters; a longer value is not written out again
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TO = r"\s*(?:-|:|\.\.+|~|to)\s*"
_LIKE_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2010": "-", "\u2011": "-", "\u00a0": " "})
_TRUTH = {
    **dict.fromkeys(("yes", "y", "on", "true", "1", "t"), "true"),
    **dict.fromkeys(("no", "n", "off", "false", "0", "f"), "false"),
}
_MULTIPLES = {"k": 1e3, "m": 1e6, "%": 0.01}


def rewritten(value: Any, wanted: list[Schema], around: list[Schema]) -> str:
    """What to write instead, such as `write [0, 18]`, or nothing where there is no telling.

    Args:
        value: what was typed.
        wanted: the forms that it may have, as parts of a JSON schema.
        around: the forms of the list that holds it, if one does: [0:18] was to be no list.
    """
    types = {each.get("type") for each in wanted}
    if "boolean" in types and not isinstance(value, dict | list):
        truth = _TRUTH.get(str(value).strip().lower())
        return f"write {truth}" if truth else ""
    if types & {"number", "integer"}:
        said = _in_numbers(value, wanted, around)
        if said:
            return said
    lists = [each for each in wanted if each.get("type") == "array"]
    if isinstance(value, list):
        return "" if lists else _one(value)
    if lists and not types & {"number", "integer", "string"} and value is not None:
        return _in_a_list(value, lists[0])
    return ""


def flow(value: Any) -> str:
    """A short value as YAML in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _one(value: list[Any]) -> str:
    """One value of a list where no list is wanted."""
    text = flow(value[0]) if len(value) == 1 and not isinstance(value[0], list | dict) else ""
    return f"write {text} without brackets" if text.isprintable() and 0 < len(text) <= LONGEST else "write one value"


def _in_a_list(value: Any, node: Schema) -> str:
    items = node.get("items", {})
    if isinstance(value, dict) and items.get("discriminator", {}).get("propertyName") not in value:
        return ""
    # Pairs and triples are lists of so many names, the others of which only the writer knows.
    others = ["..."] * (len(items.get("prefixItems", ())) - 1)
    text = flow([[value, *others]] if items.get("type") == "array" else [value])
    return f"write {text}" if len(text) <= LONGEST and text.isprintable() else "put it in a list"


def _in_numbers(value: Any, wanted: list[Schema], around: list[Schema]) -> str:
    """A number, an axis or a range, out of what some other notation has for it."""
    forms = _Forms.of(wanted, around)
    if isinstance(value, dict):
        ends = next((ends for ends in _ENDS if set(ends) <= set(value)), None)
        return f"write {flow([value[each] for each in ends])}" if ends and forms.has_range else ""
    if not isinstance(value, str) or len(value) > LONGEST:
        return ""
    text = value.translate(_LIKE_MINUS).strip()
    if text != value.strip() and re.fullmatch(_NUMBER, text):
        return f"write {text}, with the minus of the keyboard"
    for reading in _READINGS:
        if said := reading(text, forms):
            return said
    return ""


_ENDS = (("start", "stop"), ("min", "max"), ("low", "high"), ("from", "to"))


@dataclass(frozen=True)
class _Forms:
    """Which forms are allowed, beside or around a single number."""

    is_inside: bool  # a list
    has_steps: bool
    has_range: bool
    has_list: bool
    counts: bool

    @classmethod
    def of(cls, wanted: list[Schema], around: list[Schema]) -> Self:
        """Those of a value, by parts of a JSON schema; see `rewritten`."""
        nodes = around or wanted
        lists = [each for each in nodes if each.get("type") == "array"]
        return cls(
            is_inside=bool(around),
            has_steps=any("step" in each.get("properties", {}) for each in nodes),
            has_range=any(len(each.get("prefixItems", ())) == 2 for each in lists),
            has_list=any("prefixItems" not in each for each in lists),
            counts=all(each.get("type") != "number" for each in wanted),
        )


def _a_number(text: str, forms: _Forms) -> str:
    """6, with quotes or a unit: 6 dB, 50%, 10k."""
    found = re.fullmatch(rf"({_NUMBER})\s*(dB|%|k|K|M|steps|sentences)?", text, flags=re.IGNORECASE)
    if not found:
        return ""
    times = _MULTIPLES.get((found[2] or "").lower(), 1)
    number = float(found[1]) * times
    if not math.isfinite(number) or (forms.counts and not number.is_integer()):
        return ""
    if times == 1:
        return f"write {number:.12g}, without {'its unit' if found[2] else 'quotes'}"
    return f"write {number:.12g}"


def _a_fraction(text: str, _: _Forms) -> str:
    found = re.fullmatch(rf"({_NUMBER})\s*/\s*({_NUMBER})", text)
    return f"write {float(found[1]) / float(found[2]):.6g}" if found and float(found[2]) else ""


def _steps(text: str, forms: _Forms) -> str:
    """0:18, 0-18, 0:6:18, range(0, 18, 6): a start, a stop and perhaps a step."""
    if "..." in text and not re.search(r"\d", text):
        return "write {start: ..., stop: ..., step: ...} for evenly spaced points" if forms.has_steps else ""
    called = re.fullmatch(r"(?:np\.|numpy\.)?(?:a?range|linspace)\((.*)\)", text)
    if called and forms.has_steps:
        return "write {start: ..., stop: ..., step: ...}, in which stop is included"
    found = re.fullmatch(rf"({_NUMBER}){_TO}({_NUMBER})(?:\s*:\s*({_NUMBER}))?", text, flags=re.IGNORECASE)
    if not found:
        return ""
    start, stop, step = found[1], found[2], None
    if found[3] is not None:
        # 0:6:18 has the step in the middle, 0:18:6 at the end.
        pairs = ((found[2], found[3]), (found[3], found[2]))
        stop, step = max(pairs, key=lambda pair: _likely(start, *pair))
    if forms.has_steps:
        said = f"write {{start: {start}, stop: {stop}, step: {step or '...'}}}"
        return said if step else f"{said} with the step you want, or [{start}, {stop}] for these two"
    return f"write [{start}, {stop}]" if forms.has_range else "write one number"


def _likely(start: str, stop: str, step: str) -> tuple[bool, bool, float]:
    """What to compare two readings by: steps that lead to the stop, a whole number of them, then the more."""
    count = (float(stop) - float(start)) / float(step) if float(step) else 0.0
    return count >= 1, count.is_integer(), count


def _several(text: str, forms: _Forms) -> str:
    """0, 6, 12 or 0 6 12 without brackets; and a comma where a point or nothing is wanted."""
    if forms.is_inside or not re.fullmatch(rf"{_NUMBER}(?:(?:\s*[,;]\s*|\s+){_NUMBER})+", text):
        return ""
    numbers = re.findall(_NUMBER, text)
    if forms.has_list or (forms.has_range and len(numbers) == 2):
        return f"write [{', '.join(numbers)}]"
    if re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+", text):
        return f"write {text.replace(',', '')}, without commas"
    return (
        f"write {text.replace(',', '.')}, with a point" if re.fullmatch(r"[-+]?\d+,\d+", text) else "write one number"
    )


def _left_out(text: str, _: _Forms) -> str:
    return "leave the key out for its default" if text.lower() in ("auto", "default", "none", "null") else ""


_READINGS: tuple[Callable[[str, _Forms], str], ...] = (_a_number, _a_fraction, _steps, _several, _left_out)
