"""Specs: what they promise, and what they refuse before any tensor exists."""

import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.models.semantic_spec import SemanticSpec, SideSpec, symmetric


@pytest.mark.parametrize("name", ["width", "layers", "heads", "feedforward", "channel_hidden"])
@pytest.mark.parametrize("value", [0, -3])
def test_a_side_needs_at_least_one_of_everything(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got {value}"):
        SideSpec(**{name: value})


def test_width_is_a_multiple_of_heads() -> None:
    with pytest.raises(ValueError, match="width must be a multiple of heads, got width 10 and 4 heads"):
        SideSpec(width=10, heads=4)


def test_odd_widths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"width must be even .* got 15"):
        SideSpec(width=15, heads=3)


@pytest.mark.parametrize("value", [0, -1, 10**8])
def test_a_token_gets_a_symbol(value: int) -> None:
    with pytest.raises(ValueError, match=f"symbols_per_token must be from 1 to 1024, got {value}"):
        SemanticSpec(symbols_per_token=value)


@pytest.mark.parametrize("value", [1.0, 1.5, -0.1, float("nan")])
def test_dropout_leaves_something(value: float) -> None:
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got"):
        SemanticSpec(dropout=value)


@pytest.mark.parametrize(("name", "value"), [("decoding", "sequential"), ("norm", "Pre")])
def test_unknown_words_are_refused(name: str, value: str) -> None:
    """A word nobody knows must not quietly mean the other one."""
    with pytest.raises(ValueError, match=f"{name} must be .* got '{value}'"):
        SemanticSpec(**{name: value})


def test_specs_are_values() -> None:
    assert SemanticSpec() == SemanticSpec() and hash(SemanticSpec()) == hash(SemanticSpec())
    assert replace(SemanticSpec(), symbols_per_token=4) != SemanticSpec()
    with pytest.raises(FrozenInstanceError):
        SemanticSpec().dropout = 0.5  # type: ignore[misc]


def test_one_embedding_needs_equal_widths() -> None:
    small, large = SideSpec(width=8, heads=2), SideSpec(width=16, heads=2)
    assert SemanticSpec(small, small).shares_embedding
    assert not SemanticSpec(small, small, tied=False).shares_embedding
    assert not SemanticSpec(small, large).shares_embedding
    # Depth and inner sizes may differ all the same.
    assert SemanticSpec(small, replace(small, layers=1, feedforward=5)).shares_embedding


@given(st.integers(1, 16), st.integers(1, 4), st.integers(1, 6))
def test_symmetric_is_alike_on_both_sides(half: int, layers: int, heads: int) -> None:
    width = 2 * half * heads
    spec = symmetric(width, layers, heads=heads)
    assert replace(spec.receiver, channel_hidden=2 * width) == spec.transmitter
    assert spec.transmitter == SideSpec(width, layers, heads, 4 * width, 2 * width)
    assert spec.receiver.channel_hidden == 4 * width
    told = symmetric(width, layers, heads=heads, channel_hidden=(3, 5))
    assert (told.transmitter.channel_hidden, told.receiver.channel_hidden) == (3, 5)


def test_a_plan_needs_no_torch() -> None:
    program = "import sys, semcom.models.semantic_spec, semcom.models.sizes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
