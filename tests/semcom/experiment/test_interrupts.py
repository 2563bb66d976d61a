"""Ctrl-C while workers start: never heard by what starts meanwhile, obeyed at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from semcom.experiment.interrupts import interrupts_deferred

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
SPAWN = """
import multiprocessing, os, signal, sys
from semcom.experiment.interrupts import interrupts_deferred
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with interrupts_deferred():
            child = multiprocessing.get_context("spawn").Process(target=print, args=("child done",))
            child.start()
            os.kill(child.pid, signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            child.join()
            print("started", child.exitcode, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Ctrl-C as a person at a terminal has it: who runs tests in the background may pass over it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_it_waits_and_is_obeyed() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), interrupts_deferred():
        interrupt()
        reached.append("end")
    assert reached == ["end"]


def test_it_is_obeyed_whichever_thread_it_reaches() -> None:
    """Libraries have threads from before, which block nothing."""
    go = threading.Event()
    other = threading.Thread(target=go.wait)
    other.start()
    with pytest.raises(KeyboardInterrupt), interrupts_deferred():
        signal.pthread_kill(other.ident, signal.SIGINT)
        go.set()
        other.join()


def test_twice_is_once_and_nothing_is_left_over() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts_deferred():
        interrupt()
        interrupt()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(KeyboardInterrupt):
        interrupt()
        threading.Event().wait(1.0)


def test_an_error_meanwhile_is_told_rather_than_the_interrupt() -> None:
    with pytest.raises(RuntimeError, match="no port"), interrupts_deferred():
        interrupt()
        raise RuntimeError("no port")


def test_whoever_passes_over_it_goes_on_doing_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts_deferred():
        interrupt()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_in_another_thread_nothing_is_changed() -> None:
    found: list[object] = []

    def look() -> None:
        with interrupts_deferred():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_processes_started_meanwhile_never_hear_of_it(tmp_path) -> None:
    (tmp_path / "spawning.py").write_text(SPAWN)
    done = subprocess.run([sys.executable, tmp_path / "spawning.py"], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["child done", "started 0", "interrupted"], done.stderr
    assert "Traceback" not in done.stderr
