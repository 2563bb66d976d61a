"""Crews: jobs in, outcomes out, whoever does them; an exception is an outcome and ends nothing."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator

import pytest
import torch
from rich.console import Console

from semcom.experiment import build as building
from semcom.experiment import run as running
from semcom.experiment import workers as module
from semcom.experiment.progress import Board
from semcom.experiment.workers import Alone, Job, Means, Several, crew_of, perform, without_a_word
from semcom.scenario.expand import expand
from semcom.scenario.load import load_scenario


@pytest.fixture
def jobs(tiny_yaml, tmp_path) -> list[Job]:
    """Both builds of the tiny scenario, and one run."""
    sweep = expand(load_scenario(tiny_yaml)[0])
    known = {build.identity: build for build in sweep.builds}
    return [Job(work, known, tmp_path, Means(threads=1)) for work in (*sweep.builds, sweep.runs[0])]


def test_one_worker_is_this_process_and_more_are_others() -> None:
    board = Board(Console(quiet=True))
    assert isinstance(crew_of(board, Means(workers=1)), Alone)
    assert isinstance(crew_of(board, Means(workers=2)), Several)


def test_jobs_come_back_in_the_order_they_were_taken(jobs, monkeypatch) -> None:
    monkeypatch.setattr(building, "carry_out_build", lambda build, known, folder, **_: build.name)
    monkeypatch.setattr(running, "carry_out_run", lambda run, folder, *_, **__: run.link)
    with Alone(Board(Console(quiet=True))) as crew:
        for job in jobs:
            crew.take(job)
        assert crew.busy == 3
        assert [crew.finished() for _ in jobs] == [(jobs[0], "big"), (jobs[1], "small"), (jobs[2], jobs[2].work.link)]
        assert crew.busy == 0


def test_what_a_job_raises_is_its_outcome(jobs, monkeypatch) -> None:
    def broken(*_, **__):
        raise RuntimeError("no luck")

    monkeypatch.setattr(building, "carry_out_build", broken)
    monkeypatch.setattr(running, "carry_out_run", lambda *_, **__: "done")
    with Alone(Board(Console(quiet=True))) as crew:
        crew.take(jobs[0])
        crew.take(jobs[2])
        job, error = crew.finished()
        assert job is jobs[0]
        assert isinstance(error, RuntimeError)
        assert crew.finished() == (jobs[2], "done")


def test_ctrl_c_is_nobody_s_outcome(jobs, monkeypatch) -> None:
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "carry_out_build", interrupted)
    with Alone(Board(Console(quiet=True))) as crew, pytest.raises(KeyboardInterrupt):
        crew.take(jobs[0])
        crew.finished()


def test_a_job_runs_with_the_threads_it_was_given(jobs, monkeypatch) -> None:
    monkeypatch.setattr(building, "carry_out_build", lambda *_, **__: torch.get_num_threads())
    work = jobs[0]
    assert perform(Job(work.work, work.known, work.folder, Means(threads=2)), lambda *_: None) == 2
    assert perform(work, lambda *_: None) == 1


def test_a_job_knows_what_to_call_itself(jobs) -> None:
    assert [job.label for job in jobs] == ["training big", "training small", "measuring big"]


@pytest.mark.slow
def test_workers_do_what_this_process_does_and_one_that_is_killed_is_replaced(jobs, tmp_path) -> None:
    """The real thing: processes of Dask, of which one is killed with a job in its hands."""
    with Several(Board(Console(quiet=True)), Means(workers=1)) as crew:
        process = next(iter(crew._client.run(os.getpid).values()))
        assert process != os.getpid()
        crew.take(jobs[0])
        os.kill(process, signal.SIGKILL)
        job, record = crew.finished()
        assert not isinstance(record, Exception), record
        assert (job, record["name"]) == (jobs[0], "big")
        crew.take(jobs[1])
        crew.take(jobs[2])
        finished = {job.label: outcome for job, outcome in (crew.finished() for _ in range(2))}
        assert finished["training small"]["method"] == "soft_logits+symbols"
        assert finished["measuring big"].intervals[""]["bleu_1"].count == 20
        # A job that cannot be done brings its own exception home.
        crew.take(Job(jobs[1].work, {}, tmp_path / "empty", Means()))
        assert isinstance(crew.finished()[1], KeyError)
        assert crew.busy == 0


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as a person at a terminal has it: who runs tests in the background may pass over it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_whoever_trains_keeps_memory(interruptible, monkeypatch) -> None:
    kept = []
    monkeypatch.setattr(module, "keep_memory", lambda: kept.append("here"))
    with Alone(Board(Console(quiet=True))):
        assert kept == ["here"]
    module._prepare_worker()
    assert kept == ["here", "here"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_while_workers_start_is_obeyed_when_they_have(interruptible) -> None:
    """Sent once the first worker process is there, as a person does who sees the wrong scenario begin."""
    crew = Several(Board(Console(quiet=True)), Means(workers=1))
    start, closed = crew._start, []

    def interrupted(environment, opened) -> None:
        opened.callback(lambda: closed.append("cluster"))
        os.kill(os.getpid(), signal.SIGINT)
        start(environment, opened)

    crew._start = interrupted
    with pytest.raises(KeyboardInterrupt), crew:
        pytest.fail("work began after Ctrl-C")
    assert closed == ["cluster"], "what was started must be ended"


def test_nothing_is_logged_of_an_end(caplog) -> None:
    logger = logging.getLogger("distributed.scheduler")
    before = logger.level
    with without_a_word(logger):
        logger.critical("gone")
    assert not caplog.messages and logger.level == before
    logger.critical("still here")
    assert caplog.messages == ["still here"]
