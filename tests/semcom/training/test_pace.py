"""Pace: the median of the steps, those before a kill included, and nothing of it in what a training gives."""

from __future__ import annotations

import pytest

from channels import Chance
from semcom.sources.batches import TrainingBatches
from semcom.training.checkpoint import Checkpoint
from semcom.training.fit import fit
from semcom.training.objective import HardLabels
from semcom.training.pace import Pace
from semcom.training.settings import TrainingSettings

CHANCE = Chance(3).of("training")
SETTINGS = TrainingSettings(steps=6, batch=8, warmup=2)


class Stopped(Exception):
    """Somebody pulled the plug."""


def train(make_codec, encoded, checkpoint: Checkpoint | None = None, stop: int | None = None) -> Pace:
    def progress(done: int, total: int, message: str) -> None:
        if done == stop:
            raise Stopped

    pace = Pace()
    batches = TrainingBatches(encoded, SETTINGS.batch, CHANCE.of("batches"))
    fit(HardLabels(make_codec(1)), batches, SETTINGS, CHANCE, checkpoint=checkpoint, progress=progress, pace=pace)
    return pace


def test_the_median_of_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.010, 1.0, 1.500, 2.0, 2.020])
    monkeypatch.setattr("semcom.training.pace.time.process_time", lambda: next(now))
    pace = Pace()
    assert pace.step_ms is None
    for _ in range(3):
        pace.begin()
        pace.end()
    assert pace.step_ms == pytest.approx(20.0)


def test_every_step_is_timed(make_codec, encoded) -> None:
    pace = train(make_codec, encoded)
    assert len(pace.seconds) == SETTINGS.steps
    assert pace.step_ms > 0


def test_steps_before_a_kill_are_remembered(make_codec, encoded, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "one training")
    with pytest.raises(Stopped):
        train(make_codec, encoded, checkpoint, stop=4)
    first = checkpoint.load()["pace"]
    pace = train(make_codec, encoded, checkpoint)
    assert len(first) == 4
    assert pace.seconds[:4] == first
    assert len(pace.seconds) == SETTINGS.steps
    again = train(make_codec, encoded, checkpoint)
    assert again.seconds == pace.seconds, "nothing was left to do, and nothing is forgotten"


def test_a_checkpoint_of_an_earlier_version_has_no_times(make_codec, encoded, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "one training")
    with pytest.raises(Stopped):
        train(make_codec, encoded, checkpoint, stop=4)
    state = checkpoint.load()
    del state["pace"]
    checkpoint.save(state)
    assert len(train(make_codec, encoded, checkpoint).seconds) == 2
