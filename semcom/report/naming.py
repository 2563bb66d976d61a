"""File names of figures and tables, from words that somebody else may have chosen."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Collection, Sequence

__all__ = ["file_name"]

# File systems take 255 bytes, of which an ending and the mark of an unfinished file need some.
LONGEST = 200


def file_name(told: Sequence[str], taken: Collection[str] = ()) -> str:
    """A name of these words that no other has: small letters, digits and a few signs, without an ending."""
    name = "__".join(re.sub(r"[^a-z0-9.+-]+", "_", each.lower()).strip("_.") for each in told)
    if len(name) > LONGEST:
        name = f"{name[: LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    if name not in taken:
        return name
    # Two conditions may differ only in signs that a file name cannot hold.
    first = sum(each.startswith(name) for each in taken) + 1
    return next(free for turn in itertools.count(first) if (free := f"{name}_{turn}") not in taken)
