"""The distiller's options as a scenario writes them: they reach the training, and one seed gives one codec."""

from pathlib import Path

import pytest
import torch

from semcom.distillation.catalog import METHODS
from semcom.experiment import build as building
from semcom.experiment.scenario import load_scenario
from semcom.mistakes import UserMistake

TAUGHT = (
    "codecs.small.distill={teacher: big, methods: [{kind: hidden_hints, side: decoder}, {kind: components}], "
    "hears: own, cleaner_db: 6, teacher_interferers: none, above_sinr_db: 1}"
)
SHORT = ("training.steps=3", "sweep.codec=[small]", "sweep.snr_db=6", "sweep.interferers=0")


def test_every_option_reaches_the_distiller_and_adapters_begin_with_the_seed(
    carry_out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Spy(building.Distiller):
        """A distiller that is remembered, with its adapters as they began."""

        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append((options, [each.detach().clone() for each in self.adapters.parameters()]))

    monkeypatch.setattr(building, "Distiller", Spy)
    for number, seed in enumerate((3, 3, 4)):
        torch.rand(number + 1)  # torch's own generator stands elsewhere each time
        assert carry_out(tmp_path / str(number), TAUGHT, f"seed={seed}", *SHORT).failures == 0
    (options, one), (_, again), (_, other) = made
    assert options.pop("seed") > 0
    assert options == {
        "label_weight": 1.0, "hears": "own", "cleaner_db": 6.0, "teacher_interferers": "none", "above_sinr_db": 1.0
    }  # fmt: skip
    assert len(one) == 8, "weights and biases: a hint, and three parts of another width"
    assert all(torch.equal(*pair) for pair in zip(one, again, strict=True))
    assert not any(torch.equal(*pair) for pair in zip(one, other, strict=True))
    first, second = ((tmp_path / name / "results.csv").read_bytes() for name in "01")
    assert first == second


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("codecs.small.distill.cleaner_db=-1", "must be at least 0"),
        ("codecs.small.distill.cleaner_db=200", "must be at most 100"),
        ("codecs.small.distill.teacher_interferers=some", "'same' or 'none'"),
        ("codecs.small.distill.above_sinr_db=.inf", "finite"),
        ("codecs.small.distill.methods=[{kind: relations, distance: 0, angle: 0}]", "distance and angle"),
        ("codecs.small.distill.methods=[{kind: soft_logits, trust: sometimes}]", "'all', 'confident' or 'right'"),
        ("codecs.small.distill.methods=[{kind: hidden_hints, side: left}]", "'encoder', 'decoder' or 'both'"),
        ("codecs.small.adopt={transmitter: big}", "method symbols must teach something"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_any_training(tiny_yaml: Path, change: str, message: str) -> None:
    with pytest.raises(UserMistake, match=message):
        load_scenario(tiny_yaml, (change,))


@pytest.mark.parametrize("kind", [make().kind for make in METHODS])
def test_every_method_can_be_typed(tiny_yaml: Path, kind: str) -> None:
    scenario, _ = load_scenario(tiny_yaml, (f"codecs.small.distill.methods=[{{kind: {kind}, weight: 0.3}}]",))
    assert [method.kind for method in scenario.codecs["small"].distill.methods] == [kind]
    assert scenario.codecs["small"].distill.methods[0].weight == 0.3
