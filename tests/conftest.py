"""What every test may lean on: one thread, repeatable hypothesis runs, and a tolerance that is computed."""

from __future__ import annotations

import math
import os
from collections.abc import Callable

# Before torch is imported anywhere: more threads than free cores are many times slower, not faster.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
import torch
from hypothesis import settings

# Derandomized: a red test must be red again tomorrow. No database: a test run leaves nothing in the tree.
settings.register_profile("house", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def assert_mean() -> Callable[..., None]:
    """Hand out `assert_mean(samples, expected)`: five standard errors, neither more nor less."""

    def check(samples: torch.Tensor, expected: float, sigmas: float = 5.0) -> None:
        """Fail if the mean of independent samples is further from `expected` than chance allows."""
        samples = samples.detach().double().flatten()
        error = samples.std().item() / math.sqrt(samples.numel())
        gap = samples.mean().item() - expected
        # The floor is for samples that are all alike, where float32 leaves its own rounding.
        assert abs(gap) <= sigmas * error + 1e-6, f"mean {expected + gap:.6g} is not {expected:.6g}, error {error:.2g}"

    return check
