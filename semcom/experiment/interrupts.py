"""interrupts_deferred: Ctrl-C held back while worker processes start, and obeyed as soon as they have."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Hold Ctrl-C back; at the end it is raised if it came.

    Half a cluster can neither be used nor be closed. Threads and processes that start meanwhile never hear of Ctrl-C,
    which suits workers: the coordinating process ends them.

    Raises:
        KeyboardInterrupt: at the end, if Ctrl-C came meanwhile and means that here.
    """
    before = signal.getsignal(signal.SIGINT)
    # Only the main thread is ever interrupted, and who was started to pass over Ctrl-C goes on doing so.
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        with _blocked():
            yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _blocked() -> Iterator[None]:
    """Block the signal in this thread, and so in all threads and processes that it starts meanwhile."""
    if sys.platform == "win32":
        # There is no mask to inherit; a worker may print a traceback.
        yield
        return
    from multiprocessing import resource_tracker

    # Python unblocks the signal in the thread that starts this process, so it must be there beforehand.
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        # What is pending reaches the handler now.
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
