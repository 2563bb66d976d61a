"""What people read: durations and counts as they say them, and foreign text made safe to show."""

from __future__ import annotations

import re

# What a terminal, a page or an editor obeys instead of showing: C0 and C1 controls, bidirectional marks, line and
# paragraph separators, invisible formatting, surrogates. Tab and newline stay.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


# Before whatever stands for text that a receiver could not make out. No sentence holds this control character, for
# cleaning drops it, so that such a stand-in equals no word that was sent, not even a literal "<unknown>".
LOST = "\x1a"
LOST_WORD, LOST_LETTER = f"{LOST}<unknown>", f"{LOST}\ufffd"


def lasting(seconds: float) -> str:
    """A duration: 45s, 2m05s, 1h10m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def counted(number: int, noun: str) -> str:
    """How many of something: no points are 0 points, then 1 point, 2 points, 1,000 points."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def visible(text: str) -> str:
    """Text from outside with every control or invisible formatting character spelled out, as \\x1b or \\u202e.

    What came from a scenario, a table or the air may hold characters that a terminal obeys. What a receiver could not
    make out is shown as <unknown> or as a replacement character. Applying it twice changes nothing more.
    """
    for stand_in in (LOST_WORD, LOST_LETTER):
        text = text.replace(stand_in, stand_in.removeprefix(LOST))
    return _OBEYED.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
