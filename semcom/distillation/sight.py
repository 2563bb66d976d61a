"""Which distillation methods fit which kind of codec, and what to take in place of those that do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from semcom.distillation.catalog import METHODS
from semcom.models.spec import has_single_unit

if TYPE_CHECKING:
    from semcom.distillation.method import Method
    from semcom.models.spec import Part, Spec

TOLD: dict[Part, str] = {
    "sent": "what a transmitter makes",
    "received": "a transmitter's symbols as they arrive",
    "heard": "layers of a receiver",
    "stages": "feature maps",
    "logits": "logits",
    "attention": "self-attention",
}

# What a codec with a receiver alone, or with messages of one unit, needs of the methods that leave a choice.
MENDING = {"side": "decoder", "between": "sentences"}


def check_sight(methods: Sequence[Method], spec: Spec, *, whose: str) -> None:
    """Refuse methods that compare what a codec of this kind does not have.

    Args:
        whose: the codec, in the words of the message.

    Raises:
        ValueError: with what to change, or the methods that there are for this kind.
    """
    for method in settled(methods, spec):
        if reason := _reason(method, spec):
            raise ValueError(
                f"method {method.kind} must suit what {whose} carries, but {reason}; take one of "
                f"{', '.join(_methods_for(spec))}"
            )
        if missing := _missing(method, spec):
            changes = _changes(method) if fitting(method, spec) else {}
            told = " and ".join(f"{key}: {value}" for key, value in changes.items())
            way_out = f"set {told}" if told else f"take one of {', '.join(_methods_for(spec))}"
            raise ValueError(
                f"method {method.kind} must have {missing} to compare, got {whose}, a codec of kind {spec.kind}; "
                f"{way_out}"
            )


def settled(methods: Sequence[Any], spec: Spec) -> tuple[Any, ...]:
    """Methods with what they leave to the kind of codec decided by it."""
    return tuple(each.settled(spec) if hasattr(each, "settled") else each for each in methods)


def fitting(method: Any, spec: Spec) -> Any | None:
    """A method as it can learn from this kind of codec: as it is, or on receivers and between messages alone.

    None if it cannot.
    """
    (method,) = settled((method,), spec)
    if _reason(method, spec):
        return None
    for candidate in (method, replace(method, **_changes(method))):
        if not _missing(candidate, spec):
            return candidate
    return None


def _reason(method: Any, spec: Spec) -> str:
    """Why a kind of codec does not suit a method that itself can tell."""
    return str(method.unsuited(spec)) if hasattr(method, "unsuited") else ""


def _missing(method: Method, spec: Spec) -> str:
    """What a method compares and this kind of codec does not have, in words; nothing if it has all."""
    kind = getattr(method, "codec", spec.kind)
    if kind != spec.kind:
        return f"the parts of a codec of kind {kind}"
    if unseen := [TOLD[part] for part in TOLD if part in method.sees - spec.shows]:
        return " and ".join(unseen)
    if has_single_unit(spec) and getattr(method, "between", None) == "tokens":
        return "several units in a message"
    return ""


def _changes(method: Any) -> dict[str, str]:
    """The keys of a method that stand in a receiver's way, and their other values."""
    return {key: value for key, value in MENDING.items() if getattr(method, key, value) != value}


def _methods_for(spec: Spec) -> list[str]:
    """The kinds of methods that can learn from this kind of codec, with what must be set."""
    found: list[str] = []
    for make in METHODS:
        fitted = fitting(make(), spec)
        if fitted is not None:
            told = ", ".join(f"{key}: {value}" for key, value in _changes(make()).items() if fitted != make())
            found.append(f"{fitted.kind} ({told})" if told else fitted.kind)
    return found
