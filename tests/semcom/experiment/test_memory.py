"""The heap: what was freed is used again, not fetched anew from the system; in the main thread and in others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# As a training does: pieces of many sizes, taken and freed over and over, in a process that Dask started (it asks for
# memory to be handed back early). Printed are the pages fetched by three steps, once the heap has found its shape.
PROGRAM = """
import resource, sys, threading
from semcom.experiment.memory import keep_memory
if sys.argv[1] == "keep":
    keep_memory()
import torch
def step():
    pieces = [torch.zeros(size << 18) for size in (1, 3, 9, 16, 27, 40)]
def work():
    for _ in range(10):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
if sys.argv[2] == "main":
    work()
else:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
"""


def pages(kept: str, thread: str) -> int:
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, kept, thread]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return int(done.stdout)


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="glibc alone has these knobs")
@pytest.mark.parametrize("thread", ["main", "other"])
def test_a_step_finds_the_memory_that_the_last_one_freed(thread: str) -> None:
    handed_back = pages("leave", thread)
    assert handed_back > 1000, "nothing was handed back, so nothing is shown"
    assert pages("keep", thread) < 0.1 * handed_back
