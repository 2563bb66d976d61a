"""Strict plans: the ways in which the lower floors' own dataclasses become parts of a scenario."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from semcom.scenario.meanings import describe

STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, json_schema_extra=describe)


class Plan(BaseModel):
    """A part of a scenario: unknown keys are refused, values do not change."""

    model_config = STRICT


def by(key: str) -> Any:
    """A union whose variants are told apart by one key, so that an error names one variant, not all.

    For editors the bare name of a variant is one more form, which shorthand.py writes out before pydantic sees it.
    """
    return Field(discriminator=key, json_schema_extra=_or_its_name)


def any_of(variants: Iterable[type], key: str) -> Any:
    """A union of classes that a catalog lists, told apart by one key."""
    return Annotated[reduce(or_, variants), by(key)]


def _or_its_name(schema: dict[str, Any]) -> None:
    """Let the schema take the name of a variant for the variant, and any that fits where the name is left out."""
    names = list(schema["discriminator"]["mapping"])
    schema["anyOf"] = [{"type": "string", "enum": names}, *schema.pop("oneOf")]


def changes_to(variant: type) -> type[BaseModel]:
    """A plan with the fields of a dataclass, all optional: what differs from a base.

    A key may be left out, but not be left empty unless the field itself may be None.
    """
    fields = {each.name: (Annotated[each.type, Field()], None) for each in dataclasses.fields(variant)}
    names = {"__base__": Plan, "__module__": variant.__module__, "__doc__": variant.__doc__}
    return create_model(f"{variant.__name__}Changes", **names, **fields)  # type: ignore[call-overload]


def changed(base: Any, changes: BaseModel | None) -> Any:
    """The base with the fields that were typed."""
    if changes is None:
        return base
    return dataclasses.replace(base, **{name: getattr(changes, name) for name in changes.model_fields_set})
