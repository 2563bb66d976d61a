"""Keep freed memory in the process, so that the next step need not ask the system for it again."""

from __future__ import annotations

import ctypes
import os

# Options of glibc's mallopt by their numbers there: 1 GiB is more than a step frees in one piece, and the largest int,
# 2 GiB, more than it frees together. Only the main heap obeys, so it is made the only one.
OPTIONS = {
    -3: 1 << 30,  # M_MMAP_THRESHOLD
    -1: (1 << 31) - 1,  # M_TRIM_THRESHOLD
    -8: 1,  # M_ARENA_MAX
}


def keep_memory() -> None:
    """Have the C library keep what is freed, where it is glibc; elsewhere nothing happens.

    A step takes and frees the same few hundred megabytes as the step before. glibc hands much of them back to the
    system each time, which clears every page anew before the process may touch it again; Dask, which starts workers
    for short tasks, tells it to hand back nearly all. No number changes: addresses are as well aligned either way.

    To be called before a process has started the threads that compute.
    """
    if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", {}):
        libc = ctypes.CDLL(None)
        for option, value in OPTIONS.items():
            libc.mallopt(option, value)
