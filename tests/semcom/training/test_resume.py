"""A training that was stopped anywhere and begun again ends with the weights of one that was not, bit for bit."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar, Literal

import pytest
import torch

from channels import Chance, PerSymbol, Rayleigh
from semcom.distillation.distiller import Distiller
from semcom.distillation.soft_logits import SoftLogits
from semcom.distillation.teaching import Teaching
from semcom.models.trace import masked_mean
from semcom.sources.batches import TrainingBatches
from semcom.training.checkpoint import Checkpoint
from semcom.training.fit import fit
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

ROOT = Path(__file__).resolve().parents[3]
STEPS = 12
CHANCE = Chance(3).of("training")
PLAIN = TrainingSettings(steps=STEPS, batch=8, warmup=3, learning_rate=1e-2, validate_every=5)
CROWDED = TrainingSettings(
    steps=STEPS, batch=8, warmup=3, interferers=(0, 2), level_db=(-9.0, -3.0), fading=Rayleigh(), coherence=PerSymbol()
)


@dataclass(frozen=True)
class Hint:
    """A method with layers of its own to train: the teacher's features from the student's."""

    weight: float = 0.5
    kind: Literal["hint"] = "hint"
    sees: ClassVar[frozenset[str]] = frozenset({"heard"})

    def adapters(self, student, teacher):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(9)
            return torch.nn.Linear(student.receiver.width, teacher.receiver.width)

    def loss(self, student, teacher, adapters):
        gap = adapters(student.heard.features) - teacher.heard.features
        return masked_mean(gap.square().mean(dim=-1), student.mask)


class Stopped(Exception):
    """Somebody pulled the plug."""


def plain(make_codec, seed):
    return HardLabels(make_codec(seed)), PLAIN


def dropping(make_codec, seed):
    return HardLabels(make_codec(seed, dropout=0.3)), PLAIN


def crowded(make_codec, seed):
    return HardLabels(make_codec(seed)), CROWDED


def taking_turns(make_codec, seed):
    return HardLabels(make_codec(seed, decoding="autoregressive", dropout=0.1)), PLAIN


def adopted(make_codec, seed):
    """One side comes from another codec and is kept as it is, so no checkpoint holds it."""
    codec = make_codec(seed, tied=False)
    codec.transmitter.load_state_dict(make_codec(55, tied=False).transmitter.state_dict())
    codec.transmitter.requires_grad_(False)
    return HardLabels(codec), PLAIN


def distilled(make_codec, seed):
    teacher = make_codec(77, width=12, layers=2)
    return Distiller(
        make_codec(seed, dropout=0.2),
        [teacher],
        Teaching(teacher="teacher", methods=(SoftLogits(temperature=2.0), Hint())),
    ), CROWDED


def train(objective, settings, encoded, *, checkpoint=None, plugs=()):
    """Fit, until a plug is pulled; the history, and every weight by name."""
    waiting = set(plugs)

    def progress(done: int, total: int, message: str) -> None:
        if done in waiting:
            raise Stopped

    def validate() -> float:
        return float(sum(each.abs().sum() for each in objective.parameters()).detach())

    batches = TrainingBatches(encoded, settings.batch, CHANCE.of("batches"))
    history = fit(objective, batches, settings, CHANCE, checkpoint=checkpoint, validate=validate, progress=progress)
    return history, {name: each.detach().clone() for name, each in objective.named_parameters()}


def assert_same(ours, theirs) -> None:
    assert ours.keys() == theirs.keys()
    different = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert not different


@pytest.fixture
def at_every_step(monkeypatch) -> None:
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 0.0)


@pytest.mark.usefixtures("at_every_step")
@pytest.mark.parametrize("plugs", [(STEPS // 2,), (STEPS,), (1, 2, 4, 5, 9, STEPS - 1)], ids=str)
@pytest.mark.parametrize("make", [plain, dropping, crowded, taking_turns, adopted, distilled])
def test_stopped_and_begun_again_is_never_stopped(make, plugs, make_codec, encoded, tmp_path):
    expected_history, expected = train(*make(make_codec, 1), encoded)
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "one training")
    for plug in plugs:
        with pytest.raises(Stopped):
            train(*make(make_codec, 1), encoded, checkpoint=checkpoint, plugs=[plug])
    # Begun again on other weights: all that counts must come from the checkpoint.
    history, weights = train(*make(make_codec, 2), encoded, checkpoint=checkpoint)
    assert_same(weights, expected)
    assert vars(history) == vars(expected_history)


def test_a_training_goes_on_after_its_last_checkpoint_not_after_its_last_step(
    make_codec, encoded, tmp_path, monkeypatch
):
    """A plug pulled between two checkpoints costs the steps since the first, never the result."""
    now = iter(range(10_000))
    monkeypatch.setattr("semcom.training.fit.time.monotonic", lambda: float(next(now)))
    monkeypatch.setattr("semcom.training.fit.CHECKPOINT_SECONDS", 3.0)
    _, expected = train(*plain(make_codec, 1), encoded)
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "one training")
    with pytest.raises(Stopped):
        train(*plain(make_codec, 1), encoded, checkpoint=checkpoint, plugs=[8])
    assert 0 < checkpoint.load()["step"] < 8
    _, weights = train(*plain(make_codec, 2), encoded, checkpoint=checkpoint)
    assert_same(weights, expected)


@pytest.mark.usefixtures("at_every_step")
def test_a_checkpoint_changes_nothing(make_codec, encoded, tmp_path):
    _, expected = train(*plain(make_codec, 1), encoded)
    _, weights = train(*plain(make_codec, 1), encoded, checkpoint=Checkpoint(tmp_path / "checkpoint.pt", "any"))
    assert_same(weights, expected)


@pytest.mark.usefixtures("at_every_step")
def test_a_finished_training_is_not_trained_further(make_codec, encoded, tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", "one training")
    _, expected = train(*plain(make_codec, 1), encoded, checkpoint=checkpoint)
    _, weights = train(*plain(make_codec, 2), encoded, checkpoint=checkpoint)
    assert_same(weights, expected)


@pytest.mark.usefixtures("at_every_step")
@pytest.mark.parametrize("spoil", ["another identity", "truncated", "not a checkpoint"])
def test_a_checkpoint_that_cannot_be_trusted_costs_time_but_not_the_result(spoil, make_codec, encoded, tmp_path):
    _, expected = train(*plain(make_codec, 1), encoded)
    path = tmp_path / "checkpoint.pt"
    identity = "other" if spoil == "another identity" else "one training"
    with pytest.raises(Stopped):
        train(*plain(make_codec, 2), encoded, checkpoint=Checkpoint(path, identity), plugs=[5])
    if spoil == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif spoil == "not a checkpoint":
        path.write_text("nothing to see here")
    _, weights = train(*plain(make_codec, 1), encoded, checkpoint=Checkpoint(path, "one training"))
    assert_same(weights, expected)


KILLED = """
import sys
from pathlib import Path
from channels import Chance, Rayleigh
from semcom.models.make import initialize
from semcom.models.semantic_spec import symmetric
from semcom.sources.batches import TrainingBatches
from semcom.training import fit as loop
from semcom.training.checkpoint import Checkpoint, save_weights
from semcom.training.objective import HardLabels
from semcom.training.settings import TrainingSettings

folder = Path(sys.argv[1])
loop.CHECKPOINT_SECONDS = 0.0
chance = Chance(4)
encoded = [[4 + (7 * row + place) % 19 for place in range(3 + row % 4)] for row in range(40)]
codec = initialize(symmetric(16, 1, heads=2), 23, seed=1)
settings = TrainingSettings(steps=300, batch=8, warmup=10, interferers=(0, 1), fading=Rayleigh())
loop.fit(
    HardLabels(codec), TrainingBatches(encoded, 8, chance.of("batches")), settings, chance,
    checkpoint=Checkpoint(folder / "checkpoint.pt", "one training"),
    progress=lambda done, total, message: print(done, flush=True),
)
save_weights(codec, folder / "weights.safetensors", about={})
"""


def begin(folder: Path) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1
    )


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill without asking")
def test_killed_without_warning_and_begun_again_is_never_killed(tmp_path):
    with begin(tmp_path / "whole") as process:
        process.communicate()
        assert process.returncode == 0
    chance = Random(8)
    first_steps = []
    for _ in range(4):
        with begin(tmp_path / "killed") as process:
            first_steps.append(int(process.stdout.readline()))
            for _ in range(chance.randrange(1, 15)):
                process.stdout.readline()
            # A step takes a few milliseconds, most of them spent on its checkpoint: often that is what is torn.
            time.sleep(chance.uniform(0.0, 0.01))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    assert first_steps == sorted(set(first_steps)), "every run must go on where the last one was killed"
    with begin(tmp_path / "killed") as process:
        process.communicate()
        assert process.returncode == 0
    whole, killed = (tmp_path / name / "weights.safetensors" for name in ("whole", "killed"))
    assert killed.read_bytes() == whole.read_bytes()
