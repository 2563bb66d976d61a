"""Recognizer: shapes for every family, level control, decisions, gradients, and weights that come back whole."""

from dataclasses import replace

import pytest
import torch

from channels import Chance, Link, draw
from semcom.mistakes import UserMistake
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.recognizer import Recognizer
from semcom.models.recognizer_spec import RecognizerSpec
from semcom.models.recognizer_units import Bridge
from semcom.sources.frames import FrameBatch
from semcom.tasks.trip import in_company, rehearse
from semcom.training.checkpoint import load_weights, save_weights, weights_of

CLASSES, LENGTH, FRAMES, LINK = 5, 16, 6, Link(snr_db=3.0)
FAMILIES = {
    "residual": RecognizerSpec(length=LENGTH, widths=(4, 6, 8), units=(2, 1, 2)),
    "vgg": RecognizerSpec("vgg", length=LENGTH, widths=(4, 6), units=(1, 2), head=(7,)),
    "cnn": RecognizerSpec("cnn", length=LENGTH, widths=(4,), units=(3,), head=(7,)),
}
SPECS = {
    f"{family} {planes} {'whole' if kept is None else 'pruned'}": replace(
        spec, planes=planes, kept=kept, dropout=0.5 * (planes - 1)
    )
    for family, spec in FAMILIES.items()
    for planes in (1, 2)
    for kept in (None, (1,))
}
every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def batch(seed=3, length=LENGTH):
    parts = torch.randn(FRAMES, length, 2, generator=torch.Generator().manual_seed(seed))
    return FrameBatch(torch.view_as_complex(parts), torch.arange(FRAMES) % CLASSES, tuple(range(FRAMES)))


def arrived_of(recognizer, frames):
    """What comes of these frames through a noisy air."""
    air = draw(LINK, air_shape(recognizer, frames), Chance(1))
    return in_company(frames.samples, frames, [(LINK, air)], codec=recognizer)


def logits(recognizer, frames):
    return recognizer.receiver(frames.samples).logits


def seasoned(spec, seed=1):
    """A recognizer whose batch normalization has seen some frames."""
    recognizer = initialize(spec, CLASSES, seed=seed)
    with torch.no_grad():
        recognizer.train().receiver(batch(8).samples)
    return recognizer.eval()


@every_spec
def test_what_is_heard_has_these_shapes(spec: RecognizerSpec) -> None:
    recognizer, frames = seasoned(spec), batch()
    arrived = arrived_of(recognizer, frames)
    heard = recognizer.hear(arrived, frames)
    assert heard.features.shape == (FRAMES, 1, spec.layers_of_head[-1])
    assert heard.logits.shape == (FRAMES, 1, CLASSES)
    assert heard.layers == (heard.features,), "what a method may compare as a layer"
    assert spec.widths_of("heard") == (heard.features.shape[2],) and spec.widths_of("sent") == ()
    shapes = [tuple(stage.shape) for stage in heard.stages]
    assert shapes == [(FRAMES, torch.Size(unit.leaving[1:]).numel(), unit.leaving[0]) for unit in spec.chain()]
    torch.testing.assert_close(recognizer.receiver.output(heard.features), heard.logits)
    assert torch.equal(recognizer.decode(arrived, frames), heard.logits.argmax(dim=2))
    assert torch.equal(recognizer.decode(arrived, frames, beam=4), recognizer.decode(arrived, frames))


@every_spec
def test_the_transmitter_is_the_frame_itself(spec: RecognizerSpec) -> None:
    recognizer, frames = Recognizer(spec, CLASSES), batch()
    sent = recognizer.send(frames)
    assert sent.symbols is frames.samples and sent.layers == ()
    assert list(recognizer.transmitter.parameters()) == []
    assert air_shape(recognizer, frames) == (FRAMES, spec.symbols_per_unit) == (FRAMES, LENGTH)


@every_spec
def test_units_are_one_stack_and_every_weight_is_trained(spec: RecognizerSpec) -> None:
    recognizer, frames = initialize(spec, CLASSES, seed=1).train(), batch()
    (stack,) = recognizer.stacks()
    assert len(stack) == len(spec.remaining)
    rehearse(
        recognizer, frames, [(LINK, draw(LINK, (FRAMES, LENGTH), Chance(1)))]
    ).heard.logits.square().sum().backward()
    for name, weight in recognizer.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), name


@every_spec
def test_weights_and_running_statistics_come_back(spec: RecognizerSpec, tmp_path) -> None:
    recognizer, frames = seasoned(spec), batch()
    save_weights(recognizer, tmp_path / "weights", about={})
    other = initialize(spec, CLASSES, seed=2).eval()
    load_weights(other, tmp_path / "weights")
    assert torch.equal(logits(other, frames), logits(recognizer, frames))
    wider = replace(spec, widths=tuple(width + 1 for width in spec.widths))
    with pytest.raises(UserMistake, match="belong to a codec of another size"):
        load_weights(initialize(wider, CLASSES, seed=2), tmp_path / "weights")


def test_weights_depend_on_the_seed_alone() -> None:
    spec = FAMILIES["residual"]
    one, same, other = (weights_of(initialize(spec, CLASSES, seed=seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["receiver.output.weight"], other["receiver.output.weight"])


def test_loudness_is_not_heard_unless_asked_for() -> None:
    frames = batch()
    level, plain = (
        seasoned(replace(FAMILIES["residual"], level_control=control)).receiver for control in (True, False)
    )
    seen = level.front(frames.samples)
    torch.testing.assert_close(seen.square().sum(dim=1).mean(dim=1), torch.ones(FRAMES))
    torch.testing.assert_close(level.front(300 * frames.samples), seen)
    assert torch.equal(plain.front(frames.samples)[:, 0], frames.samples.real)
    assert torch.equal(plain.front(frames.samples)[:, 1], frames.samples.imag)
    assert torch.equal(level.front(0 * frames.samples), torch.zeros(FRAMES, 2, LENGTH))
    rows = seasoned(replace(FAMILIES["residual"], planes=2)).receiver.front(frames.samples)
    assert torch.equal(rows[:, 0], seen)


def test_around_a_unit_that_does_nothing_features_go_averaged_and_padded() -> None:
    unit = Recognizer(FAMILIES["residual"], CLASSES).receiver.units[2].eval()
    torch.nn.init.zeros_(unit.second.weight)
    features = torch.rand(2, 4, LENGTH)
    made = unit(features)
    torch.testing.assert_close(made[:, :4], features.unflatten(2, (LENGTH // 2, 2)).mean(dim=3))
    assert torch.equal(made[:, 4:], torch.zeros(2, 2, LENGTH // 2))


def test_a_bridge_begins_as_the_way_around_a_unit() -> None:
    features = torch.rand(2, 4, 2, 6)
    made = Bridge((4, 2, 6), (6, 1, 3))(features)
    torch.testing.assert_close(made[:, :4, 0], features.mean(dim=2).unflatten(2, (3, 2)).mean(dim=3))
    assert torch.equal(made[:, 4:], torch.zeros(2, 2, 1, 3))
    torch.testing.assert_close(Bridge((4, 2, 6), (3, 2, 6))(features), features[:, :3])


def test_signals_that_no_frame_gives_are_refused() -> None:
    recognizer = seasoned(FAMILIES["residual"])
    for signal in (batch(length=17).samples, batch().samples.real, batch().samples[0]):
        with pytest.raises(ValueError, match=r"a signal must be complex \[batch, 16\], got"):
            recognizer.receiver(signal)
    with pytest.raises(ValueError, match="outputs must be from 1 to 65536 classes, got 0"):
        Recognizer(FAMILIES["residual"], 0)
