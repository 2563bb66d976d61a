"""Identities: a short hash of everything that can change a number, and nothing that cannot."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

# Raised by hand when the code itself changes what a build or a run gives.
GENERATION = 1
# The same for a wanted user's gains alone: since the second they follow the noise in its stream.
GAINS = 2
# And for a receiver that estimates: since the second an estimate lasts as long as the coherence says, whoever fades.
ESTIMATES = 2


def canonical(value: Any) -> Any:
    """Plain JSON data of any mix of dataclasses, tuples, dictionaries and scalars.

    Numbers that are equal are written alike: 6 and 6.0 are one SNR. A field that is None says that something is not
    there, and is left out: a new optional field moves no identity of what does without it. So is a field in which equal
    values may differ, such as the place of a folder whose content is told beside it.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if each.compare}
        return {name: canonical(item) for name, item in held.items() if item is not None}
    if isinstance(value, dict):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def identity(**parts: Any) -> str:
    """Sixteen hexadecimal digits that name these parts."""
    text = json.dumps(canonical({"generation": GENERATION, **parts}), sort_keys=True, allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
