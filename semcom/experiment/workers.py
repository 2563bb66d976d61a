"""Who does the work: this process alone, or Dask workers on this machine."""

from __future__ import annotations

import logging
import os
import signal
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from semcom.experiment.interrupts import interrupts_deferred
from semcom.experiment.memory import keep_memory
from semcom.experiment.progress import Board, Tick
from semcom.scenario.work import AnyBuild, Build, LanguageBuild, Run

TOPIC = "semcom-progress"


@dataclass(frozen=True)
class Means:
    """With what a scenario is carried out.

    How many workers there are may change no number. Device and threads do, and are in no identity: every build and run
    records its own.
    """

    workers: int = 1
    device: str = "cpu"
    threads: int = 1


@dataclass(frozen=True)
class Job:
    """One build or one run, with all that a worker needs to do it."""

    work: AnyBuild | Run
    known: Mapping[str, AnyBuild]
    folder: Path
    means: Means

    @property
    def label(self) -> str:
        """What progress lines call it."""
        return f"measuring {self.work.build.name}" if isinstance(self.work, Run) else self.work.label


Finished = tuple[Job, Any]  # the job, and its outcome or the exception that ended it


class Crew(Protocol):
    """Takes jobs, gives back finished ones, in whatever order they finish."""

    def take(self, job: Job) -> None: ...

    def finished(self) -> Finished: ...

    @property
    def busy(self) -> int: ...


def perform(job: Job, tick: Tick) -> Any:
    """Do one job here."""
    import torch

    from semcom.experiment.build import carry_out_build
    from semcom.experiment.language import carry_out_language
    from semcom.experiment.run import carry_out_run
    from semcom.experiment.tuning import carry_out_tuning

    torch.set_num_threads(job.means.threads)
    if isinstance(job.work, Build):
        known = {key: each for key, each in job.known.items() if isinstance(each, Build)}
        return carry_out_build(job.work, known, job.folder, device=job.means.device, progress=tick)
    languages = {key: each for key, each in job.known.items() if isinstance(each, LanguageBuild)}
    if isinstance(job.work, Run):
        return carry_out_run(job.work, job.folder, languages, device=job.means.device)
    if isinstance(job.work, LanguageBuild):
        return carry_out_language(job.work, languages, job.folder, device=job.means.device, progress=tick)
    return carry_out_tuning(job.work, languages, job.folder, device=job.means.device, progress=tick)


class Alone(AbstractContextManager["Alone"]):
    """This process does one job after the other."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._waiting: deque[Job] = deque()

    def __enter__(self) -> Self:
        keep_memory()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @property
    def busy(self) -> int:
        """Jobs not given back yet."""
        return len(self._waiting)

    def take(self, job: Job) -> None:
        """Queue a job."""
        self._waiting.append(job)

    def finished(self) -> Finished:
        """Do the next job; what it raises is its outcome."""
        job = self._waiting.popleft()
        tick = _quiet if isinstance(job.work, Run) else self._board.tick(job.label)
        try:
            return job, perform(job, tick)
        except Exception as error:
            return job, error


class Several(AbstractContextManager["Several"]):
    """Dask worker processes on this machine; a worker that is killed is replaced and its job done again."""

    def __init__(self, board: Board, means: Means) -> None:
        self._board = board
        self._means = means
        self._jobs: dict[Any, Job] = {}
        self._ticks: dict[str, Tick] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        import dask
        from distributed import as_completed

        quiet = {"distributed.logging.distributed": "critical", "distributed.worker.daemon": True}
        # Workers inherit the environment; their thread counts are set before torch is loaded.
        environment = {"OMP_NUM_THREADS": str(self._means.threads), "OMP_WAIT_POLICY": "PASSIVE"}
        with ExitStack() as opened:
            opened.enter_context(dask.config.set(quiet))
            # It logs what jobs tell us themselves, and of a worker's progress that a client has just gone.
            opened.enter_context(without_a_word(logging.getLogger("distributed.scheduler")))
            with interrupts_deferred():
                self._start(environment, opened)
            self._completed = as_completed([])
            self._stack = opened.pop_all()
        return self

    def _start(self, environment: dict[str, str], opened: ExitStack) -> None:
        from distributed import Client, LocalCluster

        cluster = opened.enter_context(
            LocalCluster(
                n_workers=self._means.workers,
                threads_per_worker=1,
                processes=True,
                # Even without a dashboard a port is opened; any free one, or a second run would warn of the first.
                dashboard_address="127.0.0.1:0",
                # Equal shares of the memory would get a worker killed whose turn it is to hold a large corpus.
                memory_limit=0,
                # What happens to jobs is told by us; what workers say of a scheduler that has gone helps nobody.
                silence_logs=logging.CRITICAL,
                env=environment,
                local_directory=os.environ.get("TMPDIR"),
            )
        )
        self._client = opened.enter_context(Client(cluster))
        self._client.run(_prepare_worker)
        self._client.subscribe_topic(TOPIC, self._show)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def busy(self) -> int:
        """Jobs not given back yet."""
        return len(self._jobs)

    def take(self, job: Job) -> None:
        """Hand a job to whichever worker is free."""
        future = self._client.submit(_perform_far, job, key=f"{job.label}-{job.work.identity}", pure=False)
        self._jobs[future] = job
        self._completed.add(future)

    def finished(self) -> Finished:
        """Wait for any job."""
        future = next(self._completed)
        job = self._jobs.pop(future)
        error = future.exception()
        return job, future.result() if error is None else error

    def _show(self, event: tuple[Any, tuple[str, int, int, str]]) -> None:
        label, done, total, message = event[1]
        if label not in self._ticks:
            self._ticks[label] = self._board.tick(label)
        self._ticks[label](done, total, message)


@contextmanager
def without_a_word(logger: logging.Logger) -> Iterator[None]:
    """Nothing that is logged meanwhile is written, however grave."""
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _prepare_worker() -> None:
    # Ctrl-C reaches the workers too, whose complaints would bury the one message; the coordinator ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_memory()


def _perform_far(job: Job) -> Any:
    """In a worker: progress goes to the coordinator as events, at most a few a second."""
    import time

    from distributed import get_worker

    worker, last = get_worker(), 0.0

    def tell(done: int, total: int, message: str) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > 0.5:
            last = time.monotonic()
            worker.log_event(TOPIC, (job.label, done, total, message))

    return perform(job, tell)


def _quiet(done: int, total: int, message: str) -> None:
    return None


def crew_of(board: Board, means: Means) -> Alone | Several:
    """One process or several, as asked."""
    return Several(board, means) if means.workers > 1 else Alone(board)
