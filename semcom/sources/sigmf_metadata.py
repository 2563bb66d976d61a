"""SigMF metadata: which samples of a recording hold which class, read from a file that is trusted with nothing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from semcom.mistakes import UserMistake
from semcom.words import visible

META, DATA = ".sigmf-meta", ".sigmf-data"
LARGEST_METADATA = 16_000_000
LONGEST_LABEL = 100
# The complex types of the standard, as numpy writes one of their two numbers. Those of one byte have no order.
TYPES = {
    "cf32_le": "<f4",
    "cf32_be": ">f4",
    "cf64_le": "<f8",
    "cf64_be": ">f8",
    "ci32_le": "<i4",
    "ci32_be": ">i4",
    "ci16_le": "<i2",
    "ci16_be": ">i2",
    "ci8": "i1",
    "cu32_le": "<u4",
    "cu32_be": ">u4",
    "cu16_le": "<u2",
    "cu16_be": ">u2",
    "cu8": "u1",
}


@dataclass(frozen=True)
class Stretch:
    """Consecutive samples of one class.

    Args:
        start: first sample.
        count: how many there are.
    """

    label: str
    start: int
    count: int


@dataclass(frozen=True)
class Recording:
    """One recording and its labelled stretches, in their order; they share no sample.

    Args:
        data: the file of samples.
        kind: of one of the two numbers of a sample, as numpy writes it.
    """

    data: Path
    kind: str
    stretches: tuple[Stretch, ...]


def read_recording(meta: Path) -> Recording:
    """What a metadata file says of the samples beside it.

    Raises:
        UserMistake: it is no SigMF metadata, of another than a complex type, or says what its samples cannot hold.
    """
    facts = _parsed(meta)
    about, captures, annotations = (facts.get(name) for name in ("global", "captures", "annotations"))
    if not isinstance(about, dict) or not isinstance(captures, list) or not isinstance(annotations, list):
        raise UserMistake(f"{meta.name}: must hold global, captures and annotations, got others; write it as SigMF 1.0")
    kind = TYPES.get(about.get("core:datatype", ""), "") if isinstance(about.get("core:datatype"), str) else ""
    if not kind:
        raise UserMistake(
            f"{meta.name}: core:datatype must be complex ({', '.join(sorted(TYPES))}), got "
            f"{_shown(about.get('core:datatype'))}; convert the recording"
        )
    headers = any(not isinstance(each, dict) or each.get("core:header_bytes") for each in captures)
    # Such recordings keep their samples under another name, or between other bytes.
    if headers or any(about.get(f"core:{name}") for name in ("dataset", "metadata_only", "trailing_bytes")):
        raise UserMistake(
            f"{meta.name}: samples must stand alone in {meta.stem}{DATA}, got core:dataset, core:metadata_only, "
            "core:header_bytes or core:trailing_bytes; convert the recording"
        )
    if about.get("core:num_channels", 1) != 1:
        raise UserMistake(
            f"{meta.name}: must have one channel, got {_shown(about['core:num_channels'])}; write one file a channel"
        )
    data = meta.with_suffix(DATA)
    return Recording(data, kind, _stretches(annotations, _samples(data, kind), meta.name))


def width_of(kind: str) -> int:
    """Bytes of a complex sample."""
    return 2 * int(re.sub(r"\D", "", kind))


def _parsed(meta: Path) -> dict[str, Any]:
    try:
        with meta.open("rb") as file:
            # One more, so that a file which grows while it is read is noticed too.
            text = file.read(LARGEST_METADATA + 1)
        if len(text) > LARGEST_METADATA:
            raise UserMistake(f"{meta.name}: must be at most {LARGEST_METADATA:,} bytes; split the recording")
        facts = json.loads(text)
    except OSError as error:
        raise UserMistake(f"{meta} must be readable, got {error.strerror or error}; check its permissions") from error
    except UserMistake:
        raise
    # Text that is no JSON or no UTF-8, numbers of endless digits, and brackets within brackets without end.
    except (ValueError, RecursionError) as error:
        raise UserMistake(
            f"{meta.name}: must be JSON, got what is none ({visible(str(error))[:100]}); write it as SigMF 1.0"
        ) from None
    if not isinstance(facts, dict):
        raise UserMistake(f"{meta.name}: must hold a JSON object, got {_shown(facts)}; write it as SigMF 1.0")
    return facts


def _samples(data: Path, kind: str) -> int:
    """How many samples there are."""
    try:
        if not data.is_file():
            raise UserMistake(f"{data.name} must lie beside its metadata, got no such file; add it")
        size = data.stat().st_size
    except OSError as error:
        raise UserMistake(f"{data} must be readable, got {error.strerror or error}; check its permissions") from error
    return size // width_of(kind)


def _stretches(annotations: list[Any], samples: int, called: str) -> tuple[Stretch, ...]:
    found = []
    for number, each in enumerate(annotations, start=1):
        if not isinstance(each, dict):
            raise UserMistake(f"{called}: annotation {number} must be an object, got {_shown(each)}")
        label = each.get("core:label")
        if label is None:
            continue
        if not isinstance(label, str) or not label.strip() or len(label) > LONGEST_LABEL or visible(label) != label:
            raise UserMistake(
                f"{called}: core:label of annotation {number} must be a word of at most {LONGEST_LABEL} characters, "
                f"got {_shown(label)}"
            )
        start = each.get("core:sample_start")
        if type(start) is not int or not 0 <= start <= samples:
            raise UserMistake(
                f"{called}: core:sample_start of annotation {number} must be from 0 to {samples:,}, which is all there "
                f"is, got {_shown(start)}"
            )
        count = each.get("core:sample_count", samples - start)
        if type(count) is not int or not 0 <= count <= samples - start:
            raise UserMistake(
                f"{called}: core:sample_count of annotation {number} must be at most {samples - start:,}, which is all "
                f"there is, got {_shown(count)}; the recording is cut short"
            )
        found.append(Stretch(label.strip(), start, count))
    found.sort(key=lambda stretch: (stretch.start, stretch.count))
    for before, after in pairwise(found):
        if before.start + before.count > after.start:
            raise UserMistake(
                f"{called}: annotations with a label must not overlap, got {before.label} and {after.label} at sample "
                f"{after.start:,}; a frame has one class"
            )
    return tuple(found)


def _shown(value: object) -> str:
    """A value from the file, short and safe to show."""
    if isinstance(value, str | int | float | bool | None):
        # Not the number itself: one of a million digits takes seconds to write.
        text = "a huge number" if isinstance(value, int) and abs(value) > 10**30 else repr(value)
        return visible(text if len(text) <= 60 else f"{text[:60]}...")
    return "a list" if isinstance(value, list) else "an object"
