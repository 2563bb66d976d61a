"""What every test may lean on: one thread, repeatable hypothesis runs, a computed tolerance, a tiny scenario."""

from __future__ import annotations

import io
import math
import os
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Before torch is imported anywhere: more threads than free cores are many times slower, not faster.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
import torch
from hypothesis import settings

from semcom.compression import latency

# Derandomized: a red test must be red again tomorrow. No database: a test run leaves nothing in the tree.
settings.register_profile("house", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("house")

# Made-up sentences: ten thousand of them can be put together, with a handful of words in every place.
PARTS = (
    "the cat|a dog|my friend|the old ship|our team|this engine|a small bird|the river|every child|the teacher",
    "sees|follows|likes|carries|finds|watches|leaves|answers|paints|hears",
    "the red house|a quiet garden|the long road|some cold water|the last letter|a new song|the green hill|two stones"
    "|the open door|a bright light",
    "today|at night|in the rain|with care|before noon|near the sea|again|for hours|without fear|once more",
)
TINY = """\
# Does the whole chain hold, from text to table?
name: tiny
seed: 3
corpus: {source: file, path: PATH, longest: 20}
tokenizer: {kind: words}
codecs:
  big: {size: student_quarter, symbols_per_token: 2}
  plain: {size: tiny, symbols_per_token: 2}
  small:
    size: tiny
    symbols_per_token: 2
    distill: {teacher: big, methods: [{kind: soft_logits}, {kind: symbols}]}
training: {steps: 6, batch: 16, warmup: 2, snr_db: [0, 12], interferers: [0, 1], validate_every: 4}
sweep: {codec: [big, small], snr_db: [0, 6, 12], interferers: [0, 2]}
measure: {metrics: [bleu_1, bleu_4, exact_match], sentences: 20, batch: 8, resamples: 100}
"""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _short_latencies() -> Iterator[None]:
    """A tenth of the rounds: times of tiny codecs are looked at by few tests, and were a third of every run."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(latency, "ROUNDS", latency.FEWEST)
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_places(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Cached corpora go where the tests' other files go, unless somebody wants to keep them."""
    os.environ.setdefault("SEMCOM_CACHE", str(tmp_path_factory.mktemp("cache")))
    if not os.access(Path.home(), os.W_OK):
        # matplotlib warns if it cannot keep its list of fonts, and a warning is an error here.
        os.environ.setdefault("MPLCONFIGDIR", str(tmp_path_factory.mktemp("matplotlib")))


@pytest.fixture(scope="session")
def assert_mean() -> Callable[..., None]:
    """Hand out `assert_mean(samples, expected)`: five standard errors, neither more nor less."""

    def check(samples: torch.Tensor, expected: float, sigmas: float = 5.0) -> None:
        """Fail if the mean of independent samples is further from `expected` than chance allows."""
        samples = samples.detach().double().flatten()
        error = samples.std().item() / math.sqrt(samples.numel())
        gap = samples.mean().item() - expected
        assert abs(gap) <= sigmas * error + 1e-6, f"mean {samples.mean():.6g} is {gap / error:+.1f} standard errors off"

    return check


@pytest.fixture(scope="session")
def made_up() -> Callable[..., list[str]]:
    """Hand out `made_up(count)`: that many different sentences of eight to eleven words, always the same."""

    def make(count: int, seed: int = 1) -> list[str]:
        chance, found = random.Random(seed), dict[str, None]()
        while len(found) < count:
            found[" ".join(chance.choice(part.split("|")) for part in PARTS) + " ."] = None
        return list(found)

    return make


@pytest.fixture(scope="session")
def text_file(tmp_path_factory: pytest.TempPathFactory, made_up: Callable[..., list[str]]) -> Path:
    """Six hundred sentences; they split into some 540, 30 and 30."""
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n".join(made_up(600)) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_yaml(text_file: Path) -> Path:
    """A scenario that is trained in a second: a teacher, its student, six operating points each."""
    path = text_file.with_name("tiny.yaml")
    path.write_text(TINY.replace("PATH", str(text_file)), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Carried:
    """How carrying a scenario out went."""

    failures: int
    said: str


@pytest.fixture(scope="session")
def carry_out(tiny_yaml: Path) -> Callable[..., Carried]:
    """Hand out `carry_out(folder, "training.steps=3")`: the tiny scenario with changes, without drawing anything."""
    from rich.console import Console

    from semcom.experiment.conduct import conduct
    from semcom.experiment.workers import Means
    from semcom.scenario.load import load_scenario

    def call(folder: Path, *changes: str, lenders: tuple[Path, ...] = ()) -> Carried:
        scenario, text = load_scenario(tiny_yaml, changes)
        said = io.StringIO()
        console = Console(file=said, width=200)
        failures = conduct(scenario, text, folder, means=Means(), console=console, lenders=lenders)
        return Carried(failures, said.getvalue())

    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, carry_out: Callable[..., Carried]) -> Path:
    """The folder of a finished run of the tiny scenario; to be looked at or copied, never changed."""
    folder = tmp_path_factory.mktemp("finished") / "tiny"
    assert carry_out(folder).failures == 0
    return folder


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str


@pytest.fixture
def semcom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Answer]]:
    """Hand out `semcom("check", "quickstart")`: the command line in this process, as its entry point runs it."""
    from semcom.cli import main

    def call(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["semcom", *map(str, words)])
        capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return Answer(int(code or 0), said.out, said.err)  # type: ignore[call-overload]

    monkeypatch.delenv("SEMCOM_DEBUG", raising=False)
    yield call
    os.environ.pop("SEMCOM_DEBUG", None)


@pytest.fixture
def refused(semcom: Callable[..., Answer], tmp_path: Path) -> Callable[..., str]:
    """Hand out `refused(*words)`: the message of a command that must be refused and must leave no trace.

    `whole` is a pattern for names of files that may be left all the same: whole ones, from which a run goes on.
    """

    def call(*words: object, whole: str = "(?!)") -> str:
        before = {path for path in tmp_path.rglob("*") if path.is_file()}
        answer = semcom(*words)
        assert answer.code == 2, answer
        assert "Traceback" not in answer.err + answer.out
        assert answer.err.strip(), "nothing was said"
        left = {path for path in tmp_path.rglob("*") if path.is_file()} - before
        assert all(re.fullmatch(whole, path.name) for path in left), f"left behind: {left}"
        # typer draws a box around its messages, and lines break anywhere between words.
        return " ".join(re.sub("[\u2500-\u257f]", " ", answer.err).split())

    return call
