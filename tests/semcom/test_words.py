"""Durations and counts that people can read, and foreign text that no terminal obeys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.words import counted, lasting, visible


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0s"), (0.4, "0s"), (59.4, "59s"), (59.6, "1m00s"), (125, "2m05s")),
        *((3599.6, "1h00m"), (4200, "1h10m"), (360000, "100h00m")),
    ],
)
def test_a_duration_as_people_say_it(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


@given(st.floats(0, 1e7))
def test_longer_is_never_shorter(seconds: float) -> None:
    def back(text: str) -> int:
        hours, _, rest = text.partition("h") if "h" in text else ("0", "", text)
        minutes, _, ends = rest.partition("m") if "m" in rest else ("0", "", rest)
        return 3600 * int(hours) + 60 * int(minutes) + int(ends.strip("s") or 0)

    # A minute is as fine as it gets above an hour.
    assert abs(back(lasting(seconds)) - seconds) <= (60.5 if seconds >= 3599 else 0.5)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 points"), (1, "1 point"), (2, "2 points"), (12000, "12,000 points")]
)
def test_one_of_something_is_singular(number: int, text: str) -> None:
    assert counted(number, "point") == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\rb\x07", "a\\x0db\\x07"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b2J", "\\x9b2J"),
        ("half \ud83d", "half \\ud83d"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("the \x1a<unknown> caf\x1a\ufffd", "the <unknown> caf\ufffd"),
        ("\x1aother <unknown>", "\\x1aother <unknown>"),
        ("caf\xe9\tand\n\u4f60\u597d \U0001f600", "caf\xe9\tand\n\u4f60\u597d \U0001f600"),
    ],
)
def test_controls_are_spelled_out_and_letters_stay(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_spelling_out_twice_changes_nothing_more(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    once.encode()  # raises where a lone surrogate is left
