"""Range: a setting that is one number, or two between which every frame draws its own."""

from __future__ import annotations

import math

import torch

__all__ = ["Range", "check_range", "draw_range", "limits"]

Range = float | tuple[float, float]


def limits(value: Range) -> tuple[float, float]:
    """The least and the greatest value of a setting."""
    return value if isinstance(value, tuple) else (value, value)


def check_range(name: str, value: Range, *, low: float = -math.inf, high: float = math.inf) -> None:
    """Refuse a setting that is neither a number nor an ascending pair of numbers, or that leaves its bounds.

    Raises:
        ValueError: in words that name the setting and its bounds.
    """
    numbers = value if isinstance(value, tuple) else (value,)
    is_number = all(isinstance(each, (int, float)) and math.isfinite(each) for each in numbers)
    if not is_number or len(numbers) not in (1, 2) or not low <= numbers[0] <= numbers[-1] <= high:
        bounds = "" if low == -math.inf and high == math.inf else f" from {low:g} to {high:g}"
        raise ValueError(
            f"{name} must be a number{bounds}, or two of them in ascending order, got {value!r}; "
            "with two, every frame draws its own value between them"
        )


def draw_range(value: Range, count: int, *, generator: torch.Generator) -> torch.Tensor:
    """Draw one value per frame, uniform between the limits, [count] in double precision.

    A single number takes as many random numbers as a pair does, so that fixing one setting changes nothing else.
    """
    low, high = limits(value)
    return low + (high - low) * torch.rand(count, generator=generator, dtype=torch.float64)
