"""Recognizers of fewer or narrower units: what stays is the same bits, and a fresh network of the spec takes it."""

from dataclasses import replace
from itertools import combinations

import pytest
import torch

from channels import Chance, Link, draw
from semcom.compression.cost import count
from semcom.compression.gather import evidence_of
from semcom.compression.layer_baselines import DropOne, RandomLayers
from semcom.compression.layer_pruning import LayerPruning
from semcom.compression.probes import LinearProbes
from semcom.compression.psr import Psr
from semcom.compression.recognizer_cost import recognizer_multiply_adds
from semcom.compression.recognizer_layers import flow_of_ones, keep_layers, narrow_units, recognizer_evidence, seen_of
from semcom.compression.width_pruning import ChannelPruning
from semcom.mistakes import UserMistake
from semcom.models.codec import air_shape
from semcom.models.make import initialize
from semcom.models.recognizer_spec import RecognizerSpec
from semcom.models.recognizer_units import Bridge
from semcom.sources.frames import FrameBatch
from semcom.tasks.trip import rehearse

CLASSES, LENGTH, LINK = 3, 16, Link(snr_db=3.0)
RESIDUAL = RecognizerSpec(length=LENGTH, widths=(4, 6, 8), units=(2, 1, 2))
SPECS = {
    "residual": RESIDUAL,
    "residual 2": replace(RESIDUAL, planes=2),
    "vgg": RecognizerSpec("vgg", length=LENGTH, widths=(4, 6), units=(1, 2), head=(7,)),
    "vgg 2": RecognizerSpec("vgg", length=LENGTH, widths=(4, 6, 7), units=(1, 2, 1), head=(7,), planes=2),
    "cnn": RecognizerSpec("cnn", length=LENGTH, widths=(4,), units=(3,), head=(7,)),
    "cnn 2": RecognizerSpec("cnn", length=LENGTH, widths=(4,), units=(3,), head=(7,), planes=2),
}
every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def frames(seed=5):
    parts = torch.randn(12, LENGTH, 2, generator=torch.Generator().manual_seed(seed))
    return FrameBatch(torch.view_as_complex(parts), torch.arange(12) % CLASSES, tuple(range(12)))


def trips_of(recognizer):
    for seed in (5, 6):
        batch = frames(seed)
        with torch.no_grad():
            air = draw(LINK, air_shape(recognizer, batch), Chance(seed))
            trace = rehearse(recognizer, batch, [(LINK, air)])
        yield trace


def logits(recognizer):
    return recognizer.receiver(frames().samples).logits


@torch.no_grad()
def loss(recognizer):
    return float(torch.nn.functional.cross_entropy(logits(recognizer)[:, 0], frames().targets[:, 0]))


def make(spec, seed=1):
    """With batch normalization that has seen something, and no weight or bridge as it began."""
    recognizer = initialize(spec, CLASSES, seed=seed).train()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for each in recognizer.parameters():
            each.add_(0.1 * torch.randn_like(each))
        logits(recognizer)
    return recognizer.eval()


def subsets(spec):
    depth = sum(spec.units)
    return [kept for count in range(1, depth) for kept in combinations(range(depth), count)]


@every_spec
def test_all_units_kept_give_the_same_bits(spec: RecognizerSpec) -> None:
    recognizer = make(spec)
    whole = keep_layers(recognizer, (tuple(range(sum(spec.units))),))
    assert whole is not recognizer and whole.spec == spec
    assert list(whole.state_dict()) == list(recognizer.state_dict())
    assert torch.equal(logits(whole), logits(recognizer))
    assert torch.equal(logits(whole.train()), logits(make(spec).train()))


@every_spec
def test_what_stays_is_the_same_bits_and_fits_a_fresh_network_of_its_spec(spec: RecognizerSpec) -> None:
    recognizer = make(spec)
    before = {name: tensor.clone() for name, tensor in recognizer.state_dict().items()}
    for kept in subsets(spec):
        pruned = keep_layers(recognizer, (kept,))
        assert pruned.spec == pruned.receiver.spec == replace(spec, kept=kept)
        for name, tensor in pruned.state_dict().items():
            if ".before." in name or ".after." in name:
                continue  # new, so that shapes meet
            if name.startswith("receiver.units."):
                _, _, place, rest = name.split(".", 3)
                name = f"receiver.units.{kept[int(place)]}.{rest}"
            assert torch.equal(tensor, before[name]), name
        remade = initialize(pruned.spec, CLASSES, seed=2).eval()
        remade.load_state_dict(pruned.state_dict())
        assert list(remade.state_dict()) == list(pruned.state_dict())
        assert torch.equal(logits(remade), logits(pruned))
        assert [len(stack) for stack in pruned.stacks()] == [len(kept)]
        assert count(pruned) == count(remade)
    assert all(torch.equal(tensor, before[name]) for name, tensor in recognizer.state_dict().items())


def test_bridges_stand_where_shapes_do_not_meet_and_nowhere_else() -> None:
    def bridges(kept):
        found = keep_layers(make(RESIDUAL), (kept,)).modules()
        return [each.ends for each in found if isinstance(each, Bridge)]

    assert bridges((0, 2, 3)) == []
    assert bridges((0, 3)) == [((4, 16), (6, 8))]
    assert bridges((0, 1)) == [((4, 16), (8, 4))]
    assert bridges((0, 4)) == [((4, 16), (8, 4))]


def test_a_pruned_recognizer_is_pruned_again_and_keeps_bridges_that_fit() -> None:
    once = keep_layers(make(RESIDUAL), ((0, 1, 3, 4),))
    with torch.no_grad():
        once.receiver.units[2].before.channels.add_(0.5)  # trained
    again = keep_layers(once, ((0, 2),))
    assert again.spec == replace(RESIDUAL, kept=(0, 3))
    assert torch.equal(again.receiver.units[1].before.channels, once.receiver.units[2].before.channels)
    assert torch.equal(logits(keep_layers(once, ((0, 1, 2, 3),))), logits(once))
    moved = keep_layers(once, ((0, 3),))
    assert moved.receiver.units[1].before.ends == ((4, 16), (8, 4))
    initialize(moved.spec, CLASSES, seed=2).load_state_dict(moved.state_dict())


def test_precision_and_mode_stay() -> None:
    pruned = keep_layers(make(RESIDUAL).double().train(), ((0, 4),))
    assert {each.dtype for each in pruned.parameters()} == {torch.float64}
    assert pruned.training


@pytest.mark.parametrize("kept", [(), ((0,), (0,)), ((),), ((1, 0),), ((0, 0),), ((5,),), ((-1, 2),)], ids=str)
def test_what_no_recognizer_can_keep_is_refused(kept) -> None:
    with pytest.raises(ValueError, match="kept layers must be"):
        keep_layers(make(RESIDUAL), kept)


@every_spec
def test_every_weight_takes_part_in_the_flow(spec: RecognizerSpec) -> None:
    recognizer = make(replace(spec, kept=(1, 2)))
    flow = flow_of_ones(recognizer)
    assert flow.shape == (2, 1, CLASSES)
    flow.square().sum().backward()
    for name, weight in recognizer.named_parameters():
        assert weight.grad is not None, name
    assert flow_of_ones(recognizer.double()).dtype == torch.float64


def test_what_is_seen_is_what_is_heard() -> None:
    recognizer = make(SPECS["residual 2"])
    evidence = evidence_of(recognizer, lambda: trips_of(recognizer), loss=loss, chance=Chance(7))
    trace = list(trips_of(recognizer))[1]
    for second in (seen_of(trace), list(evidence.observe())[1]):
        # Channels before places, where probes and similarity expect them.
        assert [tuple(layer.shape) for layer in second.layers[0]] == [
            (12, *s) for s in ((4, 32), (4, 32), (6, 8), (8, 4), (8, 4))
        ]
        assert all(torch.equal(a, b.mT) for a, b in zip(second.layers[0], trace.heard.stages, strict=True))
        assert torch.equal(second.targets, frames(6).targets[:, 0]) and second.mask is None


def test_channel_pruning_says_what_it_left() -> None:
    recognizer = make(RESIDUAL)
    evidence = evidence_of(recognizer, lambda: trips_of(recognizer), loss=loss, chance=Chance(7))
    pruned = ChannelPruning(0.6).prune(evidence)
    left, whole = (recognizer_multiply_adds(each.spec, CLASSES) for each in (pruned.network, recognizer))
    assert left <= 0.6 * whole
    assert pruned.account == {"multiply_adds": left, "multiply_adds_before": whole}
    assert len(pruned.network.spec.hidden) == sum(RESIDUAL.units)


@pytest.mark.parametrize(
    "choose", [Psr(), Psr(batch_statistics=True, prefer="largest"), RandomLayers(), DropOne(), LinearProbes()], ids=str
)
@pytest.mark.parametrize("name", ["residual", "vgg 2"])
def test_every_choice_prunes_a_recognizer(name: str, choose) -> None:
    recognizer = make(SPECS[name])
    evidence = recognizer_evidence(recognizer, lambda: trips_of(recognizer), loss=loss, chance=Chance(7))
    made = LayerPruning(2, choose=choose).prune(evidence)
    pruned, kept = made.network, made.account["stacks"][0]["kept"]
    assert pruned.spec.kept == kept and len(kept) == 2
    assert LayerPruning(2, choose=choose).kept(evidence) == (kept,)
    logits(pruned.train()).sum().backward()


@pytest.mark.parametrize("name", ["residual", "residual 2", "cnn", "cnn 2"])
@pytest.mark.parametrize("kept", [None, (0, 2)], ids=["whole", "pruned"])
def test_narrower_units_use_up_a_budget_and_fit_a_fresh_network_of_their_spec(name: str, kept) -> None:
    recognizer = make(replace(SPECS[name], kept=kept))
    whole = recognizer_multiply_adds(recognizer.spec, CLASSES)
    assert narrow_units(recognizer, whole).spec == recognizer.spec
    small = narrow_units(recognizer, int(0.7 * whole))
    assert 0.3 * whole < recognizer_multiply_adds(small.spec, CLASSES) <= 0.7 * whole
    assert small.spec.hidden is not None and small.spec.kept == kept
    remade = initialize(small.spec, CLASSES, seed=2).eval()
    remade.load_state_dict(small.state_dict())
    assert torch.equal(logits(remade), logits(small))
    fewer = keep_layers(small, ((1,),))
    assert fewer.spec.hidden == (small.spec.hidden[1],)
    initialize(fewer.spec, CLASSES, seed=2).load_state_dict(fewer.state_dict())


def test_budgets_and_families_without_an_inside_are_refused() -> None:
    with pytest.raises(UserMistake, match="more than the budget of 10"):
        narrow_units(make(RESIDUAL), 10)
    with pytest.raises(ValueError, match="must have channels inside"):
        narrow_units(make(SPECS["vgg"]), 10_000)
