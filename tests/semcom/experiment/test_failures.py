"""One line for whatever ended a job."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from semcom.experiment.failures import SMALLER, failure_of


def test_a_worker_that_was_killed_is_told_in_plain_words() -> None:
    from distributed.scheduler import KilledWorker

    said = failure_of(KilledWorker("training big-0123", SimpleNamespace(address="tcp://127.0.0.1:1"), 3))
    assert said.startswith("its worker process was killed 4 times")
    assert "--workers" in said
    assert "tcp" not in said and "dask" not in said.lower()


def torch_without_room() -> Exception:
    """What torch raises when a tensor does not fit."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 5.1 TiB for an array"),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        OSError(12, "Cannot allocate memory: not enough memory resources"),
    ],
)
def test_memory_that_runs_out_comes_with_advice(error: Exception) -> None:
    said = failure_of(error)
    assert said.startswith("memory ran out (")
    assert said.endswith(SMALLER)


def test_torch_without_room_is_recognized() -> None:
    assert failure_of(torch_without_room()).startswith("memory ran out (")


def test_any_other_error_is_told_on_one_line() -> None:
    assert failure_of(ValueError("sizes\n  do not\tfit")) == "ValueError: sizes do not fit"
