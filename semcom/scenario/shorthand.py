"""Shorthand: bare names and mappings without a kind, written out in full before anything is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semcom.scenario.forms import Schema, children, spread


def in_full(data: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The data with every variant as a mapping that names its kind.

    Two rules, wherever the schema tells variants apart by a key (`kind`, or `source` of a corpus):

    1. A bare name is a mapping with nothing else: `rayleigh` is `{kind: rayleigh}`.
    2. A mapping without the key changes what would stand there without it. That is the default's kind: `{level_db: -6}`
       is `{kind: neighbors, level_db: -6}` in `link.interference`. In the training of a codec it is what the training
       of the scenario says there, with all its keys. In a list, or where the default is nothing, it stays as it is.

    What fits no variant stays as it is, for the check to complain of.
    """
    full = with_kinds(for_task(data), schema)
    codecs, settings = full.get("codecs"), full.get("training") or {}
    node = schema.get("properties", {}).get("training")
    if node and isinstance(codecs, dict) and isinstance(settings, dict):
        full["codecs"] = {name: _trained_beside(codec, settings, node, schema) for name, codec in codecs.items()}
    return full


def with_kinds(data: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The data in full but for the training of codecs, which hangs on what the training of the scenario ends up as."""
    full: dict[str, Any] = _walked(for_task(data), schema, schema)
    return full


def for_task(data: dict[str, Any]) -> dict[str, Any]:
    """The data with what its task means by keys that are left out, and every codec with the kind that its size tells.

    A codec without a size is of its start's kind, or else of the task's. One with a task of its own is trained as that
    task means by what is left out, and not as the scenario's does.
    """
    if (meant := _usually(data.get("task", "text"))) is None:
        return data
    usual, defaults = meant
    full: dict[str, Any] = _under(data, defaults)
    codecs = full.get("codecs")
    if not isinstance(codecs, dict):
        return full
    given = data.get("training", {})
    codecs = {name: _of_its_task(codec, given, defaults) for name, codec in codecs.items()}
    full["codecs"] = {each: _of_kind(each, codecs, usual) for each in codecs}
    return full


def _usually(typed: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The usual kind of codec of a task as it is typed, and its defaults; None for what is no task."""
    from semcom.tasks.catalog import TASKS  # what it leads to imports torch, which storing results does without

    name = typed.get("kind") if isinstance(typed, dict) else typed
    task = next((each for each in TASKS if each.kind == name), None)
    return None if task is None else task.usually(typed if isinstance(typed, dict) else {})


def _under(typed: Any, defaults: Mapping[str, Any]) -> Any:
    """What was typed, with defaults where nothing was."""
    if not isinstance(typed, dict):
        return typed
    full = dict(typed)
    for key, value in defaults.items():
        if isinstance(value, Mapping):
            full[key] = _under(full.get(key, {}), value)
        else:
            full.setdefault(key, value)
    return full


def _of_its_task(codec: Any, given: Any, others: Mapping[str, Any]) -> Any:
    """A codec with what a task of its own means by keys of training that are left out, here and in `given`.

    What a task means by its link as well is left to the scenario, whose link all codecs share.

    Args:
        given: the scenario's training, as far as it is typed.
        others: the defaults of the scenario's task.
    """
    meant = _usually(codec["task"]) if isinstance(codec, dict) and codec.get("task") is not None else None
    if meant is None:
        return codec
    own, shared = meant[1].get("training", {}), meant[1].get("link", {})
    training = {"airs": 1} if "airs" in others.get("training", {}) else {}
    training |= {key: value for key, value in own.items() if key not in shared}
    left = {key: value for key, value in training.items() if not isinstance(given, dict) or key not in given}
    return _under(codec, {"training": left}) if left else codec


def _of_kind(name: str, codecs: dict[str, Any], usual: str) -> Any:
    codec = codecs[name]
    if not isinstance(codec, dict) or "kind" in codec:
        return codec
    if codec.get("task") is not None and (meant := _usually(codec["task"])):
        usual = meant[0]
    seen, each = [name], codec
    while each.get("size") is None and isinstance(start := each.get("start"), str) and start not in seen:
        if not isinstance(codecs.get(start), dict):
            break
        seen, each = [*seen, start], codecs[start]
    return {"kind": each.get("kind") or _kind_of_size(each.get("size")) or usual, **codec}


def _kind_of_size(size: object) -> str | None:
    """The kind of codec that a named size is of; not asked of the plans, which need torch."""
    from semcom.tasks.catalog import TASKS

    return next((task.sizes[size].kind for task in TASKS if isinstance(size, str) and size in task.sizes), None)


def _trained_beside(codec: Any, settings: dict[str, Any], node: Schema, root: Schema) -> Any:
    """A codec whose own training says in full what it changes of the scenario's."""
    changes = codec.get("training") if isinstance(codec, dict) else None
    if not isinstance(changes, dict):
        return codec
    changed = {
        name: {**settings[name], **value} if _is_change(value) and isinstance(settings.get(name), dict) else value
        for name, value in changes.items()
    }
    return {**codec, "training": _walked(changed, node, root)}


def _is_change(value: Any) -> bool:
    return isinstance(value, dict) and "kind" not in value


def _walked(value: Any, node: Schema, root: Schema) -> Any:
    """The value in full, as far as its schema knows of it."""
    for branch in spread(node, root, keep_variants=True):
        if "discriminator" in branch:
            return _variant(value, branch, root, node.get("default"))
        if isinstance(value, dict) and branch.get("type") == "object":
            return {key: _entry(each, branch, key, root) for key, each in value.items()}
        if isinstance(value, list) and branch.get("type") == "array":
            return [_entry(each, branch, index, root) for index, each in enumerate(value)]
    return value


def _entry(value: Any, node: Schema, part: str | int, root: Schema) -> Any:
    """One entry of a list or a mapping in full."""
    known = children(node, part)
    return _walked(value, known[0], root) if known else value


def _variant(value: Any, node: Schema, root: Schema, default: Any) -> Any:
    """A mapping with the key that tells its kind, if a bare name or the default gives it."""
    key, kinds = node["discriminator"]["propertyName"], node["discriminator"]["mapping"]
    if isinstance(value, str):
        return {key: value} if value in kinds else value
    if not isinstance(value, dict):
        return value
    if key not in value and isinstance(default, dict):
        value = {key: default[key], **value}
    kind = value.get(key)
    return _walked(value, {"$ref": kinds[kind]}, root) if isinstance(kind, str) and kind in kinds else value
